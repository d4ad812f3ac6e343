"""What a whole message says to an appointment: another time, or yes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import yaml

WORDS = Path(__file__).with_suffix(".yml")
MARKS = re.compile(r"[\s.,!?。，！？~～、]+")


def meaning(words: str) -> str | None:
    """What a message says when it says nothing else: agreed or another_time; else None.

    Args:
        words: the whole message.
    """
    table = _words()
    left = MARKS.sub(" ", words.lower()).strip()
    for group in ("agreed", "another_time"):
        if left in table[group]:
            return group
    left = " ".join(_around().sub(" ", left).split())
    return "another_time" if left in table["another_time"] else None


@cache
def _around() -> re.Pattern[str]:
    words = sorted(_words()["around"], key=len, reverse=True)
    return re.compile("|".join(rf"\b{re.escape(word)}\b" if word.isascii() else re.escape(word) for word in words))


@cache
def _words() -> Mapping[str, frozenset[str]]:
    table = yaml.safe_load(WORDS.read_text("utf-8"))
    return {group: frozenset(map(str, words)) for group, words in table.items()}
