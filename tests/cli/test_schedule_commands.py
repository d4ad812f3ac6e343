"""`guanjia schedule`: what is to come, held and released, by the command an operator types."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from service import callbacks, cases, communities, residents
from service.db import Sessions


@pytest.fixture
def run(guanjia, database_url):
    """Run `guanjia schedule`."""

    def schedule(*arguments: object):
        return guanjia("schedule", *map(str, arguments), DATABASE_URL=database_url)

    return schedule


@pytest.fixture
def due(sessions: Sessions) -> str:
    """A finished repair whose call-back was due a while ago."""
    now = datetime.now(UTC) - timedelta(days=2)
    with sessions.begin() as session:
        community = communities.settle_in(session, 0, communities.Profile("x", "Asia/Shanghai", "1", None))
        talk = residents.access_conversation(session, community.id, 5, display_name="王芳", language="zh")
        case = cases.open_case(session, talk, cases.Facts("repair", "那个东西坏了"), source="turn:1", now=now)
        cases.advance(session, case, cases.Event.FINISHED, actor="staff:101", key="done", now=now)
        callbacks.plan(session, case, now=now)
        return case.number


def test_what_is_due_is_listed_and_held(run, due):
    """Each row is named by what hold and release ask for; nobody is named."""
    [row] = json.loads(run("--json", "--kind", "call_back").stdout)
    held = run("hold", row["kind"], row["number"], "--why", "业主出差")
    shown = run("--held", "--case", due.lower(), "--language", "zh").stdout

    assert (row["case"], row["due_at"][-6:], row["held_by"]) == (due, "+08:00", None)
    assert held.returncode == 0, held.stderr
    assert f"call_back{row['number']:12}  {due:12} 回访; " in shown
    assert "暂缓：业主出差" in shown
    assert "王芳" not in shown


def test_a_kind_that_is_none_is_refused_with_those_there_are(run, sessions):
    refused = run("--kind", "dance")

    assert refused.returncode == 1
    assert "no such kind: dance; there are: call_back, reminder" in refused.stderr
