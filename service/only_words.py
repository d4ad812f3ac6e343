"""Whether a message is made of certain words and nothing else, however many there are and wherever they are cut."""

from __future__ import annotations

import re
from collections.abc import Collection

_INSIDE_A_WORD = re.compile("(?<=[a-z])(?=[a-z])")


def is_made_of(text: str, said: Collection[str], beside: Collection[str]) -> bool:
    """Whether a text is a row of words of two lists, at least one of them `said`.

    It takes as long as the text is; a regular expression may try every way to cut it: 真是的 is a word, and three.

    Args:
        text: in small letters, with nothing but spaces between words.
        said: the words it is about.
        beside: those that may stand before, between and after them.
    """
    ways: list[set[bool]] = [set() for _ in range(len(text) + 1)]  # up to a place: whether one of `said` was among them
    ways[0].add(False)
    for at, known in enumerate(ways[:-1]):
        if not known:
            continue
        if text[at] == " ":
            ways[at + 1] |= known
        for words, is_said in ((beside, False), (said, True)):
            for word in words:
                if _stands_at(text, at, word):
                    ways[at + len(word)] |= {True} if is_said else known
    return True in ways[-1]


def _stands_at(text: str, at: int, word: str) -> bool:
    """Whether a word stands there, a Latin one by itself."""
    ends = (at, at + len(word))
    return text.startswith(word, at) and not any(_INSIDE_A_WORD.match(text, end) for end in ends)
