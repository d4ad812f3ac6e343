"""The intent model: one linear classifier over the features, whose confidence means something.

A linear SVM ranks better than logistic regression on what resembles the training; what does not is read better by
naive Bayes, which is linear too, so a little of its weights is added (docs/understanding.md has the figures). Both give
distances, so one factor per language, fitted on messages that were not trained on, turns them into probabilities, and
the threshold below which we rather ask again is chosen on the same messages.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from components.features import VIEWS, Features, Seen, Vocabulary

SEED = 7
FOLDS = 5
ENOUGH = 50  # messages of a language to fit its confidence on
DEFAULT_SHARPNESS = 3.0  # for a language with fewer
DEFAULT_THRESHOLD = 0.3
BAYES = 0.06  # of complement naive Bayes' weights beside the SVM's; 0.05 to 0.1 do about the same
SMOOTHING = 0.1  # added to every term's weight elsewhere, so that a term that is nowhere else is not infinitely telling
WRONG_COSTS = 1.0  # as much as a right answer is worth; asking again costs nothing


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
    def fit(
        cls,
        messages: Sequence[Seen],
        intents: Sequence[str],
        views: Iterable[str] = VIEWS,
        unlike: Optional[Tuple[str, Sequence[Seen]]] = None,
    ) -> IntentModel:
        """Fit the classifier alone: one intent against the rest after the other, which needs a tenth of the memory.

        Args:
            messages: the examples.
            intents: what each of them is.
            views: what is looked at in a message.
            unlike: an intent, and more messages of which is only known that they are not of it.
        """
        from sklearn.svm import LinearSVC

        special, others = unlike or (None, ())
        features = Features.learn([*messages, *others], views)
        rows, truth, names = features.matrix([*messages, *others]), np.asarray(intents), sorted(set(intents))
        columns: Dict[str, np.ndarray] = {}  # of the weights; while the special intent takes most memory there is one
        everywhere = _sums(rows) - _sums(rows[len(messages) :])
        for name in sorted(names, key=lambda name: name != special):
            if name != special:
                rows.resize(len(messages), features.width)  # in place: only the special intent learns from the others
            these = np.flatnonzero(truth == name)
            is_it = np.isin(np.arange(rows.shape[0]), these)
            classifier = LinearSVC(C=1.0, random_state=SEED).fit(rows, is_it)
            weights = classifier.coef_[0] + BAYES * _telling(everywhere - _sums(rows[these]))
            columns[name] = np.append(weights, classifier.intercept_[0]).astype(np.float32)
        return cls(features, [str(name) for name in names], np.column_stack([columns[name] for name in names]))

    def calibrate(self, messages: Sequence[Seen], intents: Sequence[str]) -> IntentModel:
        """Fit the confidence per language on messages that the classifier was not trained on.

        A message whose intent the model does not know is left out, and so is a language with too few messages.
        """
        meant = zip(messages, intents, strict=True)
        known = [(seen, self.names.index(intent)) for seen, intent in meant if intent in self.names]
        for language in sorted({seen.language for seen, _ in known}):
            those = [(seen, place) for seen, place in known if seen.language == language]
            if len(those) >= ENOUGH:
                distances = self.distances([seen for seen, _ in those])
                self.confidence[language] = confidence_of(distances, np.array([place for _, place in those]))
        return self

    def distances(self, messages: Sequence[Seen]) -> np.ndarray:
        """Return how far each message is on the side of each intent."""
        return np.array([self._distances(seen) for seen in messages]).reshape(-1, len(self.names))

    def _distances(self, seen: Seen) -> np.ndarray:
        places, values = self.features.row(seen)
        return values @ self.weights[places] + self.weights[-1]

    def confidence_for(self, seen: Seen) -> Confidence:
        """Return what distances mean in the language of the message."""
        return self.confidence.get(seen.language, Confidence())

    def rank(self, messages: Sequence[Seen]) -> List[List[Tuple[str, float]]]:
        """Return, per message, every intent with its probability, likeliest first."""
        sharpness = np.array([[self.confidence_for(seen).sharpness] for seen in messages]).reshape(-1, 1)
        probabilities = np.exp(log_probabilities(self.distances(messages), sharpness))
        return [[(self.names[i], float(row[i])) for i in np.argsort(-row)] for row in probabilities]

    def save(self, folder: Path) -> None:
        """Write the model as plain data, which cannot run code when it is read."""
        confidence = {language: fitted._asdict() for language, fitted in self.confidence.items()}
        vocabularies = self.features.vocabularies
        meta = {"names": self.names, "confidence": confidence, "views": list(vocabularies)}
        (folder / "intents.json").write_text(json.dumps(meta, ensure_ascii=False), encoding="utf-8")
        arrays = {f"{view}.{part}": array for view, v in vocabularies.items() for part, array in v._asdict().items()}
        np.savez_compressed(folder / "intents.npz", weights=self.weights, **arrays)

    @classmethod
    def load(cls, folder: Path) -> IntentModel:
        """Read what `save` wrote."""
        meta = json.loads((folder / "intents.json").read_text(encoding="utf-8"))
        confidence = {language: Confidence(**fitted) for language, fitted in meta["confidence"].items()}
        with np.load(folder / "intents.npz", allow_pickle=False) as arrays:
            vocabularies = {
                view: Vocabulary(*(arrays[f"{view}.{part}"] for part in Vocabulary._fields)) for view in meta["views"]
            }
            return cls(Features(vocabularies), meta["names"], arrays["weights"], confidence)


def _sums(rows) -> np.ndarray:
    return np.asarray(rows.sum(axis=0)).ravel()


def _telling(elsewhere: np.ndarray) -> np.ndarray:
    """Return, per feature, how much it speaks for an intent.

    Complement naive Bayes: Rennie et al., Tackling the Poor Assumptions of Naive Bayes Text Classifiers (2003).

    Args:
        elsewhere: the sum of each feature over the messages of all other intents.
    """
    weight = np.maximum(elsewhere, 0.0) + SMOOTHING
    return -np.log(weight / weight.sum())


def log_probabilities(distances: np.ndarray, sharpness) -> np.ndarray:
    """Return the logarithm of each row's softmax."""
    logits = sharpness * (distances - distances.max(axis=1, initial=-np.inf, keepdims=True))
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def confidence_of(distances: np.ndarray, truth: np.ndarray) -> Confidence:
    """Return the factor that makes the distances likeliest, and the threshold that pays best.

    Temperature scaling: Guo et al., On Calibration of Modern Neural Networks (2017), section 4.2.

    Args:
        distances: a row per message, a column per intent; of messages the classifier was not trained on.
        truth: the column of each message's intent.
    """
    from scipy.optimize import minimize_scalar

    def surprise(sharpness: float) -> float:
        return -log_probabilities(distances, sharpness)[np.arange(len(truth)), truth].mean()

    sharpness = float(minimize_scalar(surprise, bounds=(0.5, 20.0), method="bounded").x)
    best = distances.argmax(axis=1)
    sureness = np.exp(log_probabilities(distances, sharpness)).max(axis=1)
    return Confidence(sharpness, threshold_of(sureness, best == truth))


