"""`guanjia staff` and `guanjia self-checks`."""

from __future__ import annotations

import pytest

from service import self_check
from service.db import Sessions
from service.models.figures import SelfCheck
from service.models.people import Role, Staff
from tests.stage import BOT_ID, NOON, Stage


@pytest.fixture
def run(guanjia, database_url):
    """Run a command of `guanjia` for the community of the tests."""

    def command(*arguments: object):
        return guanjia(*map(str, arguments), DATABASE_URL=database_url, BOT_TOKEN=f"{BOT_ID}:TEST")

    return command


@pytest.fixture
def number(sessions: Sessions) -> int:
    """The number of a butler."""
    with sessions.begin() as session:
        return Stage(session).member().number


def test_the_operator_makes_the_first_manager(run, sessions, number):
    """In the group only a manager can, so the first one comes from here."""
    done = run("staff", "role", number, "manager")
    listed = run("staff", "list")

    with sessions.begin() as session:
        assert session.query(Staff).one().role is Role.MANAGER
    assert done.returncode == 0
    assert f"{number} manager" in listed.stdout


@pytest.mark.parametrize(("who", "role", "words"), [(None, "king", "say butler"), (999, "manager", "nobody")])
def test_a_wrong_word_is_answered_with_what_to_say(run, sessions, number, who, role, words):
    refused = run("staff", "role", who or number, role)

    assert refused.returncode == 1
    assert words in refused.stderr


def test_the_nights_are_shown_and_a_violation_is_no_success(run, sessions, number):
    with sessions.begin() as session:
        self_check.check_due(session, now=NOON)
    well = run("self-checks")
    with sessions.begin() as session:
        session.query(SelfCheck).one().violations = [{"what": "spoken_over", "conversation": 7, "row": 8}]

    bad = run("self-checks")

    assert (well.returncode, bad.returncode) == (0, 1)
    assert "spoken_over: conversation 7, row 8" in bad.stdout
