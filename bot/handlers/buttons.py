"""Somebody taps a button. Every button may be tapped again, late, or be forged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from telegram import CallbackQuery, Message, Update

from bot.handlers import incoming, notes, resident, staff_commands
from bot.handlers.staff_commands import Order
from bot.rasa import Ask
from service import (
    binding,
    callbacks,
    conversations,
    delivery,
    duty,
    forgetting,
    idle,
    outbox,
    own_data,
    phrases,
    residents,
    staff,
    surveys,
    takeover,
    texts,
    transfer,
    work,
)
from service.communities import STAFF_LANGUAGE
from service.errors import ButtonExpired, ServiceError
from service.models import Conversation, Owner
from service.staff import Right, access_staff
from service.texts import Button

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


def tapped_by_staff(scene: Scene, updates: Sequence[Update]) -> None:
    """Staff's tap: on a work order, a card, or an unconfirmed message."""
    query = updates[0].callback_query
    assert query is not None
    message = query.message if isinstance(query.message, Message) else None
    try:
        prefix, number, word = parse(query)
        if prefix not in _STAFF or message is None:
            raise ButtonExpired
        right, act = _STAFF[prefix]
        member = access_staff(
            scene.session, scene.community.id, query.from_user.id, display_name=incoming.name_of(query.from_user)
        )
        if right is not None:
            staff.check(member, right)
        act(Order(scene, message, member, word), number)
    except (ServiceError, KeyError) as error:
        refused = error if isinstance(error, ServiceError) else ButtonExpired()
        if message is not None:
            notes.answer(scene, message, refused.response, **refused.facts)


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
    if word not in ("held", "not_held"):
        raise ButtonExpired
    held = word == "held"
    callbacks.answer(scene.session, conversation, number, held=held, key=scene.key, now=scene.now)


def _survey(scene: Scene, conversation: Conversation, number: int, word: str) -> None:
    stars = int(word) if word in tuple("12345") else 0
    surveys.rate(scene.session, conversation, number, stars=stars, key=scene.key, now=scene.now)


def _forget(scene: Scene, conversation: Conversation, number: int, word: str) -> Ask | None:
    """Yes: Rasa deletes the dialogue first, then everything else goes with the turn; asked again, nothing is left."""
    if number != conversation.id or word not in ("yes", "no"):
        raise ButtonExpired
    reason = forgetting.why_not_now(scene.session, conversation)
    if word == "yes" and reason is None:
        return Ask(
            conversation.id, conversation.epoch, f"forget:{scene.key}", "", erase=True, metadata={"text": "/forget"}
        )
    line = reason if word == "yes" else texts.say("utter_forget_not", language=conversation.resident.language)
    assert line is not None
    conversations.tell(scene.session, conversation, line, now=scene.now, key=f"{scene.key}:forget")
    return None


def _language(scene: Scene, conversation: Conversation, number: int, word: str) -> None:
    if number != conversation.id:
        raise ButtonExpired
    line = own_data.choose_language(scene.session, conversation, word, now=scene.now)
    conversations.tell(scene.session, conversation, line, now=scene.now, key=f"{scene.key}:language")


def _binding(scene: Scene, conversation: Conversation, number: int, _: str) -> None:
    line = binding.accept(scene.session, conversation, number, key=scene.key, now=scene.now)
    conversations.tell(scene.session, conversation, line, now=scene.now, key=f"{scene.key}:binding")


def _expired(*_: object) -> None:
    raise ButtonExpired


_RESIDENT: dict[str, Callable[[Scene, Conversation, int, str], None]] = {
    "cb": _call_back,
    "s": _survey,
    "b": _binding,
    "l": _language,
}


def _work_order(order: Order, number: int) -> None:
    scene, word = order.scene, order.words
    if word in work.OFFERS:
        work.offer(scene.session, order.member, number, word, key=scene.key)
    else:
        work.tap(scene.session, order.member, number, word, key=scene.key, now=scene.now)


