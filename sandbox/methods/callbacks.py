"""Answers to taps."""

from __future__ import annotations

from sandbox.errors import bad_request
from sandbox.registry import Call, answers
from sandbox.updates import CALLBACK_KEPT

TOO_OLD = "query is too old and response timeout expired or query ID is invalid"
TEXT_MAX = 200  # characters


@answers("answerCallbackQuery")
def answer_callback_query(call: Call) -> bool:
    """End the waiting on the button; 150 seconds after the tap it is too late."""
    params = call.params
    tap = call.world.callbacks.get(params["callback_query_id"])
    if tap is None or tap.bot_id != call.bot.id or call.world.clock.now() - tap.tapped_at > CALLBACK_KEPT:
        raise bad_request(TOO_OLD)
    text = params.get("text") or None
    if text and len(text) > TEXT_MAX:
        raise bad_request("MESSAGE_TOO_LONG")
    tap.answered, tap.text, tap.url = True, text, params.get("url")
    tap.show_alert = bool(params.get("show_alert"))
    call.world.publish("answer", callback_query_id=tap.id, text=text, show_alert=tap.show_alert)
    return True
