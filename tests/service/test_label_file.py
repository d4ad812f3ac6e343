"""Labels as a file: what is written is read again, and what is wrong is named by its line."""

from __future__ import annotations

import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from service import label_file, learning, texts
from service.label_file import Taken
from service.learning import Labelled
from service.models.understanding import Label, LabelUse
from tests.stage import NOON, Stage

ROOT = Path(__file__).parents[2]
ITEMS = [
    Labelled("厨房水管漏水", "repair", "zh"),
    Labelled("物业乱收费: 凭什么?", "complaint", "zh"),
    Labelled('- "the lift" is stuck\nagain # 2\n', "repair", "en"),
    Labelled("👍👍", "praise", "zh"),
    Labelled("no", "deny", "en"),
]


def take_in(stage: Stage, content: str, *, dry_run: bool = False) -> Taken:
    return label_file.take_in(stage.session, content.encode(), by="li", now=NOON, dry_run=dry_run)


def told(taken: Taken) -> list[tuple[int, str]]:
    return [(problem.line, texts.words(problem.phrase, language="en", **problem.facts)) for problem in taken.problems]


def kept(stage: Stage) -> list[tuple[str, str, str, str, str, object]]:
    rows = stage.session.query(Label).order_by(Label.digest)
    return [(row.text, row.intent, row.language, row.use, row.labelled_by, row.labelled_at) for row in rows]


def test_what_is_written_is_read_as_it_was(stage):
    for number, item in enumerate(ITEMS):
        use = LabelUse.TRAIN if number % 2 else LabelUse.TEST
        learning.add(stage.session, Labelled(item.text.strip(), *item[1:]), use=use, by=f"no. {number}", at=NOON)
    before, content = kept(stage), label_file.write(stage.session)
    stage.session.query(Label).delete()

    taken = take_in(stage, content)

    assert (taken.new, taken.known, taken.problems) == (5, 0, [])
    assert kept(stage) == before


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=80))
@example(text="one line\x85another")
def test_any_text_a_resident_can_send_survives_the_file(stage, text):
    if not text.strip():
        return
    with stage.session.begin_nested() as nested:
        learning.add(stage.session, Labelled(text.strip(), "repair", "zh"), use=LabelUse.TEST, by="li", at=NOON)
        content = label_file.write(stage.session).encode()
        nested.rollback()

    entries, problems = label_file.read(content, by="li", now=NOON)

    assert ([entry.item.text for entry in entries], problems) == ([text.strip()], [])


def test_rasa_itself_reads_the_file(stage, tmp_path):
    """It is Rasa's own form, so that a label can become an example by being copied."""
    learning.add(stage.session, ITEMS[0], use=LabelUse.TEST, by="li", at=NOON)
    file = tmp_path / "labels.yml"
    file.write_text(label_file.write(stage.session), "utf-8")
    script = (
        "import sys; sys.path.insert(0, 'nlu'); import launcher; launcher.prepare()\n"
        "from rasa.shared.nlu.training_data.loading import load_data\n"
        "for found in load_data(sys.argv[1]).intent_examples:\n"
        "    print(found.get('intent'), found.get('text'), found.get('metadata')['example']['use'])"
    )

    read = subprocess.run(
        [ROOT / "nlu/.venv/bin/python", "-W", "ignore", "-c", script, file],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )

    assert read.stdout.splitlines()[-1] == "repair 厨房水管漏水 test"


def test_taken_in_twice_changes_nothing(stage):
    content = "nlu:\n- intent: repair\n  examples: |\n    - 厨房水管漏水\n    - the lift is stuck\n"
    first = take_in(stage, content)
    before = kept(stage)

    second = take_in(stage, content)

    assert (first.new, second.new, second.known) == (2, 0, 2)
    assert kept(stage) == before


def test_a_label_that_is_here_keeps_its_use(stage):
    """An older copy of the file must not bring back to the test set what has been trained on."""
    learning.add(stage.session, ITEMS[0], use=LabelUse.TRAIN, by="li", at=NOON)

    take_in(stage, "nlu:\n- intent: repair\n  examples:\n  - text: 厨房水管漏水\n    metadata: {use: test}\n")

    assert learning.training_labels(stage.session) == [ITEMS[0]]


def test_a_dry_run_says_what_would_be_and_takes_nothing(stage):
    taken = take_in(stage, "nlu:\n- intent: repair\n  examples: |\n    - 厨房水管漏水\n", dry_run=True)

    assert (taken.new, kept(stage)) == (1, [])


def test_the_short_form_takes_what_its_intent_says_and_the_rest_from_the_reader(stage):
    take_in(
        stage,
        "nlu:\n- intent: repair\n  metadata: {use: train, at: '2026-01-02T03:04:05+08:00'}\n"
        "  examples: |\n    - 厨房水管漏水\n- intent: deny\n  examples: |\n    - nope\n",
    )

    [first, second] = sorted(kept(stage), reverse=True)
    assert first[:5] == ("厨房水管漏水", "repair", "zh", "train", "li")
    assert second == ("nope", "deny", "en", "test", "li", NOON)


