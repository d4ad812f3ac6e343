"""What a whole message says to an appointment: another time, none at all, or yes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import yaml

WORDS = Path(__file__).with_suffix(".yml")
WISHES = ("another_time", "no_visit")  # however politely they are put
MARKS = re.compile(r"[\s.,!?。，！？~～、]+")


def meaning(words: str) -> str | None:
    """What a message says when it says nothing else: agreed, another_time or no_visit; else None.

    Args:
        words: the whole message.
    """
    table = _words()
    left = MARKS.sub(" ", words.lower()).strip()
    for group in ("agreed", *WISHES):
        if left in table[group]:
            return group
    left = " ".join(_around().sub(" ", left).split())
    return next((wish for wish in WISHES if left in table[wish]), None)


@cache
def _around() -> re.Pattern[str]:
    words = sorted(_words()["around"], key=len, reverse=True)
    return re.compile("|".join(rf"\b{re.escape(word)}\b" if word.isascii() else re.escape(word) for word in words))


@cache
def _words() -> Mapping[str, frozenset[str]]:
    table = yaml.safe_load(WORDS.read_text("utf-8"))
    return {group: frozenset(map(str, words)) for group, words in table.items()}
