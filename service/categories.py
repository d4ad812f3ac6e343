"""What a matter is about, by its words: the category, the department that works on it, the call-back's delay."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

TABLE = Path(__file__).with_suffix(".yml")
DEPARTMENTS = ("engineering", "order", "cleaning", "service")
LONGEST = 8_000  # characters that are read; a case's matter is shorter
POINTS = {"decides": 3, "hints": 1}


@dataclass(frozen=True)
class Category:
    """A kind of trouble; `key` also names its word in domain.yml (`utter_word_category_…`)."""

    key: str
    department: str
    call_back_hours: int
    by_appointment: bool = True  # else somebody comes at once, or nobody has to be at home
    has_place: bool = True  # else nobody is asked where it is


def categorise(text: str, fixtures: Iterable[str] = ()) -> Category:
    """Choose the category whose words speak loudest.

    Args:
        text: the matter as the resident told it.
        fixtures: things the understanding found in it; their words count once more.
    """
    points: Counter[str] = Counter()
    for found in _words().finditer("\n".join((text[:LONGEST].lower(), *fixtures))):
        key, value = _meanings()[found[0].removesuffix("s")]
        points[key] += value
    return max(categories().values(), key=lambda category: points[category.key]) if points else categories()["other"]


def deciding_words(text: str) -> frozenset[str]:
    """The words of a matter that name a trouble: two matters that share one are about the same kind of thing."""
    return frozenset(word for word in telling_words(text) if _meanings()[word][1] == POINTS["decides"])


def telling_words(text: str) -> frozenset[str]:
    """All words of a matter that say something of its kind, also those that other kinds have in common with it: 灯."""
    return frozenset(word[0].removesuffix("s") for word in _words().finditer(text[:LONGEST].lower()))


def are_apart(matter: str, words: str) -> bool:
    """Whether the words plainly are about another kind of thing than the matter."""
    about, meant = categorise(matter).key, categorise(words).key
    return "other" not in (about, meant) and about != meant


def call_back_hours(key: str) -> int:
    """How long after "finished" we ask whether the fix holds.

    Args:
        key: as the case keeps it.
    """
    return category(key).call_back_hours


def category(key: str) -> Category:
    """The category of a case.

    Args:
        key: as the case keeps it; one from an older table counts as `other`.
    """
    return categories().get(key, categories()["other"])


@cache
def categories() -> Mapping[str, Category]:
    """All of them, in the order in which a tie is decided."""
    facts = ("department", "call_back_hours", "by_appointment", "has_place")
    return {key: Category(key, **{fact: row[fact] for fact in facts if fact in row}) for key, row in _table().items()}


@cache
def _table() -> Mapping[str, Any]:
    table: Mapping[str, Any] = yaml.safe_load(TABLE.read_text("utf-8"))
    return table


@cache
def _meanings() -> Mapping[str, tuple[str, int]]:
    """Each word with its category and points; a Latin plural is looked up as its singular."""
    return {
        word.removesuffix("s"): (key, value)
        for key, row in _table().items()
        for strength, value in POINTS.items()
        for word in row[strength]
    }


@cache
def _words() -> re.Pattern[str]:
    """Any word of the table, the longest first."""
    words = sorted(_meanings(), key=len, reverse=True)
    whole = (rf"\b{re.escape(word)}s?\b" if word.isascii() else re.escape(word) for word in words)
    return re.compile("|".join(whole), re.ASCII)
