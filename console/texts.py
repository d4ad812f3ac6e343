"""The words of the pages, zh and en: texts/<topic>.yml, one line a text. What residents read stands in domain.yml."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import yaml

from service import texts

FOLDER = Path(__file__).with_name("texts")
LANGUAGES = texts.LANGUAGES


@cache
def catalogue() -> Mapping[str, Mapping[str, str]]:
    """Every text by `<topic>.<name>`, in each language."""
    return {
        f"{file.stem}.{name}": said
        for file in sorted(FOLDER.glob("*.yml"))
        for name, said in yaml.safe_load(file.read_text("utf-8")).items()
    }


def text(key: str, *, language: str, **slots: object) -> str:
    """A text, its slots filled; one of domain.yml by its own key.

    Raises:
        KeyError: no such text, or a slot without a value; a bug, found by the tests.
    """
    if "." not in key:
        return texts.words(key, language=language, **slots)
    return catalogue()[key][language].format(**slots)
