"""`guanjia console link`."""

from __future__ import annotations

from datetime import UTC, datetime

from service import sign_in
from service.db import Sessions
from service.models.console import AuditEntry
from service.models.people import Role
from tests.stage import BOT_ID, Stage


def test_the_operator_prints_a_link_for_the_first_manager(guanjia, database_url, sessions: Sessions):
    """On a fresh machine nobody can send one yet; who made it is in the audit log, without the link."""
    with sessions.begin() as session:
        stage = Stage(session)
        stage.member()
        manager = stage.member(Role.MANAGER).number

    done = guanjia("console", "link", DATABASE_URL=database_url, BOT_TOKEN=f"{BOT_ID}:TEST", CONSOLE_URL="https://a.b/")

    address, _, token = done.stdout.strip().rpartition("/")
    assert address == "https://a.b/enter", done.stderr
    with sessions.begin() as session:
        assert sign_in.redeem(session, token, now=datetime.now(UTC))[0].number == manager
        [written] = session.query(AuditEntry).all()
    assert (written.actor, written.act, written.object_id) == ("operator", "make_link", manager)


def test_without_anybody_to_sign_in_the_way_to_a_manager_is_told(guanjia, database_url, sessions: Sessions):
    """The first minute with a new installation."""
    done = guanjia("console", "link", DATABASE_URL=database_url, BOT_TOKEN=f"{BOT_ID}:TEST")

    assert done.returncode != 0
    assert "guanjia staff role" in done.stderr
