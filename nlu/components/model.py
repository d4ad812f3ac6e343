"""The intent model: n-grams of characters and words into one linear classifier whose confidence means something.

Measured on the training data by cross-validation (nlu/evaluate.py): character n-grams carry short Chinese, Jieba's
words carry English, masked entities let "明天来修" learn from "周六来修". A linear SVM ranks better than logistic
regression but gives distances, so one factor, fitted on held-out distances, turns them into probabilities.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import List, NamedTuple, Sequence, Tuple

import numpy as np
import scipy.sparse
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import LinearSVC

SEED = 7
FOLDS = 5
DEFAULT_SHARPNESS = 3.0  # for data too small to hold anything out
BARE_WEIGHT = 0.3
LITTLE = 2  # letters: "在3栋", "明天吧"
CHARACTERS = {"analyzer": "char", "ngram_range": (1, 4), "min_df": 2, "sublinear_tf": True, "dtype": np.float32}
WORDS = {"token_pattern": r"\S+", "ngram_range": (1, 2), "sublinear_tf": True, "dtype": np.float32}


class Seen(NamedTuple):
    """One message as the model sees it."""

    text: str  # squeezed, see components.text
    words: str  # separated by spaces
    else_left: int  # letters outside of masked entities: "3栋, 明天下午" leaves none
    has_entities: bool


class Features:
    """Turns messages into one sparse row each."""

    def __init__(self, characters: TfidfVectorizer, words: TfidfVectorizer) -> None:
        self.characters = characters
        self.words = words

    @classmethod
    def train(cls, messages: Sequence[Seen]) -> Features:
        """Learn the n-grams and their rarity."""
        characters = TfidfVectorizer(**CHARACTERS).fit([_edged(seen) for seen in messages])
        return cls(characters, TfidfVectorizer(**WORDS).fit([seen.words for seen in messages]))

    def __call__(self, messages: Sequence[Seen]) -> scipy.sparse.csr_matrix:
        """Return the rows: characters, words, and whether there is anything beside the entities."""
        bare = np.array([_bareness(seen) for seen in messages], dtype=np.float32) * BARE_WEIGHT
        characters = self.characters.transform([_edged(seen) for seen in messages])
        words = self.words.transform([seen.words for seen in messages])
        return scipy.sparse.hstack([characters, words, bare]).tocsr()


def _bareness(seen: Seen) -> Tuple[bool, bool, bool]:
    """Say how little there is beside the entities, which tells an answer to a question from a new matter."""
    left = seen.else_left
    return left == 0, 0 < left <= LITTLE, seen.has_entities and left <= LITTLE


def _edged(seen: Seen) -> str:
    """Mark where a text begins and ends: "^在吗$" is a greeting, "他在吗我…" is not."""
    return f"^{seen.text}$"


class IntentModel:
    """Features, a weight per feature and intent, and the sharpness that makes distances probabilities."""

    def __init__(self, features: Features, names: List[str], weights: np.ndarray, sharpness: float) -> None:
        self.features = features
        self.names = names
        self.weights = weights  # features + 1 rows, the last one is the intercept; a column per intent
        self.sharpness = sharpness

    @classmethod
    def train(cls, messages: Sequence[Seen], intents: Sequence[str]) -> IntentModel:
        """Fit the classifier, and its confidence on messages it was not fitted on."""
        model = cls._fit(messages, intents)
        model.sharpness = _fit_sharpness(messages, np.asarray(intents))
        return model

    @classmethod
    def _fit(cls, messages: Sequence[Seen], intents: Sequence[str]) -> IntentModel:
        features = Features.train(messages)
        classifier = LinearSVC(C=1.0, random_state=SEED).fit(features(messages), intents)
        weights = np.vstack([classifier.coef_.T, classifier.intercept_]).astype(np.float32)
        if weights.shape[1] == 1:  # for two intents scikit-learn keeps one column
            weights = np.hstack([-weights, weights])
        return cls(features, [str(name) for name in classifier.classes_], weights, DEFAULT_SHARPNESS)

    def distances(self, messages: Sequence[Seen]) -> np.ndarray:
        """Return how far each message is on the side of each intent."""
        return self.features(messages) @ self.weights[:-1] + self.weights[-1]

    def rank(self, messages: Sequence[Seen]) -> List[List[Tuple[str, float]]]:
        """Return, per message, every intent with its probability, likeliest first."""
        if not messages:
            return []
        probabilities = softmax(self.sharpness * self.distances(messages), axis=1)
        return [[(self.names[i], float(row[i])) for i in np.argsort(-row)] for row in probabilities]

    def save(self, folder: Path) -> None:
        """Write the model as plain data, which cannot run code when it is read."""
        vectorizers = {"characters": self.features.characters, "words": self.features.words}
        vocabularies = {name: sorted(v.vocabulary_, key=v.vocabulary_.get) for name, v in vectorizers.items()}
        rarity = {name: vectorizer.idf_ for name, vectorizer in vectorizers.items()}
        meta = {"names": self.names, "sharpness": self.sharpness, "vocabularies": vocabularies}
        (folder / "intents.json").write_text(json.dumps(meta, ensure_ascii=False), encoding="utf-8")
        np.savez_compressed(folder / "intents.npz", weights=self.weights, **rarity)

    @classmethod
    def load(cls, folder: Path) -> IntentModel:
        """Read what `save` wrote."""
        meta = json.loads((folder / "intents.json").read_text(encoding="utf-8"))
        arrays = np.load(folder / "intents.npz", allow_pickle=False)
        restored = {
            name: _restored(settings, meta["vocabularies"][name], arrays[name])
            for name, settings in (("characters", CHARACTERS), ("words", WORDS))
        }
        return cls(Features(**restored), meta["names"], arrays["weights"], meta["sharpness"])


def _restored(settings: dict, vocabulary: List[str], rarity: np.ndarray) -> TfidfVectorizer:
    vectorizer = TfidfVectorizer(**settings, vocabulary={term: i for i, term in enumerate(vocabulary)})
    vectorizer.idf_ = rarity
    return vectorizer


def held_out_distances(messages: Sequence[Seen], intents: np.ndarray, folds: int = FOLDS) -> np.ndarray:
    """Return the distances each message gets from a model that never saw it; columns in order of name."""
    distances = np.zeros((len(intents), len(set(intents))))
    for known, unknown in StratifiedKFold(folds, shuffle=True, random_state=SEED).split(intents, intents):
        model = IntentModel._fit([messages[i] for i in known], intents[known])
        distances[unknown] = model.distances([messages[i] for i in unknown])
    return distances


def _fit_sharpness(messages: Sequence[Seen], intents: np.ndarray) -> float:
    """Hold every message out once, if there are enough of each intent."""
    if np.unique(intents, return_counts=True)[1].min() < FOLDS:
        return DEFAULT_SHARPNESS
    return sharpness_of(held_out_distances(messages, intents), intents)


def sharpness_of(distances: np.ndarray, intents: np.ndarray) -> float:
    """Return the factor under which held-out distances are the likeliest probabilities."""
    truth = np.unique(intents, return_inverse=True)[1]

    def surprise(sharpness: float) -> float:
        return -log_softmax(sharpness * distances, axis=1)[np.arange(len(truth)), truth].mean()

    return float(minimize_scalar(surprise, bounds=(0.5, 20.0), method="bounded").x)
