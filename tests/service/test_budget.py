"""The budget: residents are asked rarely, and not at all when they do not want to be."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from service import archive, budget, callbacks
from service.db import Sessions
from service.models.follow_ups import CallBack, FollowUpState, UnaskedMessage
from service.models.talks import Conversation
from tests.households import member
from tests.service.test_follow_ups import answer, asked, call_back_of, finish
from tests.stage import NOON, Stage, sent_to_residents

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def why_not(stage: Stage, talk, kind: str = "notice", *, now=NOON, **facts) -> budget.Refusal | None:
    return budget.why_not(stage.session, talk.resident, kind, now=now, **facts)


def written_down(stage: Stage, talk) -> list[UnaskedMessage]:
    found = select(UnaskedMessage).where(UnaskedMessage.resident_id == talk.resident_id).order_by(UnaskedMessage.id)
    return list(stage.session.scalars(found))


def test_one_message_a_day_whatever_sends_it(stage):
    talk = stage.resident()
    assert why_not(stage, talk) is None
    budget.spend(stage.session, talk.resident, "notice", now=NOON)

    refusal = why_not(stage, talk, "call_back")
    assert refusal is not None
    assert refusal.until == NOON + 12 * HOUR, "midnight in Shanghai"
    assert why_not(stage, talk, "call_back", now=NOON + 12 * HOUR) is None
    assert why_not(stage, stage.resident()) is None, "the neighbours have their own"


def test_the_day_is_the_communitys_also_when_the_clock_is_changed(stage):
    stage.community.timezone = "Europe/Berlin"
    talk, before = stage.resident(), NOON.replace(month=10, day=24, hour=21)
    budget.spend(stage.session, talk.resident, "notice", now=before)

    refusal = why_not(stage, talk, now=before)
    assert refusal is not None
    assert refusal.until == before.replace(hour=22)
    budget.spend(stage.session, talk.resident, "notice", now=refusal.until)
    later = why_not(stage, talk, now=refusal.until)
    assert later is not None
    assert later.until == refusal.until + 25 * HOUR


def test_a_community_may_allow_more(stage):
    stage.community.unasked_per_day = 2
    talk = stage.resident()
    budget.spend(stage.session, talk.resident, "notice", now=NOON)

    assert why_not(stage, talk) is None


def test_what_is_urgent_is_exempt_and_written_down(stage):
    talk = stage.resident(questions_off_since=NOON)
    budget.spend(stage.session, talk.resident, "notice", now=NOON, urgent=True)

    assert why_not(stage, talk, urgent=True) is None
    assert [row.urgent for row in written_down(stage, talk)] == [True]
    talk.resident.questions_off_since = None
    assert why_not(stage, talk) is None, "it does not count"


def test_two_call_backs_of_one_day_are_asked_on_two_days(stage):
    talk = stage.resident()
    first, second = (finish(stage, stage.case(talk)) for _ in range(2))
    due = call_back_of(stage, first).due_at
    callbacks.send_due(stage.session, now=due)

    waiting = call_back_of(stage, second)
    assert (waiting.state, waiting.reason) == (FollowUpState.PLANNED, "enough unasked-for messages today")
    assert waiting.due_at == NOON + 44 * HOUR, "eight in the morning, when the quiet hours end"
    callbacks.send_due(stage.session, now=waiting.due_at)
    assert call_back_of(stage, second).state is FollowUpState.SENT


@pytest.mark.parametrize(
    ("stop", "resume"), [("退订", "恢复"), ("STOP", "resume"), (" 退订。", "恢复！"), ("td", "恢复订阅")]
)
def test_who_does_not_want_to_be_asked_is_not_asked_until_they_say_otherwise(stage, stop, resume):
    talk = stage.resident()
    case = finish(stage, stage.case(talk))

    assert budget.obey(stage.session, talk, stop, key="turn:1", now=NOON)
    callbacks.send_due(stage.session, now=NOON + 2 * DAY)
    assert (call_back_of(stage, case).state, call_back_of(stage, case).reason) == (
        FollowUpState.CANCELLED, "the resident does not want to be asked"
    )  # fmt: skip
    assert budget.obey(stage.session, talk, resume, key="turn:2", now=NOON)
    assert "恢复" in stage.lines_to(talk)[-2]
    assert asked(stage, stage.case(talk), now=NOON + 3 * DAY).state is FollowUpState.SENT


@pytest.mark.parametrize("words", ["我想退订报纸", "恢复供水了吗", "please stop the noise", "", "停"])
def test_words_that_only_hold_the_word_are_no_such_wish(stage, words):
    """A complaint about noise must not switch the call-backs off."""
    talk = stage.resident()

    assert not budget.obey(stage.session, talk, words, key="turn:1", now=NOON)
    assert talk.resident.questions_off_since is None


def test_progress_of_ones_own_case_is_told_all_the_same(stage):
    talk = stage.resident()
    budget.obey(stage.session, talk, "退订", key="turn:1", now=NOON)
    before = len(stage.lines_to(talk))
    finish(stage, stage.case(talk))

    assert len(stage.lines_to(talk)) == before + 1


def test_every_message_nobody_asked_for_is_written_down(stage):
    call_back = asked(stage)
    sent_to_residents(stage)
    callbacks.send_due(stage.session, now=call_back.due_at)
    answer(stage, call_back, held=True)

    written = [row.kind for row in written_down(stage, call_back.case.conversation)]
    assert written == ["call_back", "reminder", "survey"]


# --- One budget for a household of the archive ------------------------------------------------------------------------


def lives(stage: Stage, name: str, *, address: str = "3-2-1201") -> Conversation:
    """Somebody whose account is bound to a member of that household."""
    talk = stage.resident()
    person = member(stage, name, address=address)
    archive.bind(stage.session, talk.resident, person, how="phone", actor="resident", now=NOON)
    return talk


def test_two_members_of_a_household_are_written_to_once_a_day_in_all(stage):
    """The same family is not asked twice because two of its members use the assistant."""
    wife, husband, neighbour = lives(stage, "王芳"), lives(stage, "李强"), lives(stage, "赵敏", address="3-2-1202")
    budget.spend(stage.session, wife.resident, "call_back", now=NOON)

    refusal = why_not(stage, husband)
    assert refusal is not None
    assert (refusal.reason, refusal.until) == ("enough unasked-for messages today", NOON + 12 * HOUR)
    assert why_not(stage, neighbour) is None
    assert why_not(stage, husband, urgent=True) is None, "a burst pipe is told to everybody"


def test_a_household_has_one_survey_a_fortnight_in_all(stage):
    wife, husband = lives(stage, "王芳"), lives(stage, "李强")
    budget.spend(stage.session, wife.resident, budget.SURVEY, now=NOON)

    assert why_not(stage, husband, budget.SURVEY, now=NOON + 13 * DAY) is not None
    assert why_not(stage, husband, budget.SURVEY, now=NOON + 14 * DAY) is None
    assert why_not(stage, husband) is None, "a survey is no message of the day"


def test_who_moves_out_takes_only_what_they_themselves_were_sent(stage):
    """Budgets follow the people who live there now."""
    wife, husband = lives(stage, "王芳"), lives(stage, "李强")
    budget.spend(stage.session, wife.resident, "notice", now=NOON)
    archive.unbind(stage.session, husband.resident, why="moved out", actor="operator", now=NOON)

    assert why_not(stage, husband) is None
    assert why_not(stage, wife) is not None


def test_who_only_names_a_room_has_a_budget_of_their_own(stage):
    """Otherwise anybody could silence a neighbour."""
    bound, stranger = lives(stage, "王芳"), stage.resident(place="3栋2单元1201")
    budget.spend(stage.session, stranger.resident, "notice", now=NOON)

    assert why_not(stage, bound) is None


def test_two_schedulers_do_not_each_write_to_a_member_of_one_household(sessions: Sessions):
    """The second finds the household in the first one's hands and does not wait for it: its turn is a minute later."""
    with sessions.begin() as session:
        stage = Stage(session)
        due = max(
            call_back_of(stage, finish(stage, stage.case(lives(stage, name)))).due_at for name in ("王芳", "李强")
        )
    with sessions() as first, sessions() as second:
        callbacks.send_due(first, now=due, limit=1)
        callbacks.send_due(second, now=due)
        first.commit()
        second.commit()

    with sessions.begin() as session:
        states = {row.state: (row.reason, row.due_at) for row in session.scalars(select(CallBack))}
    assert set(states) == {FollowUpState.SENT, FollowUpState.PLANNED}
    assert states[FollowUpState.PLANNED] == ("the household is being written to", due + budget.ANOTHER_MOMENT)
