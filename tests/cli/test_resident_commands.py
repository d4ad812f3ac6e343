"""`guanjia residents`: a roster as an operator takes it over."""

from __future__ import annotations

import csv
import re
import stat
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
import segno

from cli import bench_roster
from service import invitation_sheet, invitations
from service.db import Sessions
from service.models.archive import Fee, Invitation, Member

FEES = "房屋,收费项目,金额,缴费日期\n3栋2单元1201,物业费,1234.5,\n9栋1201,物业费,1234.5,\n"
ROSTER = "楼栋,单元,房号,姓名,手机号\n3,2,1201,王芳,13800138000\n3,2,1202,李雷,\n"


@pytest.fixture
def run(guanjia, database_url, sessions):
    """Run `guanjia residents`; what it commits is removed afterwards."""

    def residents(*arguments: object):
        return guanjia("residents", *map(str, arguments), DATABASE_URL=database_url, COMMUNITY="阳光花园")

    return residents


def names(sessions: Sessions) -> list[str]:
    with sessions.begin() as session:
        return sorted(member.name for member in session.query(Member))


def report(file: Path) -> list[list[str]]:
    with file.open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.reader(lines))[1:]


def test_a_roster_is_taken_over_and_again_changes_nothing(run, sessions, tmp_path):
    file = tmp_path / "roster.csv"
    file.write_text(ROSTER, "utf-8")

    rehearsal = run("import", file, "--dry-run")
    assert (names(sessions), rehearsal.returncode) == ([], 0), rehearsal.stderr
    first, again = run("import", file), run("import", file)

    assert "2 people: 2 new, 0 as they were" in first.stdout
    assert "2 people: 0 new, 2 as they were" in again.stdout
    assert "2/2 rows" in first.stdout
    assert names(sessions) == ["李雷", "王芳"]


def test_what_is_wrong_stands_in_the_terminal_and_in_a_report(run, sessions, tmp_path):
    """The report goes back to whoever keeps the roster; a spreadsheet opens it, and runs nothing in it."""
    file, target = tmp_path / "roster.csv", tmp_path / "wrong.csv"
    file.write_text(ROSTER + "3,2,1203,,123\n", "gb18030")

    result = run("import", file, "--report", target)

    assert result.returncode == 1
    assert f"{file}:4: 姓名 is empty." in result.stderr
    assert "nothing was written" in result.stderr
    assert names(sessions) == []
    assert [(row, kind) for row, kind, *_ in report(target)] == [("4", "problem"), ("4", "problem")]
    assert stat.S_IMODE(target.stat().st_mode) == 0o600, "it names people"


def test_a_cell_that_a_spreadsheet_would_run_is_only_text(run, sessions, tmp_path):
    file = tmp_path / "roster.csv"
    file.write_text('楼栋,房号,姓名\n3,101,"=HYPERLINK(""http://x"")"\n3,102,王芳\n', "utf-8")
    run("import", file)
    file.write_text("楼栋,房号,姓名\n3,102,王芳\n", "utf-8")

    run("import", file)

    [[row, kind, place, name, *_]] = report(tmp_path / "roster.csv.report.csv")
    assert (row, kind, place, name[:3]) == ("", "missing", "3-101", "'=H")


def test_what_the_property_system_holds_is_taken_over_with_its_day(run, sessions, tmp_path):
    """The file says itself what it is; what is wrong goes back with its row, and nothing of it is kept."""
    people, file = tmp_path / "roster.csv", tmp_path / "fees.csv"
    people.write_text(ROSTER, "utf-8")
    file.write_text(FEES, "utf-8")
    run("import", people)

    wrong = run("ledger", file, "--as-of", "2026-11-20")
    file.write_text(FEES.replace("9栋1201", "3栋2单元1202"), "utf-8")
    right = run("ledger", file, "--as-of", "2026-11-20")

    assert (wrong.returncode, right.returncode) == (1, 0), right.stderr
    assert f"{file}:3: The archive has no household 9-1201" in wrong.stderr
    assert "fees of 2 households: 2 new, 0 as they were" in right.stdout
    with sessions.begin() as session:
        assert {(one.as_of, one.amount) for one in session.query(Fee)} == {(date(2026, 11, 20), Decimal("1234.50"))}


