"""Questions residents ask again and again: the answer when one is clearly meant, otherwise the nearest ones to choose.

Likeness is the cosine of TF-IDF weights over Chinese characters and their pairs, and English words. The entries in
knowledge.yml are data; their answers hold {slots} for the caller to fill.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from operator import itemgetter
from pathlib import Path
from typing import Any

import yaml

TABLE = Path(__file__).with_suffix(".yml")
LANGUAGES = ("zh", "en")
LONGEST = 300  # characters of a question that are read
SURE = 0.46  # likeness from which the nearest entry is the answer …
AHEAD = 0.10  # … if it leads the next entry by this much
NEAR = 0.28  # likeness from which an entry is worth offering
OFFERED = 3

Features = Mapping[str, float]
HAN = re.compile(r"[\u4e00-\u9fff]+")
PIECES = re.compile(HAN.pattern + r"|[a-z]+|\d{3,}")
UNKNOWN = 0.7  # of the weight of the rarest feature


@dataclass(frozen=True)
class Entry:
    """Something residents ask, in one language: how it is offered, and the answer with its {slots}."""

    key: str
    question: str
    answer: str


@dataclass(frozen=True)
class Match:
    """The entry that is clearly meant."""

    entry: Entry
    likeness: float


@dataclass(frozen=True)
class Suggestions:
    """Entries that may be meant, the nearest first."""

    entries: tuple[Entry, ...]


def answer(question: str, *, language: str) -> Match | Suggestions | None:
    """Find what a question is about.

    Args:
        question: the resident's words, in either language whatever `language` says.
        language: of the answer, zh or en.

    Returns:
        A Match when one entry is clearly meant, up to three Suggestions when some are near, None when none is.
    """
    ranked = rank(question)
    if not ranked or ranked[0][1] < NEAR:
        return None
    (key, likeness), *others = ranked
    if likeness >= SURE and (not others or likeness - others[0][1] >= AHEAD):
        return Match(entries(language)[key], likeness)
    near = [key for key, likeness in ranked[:OFFERED] if likeness >= NEAR]
    return Suggestions(tuple(entries(language)[key] for key in near))


def rank(question: str) -> list[tuple[str, float]]:
    """Every entry that shares a word with the question and how alike they are (0 to 1), the nearest first."""
    alike: dict[tuple[str, str], float] = {}
    for feature, weight in _weighed(question[:LONGEST]).items():
        for variant, other in _index().get(feature, ()):
            alike[variant] = alike.get(variant, 0.0) + weight * other
    best = {key: likeness for (key, _), likeness in sorted(alike.items(), key=itemgetter(1))}
    return sorted(best.items(), key=itemgetter(1), reverse=True)


@cache
def entries(language: str) -> Mapping[str, Entry]:
    """All entries in one language by key."""
    return {
        row["key"]: Entry(row["key"], row[language]["questions"][0], row[language]["answer"])
        for row in _table()["entries"]
    }


@cache
def _table() -> Mapping[str, Any]:
    table: Mapping[str, Any] = yaml.safe_load(TABLE.read_text("utf-8"))
    return table


@cache
def _ignored() -> re.Pattern[str]:
    """Words that say nothing about the subject; the Latin ones stand alone."""
    words = _table()["ignored"]
    return re.compile("|".join((*words["zh"], rf"\b(?:{'|'.join(words['en'])})\b")), re.ASCII)


def _questions() -> Iterable[tuple[str, str]]:
    """Every way to ask, with its entry's key."""
    return (
        (row["key"], question)
        for row in _table()["entries"]
        for lang in LANGUAGES
        for question in row[lang]["questions"]
    )


@cache
def _index() -> Mapping[str, list[tuple[tuple[str, str], float]]]:
    """Each feature with the written questions that have it, and its weight there."""
    index: dict[str, list[tuple[tuple[str, str], float]]] = {}
    for variant in _questions():
        for feature, weight in _weighed(variant[1]).items():
            index.setdefault(feature, []).append((variant, weight))
    return index


@cache
def _rarity() -> Mapping[str, float]:
    """How telling a feature is: the fewer entries use it, the more."""
    used = Counter(feature for feature, _ in {(f, key) for key, question in _questions() for f in _features(question)})
    return {feature: math.log(1 + len(_table()["entries"]) / count) for feature, count in used.items()}


def _features(text: str) -> Counter[str]:
    """Characters and pairs of Chinese, words of English without their endings, numbers."""
    found: Counter[str] = Counter()
    for piece in PIECES.findall(_ignored().sub(" ", text.lower())):
        if HAN.match(piece):
            found.update(piece)
            found.update(map("".join, pairwise(piece)))
        else:
            found[re.sub(r"(?<=\w{3})(?:ations?|ates?|ing|ed|es|s|e)$", "", piece)] += 1
    return found


def _weighed(text: str) -> Features:
    """TF-IDF of length one; features nobody uses count too, so that foreign matter lowers the likeness."""
    unknown = UNKNOWN * math.log(1 + len(_table()["entries"]))
    weights = {
        feature: math.sqrt(count) * _rarity().get(feature, unknown) for feature, count in _features(text).items()
    }
    length = math.hypot(*weights.values())
    return {feature: weight / length for feature, weight in weights.items()}
