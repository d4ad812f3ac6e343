"""Fit the intent model: the first step of a training, which ends before Rasa is loaded.

Rasa and its copy of the data take 300 MB, the matrix and the solver 250 MB: one after the other they fit on a machine
where together they would not.
"""

from pathlib import Path
from typing import Any, Dict, List, Mapping, Sequence, Set, Tuple

import launcher
from examples import labelled, read_examples, read_messages, read_yaml

HOME = launcher.HOME
CLASSIFIERS = ("components.classifier.IntentClassifier", "components.parts.PartsClassifier")
EMERGENCY = "emergency"
FITTED = "GUANJIA_FITTED"  # tells Rasa's graph the folder of the fitted model


def fit(config: Path, data: Sequence[Path], folder: Path) -> None:
    """Fit the model of a pipeline on all examples, and its confidence on messages that none of them resembles.

    Args:
        config: the pipeline; one without a classifier of ours has nothing to fit.
        data: files or folders of training data.
        folder: where the model is written.

    Raises:
        BadData: a file cannot be used; says which, where and why.
    """
    from components.model import IntentModel
    from components.reading import seen_texts

    folder.mkdir()
    settings = _settings(config)
    examples = [example for path in data for example in read_examples(path)]
    if settings is None or not examples:
        return
    texts, intents = [example.text for example in examples], [example.intent for example in examples]
    known = EMERGENCY in intents  # an assistant without the intent learns nothing from messages about danger
    alarms, harmless = _alarming(settings.get("alarming", ()), set(texts)) if known else ([], [])
    exam = labelled([HOME / settings["calibrate_on"]]) if settings.get("calibrate_on") else []
    _say(1, "words")
    seen = seen_texts([*texts, *alarms, *harmless])
    _say(2, "intents")
    end = len(texts) + len(alarms)
    model = IntentModel.fit(seen[:end], intents + [EMERGENCY] * len(alarms), unlike=(EMERGENCY, seen[end:]))
    model.calibrate(seen_texts([item["text"] for item in exam]), [item["intent"] for item in exam]).save(folder)


def _say(step: int, what: str) -> None:
    print(f"component {step}/3 {what}", flush=True)


def _settings(config: Path) -> Any:
    """Return what a pipeline says of our classifier, None if it has none of ours."""
    found: Mapping[str, Any] = read_yaml(config)
    return next((part for part in found.get("pipeline") or () if part.get("name") in CLASSIFIERS), None)


def _alarming(files: Sequence[str], known: Set[str]) -> Tuple[List[str], List[str]]:
    """Return the emergencies and the others of the messages about danger that are no examples."""
    new: Dict[str, bool] = {}
    for name in files:
        new.update((item["text"], item[EMERGENCY]) for item in read_messages(HOME / name) if item["text"] not in known)
    return [text for text, wanted in new.items() if wanted], [text for text, wanted in new.items() if not wanted]
