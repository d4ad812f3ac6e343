"""Binding as Telegram brings it: links, contacts, taps of residents and of staff."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from bot.handlers import answers
from bot.rasa import Answer, Ask, Reply
from service import archive, invitations, withdrawals
from service.models.archive import BindingOffer
from service.models.talks import Conversation, Message, Owner
from tests.bot.updates import RESIDENT, message, receive, staff_message, tap, turn_of
from tests.households import household, member
from tests.stage import NOON, STAFF_CHAT, Stage

GROUP = {"id": STAFF_CHAT, "type": "supergroup", "is_forum": True}


@pytest.fixture
def talk(stage: Stage) -> Conversation:
    return stage.resident(chat_id=RESIDENT, display_name="小王")


@pytest.fixture
def token(stage: Stage) -> str:
    return invitations.invite(stage.session, household(stage), now=NOON)


def contact(number: str = "+8613800138000", *, of: int | None = RESIDENT, **facts: Any) -> dict[str, Any]:
    card = {"phone_number": number, "first_name": "王芳"} | ({"user_id": of} if of else {})
    return message(None, contact=card, **facts)


def shown(stage: Stage) -> dict[str, Any]:
    """What the resident sees last."""
    return [row for row in stage.outbox() if row.chat_id == RESIDENT][-1].payload


def press(stage: Stage, title: str, payload: dict[str, Any], **facts: Any) -> None:
    data = next(button["data"] for button in payload["buttons"] if button["title"] == title)
    receive(stage, turn_of(tap(data, offered=[data], **facts), kind="callback_query"))


def test_a_link_and_a_tap_bind(stage, talk, token):
    person = member(stage, honorific="ms")

    assert receive(stage, turn_of(message(f"/start {token}"))) is None
    press(stage, "王女士", shown(stage))

    assert talk.resident.member_id == person.id
    assert "已为您绑定" in shown(stage)["text"]


def test_the_token_stands_in_no_transcript(stage, talk, token):
    """A butler reads the last lines on the card; the link is still good until the tap."""
    member(stage)

    receive(stage, turn_of(message(f"/start@guanjia_bot {token}")))

    texts_kept = list(stage.session.scalars(select(Message.text).where(Message.author == "resident")))
    assert texts_kept == ["/start@guanjia_bot"]


def test_ones_own_number_binds(stage, talk):
    person = member(stage, phone="13800138000")

    receive(stage, turn_of(contact()))
    press(stage, "王先生/女士", shown(stage))

    assert talk.resident.member_id == person.id


@pytest.mark.parametrize(
    "card",
    [
        contact(of=4711),
        contact(of=None),
        contact(
            forward_origin={"type": "user", "date": 1, "sender_user": {"id": 1, "is_bot": False, "first_name": "x"}}
        ),
    ],
    ids=["somebody else's", "of nobody on Telegram", "passed on"],
)
def test_a_card_that_is_not_surely_ones_own_binds_nobody(stage, talk, card):
    """Anybody can send anybody's number; who they want called with it, the dialogue finds out."""
    member(stage, phone="13800138000")

    ask = receive(stage, turn_of(card))

    assert stage.session.scalars(select(BindingOffer)).all() == []
    assert talk.resident.phone is None
    assert ask is not None
    assert (ask.text, ask.metadata["phone"], ask.metadata["card"]) == ("/share_phone", "13800138000", "王芳")


def test_ones_own_number_is_what_a_form_waits_for(stage, talk):
    """Whoever taps the key that shares it has answered; nobody types it a second time."""
    ask = receive(stage, turn_of(contact()))

    assert ask is not None
    assert (ask.text, ask.metadata["phone"]) == ("/share_phone", "13800138000")


def test_a_card_sent_when_a_department_has_asked_is_the_answer(stage, talk):
    """N3: 「有物业那边师傅的电话吗」."""
    case = stage.case(talk, state="needs_info")
    talk.awaiting_case_id = case.id

    assert receive(stage, turn_of(contact(of=4711))) is None

    assert [row.act for row in stage.outbox("relay")] == ["copy"]
    assert case.number in shown(stage)["text"]


