"""What becomes a candidate, with what is known about it, and what does not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select

from service import candidates, conversations, emergency, learning, work
from service.candidates import LONGEST, LOW_MARGIN, NEAR_DANGER, Guess, Heard
from service.conversations import Said
from service.models.cases import Case
from service.models.talks import Conversation
from service.models.understanding import Candidate, CandidateReason, CandidateState
from tests.stage import NOON, Stage

UNSURE = Guess("repair", 0.41, 0.05, "guanjia-abc")
SURE = Guess("repair", 0.91, 0.85, "guanjia-abc")


def noticed(stage: Stage) -> list[Candidate]:
    stage.session.flush()
    return list(stage.session.scalars(select(Candidate).order_by(Candidate.id)))


def reasons(stage: Stage) -> list[str]:
    return [candidate.why for candidate in noticed(stage)]


def hear(stage: Stage, guess: Guess, *, text: str = "灯又那样了", source: str = "turn:1", **taken: Any) -> None:
    """The bot has answered a message."""
    heard = Heard(text, guess, **taken)
    candidates.notice_answer(stage.session, stage.resident(), heard, source=source, now=NOON)


# --- What the bot answered ------------------------------------------------------------------------------------------


def test_a_message_the_model_hesitated_about_is_kept_with_what_it_made_of_it(stage):
    hear(stage, UNSURE)

    [one] = noticed(stage)
    assert (one.text, one.language, one.why, one.source) == ("灯又那样了", "zh", CandidateReason.LOW_MARGIN, "turn:1")
    assert (one.intent, one.confidence, one.margin, one.model) == ("repair", 0.41, 0.05, "guanjia-abc")
    assert (one.state, one.noticed_at, one.community_id) == (CandidateState.OPEN, NOON, stage.community.id)


@pytest.mark.parametrize("guess", [SURE, Guess("repair", 0.5, LOW_MARGIN), Guess("affirm", 1.0), Guess()])
def test_what_the_model_was_sure_of_or_did_not_guess_is_not(stage, guess):
    hear(stage, guess)

    assert noticed(stage) == []


@pytest.mark.parametrize("intent", ["inform", "affirm", "deny", "correct"])
def test_a_fact_told_to_a_question_is_an_answer_and_no_candidate(stage, intent):
    """The form takes it whatever it was taken for."""
    for place, asked in enumerate(("location", "phone_and_time", "confirmed", None, "matter")):
        hear(stage, Guess(intent, 0.4, 0.02), asked=asked, source=f"turn:{place}")

    assert [one.source for one in noticed(stage)] == ["turn:3", "turn:4"]


def test_a_matter_told_to_a_question_is_a_candidate(stage):
    hear(stage, UNSURE, asked="location")

    assert reasons(stage) == [CandidateReason.LOW_MARGIN]


@pytest.mark.parametrize("guess", [UNSURE, SURE])
def test_a_message_the_bot_did_not_understand_is_one_candidate(stage, guess):
    """Also where the model was sure and the dialogue had no use for it."""
    hear(stage, guess, understood=False)

    assert reasons(stage) == [CandidateReason.REPHRASE]


@pytest.mark.parametrize(("danger", "found"), [(NEAR_DANGER, ["near_miss"]), (NEAR_DANGER - 0.01, [])])
def test_an_emergency_that_was_almost_the_guess_is_a_near_miss(stage, danger, found):
    hear(stage, SURE, danger=danger)

    assert [(one.why, one.detail) for one in noticed(stage)] == [(why, "classifier 0.15") for why in found]


def test_the_same_turn_again_is_one_candidate(stage):
    """A worker may be killed between the answer and its commit's confirmation."""
    for _ in range(2):
        hear(stage, UNSURE)

    assert len(noticed(stage)) == 1


def test_texts_are_cut_and_empty_ones_are_nothing(stage):
    hear(stage, UNSURE, text="字" * 5000)
    hear(stage, UNSURE, text=" \n", source="turn:2")

    assert [len(one.text) for one in noticed(stage)] == [LONGEST]


# --- What is settled stays so ---------------------------------------------------------------------------------------


def test_what_was_ignored_stays_ignored_when_the_same_words_come_again(stage):
    hear(stage, UNSURE)
    learning.ignore(stage.session, noticed(stage)[0])

    hear(stage, UNSURE, source="turn:2")

    assert [one.state for one in noticed(stage)] == [CandidateState.IGNORED] * 2


def test_what_was_labelled_has_its_label_when_the_same_words_come_again(stage):
    hear(stage, UNSURE)
    label = learning.label(stage.session, noticed(stage)[0], "complaint", by="li", now=NOON)

    hear(stage, UNSURE, source="turn:2")

    assert [(one.state, one.label_id) for one in noticed(stage)] == [(CandidateState.LABELLED, label.id)] * 2


# --- The tripwire ---------------------------------------------------------------------------------------------------


