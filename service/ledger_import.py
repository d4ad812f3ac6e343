"""Take a file of the property system over: a household's entries of its kind are replaced as a whole.

The rows go into a temporary table by COPY, like a roster's. What is as it was keeps its row, so the same file again
changes nothing but the day it is of.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.orm import Session

from service import archive
from service.ledger_file import Row
from service.models.communities import Community
from service.table_cells import Change, Problem, Taken

LOCK = 7_262_616  # any fixed number: with the community's, the advisory lock that lets one import run at a time


@dataclass(frozen=True)
class Kept:
    """Where entries of a kind are kept."""

    table: str
    columns: tuple[str, ...]
    told_by: str  # what an entry is called in a report, as SQL; a code is nobody's business
    known_by: str  # what may stand only once in a file, as SQL


KEPT: Mapping[str, Kept] = {
    "fees": Kept(
        table="fees",
        columns=("name", "period", "amount", "waived", "paid", "currency", "due", "paid_on", "reference"),
        told_by="concat_ws(' ', name, period)",
        known_by="coalesce(reference, concat_ws('|', household_id, name, period))",
    ),
    "parking": Kept(
        table="parking_spaces",
        columns=("name", "plate", "valid_until"),
        told_by="concat_ws(' ', name, plate)",
        known_by="concat_ws('|', name, plate)",
    ),
    "visitor_codes": Kept(
        table="visitor_codes",
        columns=("name", "code", "valid_from", "valid_until"),
        told_by="coalesce(name, '')",
        known_by="code",
    ),
}


def take_in(
    session: Session,
    community: Community,
    kind: str,
    rows: Iterable[Row | list[Problem]],
    *,
    as_of: date | None = None,
    complete: bool = False,
    now: datetime,
) -> Taken:
    """Take the entries of a file over; the caller commits, or does not when it was only a rehearsal.

    Args:
        session: a transaction of its own.
        community: whose households they are.
        kind: fees, parking or visitor_codes, as `ledger_file` found it.
        rows: as `ledger_file` reads them.
        as_of: the day on which the property system said so; today without one.
        complete: the file holds every household: who is not in it has nothing of the kind any more.
        now: the moment, aware UTC.

    Raises:
        TableUnreadable: the file ends in the middle.
    """
    session.execute(text("SELECT pg_advisory_xact_lock(:lock, :community)"), {"lock": LOCK, "community": community.id})
    today = archive.today(session, community.id, now=now)
    day = as_of or today
    facts = {"community": community.id, "as_of": day, "complete": complete}
    taken = Taken()
    if day > today:
        taken.problems.append(Problem(0, "utter_ledger_of_a_day_to_come", {"day": day, "today": today}))
    _copy(session, KEPT[kind], rows, taken, zone=ZoneInfo(community.timezone))
    _check(session, KEPT[kind], facts, taken)
    if not taken.problems:
        _write(session, KEPT[kind], facts, taken)
        counts = {"rows": taken.rows, "added": taken.added, "gone": len(taken.changes)}
        archive.log_community(session, community.id, "ledger", actor="operator", now=now, kind=kind, **counts)
    return taken


def _copy(session: Session, kept: Kept, rows: Iterable[Row | list[Problem]], taken: Taken, *, zone: ZoneInfo) -> None:
    """Bring the rows to the database as they are read; columns have the types of the table they go to."""
    columns = ", ".join(kept.columns)
    session.execute(text("DROP TABLE IF EXISTS ledger_rows"))
    session.execute(
        text(f"""
            CREATE TEMPORARY TABLE ledger_rows ON COMMIT DROP AS
            SELECT CAST(0 AS int) AS row, CAST('' AS text) AS building, CAST('' AS text) AS unit,
                   CAST('' AS text) AS room, household_id, {columns} FROM {kept.table} WITH NO DATA
        """)  # noqa: S608 - only our own names are put in, here and below
    )
    connection: Any = session.connection().connection.driver_connection
    into = f"COPY ledger_rows (row, building, unit, room, {columns}) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(into) as copy:
        for row in rows:
            taken.rows += 1
            if isinstance(row, Row):
                values = (_in_zone(row.facts[name], zone) for name in kept.columns)
                copy.write_row([row.number, row.building, row.unit, row.room, *values])
            else:
                taken.problems += row
    session.execute(text("ANALYZE ledger_rows"))


def _in_zone(value: Any, zone: ZoneInfo) -> Any:
    is_local = isinstance(value, datetime) and value.tzinfo is None
    return value.replace(tzinfo=zone) if is_local else value


# The household behind a door; a unit that was left out is no obstacle when only one fits.
_FIND_HOUSEHOLDS = """
    UPDATE ledger_rows AS staged SET household_id = door.id
    FROM (SELECT staged.row, min(door.id) AS id FROM ledger_rows AS staged
          JOIN buildings AS building ON building.community_id = :community AND building.name = staged.building
          JOIN households AS door ON door.building_id = building.id AND door.room = staged.room
               AND staged.unit IN (door.unit, '')
          GROUP BY staged.row HAVING count(*) = 1) AS door
    WHERE door.row = staged.row
