"""`guanjia visits`: places in a window, by department."""

from __future__ import annotations

from sqlalchemy import select

from service import communities
from service.models.communities import Department


def test_a_departments_places_are_set(guanjia, sessions, database_url):
    with sessions.begin() as session:
        communities.settle_in(session, 0, communities.Profile("x", "Asia/Shanghai", "1", None))

    kept = guanjia("visits", "set", "engineering", "4", DATABASE_URL=database_url)
    shown = guanjia("visits", "show", DATABASE_URL=database_url)

    with sessions.begin() as session:
        known = dict(session.execute(select(Department.key, Department.visit_places)).all())
    assert (kept.stdout, known["engineering"], known["order"]) == ("kept\n", 4, None)
    assert "* engineering  4 in 120 minutes" in shown.stdout