@pytest.fixture
def almost(monkeypatch):
    """A tripwire that almost rings for whatever burns."""

    def near_miss(text: str) -> Any:
        return SimpleNamespace(rule="fire", filter="past", matched="着火") if "着火" in text else None

    monkeypatch.setattr(emergency, "near_miss", near_miss)


def test_what_a_filter_took_back_is_a_near_miss_with_rule_and_filter(stage, almost):
    for text in ("去年三栋着火的事", "水管漏水"):
        candidates.notice_near_miss(stage.session, stage.resident(), text, source=f"turn:{text}", now=NOON)

    assert [(one.text, one.why, one.detail) for one in noticed(stage)] == [
        ("去年三栋着火的事", "near_miss", "fire / past")
    ]


def test_words_too_weak_to_ring_are_a_near_miss_without_a_filter(stage, monkeypatch):
    monkeypatch.setattr(emergency, "near_miss", lambda _: SimpleNamespace(rule="weak", filter=None))

    candidates.notice_near_miss(stage.session, stage.resident(), "有点烟味", source="turn:1", now=NOON)

    assert [one.detail for one in noticed(stage)] == ["weak"]


def test_the_guess_is_added_once_there_is_one(stage, almost):
    """The tripwire looks before anybody has guessed."""
    candidates.notice_near_miss(stage.session, stage.resident(), "去年着火的事", source="turn:1", now=NOON)

    hear(stage, SURE, text="去年着火的事", danger=0.2)

    [one] = noticed(stage)
    stage.session.refresh(one)
    assert (one.intent, one.margin, one.detail) == ("repair", 0.85, "fire / past")


# --- A butler corrects the kind -------------------------------------------------------------------------------------


def say(stage: Stage, talk: Conversation, text: str, *, inbox_id: int) -> None:
    conversations.hear(stage.session, talk, Said("text", text, talk.resident.chat_id, inbox_id, inbox_id), now=NOON)


def correct(stage: Stage, case: Case, kind: str) -> None:
    work.tap(stage.session, stage.member(), case.id, f"is_{kind}", key=f"tap:{kind}", now=NOON)


def test_the_message_that_opened_a_case_is_kept_when_its_kind_is_corrected(stage):
    """The whole of it, as the model read it, not the matter that the case keeps of it."""
    talk = stage.resident()
    say(stage, talk, "您好", inbox_id=1)
    say(stage, talk, "厨房那个水管又漏水了，3栋2单元1201，没人管", inbox_id=2)
    say(stage, talk, "13800138000", inbox_id=3)
    case = stage.case(talk, matter="厨房那个水管又漏水了，没人管\n快点")

    correct(stage, case, "complaint")

    [one] = noticed(stage)
    assert one.text == "厨房那个水管又漏水了，3栋2单元1201，没人管"
    assert (one.why, one.detail, one.intent, one.source) == ("corrected", "complaint", "repair", f"case:{case.id}")


def test_what_the_model_had_made_of_that_message_is_known_when_it_was_a_candidate(stage):
    talk = stage.resident()
    say(stage, talk, "厨房水管漏水没人管", inbox_id=7)
    hear(stage, UNSURE, text="厨房水管漏水没人管", source="turn:7")

    correct(stage, stage.case(talk, matter="厨房水管漏水没人管"), "complaint")

    assert (noticed(stage)[1].confidence, noticed(stage)[1].model) == (0.41, "guanjia-abc")


def test_without_such_a_message_the_matter_is_kept(stage):
    """It may have been a tap on a question that was offered, or several bubbles."""
    correct(stage, stage.case(matter="厨房水管漏水没人管"), "complaint")

    assert [one.text for one in noticed(stage)] == ["厨房水管漏水没人管"]


def test_corrected_back_it_is_forgotten_and_corrected_again_it_says_the_last_word(stage):
    """A slip of the finger teaches nothing."""
    one, other = stage.case(matter="灯坏了"), stage.case(matter="垃圾")
    for case, kinds in ((one, ("complaint", "repair")), (other, ("complaint", "inquiry"))):
        for kind in kinds:
            correct(stage, case, kind)

    assert [(kept.text, kept.detail) for kept in noticed(stage)] == [("垃圾", "inquiry")]


def test_a_butlers_word_is_looked_at_again_even_where_the_words_were_settled(stage):
    """Unless it agrees with the label."""
    for number, text in enumerate(["水管漏水", "物业乱收费", "停车位"]):
        hear(stage, UNSURE, text=text, source=f"turn:{number}")
    leak, charges, parking = noticed(stage)
    learning.label(stage.session, leak, "repair", by="li", now=NOON)
    learning.label(stage.session, charges, "complaint", by="li", now=NOON)
    learning.ignore(stage.session, parking)

    for text in ("水管漏水", "物业乱收费", "停车位"):
        correct(stage, stage.case(matter=text), "complaint")

    assert [one.state for one in noticed(stage)[3:]] == ["open", "labelled", "open"]
