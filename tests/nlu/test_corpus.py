"""What people wrote for the understanding: guidelines, training examples, exams."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from service.kinds import KINDS
from tests.nlu.conftest import ROOT, run_tool

NLU = ROOT / "nlu"
EXAMS = sorted((NLU / "exams").glob("*.jsonl"))
REAL = ROOT.parent / "shared" / "eval" / "zh_messages_dev.jsonl"
MAIN = ("repair", "complaint", "inquiry", "urge", "request_human", "emergency")
LEAST = {"zh": (300, 120), "en": (80, 40)}  # examples of a main intent, of another


@pytest.fixture(scope="module")
def guidelines() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((NLU / "guidelines.yml").read_text("utf-8"))
    return found


@pytest.mark.parametrize("intent", KINDS)
def test_every_intent_is_explained_to_those_who_label(guidelines, intent):
    """When yes, when no, its neighbours and five examples, in both languages."""
    page = guidelines[intent]

    for part in (page, page["when"], page["not_when"], *page["neighbours"].values()):
        assert part["zh"].strip()
        assert part["en"].strip()
    assert page["neighbours"].keys() <= KINDS.keys() - {intent}
    assert {language: len(page["examples"][language]) for language in ("zh", "en")} == {"zh": 5, "en": 5}


def test_nothing_is_explained_that_is_no_intent(guidelines):
    assert guidelines.keys() == KINDS.keys()


def test_examples_teach_something_and_exams_were_not_learnt_by_heart():
    """No near duplicates inside an intent, no text under two, nothing like a message that measures."""
    done = run_tool("examples", "--against", *EXAMS)

    assert done.returncode == 0, done.stdout.decode()


def test_no_real_message_stands_among_the_examples():
    """Real people's words are for measuring only."""
    if not REAL.exists() and not os.environ.get("CI"):
        pytest.skip("the real messages are not on this machine")

    done = run_tool("examples", "--against", REAL)

    assert done.returncode == 0, done.stdout.decode()


@cache
def entries(language: str) -> list[dict[str, Any]]:
    """The training data of a language."""
    files = (NLU / "data" / "nlu" / language).glob("*.yml")
    return [entry for file in files for entry in yaml.safe_load(file.read_text("utf-8"))["nlu"]]


@pytest.mark.parametrize("language", LEAST)
@pytest.mark.parametrize("intent", KINDS)
def test_every_intent_has_enough_examples(language, intent):
    """Learning was not flat below these numbers."""
    number = sum(entry["examples"].count("\n") for entry in entries(language) if entry["intent"] == intent)

    assert number >= LEAST[language][intent not in MAIN]


BROKEN = {
    "unknown.yml": (
        "nlu:\n- intent: repair\n  examples: |\n    - 灯坏了\n    - 灯 坏了 又\n    no dash\n",
        ":6: an example starts",
    ),
    "list.yml": ("- 1\n- 2\n", "not a Rasa training file"),
    "broken.yml": ("nlu:\n- intent: [repair\n", ":3: not YAML"),
    "twice.yml": (
        "nlu:\n- intent: repair\n  examples: |\n    - 灯坏了\n- intent: greet\n  examples: |\n    - 灯坏了\n",
        ":7: greet here, but repair in",
    ),
    "alike.yml": ("nlu:\n- intent: repair\n  examples: |\n    - 厨房水管漏水了\n    - 厨房水管漏水\n", ":5: 0.83 like"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_bad_example_is_named_with_its_file_and_line(tmp_path: Path, name):
    """Whoever made the mistake finds it at once."""
    content, complaint = BROKEN[name]
    (tmp_path / name).write_text(content, "utf-8")

    done = run_tool("examples", "--data", tmp_path)

    said = (done.stdout + done.stderr).decode()
    assert done.returncode == 1
    assert name in said
    assert complaint in said


def test_exams_are_readable():
    """Each line has a text, and says what is to be found in it."""
    for path in EXAMS:
        for line in path.read_text("utf-8").splitlines():
            item = json.loads(line)
            assert item["text"].strip()
            assert item.keys() & {"intent", "emergency", "spans", "parts"}
