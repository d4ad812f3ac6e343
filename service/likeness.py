"""When two messages are the same, and when they are alike: one of them then speaks for both.

The measure is that of nlu/examples.py, the Jaccard index of their character bigrams, with the same bound. Here it has
to do without the tables of Traditional characters, so a message and its twin in the other script count as different.
"""

from __future__ import annotations

import hashlib
import heapq
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

ALIKE = 0.6  # of the character bigrams in common


def digest(text: str) -> str:
    """Name a text by its hash: it may be too long for an index."""
    return hashlib.sha256(text.encode()).hexdigest()


def bigrams(text: str) -> frozenset[str]:
    """The pairs of neighbouring characters, in one width and small letters; a single character is a pair by itself."""
    plain = _plain(text)
    return frozenset(plain[place : place + 2] for place in range(max(1, len(plain) - 1)))


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower().strip()


class Crowd:
    """Texts that can be asked who among them is alike to another one."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._sets = [bigrams(text) for text in texts]
        self._places: dict[str, list[int]] = defaultdict(list)
        for place, found in enumerate(self._sets):
            for bigram in found:
                self._places[bigram].append(place)

    def alike(self, text: str, *, above: float = ALIKE) -> list[int]:
        """The places of the texts that are alike to `text`."""
        return self._alike(bigrams(text), above)

    def nearest(self, text: str, count: int) -> list[tuple[int, float]]:
        """The places of the texts most alike to `text`, each with the share of the bigrams in common."""
        mine = bigrams(text)
        common = Counter(place for bigram in mine for place in self._places.get(bigram, ()))
        shares = ((place, both / len(mine | self._sets[place])) for place, both in common.items())
        return heapq.nlargest(count, shares, key=lambda pair: pair[1])

    def strange(self, text: str) -> list[str]:
        """The pieces of `text` of which no other text has a single pair of characters."""
        plain = _plain(text)
        unknown = [plain[place : place + 2] not in self._places for place in range(len(plain) - 1)]
        runs = (list(run) for is_strange, run in groupby(enumerate(unknown), key=lambda pair: pair[1]) if is_strange)
        return [plain[run[0][0] : run[-1][0] + 2] for run in runs]

    def groups(self, *, may_join: Callable[[int, int], bool], above: float = ALIKE) -> Iterator[list[int]]:
        """Group the texts around leaders, so that everything in a group is alike to the one that speaks for it.

        The first text leads and takes those alike to it, then the first that is left, and so on: no chain of small
        steps ends at something quite different.

        Args:
            may_join: whether the second place may belong to the group that the first leads, alike as they are.
            above: of the bigrams in common.
        """
        taken: set[int] = set()
        for leader, mine in enumerate(self._sets):
            if leader not in taken:
                found = [place for place in self._alike(mine, above) if place > leader and place not in taken]
                group = [leader, *(place for place in found if may_join(leader, place))]
                taken.update(group)
                yield group

    def _alike(self, mine: frozenset[str], above: float) -> list[int]:
        common = Counter(place for bigram in mine for place in self._places.get(bigram, ()))
        sizes = ((place, count, len(mine | self._sets[place])) for place, count in common.items())
        return sorted(place for place, count, together in sizes if count > above * together)
