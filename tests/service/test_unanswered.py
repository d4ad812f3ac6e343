"""Questions nobody could answer: counted once each, and turned into answers."""

from datetime import timedelta

import pytest

from service import conversations, knowledge, unanswered
from service.conversations import Said
from service.errors import NoAnswerYet, QuestionNotFound
from service.knowledge import Match, Reader
from service.knowledge_entries import Source
from service.knowledge_shelf import Shelf
from service.models.knowledge import QuestionState
from tests.stage import NOON

SAID_BY_THE_DESK = {"zh": "本小区客服的答复", "en": "an answer of this estate's desk"}
LATER = NOON + timedelta(hours=1)


def ask(stage, text, *, talk=None, source="turn:1", now=NOON):
    """A resident's question, handed over."""
    talk = talk or stage.resident()
    case = stage.case(talk, kind="inquiry", matter=text)
    unanswered.note(stage.session, talk, text, case, source=source, now=now)
    return talk


def answer(stage, talk, text, *, now=LATER):
    """What a butler types."""
    butler = stage.take_over(talk)
    said = Said(kind="text", text=text, chat_id=1, message_id=1, inbox_id=1)
    conversations.hear(stage.session, talk, said, now=now, by=butler)


def review(stage):
    return unanswered.review(stage.session, stage.community.id)


def test_alike_questions_are_one_with_the_number_of_residents_who_asked(stage):
    """What many ask is worth an entry first."""
    ask(stage, "业委会监事有几位")
    talk = ask(stage, "泳池水多深")
    ask(stage, "泳池的水多深", talk=talk, source="turn:2")
    ask(stage, "泳池水多深？")

    assert [(asked.question.text, asked.count) for asked in review(stage)] == [
        ("泳池水多深", 2),
        ("业委会监事有几位", 1),
    ]


def test_the_same_turn_again_is_counted_once(stage):
    """Rasa may repeat a turn."""
    talk = ask(stage, "泳池水多深")
    ask(stage, "泳池水多深", talk=talk)

    [asked] = review(stage)

    assert len(asked.members) == 1


def test_what_a_butler_answered_becomes_the_answer_for_all(stage):
    """The question is settled, and the next resident is answered at once."""
    talk = ask(stage, "泳池的水有多深")
    ask(stage, "泳池水有多深？")
    answer(stage, talk, "浅水区1.2米，深水区1.8米。")
    [asked] = review(stage)
    content = unanswered.as_entry(asked, unanswered.answered_by_a_butler(stage.session, asked), now=LATER)

    unanswered.learn(stage.session, asked, "pool_depth", content, by="li", now=LATER)

    found = knowledge.answer(stage.session, Shelf(), Reader(stage.community, "zh", LATER), "泳池水有多深")
    assert isinstance(found, Match)
    assert found.entry.wordings["zh"].answer == "浅水区1.2米，深水区1.8米。"
    assert review(stage) == []
    assert {member.state for member in asked.members} == {QuestionState.LEARNT}
    assert found.entry.source == Source("estate", SAID_BY_THE_DESK, LATER.date())


def test_the_greeting_of_a_claim_and_older_lines_are_no_answer(stage):
    """A butler who has only said good day has answered nothing."""
    talk = stage.resident()
    answer(stage, talk, "别的事情的答复", now=NOON - timedelta(hours=1))
    ask(stage, "泳池水多深", talk=talk)
    [asked] = review(stage)

    with pytest.raises(NoAnswerYet):
        unanswered.answered_by_a_butler(stage.session, asked)


def test_questions_with_somebodys_room_or_phone_are_not_taken_into_an_entry(stage):
    """The first question of an entry is shown to everybody as a button (N12)."""
    ask(stage, "3栋1201的泳池卡在哪里领")
    ask(stage, "3栋的泳池卡在哪里领")
    [asked] = review(stage)

    assert unanswered.as_entry(asked, "前台。", now=LATER)["zh"]["questions"] == ["3栋的泳池卡在哪里领"]


def test_braces_in_a_butlers_answer_are_said_as_they_are(stage):
    """They would be taken for placeholders that nobody fills."""
    ask(stage, "怎么写申请")
    [asked] = review(stage)

    content = unanswered.as_entry(asked, "写 {房号}", now=LATER)

    assert content["zh"]["answer"].format() == "写 {房号}"


def test_an_ignored_question_is_gone(stage):
    ask(stage, "我的快递到哪了")
    [asked] = review(stage)

    unanswered.ignore(stage.session, asked)

    assert review(stage) == []


def test_another_communitys_question_is_not_found(stage):
    """Staff see only their community (N12)."""
    ask(stage, "泳池水多深")
    [asked] = review(stage)

    with pytest.raises(QuestionNotFound):
        unanswered.access_question(stage.session, stage.community.id + 1, asked.question.id)
