"""Keyboards under a message and in place of the keyboard."""

from __future__ import annotations

from typing import Any

from sandbox.errors import bad_request
from sandbox.models import JSON

DATA_MAX = 64  # bytes of callback data
BUTTONS_MAX = 100
ACTIONS = (
    *("url", "callback_data", "web_app", "login_url", "switch_inline_query", "switch_inline_query_current_chat"),
    *("switch_inline_query_chosen_chat", "copy_text", "callback_game", "pay"),
)
PRIVATE_ONLY = ("request_contact", "request_location")


def read_markup(markup: Any, *, private: bool) -> tuple[JSON | None, JSON | None]:
    """Split ``reply_markup`` into the inline keyboard and what replaces the keyboard of the chat.

    Raises:
        ApiError: a button is malformed, its data too long or not allowed here.
    """
    if not markup:
        return None, None
    if not isinstance(markup, dict):
        raise bad_request("object expected as reply markup")
    if "inline_keyboard" in markup:
        rows = _rows(markup["inline_keyboard"], _inline_button)
        return ({"inline_keyboard": rows} if rows else None), None
    if "keyboard" in markup:
        rows = _rows(markup["keyboard"], _keyboard_button)
        if not private and any(button.get(key) for row in rows for button in row for key in PRIVATE_ONLY):
            raise bad_request("phone number can be requested in private chats only")
        return None, {**markup, "keyboard": rows}
    if markup.get("remove_keyboard") or markup.get("force_reply"):
        return None, markup
    raise bad_request("can't parse reply keyboard markup JSON object")


def _rows(rows: Any, check: Any) -> list[list[JSON]]:
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise bad_request("can't parse keyboard: expected an Array of Arrays")
    if sum(map(len, rows)) > BUTTONS_MAX:
        raise bad_request("reply markup is too long")
    return [[check(button) for button in row] for row in rows if row]


def _inline_button(button: Any) -> JSON:
    if not isinstance(button, dict) or not isinstance(button.get("text"), str) or not button["text"]:
        raise bad_request('can\'t parse inline keyboard button: Field "text" must be a non-empty String')
    actions = [name for name in ACTIONS if name in button]
    if len(actions) != 1:
        raise bad_request("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
    data = button.get("callback_data")
    if data is not None and not (isinstance(data, str) and 0 < len(data.encode()) <= DATA_MAX):
        raise bad_request("BUTTON_DATA_INVALID")
    if "url" in button and "://" not in str(button["url"]):
        raise bad_request(f"inline keyboard button URL '{button['url']}' is invalid: Wrong HTTP URL")
    return dict(button)


def _keyboard_button(button: Any) -> JSON:
    if isinstance(button, str):
        button = {"text": button}
    if not isinstance(button, dict) or not button.get("text"):
        raise bad_request('can\'t parse keyboard button: Field "text" must be a non-empty String')
    return dict(button)