WRONG = {
    "nlu: [": (2, "not YAML"),
    "nlu:\n- intent: repair\n  examples: |\n   - a\n  - b\n": (5, "not YAML"),
    "nlu:\n\t- intent: x": (2, "not YAML"),
    "a: \x07": (1, "not YAML"),
    "": (1, "nlu: [...]"),
    "just words": (1, "nlu: [...]"),
    "version: '3.1'\nnlu: repair\n": (2, "nlu: [...]"),
    "nlu:\n- synonym: lift\n  examples: |\n    - elevator\n": (2, "- intent: repair"),
    "nlu:\n- repair\n": (2, "- intent: repair"),
    "nlu:\n- intent: [repair]\n": (2, "- intent: repair"),
    "nlu:\n- intent: repair\n": (2, "examples: [...]"),
    "nlu:\n- intent: repair\n  examples: 水管\n": (3, "examples: [...]"),
    "nlu:\n- intent: repare\n  examples: |\n    - 水管\n": (2, '"repare" is no intent; there are: repair, reopen'),
    "nlu:\n- intent: repair\n  examples: |\n    - 水管\n    灯\n": (5, "- text"),
    "nlu:\n- intent: repair\n  examples:\n  - 水管\n  - text: 灯\n": (4, "- text"),
    "nlu:\n- intent: repair\n  examples:\n  - text: ''\n": (4, "- text"),
    'nlu:\n- intent: repair\n  examples:\n  - text: "\\0"\n': (4, "- text"),
    'nlu:\n- intent: repair\n  examples:\n  - text: "\\ud800"\n': (4, "not YAML"),
    f"nlu:\n- intent: repair\n  examples: |\n    - {'长' * 1001}\n": (4, "- text: 1-1000"),
    "nlu:\n- intent: repair\n  examples:\n  - text: 灯\n    metadata: {use: both}\n": (4, "use: test | train"),
    "nlu:\n- intent: repair\n  examples:\n  - text: 灯\n    metadata: {language: fr}\n": (4, "language: zh | en"),
    "nlu:\n- intent: repair\n  examples:\n  - text: 灯\n    metadata: {at: yesterday}\n": (4, "at: '2026"),
    "nlu:\n- intent: repair\n  examples:\n  - text: 灯\n    metadata: {at: 2026-01-02}\n": (4, "at: '2026"),
    "nlu:\n- intent: repair\n  examples:\n  - text: 灯\n    metadata: {by: [li]}\n": (5, "metadata"),
    "nlu:\n- intent: repair\n  examples: |\n    - 灯\n    - 水\n    - 灯\n": (6, "line 4 already"),
    "nlu:\n- intent: repair\n  examples: |\n    - 灯\n- intent: complaint\n  examples: |\n    - 灯\n": (
        7,
        'labelled "repair" in line 4',
    ),
}  # fmt: skip


@pytest.mark.parametrize("content", WRONG)
def test_what_is_wrong_is_named_by_its_line_and_nothing_is_taken(stage, content):
    line, words = WRONG[content]

    taken = take_in(stage, content)

    [(where, what)] = told(taken)
    assert (where, words in what) == (line, True), what
    assert (taken.new, kept(stage)) == (0, [])


def test_bytes_that_are_no_utf_8_are_named_by_their_line(stage):
    taken = label_file.take_in(stage.session, b"nlu:\n- intent: \xff\n", by="li", now=NOON)

    assert told(taken) == [(2, "not YAML: UTF-8")]


def test_yaml_that_is_nested_without_end_is_refused(stage):
    assert len(told(take_in(stage, "[" * 5000))) == 1


def test_everything_that_is_wrong_is_told_at_once_in_order(stage):
    content = "nlu:\n- intent: x\n- intent: repair\n  examples: |\n    - 灯\n    水\n    - 灯\n- 5\n"

    assert [line for line, _ in told(take_in(stage, content))] == [2, 6, 7, 8]


def test_a_label_that_contradicts_ours_is_a_problem_of_its_line(stage):
    learning.add(stage.session, ITEMS[0], use=LabelUse.TEST, by="wang", at=NOON - timedelta(days=3))

    taken = take_in(stage, "nlu:\n- intent: complaint\n  examples: |\n    - 灯\n    - 厨房水管漏水\n")

    [(line, what)] = told(taken)
    assert (line, "repair" in what, "wang" in what) == (5, True, True)
    assert len(kept(stage)) == 1


def test_no_problem_repeats_what_a_resident_wrote(stage):
    """It may end in a log or a mail; the line leads there."""
    learning.add(stage.session, ITEMS[0], use=LabelUse.TEST, by="wang", at=NOON)

    for content in ("nlu:\n- intent: complaint\n  examples: |\n    - 厨房水管漏水\n    - 厨房水管漏水\n",):
        assert "水管" not in str(told(take_in(stage, content)))
