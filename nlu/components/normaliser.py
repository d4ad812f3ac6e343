"""The first component: lays the normalised text beside the text as it was typed."""

from __future__ import annotations

from typing import Any, Dict, List

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from components.text import normalise

NORMAL_TEXT = "normal_text"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_TOKENIZER, is_trainable=False)
class Normaliser(GraphComponent):
    """Writes `normal_text`; the text itself stays, so that staff read what the resident wrote."""

    @classmethod
    def create(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> Normaliser:
        """Create the component; it has nothing to configure or to learn."""
        return cls()

    def process(self, messages: List[Message]) -> List[Message]:
        """Add the normalised text to every message that has one."""
        for message in messages:
            message.set(NORMAL_TEXT, normalise(message.get(TEXT) or ""))
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Leave examples alone: what learns from them has read them before Rasa did (nlu/fit.py)."""
        return training_data
