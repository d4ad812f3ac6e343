"""The understanding half of a model, loaded into this process: no server, no dialogue, no tracker store."""

import json
import tempfile
from pathlib import Path
from typing import Any, Dict, List, Sequence

from rasa.core.channels.channel import UserMessage
from rasa.engine.constants import PLACEHOLDER_MESSAGE, PLACEHOLDER_TRACKER
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.runner.dask import DaskGraphRunner
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.shared.core.trackers import DialogueStateTracker
from tarsafe import TarSafe

import model_domain
from envelope import FALLBACK, MAX_TEXT, UNSTORABLE, neutralise

model_domain.read_once()


class Understanding:
    """Parses texts as the server would."""

    def __init__(self, model: Path) -> None:
        """Load only those components of the model that a parse needs.

        Args:
            model: a .tar.gz as train.py writes it.
        """
        with tempfile.TemporaryDirectory(prefix="guanjia-parse-") as folder:
            with TarSafe.open(model) as archive:
                archive.extractall(folder)
            metadata = json.loads(Path(folder, "metadata.json").read_text(encoding="utf-8"))
            self._target = metadata["nlu_target"]
            schema = GraphSchema.from_dict({"nodes": _needed(metadata["predict_schema"]["nodes"], self._target)})
            storage = LocalModelStorage(Path(folder, "components"))
            self._runner = DaskGraphRunner.create(schema, storage, ExecutionContext(schema, metadata["model_id"]))

    def parse(self, texts: Sequence[str]) -> List[Dict[str, Any]]:
        """Return, per text, its likeliest real intent with the confidence, the entities, and the parts if several."""
        return [_line(text, parsed) for text, parsed in zip(texts, self.read(texts), strict=True)]

    def read(self, texts: Sequence[str]) -> List[Any]:
        """Return what the pipeline makes of each text."""
        messages = [_message(text) for text in texts]
        tracker = DialogueStateTracker.from_events("parse", [])
        inputs = {PLACEHOLDER_MESSAGE: messages, PLACEHOLDER_TRACKER: tracker}
        return self._runner.run(inputs=inputs, targets=[self._target])[self._target]


def _needed(nodes: Dict[str, Any], target: str) -> Dict[str, Any]:
    """Return the nodes a target rests on; Rasa itself would import every class of training and dialogue first."""
    wanted, waiting = {}, [target]
    while waiting:
        name = waiting.pop()
        if name in nodes and name not in wanted:
            wanted[name] = nodes[name]
            waiting += nodes[name]["needs"].values()
    return wanted


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
    line = {
        "text": text,
        "intent": best["name"],
        "confidence": round(best["confidence"], 4),
        "threshold": round(parsed.get("threshold") or 0.0, 4),
        "entities": entities,
    }
    parts = parsed.get("parts")
    return {**line, "parts": [_part(part) for part in parts]} if parts else line


def _part(part: Dict[str, Any]) -> Dict[str, Any]:
    intent = part["intent"]
    return {
        "text": part["text"],
        "start": part["start"],
        "end": part["end"],
        "intent": intent["name"],
        "confidence": round(intent["confidence"], 4),
    }
