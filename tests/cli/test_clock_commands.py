"""`guanjia clocks`: targets shown, tried, set and forgotten."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from service import cases, communities, residents
from service.db import Sessions
from service.models.cases import CaseClock


@pytest.fixture
def run(guanjia, sessions, database_url):
    """Run `guanjia clocks`."""

    def clocks(*arguments: object, **settings: str):
        return guanjia("clocks", *map(str, arguments), DATABASE_URL=database_url, **settings)

    return clocks


@pytest.fixture
def at_work(sessions: Sessions) -> Sessions:
    """A repair of yesterday that nobody has accepted."""
    with sessions.begin() as session:
        community = communities.settle_in(session, 0, communities.Profile("x", "Asia/Shanghai", "1", None))
        talk = residents.access_conversation(session, community.id, 5, display_name="王芳", language="zh")
        facts, then = cases.Facts("repair", "那个东西坏了"), datetime.now(UTC) - timedelta(days=1)
        cases.open_case(session, talk, facts, source="turn:1", now=then)
    return sessions


def due(sessions: Sessions) -> datetime | None:
    with sessions.begin() as session:
        return session.scalar(select(CaseClock.due_at).where(CaseClock.clock == "accept"))


def test_a_target_is_set_shown_and_forgotten_and_running_clocks_follow(run, at_work):
    before = due(at_work)
    kept = run("set", "repair", "accept", 600)
    moved, shown = due(at_work), run("show")
    forgotten, again = run("forget", "repair", "accept"), run("forget", "repair", "accept")

    assert kept.stdout == "kept; 1 cases at work have their clocks set anew\n", kept.stderr
    assert "* repair          accept             600 min service" in shown.stdout
    assert "  repair          accept              10 min always   " in shown.stdout
    assert before is not None
    assert moved is not None
    assert moved > before
    assert (forgotten.returncode, again.returncode, due(at_work)) == (0, 1, before)


def test_what_if_shows_which_cases_would_have_been_late_and_saves_nothing(run, at_work):
    before = due(at_work)
    shown = run("what-if", "--set", "repair.accept=100000")

    assert "repair accept                   1 → 0     of 1  - R" in shown.stdout, shown.stderr
    assert due(at_work) == before


def test_what_if_tries_a_calendar(run, at_work, tmp_path):
    file = tmp_path / "days.csv"
    file.write_text("day,hours\nmon-sun,00:00-00:01\n")

    assert "repair accept                   1 → 0     of 1" in run("what-if", "--calendar", file).stdout


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("set", "repair", "accept", "0"), "more than nothing"),
        (("set", "repair", "dance", "5"), '"dance" is none of: accept'),
        (("what-if",), "name a change"),
        (("what-if", "--set", "repair"), "write it like repair.finish=240"),
        (("what-if", "--set", "repair.accept=0"), "more than nothing"),
        (("what-if", "--set", "repair.accept.dance=5"), '"dance" is none of'),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(run, arguments, reason):
    refused = run(*arguments)

    assert refused.returncode == 1
    assert reason in refused.stderr


def test_another_zone_in_the_settings_sets_running_clocks_anew(run, at_work):
    """The hours on the door stay; the clock on the wall is another."""
    before = due(at_work)

    run("show", TIMEZONE="America/New_York")

    assert due(at_work) != before
