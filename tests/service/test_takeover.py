"""Who answers a resident: one at a time, and nothing of the bot's between a takeover and the hand-back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import select

from service import conversations, takeover, topics
from service.db import Sessions
from service.errors import ConversationTaken, NothingToHandBack
from service.models.people import Role
from service.models.talks import Conversation, Handover, Owner
from service.texts import Line
from tests.stage import NOON, Stage, sent_to_residents


def test_the_handoff_phrase_is_said_once_and_the_card_goes_to_the_residents_own_topic(stage):
    """N6, word for word; sent exactly once per handoff."""
    talk = stage.resident(surname="王", honorific="女士", place="3栋2单元1201")
    stage.hears(talk, "我要找人")

    first = takeover.escalate(stage.session, talk, reason="asked", source="turn:1", now=NOON)
    again = takeover.escalate(stage.session, talk, reason="asked", source="turn:2", now=NOON)

    assert (first, again) == (True, False)
    assert stage.lines_to(talk) == ["请稍等，我了解情况后马上答复你。"]
    [card] = stage.outbox("card")
    assert (card.topic_id, card.epoch) == (talk.topic_id, None)
    for fact in ("王女士", "3栋2单元1201", "我要找人"):
        assert fact in card.payload["text"]


def test_the_card_shows_when_its_topic_has_been_deleted(stage):
    talk = stage.resident()
    takeover.escalate(stage.session, talk, reason="asked", source="turn:1", now=NOON)
    [card] = stage.outbox("card")
    topics.made(stage.session, card.topic_id, 77)

    topics.lost(stage.session, card.topic_id, 77)

    assert [row.payload for row in stage.outbox("card")] == [card.payload, card.payload]


def test_escalating_raises_the_epoch_and_the_handoff_phrase_survives_it(stage):
    talk = stage.resident()
    takeover.escalate(stage.session, talk, reason="asked", source="turn:1", now=NOON)

    assert (talk.owner, talk.epoch) == (Owner.WAITING, 1)
    assert "请稍等，我了解情况后马上答复你。" in sent_to_residents(stage)


def test_a_claim_greets_with_the_number_and_tells_staff(stage):
    """N2, word for word."""
    talk = stage.resident()

    butler = stage.take_over(talk)

    assert (talk.owner, talk.butler_id, talk.epoch) == (Owner.BUTLER, butler.id, 1)
    assert stage.lines_to(talk) == [f"您好，我是{butler.number}号员工，有什么事情愿意为您效劳的吗？"]
    assert str(butler.number) in stage.outbox("note")[-1].payload["text"]


def test_claiming_twice_greets_once(stage):
    talk = stage.resident()
    butler = stage.take_over(talk)

    again = takeover.claim(stage.session, talk, butler, source="turn:again", now=NOON)

    assert again is False
    assert (talk.epoch, len(stage.lines_to(talk))) == (1, 1)


def test_the_second_butler_is_told_who_has_the_resident(stage):
    talk = stage.resident()
    first = stage.take_over(talk)

    with pytest.raises(ConversationTaken) as refused:
        stage.take_over(talk, stage.member())

    assert refused.value.facts == {"number": first.number, "name": first.display_name}
    assert talk.butler_id == first.id


def test_two_butlers_tapping_at_once_one_wins(sessions: Sessions):
    """Compare-and-set under the conversation's lock, with real transactions."""
    with sessions.begin() as session:
        stage = Stage(session)
        talk = stage.resident()
        members = [stage.member() for _ in range(4)]
    start = Barrier(4)

    def claim(number: int) -> str:
        start.wait()
        with sessions.begin() as session:
            mine = conversations.access_as_staff(session, members[number], talk.id)
            try:
                takeover.claim(session, mine, members[number], source=f"turn:{number}", now=NOON)
            except ConversationTaken as taken:
                return f"told {taken.facts['number']}"
        return f"won {members[number].number}"

    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(pool.map(claim, range(4)))

    winner = outcomes[-1].removeprefix("won ")
    assert outcomes == [f"told {winner}"] * 3 + [f"won {winner}"]
    with sessions.begin() as session:
        assert session.get_one(Conversation, talk.id).epoch == 1


def test_handing_back_lets_the_bot_answer_again_and_says_so(stage):
    talk = stage.resident()
    talk.misunderstood = 2
    butler = stage.take_over(talk)

    takeover.hand_back(stage.session, talk, butler, source="turn:done", now=NOON)

    assert (talk.owner, talk.butler_id, talk.epoch, talk.misunderstood) == (Owner.BOT, None, 2, 0)
    assert "小管家继续为您服务" in sent_to_residents(stage)[-1]


def test_there_is_nothing_to_hand_back_while_the_bot_answers(stage):
    with pytest.raises(NothingToHandBack):
        takeover.hand_back(stage.session, stage.resident(), stage.member(), source="turn:1", now=NOON)


def test_every_change_of_owner_is_written_down_without_a_gap(stage):
    """The nightly self-check and the reports read it."""
    talk = stage.resident()
    takeover.escalate(stage.session, talk, reason="asked", source="turn:1", now=NOON)
    butler = stage.take_over(talk)
    takeover.hand_back(stage.session, talk, butler, source="turn:done", now=NOON)

    log = stage.session.scalars(select(Handover).order_by(Handover.epoch)).all()

    assert [(row.epoch, row.owner, row.butler_id, row.reason) for row in log] == [
        (1, Owner.WAITING, None, "asked"),
        (2, Owner.BUTLER, butler.id, "claimed"),
        (3, Owner.BOT, None, "handed_back"),
    ]


def test_a_claim_without_a_handoff_shows_the_butler_what_it_is_about(stage):
    """Whoever simply types has not read what was said before."""
    talk = stage.resident()
    stage.hears(talk, "灯坏了三天了")

    stage.take_over(talk)

    assert "灯坏了三天了" in stage.outbox("card")[-1].payload["text"]


def test_the_card_tells_only_what_was_really_said(stage):
    """A line that the takeover dropped stands in no transcript that a butler reads."""
    talk = stage.resident()
    conversations.tell(stage.session, talk, Line("迟到的回答"), key="late", now=NOON)
    butler = stage.take_over(talk)
    takeover.hand_back(stage.session, talk, butler, source="turn:done", now=NOON)

    takeover.escalate(stage.session, talk, reason="asked", source="turn:2", now=NOON)

    assert "迟到的回答" not in stage.outbox("card")[-1].payload["text"]


def test_another_butlers_resident_is_not_handed_back_by_a_colleague(stage):
    talk = stage.resident()
    first = stage.take_over(talk)

    with pytest.raises(ConversationTaken) as refused:
        takeover.hand_back(stage.session, talk, stage.member(), source="turn:1", now=NOON)

    assert refused.value.facts["number"] == first.number
    assert talk.owner is Owner.BUTLER


def test_a_supervisor_hands_back_what_a_butler_forgot(stage):
    talk = stage.resident()
    stage.take_over(talk)

    takeover.hand_back(stage.session, talk, stage.member(Role.SUPERVISOR), source="turn:1", now=NOON)

    assert talk.owner is Owner.BOT