def threshold_of(sureness: np.ndarray, right: np.ndarray) -> float:
    """Return the confidence from which on believing pays: a right answer earns 1, a wrong one costs `WRONG_COSTS`.

    Of several that pay alike the lowest: to ask again where nothing is gained by it annoys, and the highest may lie far
    away from the next training's.
    """
    order = np.argsort(sureness)
    worth = np.cumsum(np.where(right[order], 1.0, -WRONG_COSTS)[::-1])[::-1]
    return float(sureness[order][worth.argmax()])


def held_out(messages: Sequence[Seen], intents: np.ndarray, views: Iterable[str] = VIEWS) -> List[Tuple[str, float]]:
    """Return intent and confidence that models which never saw a message give it; for comparing recipes."""
    from sklearn.model_selection import StratifiedKFold

    names, truth = np.unique(intents, return_inverse=True)
    distances = np.zeros((len(truth), len(names)))
    for known, unknown in StratifiedKFold(FOLDS, shuffle=True, random_state=SEED).split(truth, truth):
        model = IntentModel.fit([messages[i] for i in known], intents[known], views)
        distances[unknown] = model.distances([messages[i] for i in unknown])
    probabilities = np.exp(log_probabilities(distances, confidence_of(distances, truth).sharpness))
    return [(str(names[row.argmax()]), float(row.max())) for row in probabilities]
