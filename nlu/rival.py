"""How do others understand the same messages? Same data, same machine, one run.

`<python of an environment with the tensorflow extra> nlu/rival.py NAME labelled.jsonl`, where NAME is ours, diet,
characters or textcat; prints one JSON object: macro-F1 per language, training seconds, milliseconds per message, MB.
`make rivals` calls it for each, in a throw-away environment, and prints the table.
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple

import launcher
from evaluate import TIMED, latency
from examples import Example, labelled, read_examples
from figures import Outcome, report

DATA = launcher.HOME / "data" / "nlu"
STOCK = ("diet", "characters")  # want all of Rasa's own components
EPOCHS = 20  # of spaCy's textcat; its loss is flat long before
BATCH = 64
Parser = Callable[[List[str]], List[Dict[str, Any]]]  # texts in; per text, intent and confidence


class Rival:
    """Something with `parse`, as nlu/evaluate.py wants it."""

    def __init__(self, parse: Parser) -> None:
        self.parse = parse


def main() -> None:
    """Train one rival, have it read the messages, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=sorted(RIVALS))
    parser.add_argument("file", type=Path, nargs="+", help="JSON Lines with text and intent")
    parser.add_argument("--kinds", type=json.loads, default={}, help="JSON object: intent to kind")
    arguments = parser.parse_args()
    os.environ["GUANJIA_RASA_TENSORFLOW"] = str(arguments.name in STOCK)
    launcher.prepare()
    launcher.hush_tools()
    items = labelled(arguments.file)
    began = time.perf_counter()
    rival = RIVALS[arguments.name]()
    seconds = time.perf_counter() - began
    texts = [item["text"] for item in items]
    found = report(_outcomes(items, rival.parse(texts)), arguments.kinds)
    print(
        json.dumps(
            {
                "rival": arguments.name,
                **{language: part["macro_f1"] for language, part in found["languages"].items()},
                "training_seconds": round(seconds, 1),
                "latency_ms": latency(rival, texts[:TIMED]),
                "peak_mb": max(map(_peak, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))) // 1024,
            }
        )
    )


def _peak(whose: int) -> int:
    return resource.getrusage(whose).ru_maxrss  # KB


def _outcomes(items: List[Dict[str, Any]], results: List[Dict[str, Any]]) -> List[Outcome]:
    return [
        Outcome(item["text"], item["language"], item["intent"], result["intent"], result["confidence"])
        for item, result in zip(items, results, strict=True)
    ]


def _ours() -> Rival:
    """Train as everybody does, with the dialogue."""
    from understanding import Understanding

    with tempfile.TemporaryDirectory(prefix="guanjia-rival-") as folder:
        command = [sys.executable, str(launcher.HOME / "train.py"), "--out", folder, "--exam"]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        return Rival(Understanding(next(Path(folder).glob("*.tar.gz"))).parse)


def _rasa(config: Path) -> Rival:
    """Train a pipeline of Rasa's on the intents alone."""
    from rasa.model_training import train_nlu

    from understanding import Understanding

    with tempfile.TemporaryDirectory(prefix="guanjia-rival-") as folder:
        os.environ["RASA_CACHE_DIRECTORY"] = f"{folder}/cache"
        made = train_nlu(config=str(config), nlu_data=str(DATA), output=folder, fixed_model_name="rival")
        if not made:
            sys.exit("rival: Rasa made no model")
        return Rival(Understanding(Path(made)).parse)


def _textcat() -> Rival:
    """Train spaCy's text categoriser with its defaults on Jieba's words."""
    import spacy
    from spacy.training import Example as Lesson

    examples = read_examples(DATA)
    nlp = spacy.blank("zh", config={"nlp": {"tokenizer": {"segmenter": "jieba"}}})
    categoriser = nlp.add_pipe("textcat")
    names = sorted({example.intent for example in examples})
    for name in names:
        categoriser.add_label(name)
    lessons = [Lesson.from_dict(nlp.make_doc(e.text), {"cats": _one_hot(e, names)}) for e in examples]
    nlp.initialize(lambda: lessons)
    dice = random.Random(7)
    for _ in range(EPOCHS):
        dice.shuffle(lessons)
        for begin in range(0, len(lessons), BATCH):
            nlp.update(lessons[begin : begin + BATCH], drop=0.2)
    return Rival(lambda texts: [_best(doc.cats) for doc in nlp.pipe(texts)])


def _one_hot(example: Example, names: List[str]) -> Dict[str, float]:
    return {name: float(name == example.intent) for name in names}


def _best(categories: Dict[str, float]) -> Dict[str, Any]:
    name, confidence = max(categories.items(), key=_by_confidence)
    return {"intent": name, "confidence": confidence}


def _by_confidence(guess: Tuple[str, float]) -> float:
    return guess[1]


RIVALS: Dict[str, Callable[[], Rival]] = {
    "ours": _ours,
    "diet": lambda: _rasa(launcher.HOME / "rivals" / "diet.yml"),
    "characters": lambda: _rasa(launcher.HOME / "rivals" / "characters.yml"),
    "textcat": _textcat,
}


if __name__ == "__main__":
    main()
