"""`guanjia bench sweeps`: what a look costs when nothing is due, and how the index is found.

Of every kind of follow-up there are so many rows, all due tomorrow, and as many lines that were sent long ago. Every
sweep of the scheduler looks at them as it does every second; what it takes is the median of many looks. A sheet of
100,000 call-backs is exported from the same rows.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import psutil
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from bot.scheduler import SWEEPS
from cli import bench, database, sheet_file
from cli.starting import settings_for
from service import communities, db, sheets
from service.sheets import CALL_BACKS, Period

LOOKS = 31
SWEPT_WITHIN = 5.0  # milliseconds: the bar
EXPORTED = 100_000  # rows of the sheet

_CASES = """
    WITH people AS (
      INSERT INTO residents (community_id, chat_id, display_name, language)
      SELECT :community, 1000 + n, 'R', 'zh' FROM generate_series(1, :rows) AS n RETURNING id),
    talks AS (
      INSERT INTO conversations (community_id, resident_id, owner, epoch, misunderstood, dialogue_is_old)
      SELECT :community, id, 'bot', 0, 0, false FROM people RETURNING id, resident_id)
    INSERT INTO cases (community_id, number, conversation_id, resident_id, department_id, source, kind, category, state,
                       urgency, resolution, matter, opened_at)
    SELECT :community, 'B' || id, id, resident_id, (SELECT min(id) FROM departments), 'bench', 'repair', 'water',
           'finished', 0, 1, 'bench', clock_timestamp() FROM talks
"""
# What is looked through, and the sweep that looks; each row tomorrow's.
_ROWS = {
    "call_backs": """
        INSERT INTO call_backs (case_id, resolution, state, tries, due_at)
        SELECT id, 1, 'planned', 0, clock_timestamp() + interval '1 day' FROM cases
    """,
    "surveys": """
        INSERT INTO surveys (case_id, resolution, state, asked_at) SELECT id, 1, 'sent', clock_timestamp() FROM cases
    """,
    "clocks": """
        INSERT INTO case_clocks (case_id, clock, run, started_at, due_at, wake_at)
        SELECT id, 'finish', 1, opened_at, opened_at + interval '1 day', opened_at + interval '1 day' FROM cases
    """,
    "desk messages": """
        INSERT INTO desk_messages (community_id, conversation_id, taken_at, opens_at, words)
        SELECT community_id, conversation_id, opened_at, opened_at + interval '1 day', '' FROM cases
    """,
    "visits": """
        INSERT INTO appointments (case_id, department_id, begins_at, ends_at, state, made_at, step, due_at)
        SELECT id, department_id, opened_at + interval '2 days', opened_at + interval '50 hours', 'agreed', opened_at,
               'evening', opened_at + interval '1 day' FROM cases
    """,
    "waits": """
        INSERT INTO waits (community_id, conversation_id, reason, since, wake_at)
        SELECT community_id, conversation_id, 'asked', opened_at, opened_at + interval '1 day' FROM cases
    """,
    "reports of an incident": """
        WITH incident AS (
          INSERT INTO incidents (community_id, source, category, places, begins_at, expected_until, entered_by)
          SELECT min(community_id), 'bench', 'water', '[]', clock_timestamp(), clock_timestamp() + interval '1 day', ''
          FROM cases RETURNING id)
        INSERT INTO incident_reports (incident_id, conversation_id, kind, matter, joined_at, due_at)
        SELECT incident.id, conversation_id, 'repair', 'bench', opened_at, opened_at + interval '1 day'
        FROM incident, cases
    """,
    "steps": """
        INSERT INTO case_events (case_id, event, actor, at, key)
        SELECT id, 'finished', 'staff:101', opened_at, 'done' FROM cases
    """,
    "lines": """
        INSERT INTO outbox (bot_id, community_id, chat_id, conversation_id, epoch, lane, kind, act, payload, priority,
                            delivery, state, settled_at)
        SELECT 1, community_id, 1, conversation_id, 0, 'bench', 'reply', 'say', '{}', 10, 'at_least_once', 'sent',
               clock_timestamp() FROM cases
    """,
}
_KEEP = "DELETE FROM call_backs WHERE id NOT IN (SELECT id FROM call_backs ORDER BY id LIMIT :kept)"


def run(rows: int) -> dict[str, float]:
    """Fill a database, look, and print and give back the milliseconds."""
    folder = bench.fresh("bench-sweeps")
    with (
        bench.settings_of_children({"DATA_DIR": str(folder), "DATABASE_URL": ""}),
        database.opened(settings_for("bench", token=False)) as url,
    ):
        engine = db.connect(url)
        _fill(engine, rows)
        figures: dict[str, float] = {}
        for name in SWEEPS:
            took = _look(engine, name)
            figures |= {f"sweep_{name}_ms": median(took), f"sweep_{name}_least_ms": min(took)}
        figures |= _export(engine, folder)
        engine.dispose()
    for name, figure in figures.items():
        print(f"{name:30}{figure:10.2f}")
    print(f"{rows} rows of each kind; bar: {SWEPT_WITHIN:.0f} ms a sweep")
    return figures


def _fill(engine: Engine, rows: int) -> None:
    with db.transaction(db.sessions(engine)) as session:
        profile = communities.Profile("bench", "Asia/Shanghai", "1", -1)
        community = communities.settle_in(session, 1, profile)
        session.execute(text("SET LOCAL session_replication_role = 'replica'"))  # no change of today's is swept
        session.execute(text(_CASES), {"community": community.id, "rows": rows})
        for name, fill in _ROWS.items():
            session.execute(text(fill))
            print(f"{rows} {name}")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def _look(engine: Engine, name: str) -> list[float]:
    """Milliseconds of each look, all its statements together; the first one is for the caches."""
    took = []
    with Session(engine) as session:
        for _ in range(LOOKS):
            started = time.perf_counter()
            found = SWEEPS[name](session, datetime.now(UTC))
            took.append((time.perf_counter() - started) * 1000)
        assert found == 0, f"{name} found {found} rows"
        session.rollback()
    return took[1:]


def _export(engine: Engine, folder: Path) -> dict[str, float]:
    """The call-back sheet of 100,000 rows: seconds, and by how many megabytes this process grew at the most."""
    with engine.begin() as connection:
        connection.execute(text(_KEEP), {"kept": EXPORTED})
    before = psutil.Process().memory_info().rss
    started = time.perf_counter()
    with Session(engine) as session:
        community = communities.access_community(session, 1)
        found = sheets.read(session, CALL_BACKS, community, Period())
        count = sheet_file.write_xlsx(folder / "sheet.xlsx", CALL_BACKS, found, language="zh")
    grown = (psutil.Process().memory_info().rss - before) / 1e6
    return {"export_rows": count, "export_seconds": time.perf_counter() - started, "export_grown_mb": grown}
