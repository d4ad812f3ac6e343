"""What residents and butlers say to each other: how each kind of message gets across, and what follows its changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from telegram import Message

from bot.handlers import incoming
from service import bursts, conversations, pages, relays, revisions, texts, undelivered
from service.communities import STAFF_LANGUAGE
from service.conversations import Amended
from service.models.queues import Priority
from service.models.talks import Conversation
from service.relays import MOST_CAPTION, Bundle
from service.revisions import Revision

if TYPE_CHECKING:
    from bot.handlers.route import Scene

IN_ALBUMS = frozenset({"photo", "video", "document", "audio"})  # what an album can be made of by file ids
MOST_QUOTE = 200  # characters of a line of the bot's that a resident answers
Words = dict[str, Any]


def to_staff(scene: Scene, conversation: Conversation, bubbles: Sequence[Message]) -> None:
    """Pass what a resident said on to their topic as it is; an album stays one."""
    for album in incoming.albums(bubbles):
        if not _can_be_passed_on(album[0]):
            kind, key = incoming.kind_of(album[0]), _key(conversation, album[0])
            ids = [message.message_id for message in album]
            undelivered.announce(scene.session, conversation, kind, message_ids=ids, key=key)
            undelivered.explain(scene.session, conversation, kind, key=key)
            continue
        _say_what_it_answers(scene, conversation, album[0])
        relays.pass_on(scene.session, conversation, _bundle(album, forwards=True))


def to_resident(scene: Scene, conversation: Conversation, messages: Sequence[Message]) -> Sequence[Message]:
    """Pass what a butler said on to the resident; returns what no bot can pass on."""
    refused: list[Message] = []
    for album in incoming.albums(messages):
        if not _can_be_passed_on(album[0]):
            refused += album
            continue
        _say_where_it_comes_from(scene, conversation, album[0])
        relays.pass_on(scene.session, conversation, _bundle(album, forwards=False))
    return refused


def revise(scene: Scene, conversation: Conversation, message: Message, amended: Amended | None) -> bool:
    """Bring the copy of an edited message up to date; staff read what a resident's line said before.

    Returns:
        False when there is no copy that could be changed.
    """
    if message.location is not None and message.venue is None:
        place = _place(message)
        at = message.message_id
        return revisions.move(scene.session, conversation, message.chat_id, at, place, key=scene.key)
    swapped = amended is not None and amended.swapped
    kind = incoming.kind_of(message)
    words = incoming.words_of(message)
    now_says = Revision(message.chat_id, message.message_id, kind, words, _file_id(message) if swapped else None)
    theirs = message.chat_id == conversation.resident.chat_id
    twin = revisions.revise(scene.session, conversation, now_says, key=scene.key)
    if twin is not None and amended is not None and (amended.reworded or swapped) and theirs:
        line = texts.say("utter_staff_was", language=STAFF_LANGUAGE, text=amended.before or "—")
        payload = line.payload() | {"reply": {"twin": twin.id}}
        key = f"{scene.key}:was"
        facts: dict[str, Any] = {"kind": "note", "priority": Priority.TALK, "where": twin.chat_id}
        conversations.to_staff(scene.session, conversation, "say", payload, key=key, **facts)
        _tell_who_reads_elsewhere(scene, conversation, twin.chat_id, message)
    return twin is not None


def _tell_who_reads_elsewhere(scene: Scene, conversation: Conversation, chat_id: int, message: Message) -> None:
    """The copy stands in the topic, and the butler who has the talk now reads in private."""
    here = conversations.read_in(scene.session, conversation)
    if here > 0 and here != chat_id:
        line = texts.say("utter_staff_edited", language=STAFF_LANGUAGE, text=incoming.words_of(message)["text"])
        key = f"{scene.key}:edited_elsewhere"
        conversations.to_staff(scene.session, conversation, "say", line.payload(), key=key, kind="note")


def was_passed_on(scene: Scene, conversation: Conversation, message: Message) -> bool:
    """Whether the message has a copy on the other side."""
    return relays.stands_there(scene.session, conversation, message.chat_id, message.message_id)


def _can_be_passed_on(message: Message) -> bool:
    kind = incoming.kind_of(message)
    return not (message.has_protected_content or kind == "unsupported" or kind in incoming.NEVER_COPIED)


def _bundle(album: Sequence[Message], *, forwards: bool) -> Bundle:
    """How it gets across: copied, unless a copy would say something else than was said."""
    first = album[0]
    kind = incoming.kind_of(first)
    bundle = Bundle(
        chat_id=first.chat_id,
        originals=[(message.message_id, incoming.kind_of(message)) for message in album],
        act="copy",
        payload=_source(album),
        album=first.media_group_id,
        reply_to=incoming.answered(first),
        quote=_quote(first),
    )
    if kind == "location" and first.location is not None and first.location.live_period:
        return replace(bundle, act="place", payload=bundle.payload | _place(first))  # a copy of it would stand still
    if forwards and (first.forward_origin is not None or kind == "dice"):
        return replace(bundle, act="forward")  # it keeps its origin, and what the dice showed
    if kind == "dice" and first.dice is not None:
        return replace(bundle, act="say", payload=bundle.payload | {"text": f"{first.dice.emoji} {first.dice.value}"})
    if forwards and kind == "text":
        return replace(bundle, payload=bundle.payload | bursts.mark(incoming.words_of(first)))
    long = {message.message_id: words for message in album if (words := _long_caption(message))}
    payload = bundle.payload | ({"media": _media(album)} if _is_album(album) else {})
    return replace(bundle, payload=payload | ({"bare": True} if long else {}), captions=_all_captions(album, long))


def _source(album: Sequence[Message]) -> dict[str, Any]:
    words = incoming.words_of(album[0])["text"]
    return {
        "from_chat_id": album[0].chat_id,
        "message_ids": [message.message_id for message in album],
        "text": words,  # for whoever has to look at a row that did not get through
    }


def _long_caption(message: Message) -> Words | None:
    """A caption longer than a bot may write."""
    words = incoming.words_of(message)
    return words if message.text is None and pages.units(words["text"]) > MOST_CAPTION else None


def _all_captions(album: Sequence[Message], long: Mapping[int, Words]) -> Mapping[int, Words]:
    """Captions are taken off an album all or none, so all of them follow as texts when one is too long."""
    if not long:
        return {}
    found = {message.message_id: incoming.words_of(message) for message in album}
    return {message_id: words for message_id, words in found.items() if words["text"]}


def _is_album(album: Sequence[Message]) -> bool:
    """Whether it can be sent by file ids, which alone lets an album answer something."""
    return album[0].media_group_id is not None and all(incoming.kind_of(one) in IN_ALBUMS for one in album)


def _media(album: Sequence[Message]) -> list[dict[str, Any]]:
    return [
        {
            "kind": incoming.kind_of(message),
            "file_id": _file_id(message),
            "spoiler": bool(message.has_media_spoiler),
            **incoming.words_of(message),
        }
        for message in album
    ]


def _file_id(message: Message) -> str | None:
    body = getattr(message, incoming.kind_of(message), None)
    largest = body[-1] if isinstance(body, tuple) and body else body
    return getattr(largest, "file_id", None)


def _place(message: Message) -> dict[str, Any]:
    assert message.location is not None
    place: dict[str, Any] = message.location.to_dict()
    return place


def _quote(message: Message) -> dict[str, Any] | None:
    if message.quote is None or not message.quote.is_manual:
        return None
    entities = [entity.to_dict() for entity in message.quote.entities or ()]
    return {"text": message.quote.text, "position": message.quote.position, "entities": entities}


def _key(conversation: Conversation, message: Message) -> str:
    return f"relay:{conversation.id}:{message.chat_id}:{message.message_id}"


def _say_what_it_answers(scene: Scene, conversation: Conversation, message: Message) -> None:
    """A resident answers a line of the bot's, which stands nowhere in the topic, or something from another chat."""
    reply = incoming.answered(message)
    if reply is not None and relays.is_read_there(scene.session, conversation, message.chat_id, reply):
        return
    before = message.reply_to_message
    words = (message.quote.text if message.quote else None) or (before and (before.text or before.caption))
    if words:
        line = texts.say("utter_staff_answers", language=STAFF_LANGUAGE, text=words[:MOST_QUOTE])
        key = f"{_key(conversation, message)}:answers"
        conversations.to_staff(scene.session, conversation, "say", line.payload(), key=key)


def _say_where_it_comes_from(scene: Scene, conversation: Conversation, message: Message) -> None:
    if message.forward_origin is None:
        return
    language = conversation.resident.language
    name = incoming.public_origin(message.forward_origin)
    if name:
        line = texts.say("utter_forwarded_from", language=language, name=name)
    else:
        line = texts.say("utter_forwarded", language=language)
    key = f"{_key(conversation, message)}:origin"
    conversations.to_resident(scene.session, conversation, "say", line.payload(), key=key)
