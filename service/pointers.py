"""Words of a line that lead somewhere: a colleague, who hears of it, or a topic, which a tap opens."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from service.models.people import Staff
from service.pages import units


@dataclass(frozen=True)
class Pointer:
    """What is pointed at, and the words that do."""

    words: str
    entity: dict[str, Any]  # as Telegram writes it, without its place


def at_member(member: Staff) -> Pointer:
    """A colleague by number and name; Telegram lets them know."""
    user = {"id": member.user_id, "is_bot": False, "first_name": member.display_name or str(member.number)}
    return Pointer(f"{member.number} {member.display_name}".strip(), {"type": "text_mention", "user": user})


def at_topic(words: str, chat_id: int, thread_id: int) -> Pointer:
    """A topic of the staff group, by words that open it; Telegram's links leave out the -100 of a group's number."""
    group = str(chat_id).removeprefix("-100")
    return Pointer(words, {"type": "text_link", "url": f"https://t.me/c/{group}/{thread_id}"})


def entities(text: str, pointers: Iterable[Pointer]) -> list[dict[str, Any]]:
    """Where in the text the words stand, in their order; what is not in it points nowhere."""
    found, start = [], 0
    for pointer in pointers:
        place = text.find(pointer.words, start)
        if place < 0 or not pointer.words:
            continue
        start = place + len(pointer.words)
        found.append(pointer.entity | {"offset": units(text[:place]), "length": units(pointer.words)})
    return found
