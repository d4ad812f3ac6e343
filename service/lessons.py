"""What the understanding was taught, for people who label: the examples that come with Guanjia, by likeness."""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import yaml

from service.config import ROOT
from service.likeness import Crowd
from service.marked_yaml import Loader

FOLDER = ROOT / "nlu/data/nlu"
MARKED = re.compile(r"\[([^\]]*)\](?:\([^)]*\)|\{[^}]*\})")  # an entity: [kitchen](location)
NEIGHBOURS = 3


class Neighbour(NamedTuple):
    """An example that is like a message: its words, its intent, the share of character pairs in common."""

    text: str
    intent: str
    share: float


@dataclass(frozen=True)
class Lessons:
    """Examples that can be asked for."""

    examples: Sequence[tuple[str, str]]  # text, intent
    crowd: Crowd

    def nearest(self, text: str, count: int = NEIGHBOURS) -> list[Neighbour]:
        """The examples most alike to a message."""
        return [Neighbour(*self.examples[place], share) for place, share in self.crowd.nearest(text, count)]

    def new_words(self, text: str) -> list[str]:
        """The pieces of a message that no example has; nothing where there are no examples to compare with."""
        return self.crowd.strange(text) if self.examples else []


@cache
def base() -> Lessons:
    """The examples of the base data, read once a process; none where they were not installed along.

    They stay for good: whenever Python looked through them for garbage, a page waited for a tenth of a second and more.
    """
    examples = sorted({pair for file in FOLDER.rglob("*.yml") for pair in read(file)})
    lessons = Lessons(examples, Crowd([text for text, _ in examples]))
    gc.freeze()
    return lessons


def read(file: Path) -> Iterator[tuple[str, str]]:
    """The examples of one of our training files, without their markup."""
    for entry in yaml.load(file.read_text("utf-8"), Loader=Loader)["nlu"]:  # noqa: S506 - a safe loader
        for line in entry.get("examples", "").splitlines():
            if "intent" in entry and line.startswith("- "):
                yield MARKED.sub(r"\1", line.removeprefix("- ")).strip(), entry["intent"]
