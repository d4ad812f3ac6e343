"""Look for words in texts that have no blanks: by every two characters that stand together, which an index has."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import ColumnElement, and_, func, literal_column, true

SHORTEST = 2  # characters of a word that the index knows; a shorter one is looked for row by row
MOST_WORDS = 8  # of one search


def holds(searched: str, words: str) -> ColumnElement[bool]:
    """Whether a text holds every one of the words; signs have no meaning of their own.

    Args:
        searched: the expression of the index, from service/models/.
        words: separated by blanks; without any, every row is meant.
    """
    wanted = [condition for word in words.split()[:MOST_WORDS] for condition in _conditions(searched, word)]
    return and_(true(), *wanted)


def _conditions(searched: str, word: str) -> Iterator[ColumnElement[bool]]:
    """Pairs lead to few rows; whether the word stands in them is left open only by more pairs than one, or none."""
    if len(word) >= SHORTEST:
        yield literal_column(f"guanjia_pairs({searched})").op("@>", is_comparison=True)(func.guanjia_pairs(word))
    if len(word) != SHORTEST:
        yield literal_column(f"({searched})").icontains(word, autoescape=True)
