"""One look at every follow-up: what is to come, what was not sent and why, and what somebody holds back."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select

from service import (
    after_talks,
    callbacks,
    conversations,
    delivery,
    desk,
    idle,
    incident_reports,
    incidents,
    ladder,
    outbox,
    phone_calls,
    schedule,
    surveys,
    takeover,
    texts,
    visit_reminders,
    waiting,
)
from service.errors import FollowUpHeld, FollowUpNotFound, FollowUpNotHeld
from service.models.follow_ups import CallBack, FollowUpState, Hold
from service.models.queues import OutboxState
from service.models.talks import Conversation
from service.schedule import FollowUp, Wanted
from service.texts import Line
from tests.house.tree import python_files
from tests.service import test_incidents
from tests.service.test_follow_ups import asked, call_back_of, finish
from tests.service.test_visit_reminders import agreed
from tests.stage import NOON, Stage, sent_to_residents

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MUCH_LATER = NOON + 30 * DAY


# --- A row of every kind, and the sweep that takes it ---------------------------------------------------------------


def _call_back(stage: Stage, talk: Conversation) -> None:
    finish(stage, stage.case(talk))


def _reminder(stage: Stage, talk: Conversation) -> None:
    asked(stage, stage.case(talk))


def _phone_call(stage: Stage, talk: Conversation) -> None:
    _reminder(stage, talk)
    sent_to_residents(stage)
    callbacks.send_due(stage.session, now=NOON + 3 * DAY)


def _survey(stage: Stage, talk: Conversation) -> None:
    surveys.ask(stage.session, stage.case(talk, state="finished"), now=NOON)


def _clock(stage: Stage, talk: Conversation) -> None:
    stage.case(talk, matter="那个东西坏了")


def _visit(stage: Stage, talk: Conversation) -> None:
    agreed(stage, case=stage.case(talk))


def _wait(stage: Stage, talk: Conversation) -> None:
    desk.call_people(stage.session, talk, reason="asked", source="turn:1", now=NOON)


def _incident_check(stage: Stage, _: Conversation) -> None:
    test_incidents.enter(stage)


def _incident_over(stage: Stage, talk: Conversation) -> None:
    test_incidents.ended(stage, talk)


def _desk_message(stage: Stage, talk: Conversation) -> None:
    desk.call_people(stage.session, talk, reason="asked", source="turn:1", now=NOON + 10 * HOUR)


def _silent_talk(stage: Stage, talk: Conversation) -> None:
    stage.take_over(talk)
    stage.hears(talk, "谢谢")


def _held_line(stage: Stage, talk: Conversation) -> None:
    butler, case = stage.take_over(talk), stage.case(talk)
    facts = {"key": "progress", "kind": "progress", "case_id": case.id}
    conversations.tell(stage.session, talk, Line("师傅已出发"), now=NOON, **facts)  # type: ignore[arg-type]
    takeover.hand_back(stage.session, talk, butler, source="done", now=NOON)


def _unconfirmed(stage: Stage, talk: Conversation) -> None:
    _reminder(stage, talk)
    row = next(row for row in stage.outbox("call_back"))
    row.state, row.reason = OutboxState.UNCONFIRMED, "TimedOut"


Made = Callable[[Stage, Conversation], None]
Sweep = Callable[[Stage], object]
EVERY: dict[str, tuple[Made, Sweep]] = {
    "call_back": (_call_back, lambda stage: callbacks.send_due(stage.session, now=MUCH_LATER)),
    "reminder": (_reminder, lambda stage: callbacks.send_due(stage.session, now=MUCH_LATER)),
    "phone_call": (_phone_call, lambda stage: phone_calls.post_due(stage.session, now=MUCH_LATER)),
    "survey_end": (_survey, lambda stage: surveys.expire_due(stage.session, now=MUCH_LATER)),
    "clock": (_clock, lambda stage: ladder.climb_due(stage.session, now=MUCH_LATER)),
    "visit": (_visit, lambda stage: visit_reminders.send_due(stage.session, now=MUCH_LATER)),
    "wait": (_wait, lambda stage: waiting.sweep(stage.session, now=MUCH_LATER)),
    "incident_check": (_incident_check, lambda stage: incidents.ask_whether_over(stage.session, now=MUCH_LATER)),
    "incident_over": (_incident_over, lambda stage: incident_reports.tell_due(stage.session, now=MUCH_LATER)),
    "desk_message": (_desk_message, lambda stage: desk.hand_over_due(stage.session, now=MUCH_LATER)),
    "silent_talk": (_silent_talk, lambda stage: idle.sweep(stage.session, now=MUCH_LATER)),
    "held_line": (_held_line, lambda stage: after_talks.take_up(stage.session, now=MUCH_LATER)),
    "unconfirmed": (_unconfirmed, lambda stage: delivery.show_unconfirmed(stage.session)),
}


def to_come(stage: Stage, **wanted: object) -> list[FollowUp]:
    stage.session.flush()
    return schedule.to_come(stage.session, Wanted(stage.community.id, **wanted))  # type: ignore[arg-type]


def one(stage: Stage, kind: str) -> FollowUp:
    """The first follow-up of this kind, which was made by what really makes it."""
    EVERY[kind][0](stage, stage.resident())
    return to_come(stage, kinds=(kind,))[0]


def hold(stage: Stage, row: FollowUp, *, now=NOON) -> None:
    community = stage.community.id
    schedule.hold(stage.session, community, row.kind, row.number, by="li", why="业主出差", now=now)


def release(stage: Stage, row: FollowUp, *, now=NOON) -> None:
    schedule.release(stage.session, stage.community.id, row.kind, row.number, by="wang", now=now)


def test_every_kind_has_a_row_here():
    """Whoever adds a kind says here how it comes about and which sweep takes it; what follows walks all of them."""
    assert list(EVERY) == [kind.name for kind in schedule.KINDS]


OF_NOBODY = {"incident_check"}  # what staff are asked is no resident's


@pytest.mark.parametrize("kind", EVERY)
def test_what_is_to_come_is_listed_with_whose_it_is(stage, kind):
    row = one(stage, kind)

    talk = stage.session.scalars(select(Conversation)).one()
    theirs = kind not in OF_NOBODY
    assert (row.kind, row.conversation) == (kind, talk.id if theirs else None)
    assert bool(to_come(stage, conversation_id=talk.id, kinds=(kind,))) is theirs
    assert not to_come(stage, conversation_id=talk.id + 1)
    assert not schedule.to_come(stage.session, Wanted(stage.community.id + 1))


@pytest.mark.parametrize("kind", EVERY)
def test_what_is_held_is_taken_by_no_sweep_until_it_is_released(stage, kind):
    row = one(stage, kind)
    before = len(stage.outbox())
    hold(stage, row)
    sweep = EVERY[kind][1]

    sweep(stage)
    assert len(stage.outbox()) == before, "held"
    [same] = [again for again in to_come(stage, held=True) if again.kind == kind][:1]
    assert (same.number, same.held_by, same.held_why) == (row.number, "li", "业主出差")

    release(stage, row, now=MUCH_LATER)
    sweep(stage)
    assert row not in to_come(stage, kinds=(kind,)), "the sweep has taken it"


def test_who_held_and_who_released_stays_written_down(stage):
    row = one(stage, "call_back")
    hold(stage, row)
    release(stage, row, now=NOON + HOUR)
    hold(stage, row, now=NOON + 2 * HOUR)

    log = stage.session.scalars(select(Hold).order_by(Hold.id)).all()
    assert [(one.by, one.released_by, one.released_at) for one in log] == [
        ("li", "wang", NOON + HOUR), ("li", None, None)
    ]  # fmt: skip


def test_what_was_held_for_long_is_asked_when_it_is_released(stage):
    """A person wants it now; that it would be too late by itself is no reason."""
    row = one(stage, "call_back")
    hold(stage, row)
    release(stage, row, now=NOON + 20 * DAY)

    callbacks.send_due(stage.session, now=NOON + 20 * DAY)

    assert stage.session.scalars(select(CallBack)).one().state is FollowUpState.SENT


def test_what_cannot_be_held_is_refused_with_its_reason(stage):
    row = one(stage, "call_back")
    with pytest.raises(FollowUpNotHeld):
        release(stage, row)
    hold(stage, row)
    with pytest.raises(FollowUpHeld):
        hold(stage, row)

    for community, kind, number in (
        (stage.community.id + 1, "call_back", row.number),
        (stage.community.id, "call_back", 10**12),
        (stage.community.id, "reminder", row.number),
        (stage.community.id, "dance", row.number),
    ):
        with pytest.raises(FollowUpNotFound):
            schedule.hold(stage.session, community, kind, number, by="li", why="x", now=NOON)


def test_the_list_can_be_asked_for_a_case_and_a_period(stage):
    first, second = finish(stage), finish(stage, now=NOON + 2 * DAY)
    due = call_back_of(stage, second).due_at

    assert [row.case for row in to_come(stage, case=first.number.lower(), kinds=("call_back",))] == [first.number]
    assert [row.case for row in to_come(stage, since=due, until=due + HOUR)] == [second.number]


def test_the_soonest_comes_first_and_no_more_than_was_asked_for(stage):
    for days in (2, 0, 1):
        finish(stage, now=NOON + days * DAY)

    found = to_come(stage)
    assert [row.due_at for row in found] == sorted(row.due_at for row in found)
    assert schedule.to_come(stage.session, Wanted(stage.community.id), limit=2) == found[:2]


# --- What was not sent ------------------------------------------------------------------------------------------------


def test_what_was_not_sent_says_why(stage):
    late, gone = finish(stage), finish(stage)
    gone.resident.unreachable_since = NOON
    callbacks.send_due(stage.session, now=NOON + 9 * DAY)

    stage.session.flush()
    found = schedule.not_sent(stage.session, Wanted(stage.community.id))
    assert {row.case: row.reason for row in found} == {
        late.number: "too late", gone.number: "the resident cannot be reached"
    }  # fmt: skip


def test_a_line_that_never_left_says_so_where_its_question_is_listed(stage):
    call_back = asked(stage)
    row = stage.outbox("call_back")[0]
    row.state, row.reason = OutboxState.DROPPED, "Forbidden: bot was blocked by the user"

    [reminder] = to_come(stage, kinds=("reminder",))
    assert reminder.number == call_back.id
    assert (reminder.delivery, reminder.delivery_reason) == ("dropped", "Forbidden: bot was blocked by the user")


def test_a_reminder_of_a_visit_that_was_not_sent_says_why(stage):
    made = agreed(stage)
    visit_reminders.send_due(stage.session, now=made.begins_at)

    [row] = schedule.not_sent(stage.session, Wanted(stage.community.id))
    assert (row.kind, row.case, row.detail, row.reason) == ("visit", made.case.number, "evening", "too late")


def test_the_end_of_an_incident_that_was_not_told_says_why(stage):
    talk = stage.resident(unreachable_since=NOON)
    test_incidents.ended(stage, talk)
    incident_reports.tell_due(stage.session, now=NOON)

    stage.session.flush()
    [row] = schedule.not_sent(stage.session, Wanted(stage.community.id, since=NOON))
    assert (row.kind, row.conversation) == ("incident_over", talk.id)
    assert row.reason == "the resident cannot be reached"


def test_the_end_of_an_incident_is_told_when_it_is_released(stage):
    row = one(stage, "incident_over")
    hold(stage, row)
    release(stage, row, now=NOON + 20 * DAY)

    incident_reports.tell_due(stage.session, now=NOON + 20 * DAY)

    assert len(stage.outbox("incident_over")) == 1


def test_a_survey_that_the_budget_forbade_is_among_them(stage):
    talk = stage.resident()
    for _ in range(2):
        surveys.ask(stage.session, stage.case(talk, state="finished"), now=NOON)

    stage.session.flush()
    [row] = schedule.not_sent(stage.session, Wanted(stage.community.id))
    assert (row.kind, row.reason) == ("survey", "too soon after the last survey")


STORED = (
    after_talks.SAID,
    outbox.TAKEN_OVER,
    outbox.TOO_OLD,
    outbox.ORPHANED,
    outbox.FORGOTTEN,
    delivery.SHOWN,
    callbacks.LATE,
    *callbacks.UNANSWERED.values(),
)
FOLLOW_UP_FILES = (
    "callbacks",
    "phone_calls",
    "surveys",
    "budget",
    "after_talks",
    "delivery",
    "held",
    "outbox",
    "visit_reminders",
    "waiting",
    "waits",
    "incident_reports",
)


def _reasons(node: ast.AST) -> Iterator[str]:
    """Reasons that this piece of code stores: given by name, assigned, refused with, or returned by a `why_not`."""
    match node:
        case ast.keyword(arg="reason", value=ast.Constant(value=str(reason))):
            yield reason
        case ast.Assign(targets=[target], value=value) if ".reason" in ast.unparse(target):
            yield from _words_in(value)
        case ast.Call(func=ast.Name(id="Refusal"), args=[ast.Constant(value=str(reason)), *_]):
            yield reason
        case ast.FunctionDef(name=name) if "why" in name or name == "_again":
            for part in ast.walk(node):
                if isinstance(part, ast.Return) and part.value:
                    yield from _words_in(part.value)


def _words_in(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.value


def test_every_reason_that_is_stored_has_words():
    """Staff ask why somebody was not called back, and read Chinese or English."""
    found = {
        reason
        for path, tree in python_files("service")
        if path.stem in FOLLOW_UP_FILES
        for node in ast.walk(tree)
        for reason in _reasons(node)
        if " " in reason
    }
    assert {"too late", "quiet hours", "enough unasked-for messages today", "the case is over"} <= found

    assert [reason for reason in found | set(STORED) if not texts.exists(schedule.word_of(reason))] == []
    assert schedule.words("too late", "zh") != schedule.words("too late", "en")


def test_what_telegram_said_is_kept_as_it_is():
    assert schedule.words("Forbidden: bot was kicked", "zh") == "Forbidden: bot was kicked"
    assert schedule.words(None, "zh") == ""
