"""The JSON of the channel: what may come in, and what a turn looks like on its way out."""

import json
import re
from typing import Any, Dict, List, NamedTuple

MAX_TEXT = 1_000  # characters; ten times that blocks everybody for a second
MAX_BODY = 256 * 1024  # bytes
MAX_ID = 255  # characters, what the tracker store's column holds

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # PostgreSQL stores neither NUL nor lone surrogates
FULLWIDTH_SLASH = "／"
FALLBACK = "nlu_fallback"
QUESTION = "utter_ask_"  # how Rasa names the responses by which a form asks


class BadRequest(ValueError):
    """The body is not a message; the text says what is wrong with it."""


class Incoming(NamedTuple):
    """One message from the bot."""

    sender: str
    message_id: str
    text: str
    metadata: Dict[str, Any]


def read_message(body: bytes) -> Incoming:
    """Return the message in a request body.

    Raises:
        BadRequest: not JSON, not an object, or a field is missing or of the wrong kind.
    """
    data = read_object(body)
    metadata = data.get("metadata") or {}
    if not isinstance(metadata, dict):
        raise BadRequest("metadata: must be an object")
    text = _text(data.get("text"), is_payload=data.get("payload") is True)
    return Incoming(identifier(data, "sender"), identifier(data, "message_id"), text, _storable(metadata))


def read_object(body: bytes) -> Dict[str, Any]:
    """Return the JSON object in a request body."""
    if len(body) > MAX_BODY:
        raise BadRequest(f"body: more than {MAX_BODY} bytes")
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadRequest("body: not JSON") from error
    if not isinstance(data, dict):
        raise BadRequest("body: must be a JSON object")
    return data


def identifier(data: Dict[str, Any], field: str) -> str:
    """Return a field that names somebody or something: a short text or a whole number."""
    value = data.get(field)
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise BadRequest(f"{field}: must be a string or a whole number")
    value = str(value)
    if not 0 < len(value) <= MAX_ID or UNSTORABLE.search(value):
        raise BadRequest(f"{field}: must be 1 to {MAX_ID} characters, without NUL")
    return value


def _text(value: Any, *, is_payload: bool) -> str:
    """Return the text with every character where it was, so that entity offsets hold in what the bot sent."""
    if not isinstance(value, str):
        raise BadRequest("text: must be a string")
    text = UNSTORABLE.sub(" ", value[:MAX_TEXT])
    if not text.strip():
        raise BadRequest("text: must not be empty")
    return text if is_payload else neutralise(text)


def neutralise(text: str) -> str:
    """Return a text Rasa does not take for a command: "/restart" typed by a resident is only a text."""
    stripped = text.lstrip()
    if not stripped.startswith("/"):
        return text
    lead = len(text) - len(stripped)
    return text[:lead] + FULLWIDTH_SLASH + text[lead + 1 :]


def _storable(value: Any) -> Any:
    """Return JSON without characters the tracker store cannot hold."""
    if isinstance(value, str):
        return UNSTORABLE.sub(" ", value)
    if isinstance(value, list):
        return [_storable(item) for item in value]
    if isinstance(value, dict):
        return {_storable(key): _storable(item) for key, item in value.items()}
    return value


def answer_from(events: List[Dict[str, Any]], *, repeated: bool) -> Dict[str, Any]:
    """Return the answer to a turn from its recorded events, so that a first and a repeated answer are alike.

    Args:
        events: the user event of each part of the message and the bot events that followed it, as dictionaries.
        repeated: whether the turn had been handled before.
    """
    understood = events[0].get("parse_data") or {}
    intent = understood.get("intent") or {}
    return {
        "replies": [_reply(event) for event in sorted(filter(_is_said, events), key=_is_asked)],
        "intent": {"name": intent.get("name"), "confidence": intent.get("confidence")},
        "entities": understood.get("entities") or [],
        "heard": [_heard(event) for event in events if event["event"] == "user"],
        "repeated": repeated,
    }


def _heard(event: Dict[str, Any]) -> Dict[str, Any]:
    """Return how a text was understood: what the dialogue went by, and the guesses that are real intents.

    `model` made the guesses, likeliest first; `asked` is the slot that was being asked for when the text came.
    """
    understood = event.get("parse_data") or {}
    ranking = understood.get("intent_ranking") or []
    return {
        "text": event.get("text"),
        "intent": (understood.get("intent") or {}).get("name"),
        "guesses": [
            {"name": guess["name"], "confidence": guess["confidence"]} for guess in ranking if guess["name"] != FALLBACK
        ],
        "model": understood.get("model"),
        "asked": understood.get("asked"),
    }


def is_question(metadata: Dict[str, Any]) -> bool:
    """Say whether a bot event is a question of a form."""
    return str(metadata.get("utter_action")).startswith(QUESTION)


def _is_said(event: Dict[str, Any]) -> bool:
    return event["event"] == "bot" and not (event.get("metadata") or {}).get("taken_back")


def _is_asked(event: Dict[str, Any]) -> bool:
    """Sort a question behind everything else: it is what the resident is to answer."""
    return is_question(event.get("metadata") or {})


def _reply(event: Dict[str, Any]) -> Dict[str, Any]:
    data, metadata = event.get("data") or {}, event.get("metadata") or {}
    return {
        "text": event.get("text"),
        "buttons": data.get("buttons") or [],
        "quick_replies": data.get("quick_replies") or [],
        "custom": data.get("custom") or {},
        "response": metadata.get("utter_action"),
    }
