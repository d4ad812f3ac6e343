"""The second component: spaCy's words and entities onto the message."""

from __future__ import annotations

from sys import intern
from typing import Any, Dict, List

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import ENTITIES
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from spacy.language import Language
from spacy.tokens import Doc

from components import language
from components.normaliser import NORMAL_TEXT

PIECES = "pieces"
STARTS = "piece_starts"  # where each of them begins
# What somebody wants does not depend on the room or the hour, so the classifier sees that there is one, not which.
MASKS = {"location": "Ⓛ", "time": "Ⓣ", "phone": "Ⓟ", "name": "Ⓝ"}


# Registered as a featurizer, because Rasa shows training examples to those and not to entity extractors.
@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=True)
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

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Treat examples exactly as messages."""
        self.process(training_data.training_examples)
        return training_data

    def process(self, messages: List[Message]) -> List[Message]:
        """Set the words and the entities of every message."""
        for message in messages:
            read(self.nlp, message)
        return messages


def read(nlp: Language, message: Message) -> None:
    """Set the entities of one message and its pieces: words, and one mask for every place, time, phone and name."""
    doc = nlp(message.get(NORMAL_TEXT) or "")
    inside = [token for token in doc if not (token.ent_type_ in MASKS and token.ent_iob_ == "I")]
    # One copy of every word: each message its own made 25 MB of the training's memory.
    message.set(PIECES, [MASKS.get(token.ent_type_) or intern(token.text) for token in inside])
    message.set(STARTS, [token.idx for token in inside])
    message.set(ENTITIES, _as_rasa(doc), add_to_output=True)


def _as_rasa(doc: Doc) -> List[Dict[str, Any]]:
    """Return the entities in Rasa's form; offsets hold in the original text, because normalising keeps the length."""
    return [
        {
            "entity": entity.label_,
            "start": entity.start_char,
            "end": entity.end_char,
            "value": entity.id_,
            "extractor": Entities.__name__,
        }
        for entity in doc.ents
    ]
