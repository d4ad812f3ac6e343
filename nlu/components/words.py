"""Lists of words: as one pattern, and as a search that does not mind how long the list is."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Iterable, Iterator, Set, Tuple

PLURALS = ("", "s", "es")


def pattern_of(words: Iterable[str]) -> str:
    """Return a pattern for the longest of the words that stands somewhere, case ignored."""
    written = {word.lower() for word in words}
    beginnings = "".join(sorted({word[0] for word in written}))
    return f"(?=[{re.escape(beginnings)}]){_any_of(written)}"


def _any_of(words: Set[str]) -> str:
    """Return a pattern that reads common beginnings once: 水管|水泵|水 is 水(?:泵|管)?."""
    rest = defaultdict(set)
    for word in words - {""}:
        rest[word[0]].add(word[1:])
    ways = [re.escape(first) + _any_of(those) for first, those in sorted(rest.items())]
    return f"(?:{'|'.join(ways)}){'?' * ('' in words)}" if ways else ""


class Words:
    """A list of words, searched with one look per character.

    A regular expression of thousands of alternatives would try them all at every character.
    """

    def __init__(self, words: Iterable[str]) -> None:
        """Sort the words by how they begin.

        Args:
            words: as they are written; case is ignored, a Latin one matches as a whole word, with or without plural.
        """
        self._words = frozenset(
            word.lower() + plural for word in words for plural in (PLURALS if word.isascii() else ("",))
        )
        lengths = defaultdict(set)
        for word in self._words:
            lengths[word[0]].add(len(word))
        self._lengths = {first: sorted(those, reverse=True) for first, those in lengths.items()}

    def find(self, normal: str) -> Iterator[Tuple[int, int]]:
        """Yield where words stand, the longest at each place; no two overlap."""
        text = normal.lower() if len(normal.lower()) == len(normal) else normal
        end = 0
        for start, first in enumerate(text):
            if start >= end and first in self._lengths:
                end = next((e for e in self._ends(text, start) if _stands_alone(text, start, e)), end)
                if end > start:
                    yield start, end

    def _ends(self, text: str, start: int) -> Iterator[int]:
        for length in self._lengths[text[start]]:
            word = text[start : start + length]
            if word in self._words:
                yield start + len(word)


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Whether no Latin word is cut in two."""
    return not (_is_letter(text[start - 1 : start]) and _is_letter(text[start])) and not (
        _is_letter(text[end - 1]) and _is_letter(text[end : end + 1])
    )


def _is_letter(character: str) -> bool:
    return "a" <= character <= "z"
