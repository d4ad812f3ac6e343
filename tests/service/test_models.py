"""What a session keeps in hand."""

from __future__ import annotations

from sqlalchemy import event

from service.models.communities import Community
from tests.stage import Stage


def test_a_session_asks_for_its_community_once(sessions):
    """Every function of the service asks for it; a step of a case used to read the same row seven times."""
    with sessions.begin() as session:
        community_id = Stage(session).community.id
    asked: list[str] = []
    with sessions.begin() as session:
        event.listen(session.connection(), "before_cursor_execute", lambda *facts: asked.append(facts[2]))

        names = {session.get_one(Community, community_id).name for _ in range(3)}

    assert len(names) == len(asked) == 1
