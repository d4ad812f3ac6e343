"""Which entries a question is nearest to: BM25 over each written question, and over all that an entry says.

The second tells entries apart best, because it knows all the words of each; the first prefers the one that has the
very question. Both are shares of what a text would get that is the question itself, from 0 (nothing) to about 1
(everything); what nobody has written lowers them, so that foreign matter is not answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import bm25s
import numpy as np
import numpy.typing as npt

from service import knowledge_words

K1 = 1.2  # how soon saying a word again stops counting; BM25's own customary value, as is the next one
B = 0.75  # how much a long text counts less
UNKNOWN = 1.2  # of the weight of the rarest word
ENTRY = 0.7  # of the order is decided by the entry as a whole, the rest by its nearest question

Scores = npt.NDArray[np.float64]
Row = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Written:
    """What an entry can be found by: its questions, and its answers in every language."""

    key: str
    questions: Sequence[str]
    answers: Sequence[str] = ()


@dataclass(frozen=True)
class Near:
    """An entry, what the order goes by, and how much of the question it holds: as a share, and in pieces."""

    key: str
    rank: float
    share: float
    pieces: float


class Index:
    """Entries that can be searched; made once per change, and only read from then on, by any number of threads."""

    def __init__(self, entries: Iterable[Written]) -> None:
        self.keys: list[str] = []
        ids: dict[str, int] = {}
        questions: list[Row] = []
        wholes: list[Row] = []
        firsts: list[int] = []  # where the questions of each entry begin
        for entry in entries:
            firsts.append(len(questions))
            found = [_row(question, ids) for question in entry.questions]
            questions += found
            wholes.append(np.concatenate([*found, *(_row(answer, ids) for answer in entry.answers)]))
            self.keys.append(entry.key)
        self._firsts = np.array(firsts, dtype=np.intp)
        self._questions, self._wholes = _Texts(questions, ids), _Texts(wholes, ids)

    def rank(self, question: str) -> Iterator[Near]:
        """Every entry that has anything of a question, the nearest first; each is made as it is asked for."""
        if not self.keys:
            return
        asked = knowledge_words.asked(question, self._wholes.known)
        nearest = np.maximum.reduceat(self._questions.scores(asked), self._firsts)
        whole = self._wholes.scores(asked)
        rank = ENTRY * whole + (1 - ENTRY) * nearest
        order = np.argsort(-rank, kind="stable")[: np.count_nonzero(rank)]
        pieces = whole * asked.total()
        for at in order:
            yield Near(self.keys[at], float(rank[at]), float(whole[at]), float(pieces[at]))


def _row(text: str, ids: dict[str, int]) -> Row:
    """A text as the numbers of its features."""
    found = knowledge_words.features(text)
    return np.array([ids.setdefault(word, len(ids)) for word in found.elements()], dtype=np.int32)


class _Texts:
    """Texts in bm25s, with scores as parts of what a text would get that is the question itself."""

    def __init__(self, rows: Sequence[Row], ids: Mapping[str, int]) -> None:
        self._ids = ids
        self._mean = float(np.mean([len(row) for row in rows])) if rows else 1.0
        self._bm25: Any = bm25s.BM25(k1=K1, b=B, method="lucene")
        if rows:
            self._bm25.scores = self._bm25.build_index_from_ids(list(ids.values()), rows, show_progress=False)
        used = np.zeros(len(ids))
        for row in rows:
            used[np.unique(row)] += 1
        self._weights = np.log1p((len(rows) - used + 0.5) / (used + 0.5))
        self._unknown = UNKNOWN * float(np.log1p((len(rows) - 0.5) / 1.5))
        self._none = np.zeros(len(rows))

    def known(self, word: str) -> bool:
        return word in self._ids

    def scores(self, asked: Mapping[str, int]) -> Scores:
        """How much of the question each text holds."""
        known = [self._ids[word] for word in asked if word in self._ids]
        if not known:
            return self._none
        damping = K1 * (1 - B + B * sum(asked.values()) / self._mean)
        whole = sum(self._weight(word) * count / (count + damping) for word, count in asked.items())
        found: Scores = self._bm25.get_scores_from_ids(known).astype(np.float64)
        return found / whole

    def _weight(self, word: str) -> float:
        place = self._ids.get(word)
        return self._unknown if place is None else float(self._weights[place])
