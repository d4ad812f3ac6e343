"""Where a message may be cut: sentence ends, line breaks, words that turn to something else; pure text, no meaning."""

from __future__ import annotations

import re
from enum import IntEnum
from functools import lru_cache
from pathlib import Path
from typing import Any, Dict, FrozenSet, Iterable, Iterator, List, Mapping, NamedTuple, Sequence, Tuple

from ruamel.yaml import YAML

from components.text import language_of

WORDS = Path(__file__).resolve().parent.parent / "lexicon" / "parts.yml"
LONGEST = {"zh": 200, "en": 400}  # characters; a longer letter is one matter
MOST = 8  # pieces; what has more of them is one long story
SHORT = {"zh": 60, "en": 100}  # characters; only in so few a comma may part two matters
MARKS = " \t\r\n,.;:!?。…、~()[]\"'“”-"


class Link(IntEnum):
    """What ties a piece to the one before it; the higher, the likelier it is another matter."""

    COMMA = 1
    SENTENCE = 2
    ADD = 3
    TURN = 4
    LIST = 5


class Piece(NamedTuple):
    """Characters `start` up to `end`, without the words and marks that lead up to them."""

    start: int
    end: int
    link: Link


def pieces(normal: str, entire: Sequence[Tuple[int, int]] = ()) -> List[Piece]:
    """Return the pieces of a message, or nothing when there is only one, or too many for them to be requests.

    Args:
        normal: the normalised text, with its line breaks.
        entire: spans that nothing may cut: "block 3." begins no list.
    """
    if len(normal) > LONGEST[language_of(normal)]:
        return []
    small = normal.lower()
    found = _between(small, _cuts(small, _pattern("lists", "turns", "adds", "ends"), entire))
    if len(found) == 1 and len(small) <= SHORT[language_of(small)]:
        found = _between(small, _cuts(small, _pattern("commas"), entire))
    return found if 1 < len(found) <= MOST else []


def topics(normal: str) -> FrozenSet[str]:
    """Return what things a text speaks of."""
    return frozenset(_topic_of()[word[0]] for word in _topic_words().finditer(normal.lower()))


def asks(normal: str) -> bool:
    """Say whether a text has words that ask to be told something."""
    return _pattern("asking").search(normal.lower()) is not None


def are_apart(ours: FrozenSet[str], theirs: FrozenSet[str]) -> bool:
    """Say whether two texts speak of things, and plainly of different ones."""
    return bool(ours and theirs) and not (_with_kin(ours) & theirs or ours & _with_kin(theirs))


def _with_kin(found: FrozenSet[str]) -> FrozenSet[str]:
    return found.union(*(_words()["goes_with"].get(topic, ()) for topic in found))


@lru_cache(maxsize=1)
def aspects() -> FrozenSet[str]:
    """Return the topics that go with something else as often as they stand alone."""
    return frozenset(_words()["aspects"])


def _cuts(small: str, pattern: re.Pattern, entire: Sequence[Tuple[int, int]]) -> Iterator[re.Match]:
    for cut in pattern.finditer(small):
        if not any(start < cut.end() and cut.start() < end for start, end in entire):
            yield cut


def _between(small: str, cuts: Iterable[re.Match]) -> List[Piece]:
    """Return what lies between the cuts; of several in a row the strongest counts."""
    found: List[Piece] = []
    start, link = 0, Link.TURN
    for cut in (*cuts, None):
        words = _trimmed(small, start, cut.start() if cut else len(small))
        if words:
            found.append(Piece(*words, link))
            link = Link.COMMA
        if cut:
            start, link = cut.end(), max(link, LINKS[cut.lastgroup])
    return found


def _trimmed(small: str, start: int, end: int) -> Tuple[int, ...]:
    """Return where the words begin and end behind fillers and marks; nothing when there are none."""
    lead = _fillers().match(small, start, end)
    start = lead.end() if lead else start
    text = small[start:end].rstrip(MARKS)
    return (start, start + len(text)) if any(map(str.isalnum, text)) else ()


LINKS: Mapping[str, Link] = {
    "lists": Link.LIST,
    "turns": Link.TURN,
    "adds": Link.ADD,
    "ends": Link.SENTENCE,
    "commas": Link.COMMA,
}


@lru_cache(maxsize=1)
def _words() -> Mapping[str, Any]:
    return YAML(typ="safe").load(WORDS)


@lru_cache(maxsize=None)
def _pattern(*groups: str) -> re.Pattern:
    return re.compile("|".join(f"(?P<{group}>{_any(group)})" for group in groups))


@lru_cache(maxsize=1)
def _fillers() -> re.Pattern:
    return re.compile(f"(?:{_any('fillers')})+")


def _any(group: str) -> str:
    return "|".join(f"(?:{line})" for line in _words()[group])


@lru_cache(maxsize=1)
def _topic_of() -> Dict[str, str]:
    return {word: topic for topic, words in _words()["topics"].items() for word in words}


@lru_cache(maxsize=1)
def _topic_words() -> re.Pattern:
    words = sorted(_topic_of(), key=len, reverse=True)
    whole = (rf"(?<![a-z]){re.escape(word)}(?![a-z])" if word.isascii() else re.escape(word) for word in words)
    return re.compile("|".join(whole))
