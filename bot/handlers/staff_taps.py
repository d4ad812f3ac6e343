"""Staff tap: on a work order, a card, a suggested reply, an unconfirmed message; each tap is checked for its right."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from telegram import Message, Update

from bot.handlers import incoming, notes, staff_commands
from bot.handlers.buttons import parse
from bot.handlers.staff_commands import Order
from service import (
    binding,
    conversations,
    delivery,
    duty,
    idle,
    incident_hints,
    incidents,
    phone_calls,
    phrases,
    private_talks,
    progress_notes,
    proposals,
    staff,
    takeover,
    texts,
    transfer,
    work,
)
from service.communities import STAFF_LANGUAGE
from service.errors import ButtonExpired, ServiceError
from service.models.talks import Conversation, Owner
from service.staff import Right, access_staff
from service.texts import Button

if TYPE_CHECKING:
    from bot.handlers.route import Scene

TO = "to_"  # begins the word of a button that hands a resident on
MOST_COPIED = 256  # characters that a button of Telegram's can put into the clipboard


def tapped(scene: Scene, updates: Sequence[Update]) -> None:
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


def _work_order(order: Order, number: int) -> None:
    scene, word = order.scene, order.words
    if word == "visit":
        proposals.show(scene.session, order.member, number, key=scene.key, now=scene.now)
    elif word == "progress":
        progress_notes.ask(scene.session, order.member, number, key=scene.key)
    elif word in work.OFFERS:
        work.offer(scene.session, order.member, number, word, key=scene.key)
    else:
        work.tap(scene.session, order.member, number, word, key=scene.key, now=scene.now)


def _window(order: Order, number: int) -> None:
    scene = order.scene
    proposals.propose(scene.session, order.member, number, order.words, key=scene.key, now=scene.now)


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


def _unconfirmed(order: Order, number: int) -> None:
    if order.words not in ("again", "arrived"):
        raise ButtonExpired
    arrived = order.words == "arrived"
    delivery.decide(order.scene.session, order.member.community_id, number, arrived=arrived, now=order.scene.now)


def _binding_request(order: Order, number: int) -> None:
    if order.words not in ("approve", "decline"):
        raise ButtonExpired
    scene, approved = order.scene, order.words == "approve"
    binding.decide(scene.session, order.member, number, approved=approved, key=scene.key, now=scene.now)


def _phone_call(order: Order, number: int) -> None:
    scene = order.scene
    phone_calls.result(scene.session, order.member, number, order.words, key=scene.key, now=scene.now)


def _incident(order: Order, number: int) -> None:
    """The card of an incident: it is over."""
    if order.words != "end":
        raise ButtonExpired
    scene = order.scene
    incident = incidents.access_incident(scene.session, scene.community.id, number)
    count = incidents.end(scene.session, incident, now=scene.now)
    where = incidents.places(incident, STAFF_LANGUAGE)
    what = incidents.name(incident, STAFF_LANGUAGE)
    order.answer("utter_staff_incident_was_ended", where=where, what=what, count=count)


def _incident_hint(order: Order, number: int) -> None:
    """Several cases alike: make it known as an incident."""
    if order.words != "enter":
        raise ButtonExpired
    scene = order.scene
    incident = incident_hints.enter(scene.session, order.member, number, source=scene.key, now=scene.now)
    notes.say(scene, order.message, incidents.card(scene.session, incident, now=scene.now), name="incident")


def _switch(order: Order, number: int) -> None:
    """The butler turns to another of their talks."""
    talk = conversations.access_as_staff(order.scene.session, order.member, number)
    if order.words != "on" or talk.butler_id != order.member.id:
        raise ButtonExpired
    private_talks.turn_to(order.member, talk)
    order.answer("utter_staff_private_now", name=conversations.topic_name(talk.resident))


# What a button's prefix does, and the right it needs; talking to residents is checked by what it does.
_STAFF: Mapping[str, tuple[Right | None, Callable[[Order, int], None]]] = {
    "w": (Right.WORK, _work_order),
    "wv": (Right.WORK, _window),
    "c": (None, _card),
    "p": (None, _send_phrase),
    "e": (None, _phrase_to_change),
    "o": (Right.CONFIRM, _unconfirmed),
    "q": (Right.TALK, _binding_request),
    "tel": (Right.TALK, _phone_call),
    "i": (Right.INCIDENTS, _incident),
    "ih": (Right.INCIDENTS, _incident_hint),
    "pt": (None, _switch),
}
PREFIXES = frozenset(_STAFF)
