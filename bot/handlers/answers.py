"""What Rasa answered, or did not, becomes lines to the resident."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy.orm import Session

from bot.rasa import Answer, Ask, Reply
from service import binding, candidates, communities, conversations, forgetting, readings, residents, texts
from service.communities import STAFF_LANGUAGE
from service.inbox import Turn
from service.models.queues import Priority
from service.models.talks import Conversation, Owner
from service.texts import Button, Line


def say(session: Session, turn: Turn, ask: Ask, answer: Answer, *, now: datetime) -> None:
    """Say what Rasa answered; lines thought of before a takeover are dropped at send time by their epoch."""
    conversation = conversations.lock(session, ask.conversation_id)
    if ask.erase:
        forgetting.forget(session, conversation, before=turn.id, key=f"turn:{turn.id}", now=now)
        return
    for place, reply in _worth_saying(session, conversation, ask, answer):
        conversations.tell(
            session,
            conversation,
            _line(reply, turn),
            now=now,
            key=f"{ask.turn}:reply:{place}",
            epoch=ask.epoch,
        )
    for place, heard in enumerate(() if ask.payload or ask.command else answer.heard):
        source = f"{ask.turn}:{place}" if place else ask.turn
        candidates.notice_answer(session, conversation, heard, source=source, now=now)
        readings.note(session, conversation, turn, ask.text, heard, source=source, now=now)
    _tell_of_binding(session, conversation, now=now)
    # Buttons that were tapped are minus their turn until there are new ones: a second tap then does nothing.
    tapped = None if ask.keyboard is None else -ask.keyboard
    tapped = conversation.keyboard_turn if ask.aside else tapped  # a sticker leaves the buttons as they are
    if conversation.dialogue_is_old and conversation.epoch == ask.epoch:
        conversation.dialogue_is_old = False
    conversation.keyboard_turn = turn.id if any(map(_asks, answer.replies)) else tapped
    silent = not answer.replies and not answer.handled
    if silent and conversation.owner is Owner.BOT and conversation.epoch == ask.epoch:
        apologise(session, turn, ask, conversation, now=now)


def _worth_saying(
    session: Session, conversation: Conversation, ask: Ask, answer: Answer
) -> Iterator[tuple[int, Reply]]:
    """The replies with their places; an edit that changes nothing in the answer is not answered twice."""
    said = conversations.said_last(session, conversation) if "was" in ask.metadata else None
    return ((place, reply) for place, reply in enumerate(answer.replies) if reply.text != said)


def _tell_of_binding(session: Session, conversation: Conversation, *, now: datetime) -> None:
    """Who has brought a first matter, and typed address and number for it, hears how that is spared; once, kindly."""
    if conversation.owner is not Owner.BOT:
        return
    line = binding.hint(session, conversation, now=now)
    if line is not None:
        conversations.tell(session, conversation, line, now=now, key=f"binding_hint:{conversation.id}")


def apologise(session: Session, turn: Turn, ask: Ask, conversation: Conversation, *, now: datetime) -> None:
    """The machinery failed: the resident hears that a person will look, and staff read the words (nothing is lost).

    The bot stays the owner, so the talk goes on as soon as the machinery is back. What is beside the point is answered
    all the same, and nobody has to read it.
    """
    phrase = ask.otherwise or (None if ask.aside else "utter_try_later")
    if phrase is not None:
        line = texts.say(phrase, language=conversation.resident.language, seed=turn.id)
        conversations.tell(session, conversation, line, now=now, key=f"turn:{turn.id}:try_later")
    if ask.aside:
        return
    note = texts.say("utter_staff_machinery", language=STAFF_LANGUAGE, words=ask.metadata.get("text", ""))
    conversations.to_staff(
        session,
        conversation,
        "say",
        note.payload(),
        key=f"turn:{turn.id}:machinery",
        kind="note",
        priority=Priority.TALK,
    )


def _asks(reply: Reply) -> bool:
    """Whether a button of it answers the dialogue; others lead to the service at any time."""
    return any(payload.startswith("/") for _, payload in reply.buttons)


def _line(reply: Reply, turn: Turn) -> Line:
    buttons = tuple(Button(title, _data(payload, turn)) for title, payload in reply.buttons)
    return Line(reply.text, buttons=buttons, menu=reply.menu)


def _data(payload: str, turn: Turn) -> str:
    """A dialogue's button names its turn, so that it expires with the question."""
    return f"r:{turn.id}:{payload.removeprefix('/')}" if payload.startswith("/") else payload


def bury(session: Session, turn: Turn, *, now: datetime) -> None:
    """A turn became a dead letter: the resident hears that a person will look, staff that there is one."""
    community = communities.access_community(session, turn.bot_id)
    note = texts.say("utter_staff_dead_letter", language=STAFF_LANGUAGE, number=turn.id)
    conversations.alert_staff(session, community.id, note, key=f"turn:{turn.id}:dead", priority=Priority.WORK_ORDER)
    kind, _, chat_id = turn.lane.partition(":")
    if kind == "chat":
        conversation = residents.access_conversation(
            session, community.id, int(chat_id), display_name="", language=communities.STAFF_LANGUAGE
        )
        line = texts.say("utter_try_later", language=conversation.resident.language, seed=turn.id)
        conversations.tell(session, conversation, line, now=now, key=f"turn:{turn.id}:try_later")
