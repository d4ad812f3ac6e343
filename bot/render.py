"""From our own terms to a Bot API call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from service.outbox import Parcel

MOST_TEXT = 4096  # characters of a message
ROW_WIDTH = 16  # how wide the titles of one row of buttons may be; a Chinese character counts two

Call = tuple[str, dict[str, Any]]  # the method of telegram.Bot, and its parameters


def call(parcel: Parcel) -> Call:
    """The Bot API call that does what the parcel says."""
    return _ACTS[parcel.act](parcel)


def _say(parcel: Parcel) -> Call:
    return "send_message", {
        **_where(parcel),
        "text": clip(parcel.payload["text"]),
        "reply_markup": _keyboard(parcel.payload),
    }


def _edit(parcel: Parcel) -> Call:
    return "edit_message_text", {
        "chat_id": parcel.chat_id,
        "message_id": parcel.edits_message,
        "text": clip(parcel.payload["text"]),
        "reply_markup": _inline(parcel.payload.get("buttons", ())) or {"inline_keyboard": []},
    }


def _copy(parcel: Parcel) -> Call:
    ids = parcel.payload["message_ids"]
    where = {**_where(parcel), "from_chat_id": parcel.payload["from_chat_id"]}
    if len(ids) == 1:
        return "copy_message", {**where, "message_id": ids[0]}
    return "copy_messages", {**where, "message_ids": sorted(ids)}


def _document(parcel: Parcel) -> Call:
    payload = parcel.payload
    return "send_document", {
        **_where(parcel),
        "document": payload["content"].encode(),
        "filename": payload["file_name"],
        "caption": payload["text"],
    }


_ACTS: Mapping[str, Callable[[Parcel], Call]] = {"say": _say, "edit": _edit, "copy": _copy, "document": _document}


def clip(text: str) -> str:
    """Telegram's limit, with a sign that something was left out."""
    return text if len(text) <= MOST_TEXT else f"{text[: MOST_TEXT - 1]}…"


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
    keys = [{"text": button["title"], "callback_data": button["data"]} for button in buttons]
    return {"inline_keyboard": in_rows(keys)}


def in_rows(keys: Sequence[dict[str, str]]) -> list[list[dict[str, str]]]:
    """Put keys side by side as long as their titles can be read."""
    rows: list[list[dict[str, str]]] = []
    width = ROW_WIDTH
    for key in keys:
        needed = sum(1 if character.isascii() else 2 for character in key["text"]) + 1
        if not rows or width + needed > ROW_WIDTH:
            rows.append([])
            width = 0
        rows[-1].append(key)
        width += needed
    return rows
