"""When two messages are the same, and when they are alike: one of them then speaks for both.

The measure is that of nlu/examples.py, the Jaccard index of their character bigrams, with the same bound. Here it has
to do without the tables of Traditional characters, so a message and its twin in the other script count as different.
"""

from __future__ import annotations

import hashlib
import heapq
import math
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, groupby
from operator import itemgetter

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


def _share(one: frozenset[str], other: frozenset[str]) -> float:
    """The Jaccard index of two sets of which neither is empty."""
    both = len(one & other)
    return both / (len(one) + len(other) - both)


class Crowd:
    """Texts that can be asked who among them is alike to another one."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._sets = [bigrams(text) for text in texts]
        self._sizes = [len(found) for found in self._sets]
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
        sizes, size, common = self._sizes, len(mine), self._common(mine)
        best: list[tuple[float, int]] = []
        # Most have little in common: when those with much are better than any other can be, nobody looks at the others.
        for least in (max(common.values(), default=0) / 2, 0.0):
            shares = ((both / (size + sizes[place] - both), place) for place, both in common.items() if both > least)
            best = heapq.nlargest(count, shares, key=itemgetter(0))
            if len(best) == count and best[-1][0] * size >= least:
                break
        return [(place, share) for share, place in best]

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
        near = self._near(above)
        for leader, mine in enumerate(self._sets):
            if leader not in taken:
                others = sorted(place for place in near(leader) - taken if place > leader)
                alike = [place for place in others if _share(mine, self._sets[place]) > above]
                group = [leader, *(place for place in alike if may_join(leader, place))]
                taken.update(group)
                yield group

    def _near(self, above: float) -> Callable[[int], set[int]]:
        """The way from a text's place to those of all that may be alike to it, which are few.

        Of two texts with more than `above` of their pairs in common, each has one of its rarest pairs in common with
        the other's rarest, if as many are looked at as it may have for itself and one more (the prefix filter of
        similarity joins).
        """
        rank = {bigram: (len(places), bigram) for bigram, places in self._places.items()}
        rarest = [
            sorted(found, key=rank.__getitem__)[: len(found) - math.ceil(above * len(found)) + 1]
            for found in self._sets
        ]
        having: dict[str, list[int]] = defaultdict(list)
        for place, found in enumerate(rarest):
            for bigram in found:
                having[bigram].append(place)
        return lambda place: {other for bigram in rarest[place] for other in having[bigram]}

    def _alike(self, mine: frozenset[str], above: float) -> list[int]:
        sizes, size = self._sizes, len(mine)
        common = self._common(mine).items()
        return sorted(place for place, both in common if both > above * (size + sizes[place] - both))

    def _common(self, mine: frozenset[str]) -> Counter[int]:
        """How many pairs each text has in common, by its place, if any."""
        return Counter(chain.from_iterable(self._places.get(bigram, ()) for bigram in mine))
