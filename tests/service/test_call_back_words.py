"""Whether a fix holds, said in words: a wrong yes leaves a tap dripping, a wrong no sends somebody for nothing."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from service import call_back_words, callbacks, work
from service.models.cases import CaseState
from service.models.follow_ups import CallBack, Outcome
from service.models.talks import Conversation
from tests.stage import NOON, Stage


def asked(stage: Stage) -> tuple[Conversation, CallBack]:
    """A resident in whose chat the question stands."""
    case = stage.case()
    work.tap(stage.session, stage.member(), case.id, "done", key="done", now=NOON)
    call_back = stage.session.scalars(select(CallBack).where(CallBack.case_id == case.id)).one()
    callbacks.send_due(stage.session, now=call_back.due_at)
    stage.session.flush()
    return case.conversation, call_back


@pytest.mark.parametrize(
    ("words", "outcome"),
    [
        ("好了", Outcome.HELD),
        ("都好了，谢谢师傅", Outcome.HELD),
        ("yes, thanks", Outcome.HELD),
        ("Works now!", Outcome.HELD),
        ("还行吧但门有点响", Outcome.PARTLY),
        ("修好了，就是还有点响", Outcome.PARTLY),
        ("kinda, it still hums a bit", Outcome.PARTLY),
        ("部分好了", Outcome.PARTLY),
        ("kind of ok but the switch makes a noise", Outcome.PARTLY),
        ("没有，还是漏", Outcome.NOT_HELD),
        ("又漏了", Outcome.NOT_HELD),
        ("no, still dripping", Outcome.NOT_HELD),
        ("好的，不过我想问一下停车费", None),
        ("下午还没空", None),
        ("好了吗？", None),
        ("楼道灯不亮了", None),
        ("when is the office open", None),
        ("好" * 100, None),
    ],
)
def test_what_words_say_of_a_fix(words, outcome):
    assert call_back_words.meaning(words) is outcome


def test_half_a_yes_in_words_goes_on_with_what_is_left(stage):
    """W4: nobody who has said it is asked once more what is left."""
    talk, call_back = asked(stage)

    stage.hears(talk, "还行吧但门有点响")
    assert call_back_words.take(stage.session, talk, "还行吧但门有点响", key="turn:1", now=call_back.due_at)

    assert (call_back.outcome, call_back.case.state) == (Outcome.PARTLY, CaseState.REOPENED)
    assert "还行吧但门有点响" in stage.outbox("note")[-1].payload["text"]
    assert "还差什么" not in stage.lines_to(talk)[-1]
    assert talk.awaiting_case_id is None


def test_half_a_yes_that_does_not_say_what_is_left_is_asked_for_it(stage):
    talk, call_back = asked(stage)

    stage.hears(talk, "部分好了")
    call_back_words.take(stage.session, talk, "部分好了", key="turn:1", now=call_back.due_at)

    assert "还差什么" in stage.lines_to(talk)[-1]


@pytest.mark.parametrize(("words", "state"), [("都好了", CaseState.FINISHED), ("还是漏", CaseState.REOPENED)])
def test_a_yes_and_a_no_in_words_are_the_taps(stage, words, state):
    talk, call_back = asked(stage)

    stage.hears(talk, words)
    assert call_back_words.take(stage.session, talk, words, key="turn:1", now=call_back.due_at)

    assert call_back.case.state is state


def test_words_to_something_else_that_was_said_since_answer_no_call_back(stage):
    """「好的」 is for whoever spoke last."""
    talk, call_back = asked(stage)
    stage.hears(talk, "师傅明天再来看一下", by=stage.member())

    stage.hears(talk, "好的")

    assert not call_back_words.take(stage.session, talk, "好的", key="turn:1", now=call_back.due_at)
    assert call_back.outcome is None
