"""Which language a message is in, for as much as it says so.

A code, a name or slipped fingers say nothing of it, and the talk goes on as before.
"""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from service import spelling

WORDS = Path(__file__).with_suffix(".yml")
WORD = re.compile(r"[A-Za-z]+(?:['’][A-Za-z]+)?")
SHORTEST_ALONE = 4  # letters of a word that is a message of its own
SHARE = 0.5  # of the words, that has to be English


def detect(text: str, *, before: str) -> str:
    """The language of a message, zh or en; `before` when it shows neither."""
    if text.startswith("/"):
        return before
    bare = re.sub(_table()["not_words"], " ", text)
    han, english = len(re.findall(spelling.HAN, bare)), _english(bare)
    if english > han:  # a Chinese name or address in an English sentence
        return "en"
    return "zh" if han else before


def _english(text: str) -> int:
    """How many words are English, if that is enough: two and half of all, or the only one."""
    words = [word for word in _unnamed(WORD.findall(text)) if word not in _words("borrowed")]
    known = sum(word in _words("words") for word in words)
    alone = len(words) == 1 and len(words[0]) >= SHORTEST_ALONE
    return known if known >= SHARE * len(words) and (known > 1 or alone) else 0


def _unnamed(words: list[str]) -> list[str]:
    """In small letters, without what is written large inside a sentence: it is somebody's name."""
    return [word.lower().replace("’", "'") for at, word in enumerate(words) if at == 0 or not _is_name(word)]


def _is_name(word: str) -> bool:
    return len(word) > 1 and word[0].isupper() and word[1:].islower()


@cache
def _words(which: str) -> AbstractSet[str]:
    return frozenset(_table()[which].split())


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = yaml.safe_load(WORDS.read_text("utf-8"))
    return table
