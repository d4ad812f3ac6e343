"""`guanjia knowledge`: what staff write, look at and learn from butlers."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from service import communities, knowledge_entries, unanswered
from service.db import Sessions
from tests.stage import Stage

FILE = """\
facts: {pool_hours: {zh: 6:00-21:00, en: 6 am to 9 pm}}
entries:
  - key: pool_times
    zh: {questions: [泳池几点开, 游泳时间, 泳池开放吗], answer: '泳池{pool_hours}开放。'}
"""


@pytest.fixture
def run(guanjia, database_url, sessions):
    """Run `guanjia knowledge` for the community of a bot; everything is removed afterwards."""

    def knowledge(*arguments: object):
        return guanjia("knowledge", *map(str, arguments), DATABASE_URL=database_url, BOT_TOKEN="100001:x")

    return knowledge


def test_a_file_is_imported_shown_checked_and_exported(run, tmp_path):
    """The whole way of an entry that staff write; the base stands beside it."""
    file, out = tmp_path / "ours.yml", tmp_path / "out.yml"
    file.write_text(FILE, "utf-8")

    imported, shown, checked = run("import", file), run("list"), run("check")
    exported = run("export", out)

    assert imported.stdout == "1 new, 0 changed, 0 here already\n"
    assert "pool_times               own  offered   zh    no source" in shown.stdout
    assert "fee_payment              base offered   zh+en practice" in shown.stdout
    assert "pool_times: has no source" in checked.stdout
    assert "fee_rate: the community has not filled fee_per_m2 (zh): not offered" in checked.stdout
    assert checked.stdout.endswith("1 of them kept back\n")
    assert (checked.returncode, exported.returncode) == (1, 0)
    assert "泳池{pool_hours}开放。" in out.read_text("utf-8")


def test_what_is_wrong_in_a_file_is_told_by_line_and_nothing_is_taken(run, tmp_path, sessions: Sessions):
    file = tmp_path / "ours.yml"
    file.write_text(FILE + "  - {key: gym, withdrawn: perhaps}\n", "utf-8")

    imported = run("import", file)

    assert imported.returncode == 1
    assert imported.stderr == f"{file}:5: expected here: withdrawn: true\n"
    with sessions.begin() as session:
        ours = communities.access_community(session, 100001)
        assert knowledge_entries.own(session, ours.id) == []


def test_a_butlers_answer_becomes_an_entry_with_one_command(run, sessions: Sessions):
    """It is shown first, and written only when somebody says so."""
    with sessions.begin() as session:
        stage = Stage(session)
        talk = stage.resident()
        case = stage.case(talk, kind="inquiry", matter="泳池水多深")
        unanswered.note(session, talk, "泳池水多深", case, source="turn:1", now=datetime.now(UTC))

    shown, refused = run("questions"), run("learn", 1, "--answer", "1.2米到1.8米。")
    learnt, nothing = run("learn", 1, "--answer", "1.2米到1.8米。", "--yes", "--by", "li"), run("learn", 1, "--yes")

    assert "1 ×1    泳池水多深" in shown.stdout
    assert "1.2米到1.8米。" in refused.stdout
    assert refused.returncode == 1
    assert learnt.returncode == 0
    assert nothing.stderr == "There is no open question number 1.\n"
    history = run("history", "q1")
    assert history.stdout.splitlines()[0].endswith(" UTC li")
