"""What ingress may know of an update before it is kept: its number, its lane, and whether more is coming.

Nothing here may fail: what cannot be read is kept as a dead letter.
"""

from __future__ import annotations

import json
from typing import Any

from service import emergency, texts
from service.inbox import Arrival

MOST_BYTES = 256 * 1024  # of one update; Telegram's own stay far below
ALBUM_WAIT = 0.6  # seconds: the parts of an album come as updates of their own
FRAGMENT = 4  # Chinese characters (or two Latin words) at the most: perhaps there is more to come
ENDS = "。！？!?.~…”」)）"


def arrival(raw: bytes, *, fragment_wait: float) -> Arrival:
    """Make an inbox row of an update as it came.

    Args:
        raw: the JSON text of one update.
        fragment_wait: seconds a fragment waits for its next bubble.
    """
    if len(raw) > MOST_BYTES:
        return Arrival(None, "unread", raw[:1024], dead=f"larger than {MOST_BYTES} bytes")
    try:
        update = json.loads(raw)
        update_id = update["update_id"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return Arrival(None, "unread", raw, dead="not an update in JSON")
    if not _is_number(update_id):
        return Arrival(None, "unread", raw, dead="update_id is no number")
    message = _message(update)
    return Arrival(update_id, _lane(message), raw, **_patience(update, message, fragment_wait))


def callback_query_id(raw: bytes) -> str | None:
    """The id of a button's tap, which is answered at once so that the button stops spinning."""
    try:
        found = json.loads(raw)["callback_query"]["id"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return found if isinstance(found, str) else None


def _message(update: dict[str, Any]) -> dict[str, Any]:
    """The part of the update that names the chat; empty when it has an unknown shape."""
    for kind, body in update.items():
        if kind == "callback_query" and isinstance(body, dict):
            body = body.get("message")  # noqa: PLW2901 - a tap lives in the lane of its message
        if isinstance(body, dict) and isinstance(body.get("chat"), dict):
            return body
    return {}


def _lane(message: dict[str, Any]) -> str:
    chat = message.get("chat", {})
    if not _is_number(chat.get("id")):
        return "other"
    if chat.get("type") == "private":
        return f"chat:{chat['id']}"
    thread = message.get("message_thread_id") if message.get("is_topic_message") else None
    return f"group:{chat['id']}:{thread if _is_number(thread) else 0}"


def _is_number(value: object) -> bool:
    """Whether it is a whole number that a column can hold; JSON's true is none."""
    return isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63


def _patience(update: dict[str, Any], message: dict[str, Any], fragment_wait: float) -> dict[str, Any]:
    """How long the row waits for more, why, and whether it may be read together with its neighbours."""
    if "message" not in update:
        return {}
    if message.get("media_group_id"):
        return {"wait": ALBUM_WAIT, "joins": True}
    text, chat = message.get("text"), message.get("chat", {})
    if chat.get("type") != "private" or not isinstance(text, str) or text.startswith("/") or text in texts.menu_words():
        return {}
    if not _is_number(chat.get("id")) or not _is_fragment(text):
        return {"joins": True}
    return {"wait": fragment_wait, "joins": True, "fragment_in": chat["id"]}


def _is_fragment(text: str) -> bool:
    words = text.strip()
    if not words or words[-1] in ENDS or any(character.isdigit() for character in words):
        return False
    short = len(words) <= FRAGMENT if not words.isascii() else len(words.split()) <= 2
    return short and words.casefold() not in COMPLETE and emergency.check(words) is None


# Bubbles that are whole though short.
COMPLETE = frozenset(
    "好 好的 是 是的 对 对的 嗯 嗯嗯 行 可以 确认 没错 不 不是 不对 没有 不用 取消 算了 你好 您好 谢谢 多谢 再见 "
    "在吗 有人吗 没事了 还没好 好了 尽快 转人工 人工 厨房 ok okay yes no hi hello thanks bye cancel stop hey sure "
    "thank you".replace("thank you", "").split()
) | {"thank you", "good morning", "never mind"}