"""
_UNKNOWN = """
    SELECT row, concat_ws('-', building, nullif(unit, ''), room) AS place FROM ledger_rows
    WHERE household_id IS NULL ORDER BY row
"""


def _check(session: Session, kept: Kept, facts: dict[str, Any], taken: Taken) -> None:
    """What rows say about each other, and about the archive."""
    session.execute(text(_FIND_HOUSEHOLDS), facts)
    twice = f"""
        SELECT row, first FROM (
          SELECT row, min(row) OVER (PARTITION BY {kept.known_by}) AS first FROM ledger_rows) AS twin
        WHERE row > first
    """  # noqa: S608
    for phrase, query in {"utter_ledger_no_household": _UNKNOWN, "utter_ledger_twice": twice}.items():
        for found in session.execute(text(query)).mappings():
            more = {name: value for name, value in found.items() if name != "row"}
            taken.problems.append(Problem(found["row"], phrase, more))
    if not taken.rows:
        taken.problems.append(Problem(0, "utter_ledger_no_rows"))
    taken.problems.sort(key=lambda problem: problem.row)


def _write(session: Session, kept: Kept, facts: dict[str, Any], taken: Taken) -> None:
    columns = ", ".join(kept.columns)
    staged, ours = (", ".join(f"{side}.{name}" for name in kept.columns) for side in ("staged", "kept"))
    is_same = f"staged.household_id = kept.household_id AND ({staged}) IS NOT DISTINCT FROM ({ours})"
    gone = session.execute(
        text(f"""
            WITH gone AS (
              DELETE FROM {kept.table} AS kept WHERE community_id = :community
                AND (:complete OR household_id IN (SELECT household_id FROM ledger_rows))
                AND NOT EXISTS (SELECT 1 FROM ledger_rows AS staged WHERE {is_same})
              RETURNING household_id, {kept.told_by} AS name)
            SELECT concat_ws('-', building.name, nullif(door.unit, ''), door.room) AS place, gone.name FROM gone
            JOIN households AS door ON door.id = gone.household_id
            JOIN buildings AS building ON building.id = door.building_id
            ORDER BY place, gone.name
        """),  # noqa: S608
        facts,
    )
    taken.changes = [Change(0, "gone", found.place, found.name) for found in gone]
    added = session.execute(
        text(f"""
            INSERT INTO {kept.table} (community_id, household_id, as_of, {columns})
            SELECT CAST(:community AS bigint), household_id, CAST(:as_of AS date), {columns} FROM ledger_rows AS staged
            WHERE NOT EXISTS (SELECT 1 FROM {kept.table} AS kept WHERE {is_same})
            ORDER BY row RETURNING id
        """),  # noqa: S608
        facts,
    )
    taken.added = len(added.all())
    taken.same = taken.rows - taken.added
    session.execute(
        text(f"""
            UPDATE {kept.table} SET as_of = :as_of
            WHERE household_id IN (SELECT household_id FROM ledger_rows) AND as_of <> :as_of
        """),  # noqa: S608
        facts,
    )
    taken.households = session.scalar(text("SELECT count(DISTINCT household_id) FROM ledger_rows")) or 0
    session.expire_all()
