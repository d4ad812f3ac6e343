"""Places, times, phones, things and names, by the rules of nlu/lexicon."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.nlu.conftest import ROOT, run_tool

EXAM = ROOT / "nlu/exams/spans.jsonl"
ONE_LABEL = {"phone": "phones.jsonl", "location": "places.jsonl"}  # with the examples of nlu/marking.md
FLOORS = {"phone": 0.99, "time": 0.97, "location": 0.97, "name": 0.96, "fixture": 0.97}  # F1, both ends right


def measured(path: Path) -> dict[str, Any]:
    done = run_tool("spans", path, "--json")
    assert done.returncode == 0, done.stderr.decode()
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def write(path: Path, *messages: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(message) + "\n" for message in messages), "utf-8")
    return path


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_new_word_does_not_cost_the_others(language):
    """A rule that helps one message must not quietly break the rest of the exam."""
    exact = measured(EXAM)["languages"][language]["exact"]

    assert {label: row["f1"] for label, row in exact.items() if row["f1"] < FLOORS[label]} == {}


@pytest.mark.parametrize("label", ONE_LABEL)
def test_however_people_write_them(label):
    """Numbers in odd groups, read out or half read out; places with their edges; and all that only looks like one."""
    exact = measured(Path(__file__).with_name(ONE_LABEL[label]))["exact"]

    assert exact[label]["f1"] >= FLOORS[label]


def test_a_number_is_found_in_every_way_to_write_it():
    """Who is not understood here cannot be called back, and who is called for an order number is annoyed."""
    exact = measured(Path(__file__).with_name("phone_ways.jsonl"))["exact"]["phone"]

    assert (exact["precision"], exact["recall"]) == (1.0, 1.0)


def test_both_ends_count_and_so_does_a_touch(tmp_path):
    """Who looks for a weak rule wants to know whether it misses or only cuts badly."""
    spans = [["location", "3栋2单元"], ["fixture", "马桶"]]
    messages = write(tmp_path / "exam.jsonl", {"text": "3栋2单元502马桶堵了", "spans": spans})

    report = measured(messages)

    assert report["exact"]["location"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "expected": 1, "found": 1}
    assert report["overlap"]["location"]["f1"] == 1.0
    assert report["exact"]["fixture"]["f1"] == 1.0


def test_the_errors_say_what_was_missed_and_found(tmp_path):
    messages = write(tmp_path / "exam.jsonl", {"text": "灯坏了", "spans": [["time", "坏了"]]})

    done = run_tool("spans", messages, "--errors")

    assert done.stdout.decode().endswith("灯坏了\n    - time 坏了\n    + fixture 灯\n")


def test_nothing_to_measure_is_said(tmp_path):
    assert run_tool("spans", write(tmp_path / "exam.jsonl", {"text": "灯坏了"})).returncode == 1
