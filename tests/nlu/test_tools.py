"""The tools of nlu/: train, parse, evaluate."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.nlu.conftest import DATA, PYTHON, ROOT, run_tool

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

    read_out = parsed["电话幺三八零零一三八零零零"]["entities"]
    assert [item["value"] for item in read_out] == ["13800138000"]
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
    assert {"text", "intent", "confidence", "entities"} <= set(lines[0])
    assert lines[1]["line"] == 2


def test_no_model_and_no_file_are_said_on_stderr(tmp_path, model):
    assert run_tool("parse", "--model", tmp_path).returncode == 1
    assert run_tool("parse", "--model", model, tmp_path / "missing").returncode == 1


def test_training_the_same_again_does_nothing(model):
    """`guanjia train` is typed more often than data changes."""
    files = [DATA / "nlu.yml", DATA / "rules.yml"]

    done = run_tool("train", "--domain", DATA / "domain.yml", "--data", *files, "--out", model.parent, "--exam")

    assert done.stdout.decode() == f"model {model} (up to date)\n"


@pytest.mark.parametrize(
    ("spoilt", "line", "what"),
    [
        ("nlu:\n- intent: repare\n  examples: |\n    - 灯坏了\n", 4, "no such intent in the domain: repare"),
        (
            "nlu:\n- intent: repair\n  examples: |\n    - 灯\n- intent: greet\n  examples: |\n    - 灯\n",
            7,
            "greet here, but repair in",
        ),
        ("nlu:\n- intent: repair\n  examples: |\n    - 灯坏了\n  - [\n", 5, "not YAML"),
        ("nlu:\n- intent: repair\n  examples: |\n    灯坏了\n", 4, "starts with `- `"),
        ("nlu:\n- intent: repair\n", 2, "without `examples`"),
        ("- repair\n", None, "not a Rasa training file"),
    ],
)
def test_bad_data_is_refused_with_file_and_line(tmp_path, spoilt, line, what):
    """Rasa would train on it, or answer with a page of its own code."""
    file = tmp_path / "data.yml"
    file.write_text(spoilt, "utf-8")

    done = run_tool("train", "--domain", DATA / "domain.yml", "--data", file, "--out", tmp_path / "models")

    said = done.stderr.decode()
    assert done.returncode == 1
    assert f"train: {file}:{line}: " in said if line else f"train: {file}: " in said
    assert what in said
    assert not (tmp_path / "models").exists()


@pytest.mark.parametrize(
    ("content", "what"), [(b"\xff\xfe", "not UTF-8"), (b"intents: [a", "not YAML"), (b"- a\n", "not a Rasa domain")]
)
def test_a_bad_domain_is_refused_by_name(tmp_path, content, what):
    domain = tmp_path / "domain.yml"
    domain.write_bytes(content)

    done = run_tool("train", "--domain", domain, "--data", DATA / "nlu.yml", "--out", tmp_path)

    assert done.returncode == 1
    assert f"train: {domain}" in done.stderr.decode()
    assert what in done.stderr.decode()


def test_a_file_that_is_not_there_is_named(tmp_path):
    done = run_tool("train", "--data", tmp_path / "missing.yml", "--out", tmp_path)

    assert (done.returncode, done.stderr.decode()) == (
        1,
        f"train: no such file or folder: {tmp_path / 'missing.yml'}\n",
    )


def test_a_model_says_what_it_was_made_of_and_how_well_it_understands(model, tmp_path):
    """The application reads it, and so can a machine that has no Rasa."""
    exam = tmp_path / "exam.jsonl"
    exam.write_bytes(as_lines([{"text": "灯坏了", "intent": "repair"}, {"text": "hello", "intent": "repair"}]))
    trained = json.loads(model.with_name(model.name.replace(".tar.gz", ".json")).read_text("utf-8"))
    model = Path(shutil.copy(model, tmp_path))
    certificate = model.with_name(model.name.replace(".tar.gz", ".json"))
    certificate.write_text(json.dumps(trained | {"scores": None}), "utf-8")

    measured = run_tool("certificate", model, "--exam", exam)

    found = json.loads(certificate.read_text("utf-8"))
    assert measured.stdout.decode() == f"measuring {model.name}\n"
    assert {"base", "data_hash", "trained_at", "trained_by"} < set(found)
    assert found["scores"]["languages"]["zh"]["intents"]["repair"]["recall"] == 1.0
    assert found["scores"]["languages"]["en"]["messages"] == 1
    assert run_tool("certificate", model, "--exam", exam).stdout == b""


def test_a_model_that_cannot_be_loaded_gets_a_certificate_that_says_so(tmp_path):
    """The gate need not protect what cannot be served."""
    model = tmp_path / "guanjia-0.tar.gz"
    model.write_bytes(b"no archive")
    exam = tmp_path / "exam.jsonl"
    exam.write_bytes(as_lines([{"text": "灯坏了", "intent": "repair"}]))

    run_tool("certificate", model, "--exam", exam)

    scores = json.loads((tmp_path / "guanjia-0.json").read_text("utf-8"))["scores"]
    assert set(scores) == {"measured", "fault"}


def test_the_sites_own_data_makes_another_model_of_the_same_base(tmp_path):
    """A start trains when the version has changed, not when somebody has labelled a message."""
    site = tmp_path / "site.yml"
    site.write_text("nlu:\n- intent: repair\n  examples: |\n    - 灯坏了\n", "utf-8")

    hashes = [run_tool("train", "--base", *more).stdout for more in ((), ("--site", site))]

    assert hashes[0] == hashes[1] != b""


def test_a_broken_line_of_labelled_messages_is_named(model, tmp_path):
    """A measure with holes in it measures something else."""
    messages = tmp_path / "labelled.jsonl"
    messages.write_text('{"text": "灯坏了", "intent": "repair"}\n\nno json\n', "utf-8")

    done = run_tool("evaluate", "--model", model, messages)

    assert (done.returncode, done.stderr.decode()) == (1, f"evaluate: {messages}:3: not JSON\n")


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

    assert json.loads(done.stdout)["messages"] == 40


def test_of_confidences_that_pay_alike_the_lowest_is_believed():
    """The highest would have residents asked again for nothing, and lie elsewhere after every training."""
    pays = "threshold_of(np.array([0.9, 0.7, 0.5, 0.3]), np.array([True, False, True, False]))"
    script = f"import numpy as np; from components.model import threshold_of; print({pays})"

    done = subprocess.run([PYTHON, "-c", script], cwd=ROOT / "nlu", capture_output=True, text=True, check=True)

    assert done.stdout == "0.5\n"
