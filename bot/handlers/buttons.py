"""Somebody taps a button. Every button may be tapped again, late, or be forged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from telegram import CallbackQuery, Message, Update

from bot.handlers import incoming, resident, staff
from bot.rasa import Ask
from service import callbacks, conversations, delivery, outbox, phone_calls, residents, surveys, texts, work
from service.errors import ButtonExpired, ServiceError
from service.models import Conversation, Outcome, Staff
from service.staff import access_staff

if TYPE_CHECKING:
    from bot.handlers.route import Scene


def tapped_by_resident(scene: Scene, updates: Sequence[Update]) -> Ask | None:
    """A resident's tap: on a dialogue's button, a call-back or a survey."""
    query = updates[0].callback_query
    assert query is not None
    conversation = residents.access_conversation(
        scene.session,
        scene.community.id,
        query.from_user.id,
        display_name=incoming.name_of(query.from_user),
        language=incoming.language_of(query.from_user),
    )
    try:
        prefix, number, word = parse(query)
        if prefix == "r":
            return _dialogue(scene, conversation, query, number, word)
        _RESIDENT.get(prefix, _expired)(scene, conversation, number, word)
    except ServiceError as error:
        line = texts.say(error.response, language=conversation.resident.language, **error.facts)
        conversations.tell(scene.session, conversation, line, now=scene.now, key=f"{scene.key}:error")
    return None


def tapped_by_staff(scene: Scene, updates: Sequence[Update]) -> None:
    """Staff's tap: on a work order, a card, or an unconfirmed message."""
    query = updates[0].callback_query
    assert query is not None
    member = access_staff(
        scene.session, scene.community.id, query.from_user.id, display_name=incoming.name_of(query.from_user)
    )
    try:
        prefix, number, word = parse(query)
        act = _STAFF.get(prefix)
        if act is None:
            raise ButtonExpired
        act(scene, member, number, word)
    except (ServiceError, KeyError) as error:
        refused = error if isinstance(error, ServiceError) else ButtonExpired()
        if isinstance(query.message, Message):
            staff.answer(scene, query.message, refused.response, **refused.facts)


def parse(query: CallbackQuery) -> tuple[str, int, str]:
    """The three parts of a button's data.

    Raises:
        ButtonExpired: it is not one of ours.
    """
    parts = (query.data or "").split(":")
    if len(parts) != 3 or not parts[1].isdecimal() or len(parts[1]) > 18:
        raise ButtonExpired
    return parts[0], int(parts[1]), parts[2]


def _dialogue(scene: Scene, conversation: Conversation, query: CallbackQuery, turn: int, intent: str) -> Ask | None:
    """A button of the bot's last question; those of earlier questions have expired, a second tap does nothing.

    What a tap causes is named after the question and its answer: tapped again, also because the first tap met a Rasa
    that was just dying, it is the same turn, and no second case is opened.
    """
    tap = f"{conversation.id}:{turn}:{intent}"
    asked = resident.ask(scene, conversation, f"/{intent}", payload=True, tap=tap)
    answered = (
        outbox.find(scene.session, key=f"{asked.turn}:reply:0") is not None or conversation.keyboard_turn == -turn
    )
    if answered:
        return None
    if conversation.keyboard_turn != turn or query.data not in _offered(query):
        raise ButtonExpired
    return replace(asked, keyboard=turn)


def _offered(query: CallbackQuery) -> set[str]:
    """What the buttons of the tapped message really say; a forged tap says something else."""
    keyboard = query.message.reply_markup if isinstance(query.message, Message) else None
    rows = keyboard.inline_keyboard if keyboard else ()
    return {str(button.callback_data) for row in rows for button in row}


def _call_back(scene: Scene, conversation: Conversation, number: int, word: str) -> None:
    if word not in tuple(callbacks.IN_WRITING):
        raise ButtonExpired
    outcome = Outcome(word)
    callbacks.answer(scene.session, conversation, number, outcome=outcome, key=scene.key, now=scene.now)


def _survey(scene: Scene, conversation: Conversation, number: int, word: str) -> None:
    stars = int(word) if word in tuple("12345") else 0
    surveys.rate(scene.session, conversation, number, stars=stars, key=scene.key, now=scene.now)


def _say_more(scene: Scene, conversation: Conversation, number: int, word: str) -> None:
    surveys.say_more(scene.session, conversation, number, word, key=scene.key, now=scene.now)


def _expired(*_: object) -> None:
    raise ButtonExpired


_RESIDENT: dict[str, Callable[[Scene, Conversation, int, str], None]] = {
    "cb": _call_back,
    "s": _survey,
    "sr": _say_more,
}


def _work_order(scene: Scene, member: Staff, number: int, word: str) -> None:
    if word in work.OFFERS:
        work.offer(scene.session, member, number, word, key=scene.key)
    else:
        work.tap(scene.session, member, number, word, key=scene.key, now=scene.now)


def _card(scene: Scene, member: Staff, number: int, word: str) -> None:
    conversation = conversations.access_as_staff(scene.session, member, number)
    if word == "claim":
        conversations.claim(scene.session, conversation, member, source=scene.key, now=scene.now)
    elif word == "hand_back":
        conversations.hand_back(scene.session, conversation, member, source=scene.key, now=scene.now)
    else:
        raise ButtonExpired


def _unconfirmed(scene: Scene, member: Staff, number: int, word: str) -> None:
    if word not in ("again", "arrived"):
        raise ButtonExpired
    delivery.decide(scene.session, member.community_id, number, arrived=word == "arrived")


def _phone_call(scene: Scene, member: Staff, number: int, word: str) -> None:
    phone_calls.result(scene.session, member, number, word, key=scene.key, now=scene.now)


_STAFF: dict[str, Callable[[Scene, Staff, int, str], None]] = {
    "w": _work_order,
    "c": _card,
    "o": _unconfirmed,
    "p": _phone_call,
}