@pytest.mark.parametrize("of", [RESIDENT, 4711])
def test_words_beside_a_card_are_read_with_its_number(stage, talk, of):
    """Both bubbles came before anybody had answered: neither is lost."""
    ask = receive(stage, turn_of(message("打这个电话"), contact(of=of)))

    assert ask is not None
    assert ask.text == "打这个电话\n13800138000"


@pytest.mark.parametrize("of", [RESIDENT, 4711])
def test_a_card_is_no_answer_to_whether_a_case_is_called_off(stage, talk, of):
    """It is asked once more, so that the yes that comes next is not lost."""
    case = stage.case(talk)
    withdrawals.call_off(stage.session, talk, "不用修了", key="turn:1", now=NOON)

    receive(stage, turn_of(contact(of=of)))
    receive(stage, turn_of(message("是的")))

    assert case.state == "withdrawn"


def test_a_number_shared_while_a_butler_talks_reaches_the_butler_too(stage, talk):
    member(stage, phone="13800138000")
    stage.take_over(talk)

    receive(stage, turn_of(contact()))

    assert talk.owner is Owner.BUTLER
    assert any(row.act == "copy" and row.chat_id == STAFF_CHAT for row in stage.outbox("relay"))


def test_staff_say_yes_with_a_tap(stage, talk):
    person = member(stage)
    receive(stage, turn_of(message("/bind 3栋2单元1201 王芳")))
    [sheet] = stage.outbox("alert")

    press(stage, "同意", sheet.payload, on=staff_message("…") | {"chat": GROUP}, who=9001)

    assert talk.resident.member_id == person.id
    assert person.consented_at == NOON, "they asked for it, and were told what that means"


@pytest.mark.parametrize("word", ["approve", "decline", "maybe"])
def test_a_resident_cannot_press_the_buttons_of_staff(stage, talk, word):
    """A forged tap from a private chat."""
    member(stage)
    receive(stage, turn_of(message("/bind 3栋2单元1201 王芳")))
    number = stage.outbox("alert")[0].payload["buttons"][0]["data"].split(":")[1]

    receive(stage, turn_of(tap(f"q:{number}:{word}"), kind="callback_query"))

    assert talk.resident.member_id is None
    assert "时效" in shown(stage)["text"]


def test_whoever_lives_there_is_known_to_the_dialogue(stage, talk):
    """N8: address, number and name are offered for confirmation, not asked."""
    person = member(stage, phone="13800138000", honorific="ms")
    archive.bind(stage.session, talk.resident, person, how="staff", actor="staff:101", now=NOON)

    ask = receive(stage, turn_of(message("厨房水管漏水")))

    assert ask is not None
    known = {name: ask.metadata[name] for name in ("place", "phone", "surname", "honorific")}
    assert known == {"place": "3栋2单元1201室", "phone": "13800138000", "surname": "王", "honorific": "女士"}


def answered(stage: Stage, ask: Ask | None) -> None:
    assert ask is not None
    reply = Answer((Reply("好的"),), handled=False, intent="repair", confidence=1.0)
    answers.say(stage.session, turn_of(message("…")), ask, reply, now=NOON)


def test_after_a_first_matter_the_unbound_hear_what_binding_gives(stage, talk):
    """Once, and never before they have been served."""
    member(stage)
    answered(stage, receive(stage, turn_of(message("您好"))))
    assert "contact_key" not in shown(stage)
    stage.case(talk)

    answered(stage, receive(stage, turn_of(message("谢谢"))))
    assert shown(stage)["contact_key"] == "📱 分享手机号"
    answered(stage, receive(stage, turn_of(message("好的"))))

    assert sum("contact_key" in row.payload for row in stage.outbox()) == 1
