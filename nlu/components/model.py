"""The intent model: n-grams of characters and words into one linear classifier whose confidence means something.

Measured on the training data by cross-validation (nlu/evaluate.py): character n-grams carry short Chinese, Jieba's
words carry English, the labels of the entities found help "inform". A linear SVM ranks better than logistic
regression but gives distances, so one temperature, fitted on held-out distances, turns them into probabilities.
"""

from __future__ import annotations

from pathlib import Path
from typing import List, NamedTuple, Sequence, Tuple

import numpy as np
import skops.io
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import LinearSVC

from components.rules import STRENGTH

SEED = 7
FOLDS = 5
DEFAULT_SHARPNESS = 3.0  # for data too small to hold anything out


class Seen(NamedTuple):
    """One message as the model sees it."""

    text: str  # squeezed, see components.text
    words: str  # separated by spaces
    labels: str  # of the entities found, separated by spaces


def make_pipeline_for(seed: int = SEED) -> Pipeline:
    """Return the untrained pipeline; the columns are the fields of `Seen`."""
    characters = TfidfVectorizer(analyzer="char", ngram_range=(1, 5), sublinear_tf=True)
    words = TfidfVectorizer(token_pattern=r"\S+", ngram_range=(1, 2), sublinear_tf=True)
    labels = CountVectorizer(vocabulary=sorted(STRENGTH), token_pattern=r"\S+", binary=True)
    columns = ColumnTransformer(
        [("characters", characters, 0), ("words", words, 1), ("labels", labels, 2)],
        transformer_weights={"labels": 0.3},
    )
    return make_pipeline(columns, LinearSVC(C=1.0, random_state=seed))


class IntentModel:
    """A trained pipeline and the sharpness that makes its distances probabilities."""

    def __init__(self, pipeline: Pipeline, sharpness: float) -> None:
        self.pipeline = pipeline
        self.sharpness = sharpness

    @classmethod
    def train(cls, messages: Sequence[Seen], intents: Sequence[str]) -> IntentModel:
        """Fit the classifier, and its confidence on messages it was not fitted on."""
        table = _table(messages)
        pipeline = make_pipeline_for().fit(table, intents)
        return cls(pipeline, _fit_sharpness(table, np.asarray(intents)))

    def rank(self, messages: Sequence[Seen]) -> List[List[Tuple[str, float]]]:
        """Return, per message, every intent with its probability, likeliest first."""
        if not messages:
            return []
        names = self.pipeline.classes_
        probabilities = softmax(self.sharpness * _distances(self.pipeline, _table(messages)), axis=1)
        return [[(str(names[i]), float(row[i])) for i in np.argsort(-row)] for row in probabilities]

    def save(self, folder: Path) -> None:
        """Write the model as data that cannot run code when it is read."""
        skops.io.dump({"pipeline": self.pipeline, "sharpness": self.sharpness}, folder / "intents.skops")

    @classmethod
    def load(cls, folder: Path) -> IntentModel:
        """Read what `save` wrote; skops refuses any type it does not know."""
        return cls(**skops.io.load(folder / "intents.skops", trusted=["scipy.sparse._csr.csr_matrix"]))


def _table(messages: Sequence[Seen]) -> np.ndarray:
    """Mark where a text begins and ends: "^在吗$" is a greeting, "他在吗我…" is not."""
    return np.array([(f"^{seen.text}$", seen.words, seen.labels) for seen in messages], dtype=object)


def _distances(pipeline: Pipeline, table: np.ndarray) -> np.ndarray:
    """Return one column per intent, also for two intents, where scikit-learn returns one in all."""
    distances = pipeline.decision_function(table)
    return distances if distances.ndim == 2 else np.column_stack([-distances, distances])


def _fit_sharpness(table: np.ndarray, intents: np.ndarray) -> float:
    """Find the factor under which held-out distances are the likeliest probabilities."""
    names, truth, counts = np.unique(intents, return_inverse=True, return_counts=True)
    if len(names) < 3 or counts.min() < FOLDS:
        return DEFAULT_SHARPNESS
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    held_out = cross_val_predict(make_pipeline_for(), table, intents, cv=folds, method="decision_function")

    def surprise(sharpness: float) -> float:
        return -log_softmax(sharpness * held_out, axis=1)[np.arange(len(truth)), truth].mean()

    return float(minimize_scalar(surprise, bounds=(0.5, 20.0), method="bounded").x)
