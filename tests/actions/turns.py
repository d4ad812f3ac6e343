"""Builds messages as Rasa hands them to the action server: entities are found by the words given."""

from __future__ import annotations

from typing import Any

from actions.turns import Turn, read


def message(
    text: str, intent: str = "inform", *, sure: float = 0.9, known: Any = None, **entities: str
) -> dict[str, Any]:
    """Rasa's `latest_message`; each entity is named with its words as they stand in the text."""
    return {
        "text": text,
        "intent": {"name": intent, "confidence": sure},
        "entities": [
            {"entity": label, "value": words, "start": text.index(words), "end": text.index(words) + len(words)}
            for label, words in entities.items()
        ],
        "metadata": {
            "turn": "7",
            "conversation_id": 1,
            "language": "zh",
            "now": "2026-11-23T04:00:00+00:00",  # a Monday, noon in Shanghai
            "timezone": "Asia/Shanghai",
        }
        | (known or {}),
    }


def turn(text: str, intent: str = "inform", **more: Any) -> Turn:
    """The message, read."""
    return read(message(text, intent, **more))
