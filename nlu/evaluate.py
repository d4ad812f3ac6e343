"""How well are messages understood?

`nlu/.venv/bin/python nlu/evaluate.py --model models/x.tar.gz labelled.jsonl`: a model against JSON Lines of text and
intent. `... evaluate.py --cross-validate --data nlu/data/nlu`: the recipe against its own training data, five folds.
`... evaluate.py --learning-curve labelled.jsonl`: the recipe, trained on a growing share of the data.
`... evaluate.py --ablation labelled.jsonl`: the recipe with each view of a message left out, and with it alone.
--json prints the whole report for a program, --picture draws the confusion matrix. Exit code 0, or 1 when there is
nothing to evaluate.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Optional, Tuple

import launcher
from components.text import language_of
from examples import BadData, labelled, read_examples
from figures import Outcome, as_text, draw_confusions, report
from parse import newest_model

SHARES = (0.25, 0.5, 0.75, 1.0)  # of the training data, for the learning curve
TIMED = 300  # messages, one at a time


def main() -> None:
    """Evaluate as the command line says."""
    arguments = _arguments()
    launcher.prepare()
    launcher.hush_tools()
    try:
        evaluate(arguments)
    except BadData as error:
        sys.exit(f"evaluate: {error}")


def evaluate(arguments: argparse.Namespace) -> None:
    """Print the report that is wanted."""
    if arguments.learning_curve or arguments.ablation:
        measure = learning_curve if arguments.learning_curve else ablation
        for row in measure(arguments.data, arguments.file):
            print(json.dumps(row), flush=True)
        return
    outcomes, extra = (cross_validated(arguments.data), {}) if arguments.cross_validate else of_model(arguments)
    if not outcomes:
        sys.exit("evaluate: no line with text and intent")
    if arguments.picture:
        draw_confusions(outcomes, arguments.picture)
    found = {**report(outcomes, arguments.kinds), **extra}
    print(json.dumps(found, ensure_ascii=False, indent=1) if arguments.json else as_text(found))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, nargs="*", help="JSON Lines with text and intent, perhaps language")
    parser.add_argument("--model", type=Path, default=launcher.HOME.parent / "models", help="file, or folder: newest")
    parser.add_argument("--cross-validate", action="store_true", help="the recipe on its own training data")
    parser.add_argument("--learning-curve", action="store_true", help="the recipe on a growing share of the data")
    parser.add_argument("--ablation", action="store_true", help="the recipe with views left out")
    parser.add_argument(
        "--data", type=Path, default=launcher.HOME / "data" / "nlu", help="training data: file or folder"
    )
    parser.add_argument("--kinds", type=json.loads, default={}, help="JSON object: intent to kind")
    parser.add_argument("--picture", type=Path, help="draw the confusion matrix into this file")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    arguments = parser.parse_args()
    missing = [str(path) for path in arguments.file if not path.is_file()]
    if missing:
        parser.error(f"no such file: {', '.join(missing)}")
    if not arguments.cross_validate and not arguments.file:
        parser.error("give a file of JSON Lines, or --cross-validate")
    return arguments


def of_model(arguments: argparse.Namespace) -> Tuple[List[Outcome], Dict[str, Any]]:
    """Return what a trained model makes of labelled messages, and how long that takes."""
    from understanding import Understanding

    items = labelled(arguments.file)
    texts = [item["text"] for item in items]
    understanding = Understanding(newest_model(arguments.model))
    outcomes = [
        Outcome(i["text"], i["language"], i["intent"], r["intent"], r["confidence"], r["threshold"], i["set"])
        for i, r in zip(items, understanding.parse(texts), strict=True)
    ]
    return outcomes, {"latency_ms": latency(understanding, texts[:TIMED])}


def latency(understanding: Any, texts: List[str]) -> Dict[str, float]:
    """Return milliseconds of parsing one message: median, 99th percentile, longest."""
    import numpy as np

    taken = []
    for text in texts:
        began = time.perf_counter()
        understanding.parse([text])
        taken.append(1000 * (time.perf_counter() - began))
    p50, p99 = np.percentile(taken, [50, 99]) if taken else (0.0, 0.0)
    return {"p50": round(float(p50), 2), "p99": round(float(p99), 2), "longest": round(max(taken, default=0.0), 2)}


def cross_validated(folder: Path) -> List[Outcome]:
    """Return what models that never saw a message make of it, for every message of the training data."""
    import numpy as np

    from components.model import held_out
    from components.reading import seen_texts

    examples = read_examples(folder)
    intents = np.array([example.intent for example in examples])
    guesses = held_out(seen_texts([example.text for example in examples]), intents)
    return [
        Outcome(example.text, language_of(example.text), example.intent, guess, confidence)
        for example, (guess, confidence) in zip(examples, guesses, strict=True)
    ]


def learning_curve(folder: Path, files: List[Path]) -> Iterator[Dict[str, Any]]:
    """Yield macro-F1 on labelled messages after training on a growing share of the data, picked at random.

    Args:
        folder: the training data.
        files: JSON Lines of text and intent.
    """
    import numpy as np

    trial = Trial(folder, files)
    order = np.random.RandomState(7).permutation(len(trial.intents))
    for share in SHARES:
        yield {"examples": int(share * len(order)), **trial.run(order[: int(share * len(order))])}


def ablation(folder: Path, files: List[Path]) -> Iterator[Dict[str, Any]]:
    """Yield macro-F1 on labelled messages with all views of a message, with each left out, and with each alone."""
    from components.features import VIEWS

    trial = Trial(folder, files)
    recipes = {"all": tuple(VIEWS)}
    recipes.update({f"without {name}": tuple(other for other in VIEWS if other != name) for name in VIEWS})
    recipes.update({f"only {name}": (name,) for name in VIEWS})
    for recipe, views in recipes.items():
        yield {"recipe": recipe, **trial.run(range(len(trial.intents)), views)}


class Trial:
    """Training data and labelled messages, read once, for trying recipes."""

    def __init__(self, folder: Path, files: List[Path]) -> None:
        import numpy as np

        from components.reading import seen_texts

        examples = read_examples(folder)
        self.items = labelled(files)
        self.intents = np.array([example.intent for example in examples])
        self._known = seen_texts([example.text for example in examples])
        self._unknown = seen_texts([item["text"] for item in self.items])

    def run(self, places: Iterable[int], views: Optional[Iterable[str]] = None) -> Dict[str, float]:
        """Return macro-F1 per language after training on the examples at these places."""
        from components.features import VIEWS
        from components.model import IntentModel

        model = IntentModel.fit([self._known[i] for i in places], self.intents[list(places)], views or VIEWS)
        guesses = [ranking[0] for ranking in model.rank(self._unknown)]
        outcomes = [
            Outcome(item["text"], item["language"], item["intent"], *guess)
            for item, guess in zip(self.items, guesses, strict=True)
        ]
        return {language: part["macro_f1"] for language, part in report(outcomes, {})["languages"].items()}


if __name__ == "__main__":
    main()
