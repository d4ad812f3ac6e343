"""The second component: spaCy's words and entities onto the message."""

from __future__ import annotations

from typing import Any, Dict, List

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import ENTITIES
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from spacy.language import Language

from components import language
from components.normaliser import NORMAL_TEXT
from components.reading import read

PIECES = "pieces"
STARTS = "piece_starts"  # where each of them begins


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=True)
class Entities(GraphComponent):
    """Runs the spaCy pipeline, which is saved inside the model: words and model can never drift apart."""

    def __init__(self, nlp: Language, model_storage: ModelStorage, resource: Resource) -> None:
        self.nlp = nlp
        self._model_storage = model_storage
        self._resource = resource

    @classmethod
    def create(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> Entities:
        """Create the component with the lexicon in the tree."""
        return cls(language.build(), model_storage, resource)

    @classmethod
    def load(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> Entities:
        """Load the pipeline the model was trained with."""
        with model_storage.read_from(resource) as folder:
            return cls(language.load(folder), model_storage, resource)

    def train(self, training_data: TrainingData) -> Resource:
        """Save the pipeline; there is nothing to fit."""
        with self._model_storage.write_to(self._resource) as folder:
            self.nlp.to_disk(folder)
        return self._resource

    def process(self, messages: List[Message]) -> List[Message]:
        """Set the words and the entities of every message."""
        for message in messages:
            reading = read(self.nlp, message.get(NORMAL_TEXT) or "")
            message.set(PIECES, reading.pieces)
            message.set(STARTS, reading.starts)
            message.set(ENTITIES, reading.entities, add_to_output=True)
        return messages
