"""The third component: the intent, how sure we are of it, and whether that is sure enough."""

from __future__ import annotations

import os
import shutil
from typing import Any, Dict, List, Mapping, Optional, Tuple

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.constants import DEFAULT_NLU_FALLBACK_INTENT_NAME
from rasa.shared.nlu.constants import ENTITIES, INTENT, INTENT_RANKING_KEY
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from components.entities import PIECES
from components.features import Seen, Vocabulary
from components.model import IntentModel
from components.normaliser import NORMAL_TEXT
from components.reading import as_seen
from components.strangeness import is_strange
from fit import FITTED

GUESSES = 5  # that are told, likeliest first
SURELY_NOTHING = 1.0  # confidence that a message means nothing to us: a form does not take it for an answer either


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class IntentClassifier(GraphComponent):
    """Keeps and asks the intent model of components.model, which nlu/fit.py has fitted."""

    def __init__(
        self,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        model: Optional[IntentModel] = None,
    ) -> None:
        self._config = config
        self._model_storage = model_storage
        self._resource = resource
        self._model = model

    @staticmethod
    def get_default_config() -> Dict[str, Any]:
        """Return what config.yml may say.

        calibrate_on: labelled messages in nlu/ that confidence and thresholds are fitted on.
        alarming: JSON Lines in nlu/ of messages about danger: emergencies, and of the others only that they are none.
        demands: intents that are believed only from a confidence of their own on; below it the next guess counts.
        not_of_strange_words: intents that are not believed of words of which nearly none was seen in training.
        """
        return {"calibrate_on": None, "alarming": [], "demands": {}, "not_of_strange_words": []}

    @classmethod
    def create(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> IntentClassifier:
        """Create the untrained component."""
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> IntentClassifier:
        """Load the trained model."""
        with model_storage.read_from(resource) as folder:
            return cls(config, model_storage, resource, IntentModel.load(folder))

    def train(self, training_data: TrainingData) -> Resource:
        """Take over what was fitted on the same data before Rasa was in memory."""
        with self._model_storage.write_to(self._resource) as folder:
            shutil.copytree(os.environ[FITTED], folder, dirs_exist_ok=True)
        return self._resource

    @property
    def _vocabularies(self) -> Mapping[str, Vocabulary]:
        return self._model.features.vocabularies

    def process(self, messages: List[Message]) -> List[Message]:
        """Set the intent and the ranking of every message; a guess below the threshold becomes the fallback."""
        those = [seen(message) for message in messages]
        for message, one, ranking in zip(messages, those, self._model.rank(those), strict=True):
            believed = demanding(ranking, self._config["demands"])
            guesses = [{"name": name, "confidence": confidence} for name, confidence in believed[:GUESSES]]
            threshold = self._model.confidence_for(one).threshold
            if guesses[0]["name"] in self._config["not_of_strange_words"] and is_strange(one, self._vocabularies):
                guesses.insert(0, {"name": DEFAULT_NLU_FALLBACK_INTENT_NAME, "confidence": SURELY_NOTHING})
            elif guesses[0]["confidence"] < threshold:
                unsure = {"name": DEFAULT_NLU_FALLBACK_INTENT_NAME, "confidence": 1 - guesses[0]["confidence"]}
                guesses.insert(0, unsure)
            message.set(INTENT, guesses[0], add_to_output=True)
            message.set(INTENT_RANKING_KEY, guesses, add_to_output=True)
            message.set("threshold", threshold, add_to_output=True)
        return messages


def demanding(ranking: List[Tuple[str, float]], demands: Dict[str, float]) -> List[Tuple[str, float]]:
    """Let the second guess take the place, and the confidence, of a first one that is less sure than demanded."""
    (first, confidence), (second, less), *others = ranking
    if confidence >= demands.get(first, 0.0):
        return ranking
    return [(second, confidence + less), (first, confidence), *others]


def seen(message: Message) -> Seen:
    """Return the message as the intent model sees it."""
    return as_seen(message.get(PIECES) or [], message.get(NORMAL_TEXT) or "", has_entities=bool(message.get(ENTITIES)))
