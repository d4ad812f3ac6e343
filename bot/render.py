"""From our own terms to a Bot API call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from telegram import (
    InputMedia,
    InputMediaAnimation,
    InputMediaAudio,
    InputMediaDocument,
    InputMediaPhoto,
    InputMediaVideo,
    MessageEntity,
    ReactionTypeEmoji,
)

from service.pages import MOST_TEXT, pages, units
from service.sending import Parcel

ROW_WIDTH = 16  # how wide the titles of one row of buttons may be; a Chinese character counts two

Call = tuple[str, dict[str, Any]]  # the method of telegram.Bot, and its parameters


def call(parcel: Parcel) -> Call:
    """The Bot API call that does what the parcel says."""
    return _ACTS[parcel.act](parcel)


def _say(parcel: Parcel) -> Call:
    return "send_message", {
        **_where(parcel),
        **_reply(parcel),
        **_words(parcel.payload, "text"),
        "reply_markup": _keyboard(parcel.payload),
        **({"disable_notification": True} if parcel.payload.get("silent") else {}),
    }


def _edit(parcel: Parcel) -> Call:
    return "edit_message_text", {
        **_on(parcel),
        **_words(parcel.payload, "text"),
        "reply_markup": _inline(parcel.payload.get("buttons", ())) or {"inline_keyboard": []},
    }


def _copy(parcel: Parcel) -> Call:
    """One message or an album; only one made of file ids can answer something."""
    payload = parcel.payload
    reply = _reply(parcel)
    if len(payload["message_ids"]) == 1:
        caption = {"caption": ""} if payload.get("bare") else {}
        return "copy_message", {**_source(parcel), **reply, **caption}
    if reply and "media" in payload:
        media = [_item(one, bare=bool(payload.get("bare"))) for one in payload["media"]]
        return "send_media_group", {**_where(parcel), **reply, "media": media}
    return "copy_messages", {**_source(parcel), **({"remove_caption": True} if payload.get("bare") else {})}


def _document(parcel: Parcel) -> Call:
    payload = parcel.payload
    return "send_document", {
        **_where(parcel),
        "document": payload["content"].encode(),
        "filename": payload["file_name"],
        "caption": payload["text"],
    }


def _forward(parcel: Parcel) -> Call:
    alone = len(parcel.payload["message_ids"]) == 1
    return ("forward_message" if alone else "forward_messages"), _source(parcel)


def _place(parcel: Parcel) -> Call:
    return "send_location", {**_where(parcel), **_reply(parcel), **_point(parcel.payload)}


def _move(parcel: Parcel) -> Call:
    point = {name: value for name, value in _point(parcel.payload).items() if name != "live_period"}
    return "edit_message_live_location", {**_on(parcel), **point}


def _stop(parcel: Parcel) -> Call:
    return "stop_message_live_location", _on(parcel)


def _caption(parcel: Parcel) -> Call:
    return "edit_message_caption", {**_on(parcel), **_words(parcel.payload, "caption")}


def _swap(parcel: Parcel) -> Call:
    return "edit_message_media", {**_on(parcel), "media": _item(parcel.payload)}


def _delete(parcel: Parcel) -> Call:
    return "delete_message", _on(parcel)


def _react(parcel: Parcel) -> Call:
    emoji = parcel.payload["emoji"]
    return "set_message_reaction", {**_on(parcel), "reaction": [ReactionTypeEmoji(emoji)] if emoji else []}


def _rename(parcel: Parcel) -> Call:
    return "edit_forum_topic", {**_where(parcel), "name": parcel.payload["name"]}


def _pin(parcel: Parcel) -> Call:
    return "pin_chat_message", {**_on(parcel), "disable_notification": True}


_ACTS: Mapping[str, Callable[[Parcel], Call]] = {
    "say": _say,
    "lines": _say,
    "edit": _edit,
    "copy": _copy,
    "forward": _forward,
    "place": _place,
    "move": _move,
    "stop": _stop,
    "caption": _caption,
    "swap": _swap,
    "delete": _delete,
    "react": _react,
    "document": _document,
    "rename": _rename,
    "pin": _pin,
}
COSMETIC = ("rename",)  # acts that are not worth making a deleted topic again for
POINT = ("latitude", "longitude", "horizontal_accuracy", "live_period", "heading", "proximity_alert_radius")


def target(parcel: Parcel) -> int | None:
    """The message the parcel changes; None when it makes one, or when that one never arrived."""
    on = parcel.payload.get("on", {})
    return on.get("message_id") or parcel.on_message or parcel.edits_message


def changes_something(parcel: Parcel) -> bool:
    """Whether the parcel is about a message that is there already."""
    return parcel.edits_id is not None or "on" in parcel.payload


def clip(text: str) -> str:
    """Telegram's limit, with a sign that something was left out; only cards are longer, lines come in pages."""
    return text if units(text) <= MOST_TEXT else f"{pages(text, most=MOST_TEXT - 1)[0]}…"


