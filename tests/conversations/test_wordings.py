"""What stories wait for stands in every variant of the sentence they mean; which one is said is up to a seed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.play import holds
from service.config import ROOT
from tests.conversations import scripts
from tests.conversations.scripts import Script

Variants = dict[str, list[str]]  # of a response, by language

SCRIPTS = {script.name: script for script in scripts.read_all()}


def _variants(response: Iterable[dict[str, Any]]) -> Variants:
    by_language: Variants = {}
    for variant in response:
        for condition in variant.get("condition", ()):
            by_language.setdefault(str(condition["value"]), []).append(str(variant.get("text", "")))
    return by_language


DOMAIN = yaml.safe_load(Path(ROOT / "domain.yml").read_text("utf-8"))
RESPONSES = {name: _variants(response) for name, response in DOMAIN["responses"].items()}


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_story_waits_for_what_every_variant_says(name):
    """Or it passes on some days, and fails on others."""
    script = SCRIPTS[name]

    assert [wanted for wanted in waited_for(script) if by_chance(wanted, _language(script, wanted))] == []


def waited_for(script: Script) -> list[tuple[str, ...]]:
    """The words of each `sees`, without those that repeat what somebody said."""
    said = str([step.get("says") or step.get("edits") for step in script.steps])
    seen = [step["sees"] for step in script.steps if "sees" in step and "topic" not in step]
    lists = [(words,) if isinstance(words, str) else tuple(map(str, words)) for words in seen]
    return [words for words in lists if not any(word in said for word in words)]


def by_chance(wanted: Sequence[str], language: str) -> bool:
    """Whether some variant of a response holds the words, and of no response all do."""
    fits = [
        [all(holds(variant, word) for word in wanted) for variant in variants.get(language, ())]
        for variants in RESPONSES.values()
    ]
    return any(map(any, fits)) and not any(variants and all(variants) for variants in fits)


def _language(script: Script, wanted: Sequence[str]) -> str:
    """The language of what is waited for, which a talk may have changed to."""
    return "zh" if scripts.HAN.search("".join(wanted)) else script.language(script.first)


def test_a_word_of_one_variant_alone_is_found():
    """The check would otherwise say nothing."""
    assert by_chance(["What is broken"], "en")
    assert not by_chance(["is broken|What is wrong"], "en")
