"""The tools of nlu/: train, parse, evaluate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.nlu.conftest import DATA, run_tool

ENTITIES = [json.loads(line) for line in Path(__file__).with_name("entities.jsonl").read_text().splitlines()]
ODD = [b'{"text": "  3\xe6\xa0\x8b"}', b"no json", b'{"a": 1}', b'{"text": " "}', b"", b'{"text": "\\ud800/restart"}']


def as_lines(items: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items).encode()


@pytest.fixture(scope="session")
def parsed(model) -> dict[str, dict[str, Any]]:
    """Every annotated message, parsed in one go."""
    done = run_tool("parse", "--model", model, given=as_lines(ENTITIES))
    assert done.returncode == 0, done.stderr.decode()
    return {line["text"]: line for line in map(json.loads, done.stdout.splitlines())}


@pytest.mark.parametrize("message", ENTITIES, ids=[message["text"][:24] for message in ENTITIES])
def test_entities_are_where_people_see_them(parsed, message):
    """To the character, in the text as it was typed."""
    text = message["text"]

    found = parsed[text]["entities"]

    assert [[item["label"], text[item["start"] : item["end"]]] for item in found] == message["spans"]


def test_the_value_of_an_entity_is_plain(parsed):
    """Half width, Simplified, a phone as it is dialled."""
    values = {item["value"] for line in parsed.values() for item in line["entities"]}

    assert {"B座1803", "七栋十二楼走廊", "+8613800138000", "073188551234转8012"} <= values


def test_a_bad_line_is_reported_and_the_rest_is_done(model, tmp_path):
    """One broken line must not cost the other thousand."""
    messages = tmp_path / "in.jsonl"
    messages.write_bytes(b"\n".join(ODD))

    done = run_tool("parse", "--model", model, messages)

    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 2
    assert [line.get("error") for line in lines] == [None, "not JSON", "no text", "empty text", None]
    assert lines[0]["entities"] == [{"start": 2, "end": 4, "label": "location", "value": "3栋"}]
    assert set(lines[0]) == {"text", "intent", "confidence", "entities"}
    assert lines[1]["line"] == 2


def test_no_model_and_no_file_are_said_on_stderr(tmp_path, model):
    assert run_tool("parse", "--model", tmp_path).returncode == 1
    assert run_tool("parse", "--model", model, tmp_path / "missing").returncode == 1


def test_training_the_same_again_does_nothing(model):
    """`guanjia train` runs at every start."""
    files = [DATA / "nlu.yml", DATA / "rules.yml"]

    done = run_tool("train", "--domain", DATA / "domain.yml", "--data", *files, "--out", model.parent)

    assert done.stdout.decode() == f"model {model} (up to date)\n"


def test_an_evaluation_counts_what_was_understood(model, tmp_path):
    labelled = [{"text": "灯坏了", "intent": "repair"}, {"text": "你好", "intent": "greet"}]
    labelled += [{"text": "好的", "intent": "greet"}]
    messages = tmp_path / "labelled.jsonl"
    messages.write_bytes(as_lines(labelled))

    done = run_tool("evaluate", "--model", model, messages, "--json")

    report = json.loads(done.stdout)
    assert report["accuracy"] == pytest.approx(2 / 3, abs=0.001)
    assert report["intents"]["repair"]["f1"] == 1.0
    assert report["confusions"] == [{"intent": "greet", "predicted": "affirm", "messages": 1}]


def test_the_recipe_can_be_held_against_its_own_data():
    done = run_tool("evaluate", "--cross-validate", "--data", DATA / "nlu.yml", "--json")

    assert json.loads(done.stdout)["messages"] == 32