def _words(payload: Mapping[str, Any], name: str) -> dict[str, Any]:
    entities = payload.get("entities")
    return {name: clip(payload["text"]), **({_ENTITIES[name]: entities} if entities else {})}


_ENTITIES = {"text": "entities", "caption": "caption_entities"}


def _item(media: Mapping[str, Any], *, bare: bool = False) -> InputMedia:
    """A part of an album, or what takes the place of another file."""
    words = {} if bare or not media.get("text") else _words(media, "caption")
    if "caption_entities" in words:
        words["caption_entities"] = MessageEntity.de_list(words["caption_entities"], None)
    spoiler = {"has_spoiler": True} if media.get("spoiler") else {}
    return _MEDIA[media["kind"]](media["file_id"], **words, **spoiler)


_MEDIA: Mapping[str, Callable[..., InputMedia]] = {
    "photo": InputMediaPhoto,
    "video": InputMediaVideo,
    "animation": InputMediaAnimation,
    "document": InputMediaDocument,
    "audio": InputMediaAudio,
}


def _source(parcel: Parcel) -> dict[str, Any]:
    ids = sorted(parcel.payload["message_ids"])  # as Telegram demands
    where = {**_where(parcel), "from_chat_id": parcel.payload["from_chat_id"]}
    return {**where, "message_id": ids[0]} if len(ids) == 1 else {**where, "message_ids": ids}


def _point(payload: Mapping[str, Any]) -> dict[str, Any]:
    return {name: payload[name] for name in POINT if name in payload}


def _on(parcel: Parcel) -> dict[str, Any]:
    return {"chat_id": parcel.chat_id, "message_id": target(parcel)}


def _reply(parcel: Parcel) -> dict[str, Any]:
    """What the parcel answers, when that is there."""
    wanted = parcel.payload.get("reply", {})
    message_id = wanted.get("message_id") or parcel.reply_message
    if message_id is None:
        return {}
    found: dict[str, Any] = {"message_id": message_id, "allow_sending_without_reply": True}
    if quote := wanted.get("quote"):
        found |= {"quote": quote["text"], "quote_position": quote["position"]}
        found |= {"quote_entities": quote["entities"]} if quote["entities"] else {}
    return {"reply_parameters": found}


def _where(parcel: Parcel) -> dict[str, Any]:
    where: dict[str, Any] = {"chat_id": parcel.chat_id}
    if parcel.thread_id is not None:
        where["message_thread_id"] = parcel.thread_id
    return where


def _keyboard(payload: Mapping[str, Any]) -> dict[str, Any] | None:
    if payload.get("menu"):
        rows: list[list[dict[str, Any]]] = list(in_rows([{"text": title} for title in payload["menu"]]))
        if payload.get("contact_key"):
            rows.insert(0, [{"text": payload["contact_key"], "request_contact": True}])
        return {"keyboard": rows, "resize_keyboard": True, "is_persistent": True}
    return _inline(payload.get("buttons", ()))


def _inline(buttons: Sequence[Mapping[str, str]]) -> dict[str, Any] | None:
    if not buttons:
        return None
    return {"inline_keyboard": in_rows([_key(button) for button in buttons])}


def _key(button: Mapping[str, str]) -> dict[str, Any]:
    if "copy" in button:
        return {"text": button["title"], "copy_text": {"text": button["copy"]}}
    return {"text": button["title"], "callback_data": button["data"]}


def in_rows(keys: Sequence[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Put keys side by side as long as their titles can be read."""
    rows: list[list[dict[str, Any]]] = []
    width = ROW_WIDTH
    for key in keys:
        needed = sum(1 if character.isascii() else 2 for character in key["text"]) + 1
        if not rows or width + needed > ROW_WIDTH:
            rows.append([])
            width = 0
        rows[-1].append(key)
        width += needed
    return rows
