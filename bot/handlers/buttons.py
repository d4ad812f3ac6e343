"""Somebody taps a button. Every button may be tapped again, late, or be forged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from telegram import CallbackQuery, Message, Update

from bot.handlers import incoming, resident
from bot.rasa import Ask
from service import (
    appointments,
    binding,
    callbacks,
    conversations,
    forgetting,
    incident_reports,
    outbox,
    own_data,
    residents,
    surveys,
    texts,
    withdrawals,
)
from service.errors import ButtonExpired, ServiceError
from service.models.follow_ups import Outcome
from service.models.incidents import ReportOutcome
from service.models.talks import Conversation

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
        if prefix == "f":
            return _forget(scene, conversation, number, word)
        _RESIDENT.get(prefix, _expired)(scene, conversation, number, word)
    except ServiceError as error:
        line = texts.say(error.response, language=conversation.resident.language, **error.facts)
        conversations.tell(scene.session, conversation, line, now=scene.now, key=f"{scene.key}:error")
    return None


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


def _window(scene: Scene, conversation: Conversation, number: int, word: str) -> None:
    appointments.choose(scene.session, conversation, number, word, key=scene.key, now=scene.now)


def _appointment(scene: Scene, conversation: Conversation, number: int, word: str) -> None:
    appointments.answer(scene.session, conversation, number, word, key=scene.key, now=scene.now)


def _withdrawal(scene: Scene, conversation: Conversation, number: int, word: str) -> None:
    withdrawals.answer(scene.session, conversation, number, word, key=scene.key, now=scene.now)


def _forget(scene: Scene, conversation: Conversation, number: int, word: str) -> Ask | None:
    """Yes: Rasa deletes the dialogue first, then everything else goes with the turn; asked again, nothing is left."""
    if number != conversation.id or word not in ("yes", "no"):
        raise ButtonExpired
    wish = forget(scene, conversation) if word == "yes" else None
    if wish is not None:
        return wish
    reason = forgetting.why_not_now(scene.session, conversation)
    line = reason if word == "yes" else texts.say("utter_forget_not", language=conversation.resident.language)
    assert line is not None
    conversations.tell(scene.session, conversation, line, now=scene.now, key=f"{scene.key}:forget")
    return None


def forget(scene: Scene, conversation: Conversation) -> Ask | None:
    """What Rasa is to be asked to have a resident forgotten; None while something has to end first."""
    if forgetting.why_not_now(scene.session, conversation) is not None:
        return None
    return Ask(conversation.id, conversation.epoch, f"forget:{scene.key}", "", erase=True, metadata={"text": "/forget"})


def _language(scene: Scene, conversation: Conversation, number: int, word: str) -> None:
    if number != conversation.id:
        raise ButtonExpired
    line = own_data.choose_language(scene.session, conversation, word, now=scene.now)
    conversations.tell(scene.session, conversation, line, now=scene.now, key=f"{scene.key}:language")


def _binding(scene: Scene, conversation: Conversation, number: int, _: str) -> None:
    line = binding.accept(scene.session, conversation, number, key=scene.key, now=scene.now)
    conversations.tell(scene.session, conversation, line, now=scene.now, key=f"{scene.key}:binding")


def _incident(scene: Scene, conversation: Conversation, number: int, word: str) -> None:
    if word not in tuple(ReportOutcome):
        raise ButtonExpired
    incident_reports.answer(scene.session, conversation, number, ReportOutcome(word), now=scene.now)


def _expired(*_: object) -> None:
    raise ButtonExpired


_RESIDENT: dict[str, Callable[[Scene, Conversation, int, str], None]] = {
    "cb": _call_back,
    "s": _survey,
    "sr": _say_more,
    "b": _binding,
    "ir": _incident,
    "l": _language,
    "a": _window,
    "v": _appointment,
    "wd": _withdrawal,
}