def _card(order: Order, number: int) -> None:
    talk = conversations.access_as_staff(order.scene.session, order.member, number)
    if order.words.startswith(TO):
        _transfer(order, talk, order.words.removeprefix(TO))
    else:
        _CARD[order.words](order, talk)


def _claim(order: Order, talk: Conversation) -> None:
    takeover.claim(order.scene.session, talk, order.member, source=order.scene.key, now=order.scene.now)


def _hand_back(order: Order, talk: Conversation) -> None:
    takeover.hand_back(order.scene.session, talk, order.member, source=order.scene.key, now=order.scene.now)


def _keep(order: Order, talk: Conversation) -> None:
    takeover.check_is_theirs(order.scene.session, talk, order.member)
    if talk.owner is not Owner.BUTLER:
        raise ButtonExpired
    idle.keep(talk, now=order.scene.now)
    order.answer("utter_staff_kept")


def _offer_transfer(order: Order, talk: Conversation) -> None:
    scene = order.scene
    takeover.check_is_theirs(scene.session, talk, order.member)
    present = duty.on_duty(scene.session, scene.community, now=scene.now)
    colleagues = [one for one in present if one.id != talk.butler_id and staff.may(one, Right.TALK)]
    transfer.offer(scene.session, talk, colleagues, key=f"{scene.key}:transfer")


def _transfer(order: Order, talk: Conversation, word: str) -> None:
    scene = order.scene
    target = transfer.find_target(scene.session, scene.community.id, word)
    transfer.transfer(scene.session, talk, order.member, target, note="", source=scene.key, now=scene.now)


TO = "to_"
_CARD: Mapping[str, Callable[[Order, Conversation], None]] = {
    "claim": _claim,
    "hand_back": _hand_back,
    "keep": _keep,
    "transfer": _offer_transfer,
}


def _send_phrase(order: Order, number: int) -> None:
    """One tap sends it, once for each time a butler has the resident."""
    talk = conversations.access_as_staff(order.scene.session, order.member, number)
    epoch = talk.epoch if talk.butler_id == order.member.id else talk.epoch + 1
    key = f"phrase:{talk.id}:{epoch}:{order.words}"
    staff_commands.send_phrase(order, talk, order.words, key=key)


def _phrase_to_change(order: Order, number: int) -> None:
    """Put the phrase where the butler can copy it, change it and send it."""
    scene = order.scene
    talk = conversations.access_as_staff(scene.session, order.member, number)
    ready = phrases.fill(scene.session, talk, order.member, order.words)
    line = texts.say("utter_staff_phrase_to_change", language=STAFF_LANGUAGE, text=ready.text)
    copy = Button(texts.words("utter_word_key_copy", language=STAFF_LANGUAGE), "", copy=ready.text[:MOST_COPIED])
    notes.say(scene, order.message, replace(line, buttons=(copy,)), name="to_change")


MOST_COPIED = 256  # characters that a button of Telegram's can put into the clipboard


def _unconfirmed(order: Order, number: int) -> None:
    if order.words not in ("again", "arrived"):
        raise ButtonExpired
    arrived = order.words == "arrived"
    delivery.decide(order.scene.session, order.member.community_id, number, arrived=arrived)


def _binding_request(order: Order, number: int) -> None:
    if order.words not in ("approve", "decline"):
        raise ButtonExpired
    scene, approved = order.scene, order.words == "approve"
    binding.decide(scene.session, order.member, number, approved=approved, key=scene.key, now=scene.now)


# What a button's prefix does, and the right it needs; talking to residents is checked by what it does.
_STAFF: Mapping[str, tuple[Right | None, Callable[[Order, int], None]]] = {
    "w": (Right.WORK, _work_order),
    "c": (None, _card),
    "p": (None, _send_phrase),
    "e": (None, _phrase_to_change),
    "o": (Right.CONFIRM, _unconfirmed),
    "q": (Right.TALK, _binding_request),
}
