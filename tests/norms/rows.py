"""docs/norms.md and removals.yml, read: which tests watch a norm, and what was taken out to see each of them fail."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from tests.house.tree import ROOT, need

REMOVALS = Path(__file__).with_name("removals.yml")
ROW = re.compile(r"^\| ([NWDA]\d*\b[^|]*?) \| [^|]+ \| ([^|]*?) ?\|$", re.MULTILINE)
WATCHER = re.compile(r"`([\w/]+\.py::\w+)`")


@dataclass(frozen=True)
class Removal:
    """A behaviour that is taken out of a file, and the test that must then fail."""

    norm: str  # its row of docs/norms.md
    test: str  # as the row names it
    file: str
    take: str
    put: str = ""

    def of(self, text: str) -> str:
        """The file's text without the behaviour."""
        return text.replace(self.take, self.put)


@cache
def rows() -> dict[str, set[str]]:
    """Every row of docs/norms.md with the tests that watch it; none for what is not kept yet."""
    page = need("docs/norms.md").read_text("utf-8")
    return {norm: set(WATCHER.findall(watched)) for norm, watched in ROW.findall(page)}


@cache
def removals() -> tuple[Removal, ...]:
    """Every removal, in the order of the page."""
    read = yaml.safe_load(REMOVALS.read_text("utf-8"))
    return tuple(Removal(norm, **facts) for norm, each in read.items() for facts in each)


def text_of(removal: Removal) -> str:
    """The file as it stands."""
    return (ROOT / removal.file).read_text("utf-8")
