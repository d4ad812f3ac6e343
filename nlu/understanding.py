"""The understanding half of a model, loaded into this process: no server, no dialogue, no tracker store."""

import tempfile
from pathlib import Path
from typing import Any, Dict, List, Sequence

from rasa.core.channels.channel import UserMessage
from rasa.engine.constants import PLACEHOLDER_MESSAGE, PLACEHOLDER_TRACKER
from rasa.engine.graph import ExecutionContext
from rasa.engine.runner.dask import DaskGraphRunner
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.shared.core.trackers import DialogueStateTracker

from envelope import MAX_TEXT, UNSTORABLE, neutralise

FALLBACK = "nlu_fallback"


class Understanding:
    """Parses texts as the server would."""

    def __init__(self, model: Path) -> None:
        """Load only those components of the model that a parse needs.

        Args:
            model: a .tar.gz as train.py writes it.
        """
        self._folder = tempfile.TemporaryDirectory(prefix="guanjia-parse-")
        storage, metadata = LocalModelStorage.from_model_archive(Path(self._folder.name), model)
        self._target = metadata.nlu_target
        schema = metadata.predict_schema.minimal_graph_schema(targets=[self._target])
        self._runner = DaskGraphRunner.create(schema, storage, ExecutionContext(schema, metadata.model_id))

    def parse(self, texts: Sequence[str]) -> List[Dict[str, Any]]:
        """Return, per text, its likeliest real intent with the confidence, and the entities."""
        messages = [_message(text) for text in texts]
        tracker = DialogueStateTracker.from_events("parse", [])
        inputs = {PLACEHOLDER_MESSAGE: messages, PLACEHOLDER_TRACKER: tracker}
        parsed = self._runner.run(inputs=inputs, targets=[self._target])[self._target]
        return [_line(text, result) for text, result in zip(texts, parsed)]


def _message(text: str) -> UserMessage:
    message = UserMessage("")
    message.text = neutralise(UNSTORABLE.sub(" ", text[:MAX_TEXT]))
    return message


def _line(text: str, parsed: Any) -> Dict[str, Any]:
    """Return one result; the fallback is the dialogue's business, so the best guess is named with its confidence."""
    ranking = parsed.get("intent_ranking") or [parsed.get("intent")]
    best = next(intent for intent in ranking if intent["name"] != FALLBACK)
    entities = [
        {"start": found["start"], "end": found["end"], "label": found["entity"], "value": found["value"]}
        for found in parsed.get("entities") or []
    ]
    return {
        "text": text,
        "intent": best["name"],
        "confidence": round(best["confidence"], 4),
        "entities": entities,
    }
