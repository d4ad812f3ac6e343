"""How well are messages understood?

`nlu/.venv/bin/python nlu/evaluate.py --model models/x.tar.gz labelled.jsonl`: a model against JSON Lines of text and
intent. `... evaluate.py --cross-validate --data nlu/data/nlu`: the recipe against its own training data, five folds.
--json prints the whole report for a program. Exit code 0, or 1 when there is nothing to evaluate.
"""

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Dict, List, Tuple

import launcher
from parse import newest_model, read_all

THRESHOLDS = (0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7)
CONFUSIONS_SHOWN = 15

Outcome = Tuple[str, str, str, float]  # text, true intent, predicted intent, confidence


def main() -> None:
    """Evaluate as the command line says."""
    arguments = _arguments()
    launcher.prepare()
    launcher.hush_tools()
    outcomes = cross_validated(arguments.data) if arguments.cross_validate else of_model(arguments)
    if not outcomes:
        sys.exit("evaluate: no line with text and intent")
    found = report(outcomes)
    print(json.dumps(found, ensure_ascii=False, indent=1) if arguments.json else as_text(found))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, nargs="?", help="JSON Lines with text and intent")
    parser.add_argument("--model", type=Path, default=launcher.HOME.parent / "models", help="file, or folder: newest")
    parser.add_argument("--cross-validate", action="store_true", help="the recipe on its own training data")
    parser.add_argument(
        "--data", type=Path, default=launcher.HOME / "data" / "nlu", help="training data: file or folder"
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    arguments = parser.parse_args()
    if not arguments.cross_validate and not (arguments.file and arguments.file.is_file()):
        parser.error("give a file of JSON Lines, or --cross-validate")
    return arguments


def of_model(arguments: argparse.Namespace) -> List[Outcome]:
    """Return what a trained model makes of labelled messages."""
    from understanding import Understanding

    items = [item for item in read_all(arguments.file) if isinstance(item.get("intent"), str)]
    results = Understanding(newest_model(arguments.model)).parse([item["text"] for item in items])
    return [(i["text"], i["intent"], r["intent"], r["confidence"]) for i, r in zip(items, results, strict=True)]


def cross_validated(folder: Path) -> List[Outcome]:
    """Return what models that never saw a message make of it, for every message of the training data."""
    import numpy as np
    from scipy.special import softmax

    from components.model import held_out_distances, sharpness_of

    examples = read_examples(folder)
    intents = np.array([intent for _, intent in examples])
    distances = held_out_distances(_seen([text for text, _ in examples]), intents)
    names = sorted(set(intents))
    probabilities = softmax(sharpness_of(distances, intents) * distances, axis=1)
    best = probabilities.argmax(axis=1)
    guesses = zip(examples, best, probabilities, strict=True)
    return [(text, intent, names[b], float(row[b])) for (text, intent), b, row in guesses]


def _seen(texts: List[str]) -> list:
    """Return texts as the intent model sees them, without a graph around the components."""
    from rasa.shared.nlu.training_data.message import Message

    from components import language
    from components.classifier import seen
    from components.entities import read
    from components.normaliser import Normaliser

    messages = Normaliser().process([Message.build(text) for text in texts])
    nlp = language.build()
    for message in messages:
        read(nlp, message)
    return [seen(message) for message in messages]


def read_examples(folder: Path) -> List[Tuple[str, str]]:
    """Return the texts and intents of a Rasa training file, or of a folder of them."""
    from ruamel.yaml import YAML

    files = sorted(folder.rglob("*.yml")) if folder.is_dir() else [folder]
    entries = [entry for path in files for entry in YAML(typ="safe").load(path)["nlu"]]
    return [
        (line[2:].strip(), entry["intent"])
        for entry in entries
        for line in entry.get("examples", "").splitlines()
        if line.startswith("- ")
    ]


def report(outcomes: List[Outcome]) -> Dict[str, Any]:
    """Return the figures."""
    from sklearn.metrics import accuracy_score, f1_score, precision_recall_fscore_support

    truth, predicted = [true for _, true, _, _ in outcomes], [guess for _, _, guess, _ in outcomes]
    names = sorted(set(truth))
    columns = precision_recall_fscore_support(truth, predicted, labels=names, zero_division=0)
    wrong = Counter((true, guess) for _, true, guess, _ in outcomes if true != guess)
    return {
        "messages": len(outcomes),
        "macro_f1": round(f1_score(truth, predicted, labels=names, average="macro", zero_division=0), 4),
        "accuracy": round(accuracy_score(truth, predicted), 4),
        "intents": {
            name: {"precision": round(p, 3), "recall": round(r, 3), "f1": round(f, 3), "messages": int(n)}
            for name, p, r, f, n in zip(names, *columns, strict=True)
        },
        "confusions": [{"intent": t, "predicted": g, "messages": n} for (t, g), n in wrong.most_common()],
        "thresholds": [_at_threshold(threshold, outcomes) for threshold in THRESHOLDS],
        "errors": [
            {"text": text, "intent": true, "predicted": guess, "confidence": round(confidence, 4)}
            for text, true, guess, confidence in outcomes
            if true != guess
        ],
    }


def _at_threshold(threshold: float, outcomes: List[Outcome]) -> Dict[str, float]:
    """Say what a fallback below this confidence would do: how many are answered, how right those are, and the rest."""
    above = [true == guess for _, true, guess, confidence in outcomes if confidence >= threshold]
    below = [true == guess for _, true, guess, confidence in outcomes if confidence < threshold]
    return {
        "threshold": threshold,
        "answered": round(len(above) / len(outcomes), 3),
        "right_above": round(sum(above) / max(1, len(above)), 3),
        "right_below": round(sum(below) / max(1, len(below)), 3),
    }


def as_text(found: Dict[str, Any]) -> str:
    """Return the report for a person."""
    lines = [f"messages {found['messages']}  macro-F1 {found['macro_f1']:.3f}  accuracy {found['accuracy']:.3f}", ""]
    lines += [f"{'intent':18}{'precision':>10}{'recall':>8}{'f1':>8}{'messages':>10}"]
    lines += [
        f"{name:18}{row['precision']:10.3f}{row['recall']:8.3f}{row['f1']:8.3f}{row['messages']:10}"
        for name, row in found["intents"].items()
    ]
    lines += ["", "most confused"]
    lines += [f"{c['messages']:5}  {c['intent']} -> {c['predicted']}" for c in found["confusions"][:CONFUSIONS_SHOWN]]
    lines += ["", "threshold  answered  right above  right below"]
    lines += [
        f"{t['threshold']:9.2f}{t['answered']:10.3f}{t['right_above']:13.3f}{t['right_below']:13.3f}"
        for t in found["thresholds"]
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
