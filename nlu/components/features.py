"""A message as numbers: n-grams of its characters, its words and its sounds, weighted by how rare they are.

Tf-idf as scikit-learn's TfidfVectorizer computes it (sublinear counts, smoothed rarity, each view of length 1), written
out because a model that is only served then needs no scikit-learn: 30 MB of memory and half a millisecond a message.
What each view is worth stands in docs/understanding.md.
"""

from __future__ import annotations

from array import array
from typing import Callable, Collection, Iterable, List, Mapping, NamedTuple, Sequence, Tuple

import numpy as np
from spacy.strings import hash_string

from components import sounds

BARE_WEIGHT = 0.3
LITTLE = 2  # letters: "在3栋", "明天吧"


class Seen(NamedTuple):
    """One message as the model sees it."""

    text: str  # squeezed, see components.text
    words: str  # separated by spaces
    else_left: int  # letters outside of masked entities: "3栋, 明天下午" leaves none
    has_entities: bool
    language: str  # zh or en

    @property
    def edged(self) -> str:
        """Mark where the text begins and ends: "^在吗$" is a greeting, "他在吗我…" is not."""
        return f"^{self.text}$"

    @property
    def bareness(self) -> Tuple[float, float, float]:
        """Say how little there is beside the entities, which tells an answer to a question from a new matter."""
        left = self.else_left
        told = (left == 0, 0 < left <= LITTLE, self.has_entities and left <= LITTLE)
        return tuple(BARE_WEIGHT * holds for holds in told)


def grams(pieces: Sequence[str], longest: int, joint: str = "") -> List[str]:
    """Return all rows of 1 to `longest` neighbouring pieces."""
    return [
        joint.join(pieces[start : start + length])
        for length in range(1, longest + 1)
        for start in range(len(pieces) - length + 1)
    ]


class View(NamedTuple):
    """One way to look at a message: the terms it is cut into, and how many messages a term must be in to be learnt."""

    terms: Callable[[Seen], List[str]]
    least: int


VIEWS: Mapping[str, View] = {
    "characters": View(lambda seen: grams(seen.edged, 4), least=2),
    "words": View(lambda seen: grams(seen.words.split(), 2, " "), least=1),
    "sounds": View(lambda seen: sounds.terms(seen.edged), least=3),
}


class Vocabulary(NamedTuple):
    """The terms of one view, as the hashes of their UTF-8 in rising order, and how rare each is.

    Two plain arrays: as 300,000 words the terms were a third of the server's memory and most of a load, and those of a
    model that was swapped left holes that nothing else fitted into. Nor can anybody read them in a model's file.
    """

    hashes: np.ndarray
    rarity: np.ndarray

    @classmethod
    def learn(cls, view: View, messages: Sequence[Seen]) -> Vocabulary:
        """Keep the terms that stand in enough messages; the same messages give the same vocabulary.

        Terms are counted as hashes too: as words they cost four times the memory, and left it in pieces.
        """
        met = array("Q")
        for seen in messages:
            met.extend(set(map(hash_string, view.terms(seen))))
        hashes, counts = np.unique(np.frombuffer(met, np.uint64), return_counts=True)
        common = counts >= view.least
        rarity = np.log((1 + len(messages)) / (1 + counts[common])) + 1
        return cls(hashes[common], rarity.astype(np.float32))

    def weigh(self, terms: Collection[str]) -> Tuple[np.ndarray, np.ndarray]:
        """Return the places of the terms that are known, in order, and their weights, as a vector of length 1."""
        hashes, counts = np.unique(_hashes(terms), return_counts=True)
        places = self.hashes.searchsorted(hashes)
        is_known = places < self.hashes.searchsorted(hashes, side="right")
        places, counts = places[is_known], counts[is_known]
        weights = (1 + np.log(counts, dtype=np.float32)) * self.rarity[places]
        return places, weights / (np.linalg.norm(weights) or 1.0)

    def rarities(self, terms: Collection[str]) -> np.ndarray:
        """Return how rare each term is, infinitely if it was not learnt."""
        hashes = np.sort(_hashes(terms))
        places = np.minimum(self.hashes.searchsorted(hashes), len(self.hashes) - 1)
        return np.where(self.hashes[places] == hashes, self.rarity[places], np.inf)


def _hashes(terms: Collection[str]) -> np.ndarray:
    """Return 64 bits per term, the same in every process (MurmurHash64A); a term is never mistaken for another."""
    return np.fromiter(map(hash_string, terms), np.uint64, len(terms))


class Features:
    """The vocabularies of the views side by side, and behind them the bareness."""

    def __init__(self, vocabularies: Mapping[str, Vocabulary]) -> None:
        self.vocabularies = vocabularies
        widths = [len(vocabulary.hashes) for vocabulary in vocabularies.values()]
        self._starts = [sum(widths[:place]) for place in range(len(widths))]
        self.width = sum(widths) + len(Seen("", "", 0, False, "zh").bareness)

    @classmethod
    def learn(cls, messages: Sequence[Seen], views: Iterable[str] = VIEWS) -> Features:
        """Learn the vocabulary of every view."""
        return cls({name: Vocabulary.learn(VIEWS[name], messages) for name in views})

    def row(self, seen: Seen) -> Tuple[np.ndarray, np.ndarray]:
        """Return the places and values of a message's features that are not nothing."""
        bare = seen.bareness
        places, values = [np.arange(self.width - len(bare), self.width)], [np.array(bare, dtype=np.float32)]
        for (name, vocabulary), start in zip(self.vocabularies.items(), self._starts, strict=True):
            found, weights = vocabulary.weigh(VIEWS[name].terms(seen))
            places.append(found + start)
            values.append(weights)
        return np.concatenate(places), np.concatenate(values)

    def matrix(self, messages: Sequence[Seen]):
        """Return a sparse row per message, for the training."""
        from scipy.sparse import csr_matrix

        places, values, ends = array("i"), array("d"), array("i", [0])
        for seen in messages:
            found, weights = self.row(seen)
            places.extend(found.tolist())
            values.extend(weights.tolist())
            ends.append(len(places))
        parts = (np.frombuffer(values), np.frombuffer(places, np.intc), np.frombuffer(ends, np.intc))
        return csr_matrix(parts, (len(messages), self.width))
