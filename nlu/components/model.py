"""The intent model: n-grams of characters, words and sounds into a linear classifier whose confidence means something.

What each view is worth stands in docs/understanding.md (`make evaluate` measures it): character n-grams carry short
Chinese, Jieba's words carry English, sounds forgive what dictation mishears, and masked entities let "明天来修" learn
from "周六来修". A linear SVM ranks better than logistic regression but gives distances, so one factor per language,
fitted on messages it was not trained on, turns them into probabilities, and the threshold below which we rather ask
again is chosen on the same messages.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Callable, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np
import scipy.sparse
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import LinearSVC

from components.sounds import letters

SEED = 7
FOLDS = 5
ENOUGH = 50  # messages of a language to fit its confidence on
DEFAULT_SHARPNESS = 3.0  # for data too small to hold anything out
DEFAULT_THRESHOLD = 0.3
WRONG_COSTS = 1.0  # as much as a right answer is worth; asking again costs nothing
BARE_WEIGHT = 0.3
LITTLE = 2  # letters: "在3栋", "明天吧"
COMMON = {"sublinear_tf": True, "dtype": np.float32, "lowercase": False}


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


class View(NamedTuple):
    """One way to look at a message: the text that is looked at, and how it is cut into terms."""

    look: Callable[[Seen], str]
    settings: Mapping[str, object]


VIEWS: Mapping[str, View] = {
    "characters": View(lambda seen: seen.edged, {"analyzer": "char", "ngram_range": (1, 4), "min_df": 2}),
    "words": View(lambda seen: seen.words, {"token_pattern": r"\S+", "ngram_range": (1, 2)}),
    "sounds": View(lambda seen: letters(seen.edged), {"analyzer": "char", "ngram_range": (2, 6), "min_df": 2}),
}


class Features:
    """Turns messages into one sparse row each."""

    def __init__(self, vectorizers: Mapping[str, TfidfVectorizer]) -> None:
        self.vectorizers = vectorizers

    @classmethod
    def train(cls, messages: Sequence[Seen], views: Iterable[str] = VIEWS) -> Features:
        """Learn the terms of every view and their rarity."""
        return cls(
            {
                name: TfidfVectorizer(**COMMON, **VIEWS[name].settings).fit(map(VIEWS[name].look, messages))
                for name in views
            }
        )

    def __call__(self, messages: Sequence[Seen]) -> scipy.sparse.csr_matrix:
        """Return the rows: every view, and whether there is anything beside the entities."""
        bare = np.array([_bareness(seen) for seen in messages], dtype=np.float32) * BARE_WEIGHT
        rows = [vectorizer.transform(map(VIEWS[name].look, messages)) for name, vectorizer in self.vectorizers.items()]
        return scipy.sparse.hstack([*rows, bare]).tocsr()


def _bareness(seen: Seen) -> Tuple[bool, bool, bool]:
    """Say how little there is beside the entities, which tells an answer to a question from a new matter."""
    left = seen.else_left
    return left == 0, 0 < left <= LITTLE, seen.has_entities and left <= LITTLE


class Confidence(NamedTuple):
    """What distances mean in one language."""

    sharpness: float = DEFAULT_SHARPNESS  # distances times this are the logits of probabilities
    threshold: float = DEFAULT_THRESHOLD  # below it the guess is not to be believed


class IntentModel:
    """Features, a weight per feature and intent, and what the distances mean."""

    def __init__(
        self,
        features: Features,
        names: List[str],
        weights: np.ndarray,
        confidence: Optional[Dict[str, Confidence]] = None,
    ) -> None:
        self.features = features
        self.names = names
        self.weights = weights  # features + 1 rows, the last one is the intercept; a column per intent
        self.confidence = confidence or {}

    @classmethod
    def fit(cls, messages: Sequence[Seen], intents: Sequence[str], views: Iterable[str] = VIEWS) -> IntentModel:
        """Fit the classifier alone."""
        features = Features.train(messages, views)
        classifier = LinearSVC(C=1.0, random_state=SEED).fit(features(messages), intents)
        weights = np.vstack([classifier.coef_.T, classifier.intercept_]).astype(np.float32)
        if weights.shape[1] == 1:  # for two intents scikit-learn keeps one column
            weights = np.hstack([-weights, weights])
        return cls(features, [str(name) for name in classifier.classes_], weights)

    def calibrate(self, messages: Sequence[Seen], intents: Sequence[str]) -> IntentModel:
        """Fit the confidence per language on messages that the classifier was not trained on.

        A language with too few of them, or an intent that the model does not know, is left out.
        """
        known = [place for place, intent in enumerate(intents) if intent in self.names]
        distances = self.distances([messages[place] for place in known]) if known else np.zeros((0, len(self.names)))
        truth = np.array([self.names.index(intents[place]) for place in known], dtype=int)
        spoken = np.array([messages[place].language for place in known])
        for language in sorted(set(spoken)):
            those = spoken == language
            if those.sum() >= ENOUGH:
                self.confidence[language] = confidence_of(distances[those], truth[those])
        return self

    def distances(self, messages: Sequence[Seen]) -> np.ndarray:
        """Return how far each message is on the side of each intent."""
        return self.features(messages) @ self.weights[:-1] + self.weights[-1]

    def confidence_for(self, seen: Seen) -> Confidence:
        """Return what distances mean in the language of the message."""
        return self.confidence.get(seen.language, Confidence())

    def rank(self, messages: Sequence[Seen]) -> List[List[Tuple[str, float]]]:
        """Return, per message, every intent with its probability, likeliest first."""
        if not messages:
            return []
        sharpness = np.array([[self.confidence_for(seen).sharpness] for seen in messages])
        probabilities = softmax(sharpness * self.distances(messages), axis=1)
        return [[(self.names[i], float(row[i])) for i in np.argsort(-row)] for row in probabilities]

    def save(self, folder: Path) -> None:
        """Write the model as plain data, which cannot run code when it is read."""
        terms = {
            name: sorted(vectorizer.vocabulary_, key=vectorizer.vocabulary_.get)
            for name, vectorizer in self.features.vectorizers.items()
        }
        confidence = {language: fitted._asdict() for language, fitted in self.confidence.items()}
        meta = {"names": self.names, "confidence": confidence, "terms": terms}
        (folder / "intents.json").write_text(json.dumps(meta, ensure_ascii=False), encoding="utf-8")
        rarity = {name: vectorizer.idf_ for name, vectorizer in self.features.vectorizers.items()}
        np.savez_compressed(folder / "intents.npz", weights=self.weights, **rarity)

    @classmethod
    def load(cls, folder: Path) -> IntentModel:
        """Read what `save` wrote."""
        meta = json.loads((folder / "intents.json").read_text(encoding="utf-8"))
        arrays = np.load(folder / "intents.npz", allow_pickle=False)
        vectorizers = {name: _restored(name, terms, arrays[name]) for name, terms in meta["terms"].items()}
        confidence = {language: Confidence(**fitted) for language, fitted in meta["confidence"].items()}
        return cls(Features(vectorizers), meta["names"], arrays["weights"], confidence)


def _restored(name: str, terms: List[str], rarity: np.ndarray) -> TfidfVectorizer:
    vocabulary = {term: place for place, term in enumerate(terms)}
    vectorizer = TfidfVectorizer(**COMMON, **VIEWS[name].settings, vocabulary=vocabulary)
    vectorizer.idf_ = rarity
    return vectorizer


def confidence_of(distances: np.ndarray, truth: np.ndarray) -> Confidence:
    """Return the factor that makes the distances likeliest, and the threshold that pays best.

    Temperature scaling: Guo et al., On Calibration of Modern Neural Networks (2017), section 4.2.

    Args:
        distances: a row per message, a column per intent; of messages the classifier was not trained on.
        truth: the column of each message's intent.
    """

    def surprise(sharpness: float) -> float:
        return -log_softmax(sharpness * distances, axis=1)[np.arange(len(truth)), truth].mean()

    sharpness = float(minimize_scalar(surprise, bounds=(0.5, 20.0), method="bounded").x)
    probabilities = softmax(sharpness * distances, axis=1)
    return Confidence(sharpness, threshold_of(probabilities.max(axis=1), probabilities.argmax(axis=1) == truth))


def threshold_of(confidence: np.ndarray, right: np.ndarray) -> float:
    """Return the confidence from which on believing pays: a right answer earns 1, a wrong one costs `WRONG_COSTS`."""
    order = np.argsort(-confidence)
    worth = np.cumsum(np.where(right[order], 1.0, -WRONG_COSTS))
    return float(confidence[order][worth.argmax()])


def held_out(
    messages: Sequence[Seen], intents: np.ndarray, views: Iterable[str] = VIEWS, folds: int = FOLDS
) -> List[Tuple[str, float]]:
    """Return intent and confidence that models which never saw a message give it; for comparing recipes."""
    distances = held_out_distances(messages, intents, views, folds)
    names, truth = np.unique(intents, return_inverse=True)
    probabilities = softmax(confidence_of(distances, truth).sharpness * distances, axis=1)
    return [(str(names[row.argmax()]), float(row.max())) for row in probabilities]


def held_out_distances(
    messages: Sequence[Seen], intents: np.ndarray, views: Iterable[str] = VIEWS, folds: int = FOLDS
) -> np.ndarray:
    """Return the distances each message gets from a model that never saw it; columns in order of name."""
    distances = np.zeros((len(intents), len(set(intents))))
    for known, unknown in StratifiedKFold(folds, shuffle=True, random_state=SEED).split(intents, intents):
        model = IntentModel.fit([messages[i] for i in known], intents[known], views)
        distances[unknown] = model.distances([messages[i] for i in unknown])
    return distances
