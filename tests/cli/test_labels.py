"""`guanjia labels`: out into a file, in from one, on into training."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta

import pytest

from service import learning
from service.db import Sessions
from service.learning import Labelled
from service.models.understanding import Label, LabelUse

LEAKS = ("厨房水管漏水", "电梯不动了", "门禁失灵")


@pytest.fixture
def run(guanjia, database_url):
    """Run `guanjia labels`."""

    def labels(*arguments: object):
        return guanjia("labels", *map(str, arguments), DATABASE_URL=database_url)

    return labels


@pytest.fixture
def kept(sessions: Sessions) -> Sessions:
    """Three labels, two months old."""
    with sessions.begin() as session:
        for place, text in enumerate(LEAKS):
            at = datetime.now(UTC) - timedelta(days=60 - place)
            learning.add(session, Labelled(text, "repair", "zh"), use=LabelUse.TEST, by="li", at=at)
    return sessions


def count(sessions: Sessions) -> int:
    with sessions.begin() as session:
        return session.query(Label).count()


def test_what_was_exported_is_imported_elsewhere(kept, run, tmp_path):
    file = tmp_path / "labels.yml"
    exported = run("export", file)
    with kept.begin() as session:
        session.query(Label).delete()

    first, again = run("import", file), run("import", file)

    assert (exported.returncode, first.stdout, again.stdout) == (
        0,
        "3 new, 0 here already\n",
        "0 new, 3 here already\n",
    )
    assert count(kept) == 3
    assert stat.S_IMODE(file.stat().st_mode) == 0o600, "it holds what residents wrote"


def test_an_export_can_go_into_a_pipe(kept, run):
    assert LEAKS[0] in run("export", "-").stdout


def test_a_dry_run_writes_nothing(sessions, run, tmp_path):
    file = tmp_path / "labels.yml"
    file.write_text("nlu:\n- intent: repair\n  examples: |\n    - 灯坏了\n", "utf-8")

    done = run("import", "--dry-run", file)

    assert done.stdout == "1 new, 0 here already; nothing was written\n"
    assert count(sessions) == 0


def test_what_is_wrong_in_a_file_is_named_with_its_lines(kept, run, tmp_path):
    file = tmp_path / "labels.yml"
    examples = f"    - 灯坏了\n    - {LEAKS[0]}\n"
    file.write_text(f"nlu:\n- intent: complaint\n  examples: |\n{examples}- intent: compliant\n", "utf-8")

    done = run("import", file)

    assert done.returncode == 1
    places = [line.removeprefix(f"{file}:")[:2] for line in done.stderr.splitlines()]
    assert places == ["5:", "6:"]
    assert "compliant" in done.stderr
    assert LEAKS[0] not in done.stderr
    assert count(kept) == 3


@pytest.mark.parametrize("arguments", [("import", "nowhere.yml"), ("export", "no/where.yml"), ("import", ".")])
def test_a_file_that_cannot_be_opened_is_named(sessions, run, arguments):
    done = run(*arguments)

    assert (done.returncode, done.stderr.startswith(f"{arguments[1]}: ")) == (1, True), done.stderr


def test_older_labels_are_promoted_and_counted(kept, run):
    done = run("promote", "--older-than", 30)

    assert done.stdout.split("\n")[:2] == ["    2 repair zh", "2 moved to training"]
    with kept.begin() as session:
        assert {one.text for one in learning.training_labels(session)} == set(LEAKS[:2])