@pytest.mark.parametrize(
    ("content", "arguments", "said"),
    [
        (None, (), "No such file or directory"),
        (b"", (), "The file is empty."),
        (b"PK\x03\x04", (), "may be damaged"),
        (ROSTER.encode(), ("--community", "月亮湾"), "There is no community called 月亮湾"),
    ],
)
def test_what_cannot_work_is_said_in_one_line(run, tmp_path, content, arguments, said):
    file = tmp_path / "roster.csv"
    if content is not None:
        file.write_bytes(content)

    result = run("import", file, *arguments)

    assert result.returncode == 1
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_the_roster_of_the_benchmark_is_the_same_every_time(tmp_path):
    """Figures of two machines, or of two weeks, are of one file."""
    first, again = list(bench_roster.rows(500)), list(bench_roster.rows(500))
    changed = list(bench_roster.rows(500, changed=0.1))

    assert first == again
    assert len({row[:4] for row in first}) == 500
    assert {row[:4] for row in changed} == {row[:4] for row in first}
    assert 20 < sum(one != other for one, other in zip(first, changed, strict=True)) < 90


@pytest.fixture
def filled(run, tmp_path):
    """An archive with two households."""
    file = tmp_path / "roster.csv"
    file.write_text(ROSTER, "utf-8")
    assert run("import", file).returncode == 0


def links(page: Path) -> list[str]:
    return re.findall(r"https://t\.me/guanjia_bot\?start=([\w-]{32})<", page.read_text("utf-8"))


def test_a_page_of_invitations_has_a_strip_for_every_household(filled, run, sessions, tmp_path):
    page = tmp_path / "sheet.html"

    made = run("invite", "--building", "3", "--out", page, "--bot-name", "guanjia_bot")

    assert made.stdout.startswith("2 invitations"), made.stderr
    written = page.read_text("utf-8")
    assert written.count("<svg") == written.count('class="sheet"') == 2
    assert re.findall(r"<h2>(.*?)</h2>", written) == ["3栋2单元1201室", "3栋2单元1202室"]
    assert "王芳" not in written, "the paper may lie in the wrong letter box"
    assert stat.S_IMODE(page.stat().st_mode) == 0o600, "it is a bunch of keys"
    with sessions.begin() as session:
        assert {one.digest for one in session.query(Invitation)} == set(map(invitations.digest, links(page)))


def test_the_page_says_in_both_languages_what_it_is(filled, run, tmp_path):
    page = tmp_path / "sheet.html"
    run("invite", "--room", "1201", "--out", page, "--bot-name", "guanjia_bot", "--days", "7")

    written = page.read_text("utf-8")

    assert "请用手机扫码" in written
    assert "Scan this code" in written
    assert "$" not in written


def test_revoked_sheets_open_nothing(filled, run, sessions, tmp_path):
    run("invite", "--out", tmp_path / "sheet.html", "--bot-name", "guanjia_bot")

    ended = run("revoke", "--room", "1201")

    assert ended.stdout == "1 invitations ended\n"
    with sessions.begin() as session:
        assert sorted(one.revoked_at is None for one in session.query(Invitation)) == [False, True]


def test_a_door_nobody_knows_is_said(filled, run, tmp_path):
    result = run("invite", "--building", "9", "--out", tmp_path / "sheet.html", "--bot-name", "guanjia_bot")

    assert result.returncode == 1
    assert "no such household" in result.stderr
    assert not (tmp_path / "sheet.html").exists()


def test_a_code_holds_the_whole_link():
    """Read back by its own rules: as long a link as Telegram allows still fits a code a phone can read."""
    longest = invitation_sheet.link("a" * 32, "x" * 64)

    drawn = segno.make(longest, error="m", micro=False)

    assert int(drawn.version) <= 8
    assert invitation_sheet.code(longest).startswith("<svg")
