"""`guanjia calendar`: in from a file, and shown."""

from __future__ import annotations

import pytest

from service.db import Sessions
from service.models.communities import CalendarDay


@pytest.fixture
def run(guanjia, sessions, database_url):
    """Run `guanjia calendar`."""

    def calendar(*arguments: object, **settings: str):
        return guanjia("calendar", *map(str, arguments), DATABASE_URL=database_url, **settings)

    return calendar


def days(sessions: Sessions) -> int:
    with sessions.begin() as session:
        return session.query(CalendarDay).count()


def test_what_was_imported_is_shown(run, sessions, tmp_path):
    file = tmp_path / "days.csv"
    file.write_text("day,hours,name\nmon-fri,22:00-06:00,\nsat,closed,\n2099-10-01,closed,国庆节\n", "utf-8")

    rehearsed, rehearsed_days = run("import", file, "--dry-run"), days(sessions)
    imported, shown = run("import", file), run("show")

    assert (rehearsed.returncode, rehearsed_days) == (0, 0), rehearsed.stderr
    assert imported.stdout.startswith("6 weekdays, 1 days; next opening"), imported.stderr
    assert "mon        22:00-06:00\n" in shown.stdout
    assert "sat        closed\n" in shown.stdout
    assert "sun        08:00-20:00\n" in shown.stdout
    assert "2099-10-01 closed                  国庆节\n" in shown.stdout


def test_mistakes_are_listed_with_their_rows_and_nothing_is_written(run, sessions, tmp_path):
    file = tmp_path / "days.csv"
    file.write_text("day,hours\n2026-10-01,closed\n2026-10-32,closed\nmon,8-12\n", "utf-8")

    refused = run("import", file)

    assert refused.returncode == 1
    assert f'{file}:3: "2026-10-32" is neither a date' in refused.stderr
    assert f'{file}:4: "8-12" will not do here' in refused.stderr
    assert days(sessions) == 0


def test_a_calendar_that_never_opens_is_refused(run, tmp_path):
    file = tmp_path / "days.csv"
    file.write_text("day,hours\nmon-sun,closed\n", "utf-8")

    refused = run("import", file)

    assert refused.returncode == 1
    assert "it hardly ever opens, or never" in refused.stderr


def test_a_file_that_is_not_there_is_named(run, tmp_path):
    assert "No such file" in run("import", tmp_path / "none.csv").stderr
