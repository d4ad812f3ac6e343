"""What people of this site taught, as files for Rasa's tools; it never leaves the machine."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from service import db, learning
from service.config import ROOT
from service.learning import Labelled

FROZEN = ROOT / "nlu" / "exams"


@dataclass(frozen=True)
class SiteData:
    """Files beside the base data: what to train on besides, and all that models are measured on."""

    training: tuple[Path, ...]
    exam: tuple[Path, ...]


def frozen() -> tuple[Path, ...]:
    """The sets that come with Guanjia and are never trained on."""
    return tuple(sorted(FROZEN.glob("*.jsonl")))


@contextmanager
def written(sessions: db.Sessions) -> Iterator[SiteData]:
    """Write this site's labels into a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="guanjia-site-") as name:
        yield write(sessions, Path(name))


def write(sessions: db.Sessions, folder: Path) -> SiteData:
    """Write this site's labels into a folder that only its owner should read: it holds what residents wrote."""
    with db.transaction(sessions) as session:
        training, test = learning.training_labels(session), learning.test_labels(session)
    lessons, exam = folder / "site-labels.yml", folder / "site-test-labels.jsonl"
    lessons.write_text(as_yaml(training), "utf-8")
    exam.write_text(as_lines(test), "utf-8")
    return SiteData((lessons,) if training else (), (*frozen(), *((exam,) if test else ())))


def as_yaml(labels: Iterable[Labelled]) -> str:
    """Labels as Rasa's training data."""
    by_intent = sorted(labels, key=lambda label: (label.intent, label.text))
    lines = ["nlu:"]
    for intent, group in groupby(by_intent, key=lambda label: label.intent):
        lines += [f"- intent: {intent}", "  examples: |", *(f"    - {as_example(label.text)}" for label in group)]
    return "\n".join(lines) + "\n"


def as_example(text: str) -> str:
    """A message on one line, without what Rasa's training data would take for markup."""
    seen = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(seen.split()).translate(MARKUP).replace("/", WIDE_SLASH, 1 if seen.lstrip().startswith("/") else 0)


# Full width, which our normaliser reads like half width: [kitchen](location) would be an entity, /repair an intent.
MARKUP = str.maketrans("[]{}", "\uff3b\uff3d\uff5b\uff5d")
WIDE_SLASH = "\uff0f"


def as_lines(labels: Iterable[Labelled]) -> str:
    """Labels as JSON Lines, which Rasa's tools are measured on."""
    facts = ({"text": label.text, "intent": label.intent, "language": label.language} for label in labels)
    return "".join(json.dumps(fact, ensure_ascii=False) + "\n" for fact in facts)
