"""What each intent means, for the people who label: nlu/guidelines.yml, an entry at a time."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import yaml

from service.config import ROOT

FILE = ROOT / "nlu/guidelines.yml"


@cache
def entries() -> Mapping[str, Any]:
    """Every entry by its intent; none where the file was not installed along."""
    found: Mapping[str, Any] = yaml.safe_load(FILE.read_text("utf-8")) if FILE.exists() else {}
    return found


def entry(intent: str, language: str) -> list[str]:
    """The entry of an intent as lines, and how to tell it from its neighbours.

    Args:
        intent: which.
        language: zh or en, as the message that is to be labelled.
    """
    found = entries().get(intent)
    if found is None:
        return [f"{intent}: there is no guideline"]
    return [
        f"{intent}: {found[language]}",
        f"  yes: {found['when'][language]}",
        f"  no:  {found['not_when'][language]}",
        *(f"  or {neighbour}? {hint[language]}" for neighbour, hint in found["neighbours"].items()),
        *(f"  · {example}" for example in found["examples"][language]),
    ]
