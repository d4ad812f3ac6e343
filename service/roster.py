"""Take a roster over: everything, or nothing and a list of what is wrong, row by row.

The rows go into a temporary table by COPY; what they change is found and done by a handful of set-based statements, so
that a hundred thousand people take seconds. Taking the same file over again changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from service import archive, binding, table_cells
from service.errors import TooManyMovedOut
from service.models.archive import Member
from service.models.communities import Community
from service.models.people import Resident
from service.roster_file import Row
from service.table_cells import Change, Problem

LOCK = 7_262_615  # any fixed number: with the community's, the advisory lock that lets one import run at a time
MOST_MOVED_OUT = 0.2  # of those who live there; more in one file is a mistake until somebody says that it is none


@dataclass
class Taken(table_cells.Taken):
    """What became of a roster, which makes houses too."""

    buildings: int = 0

    def count(self, kind: str) -> int:
        """How many changes of a kind there are."""
        return sum(change.kind == kind for change in self.changes)


def nothing_to_tell(_: str) -> None:
    """Nobody watches how far it is."""


def take_in(
    session: Session,
    community: Community,
    rows: Iterable[Row | list[Problem]],
    *,
    now: datetime,
    actor: str = "operator",
    complete: bool = False,
    new_buildings: bool = False,
    many_moved_out: bool = False,
    step: Callable[[str], None] = nothing_to_tell,
) -> Taken:
    """Take the people of a roster over; the caller commits, or does not when it was only a rehearsal.

    Args:
        session: a transaction of its own.
        community: whose roster it is.
        rows: as `roster_file` reads them.
        now: the moment, aware UTC.
        actor: who does it, for the log.
        complete: the file holds everybody: who lives there and is not in it has moved out.
        new_buildings: buildings nobody knows yet are no mistake; in a community without any they never are.
        many_moved_out: more than a fifth moving out at once is no mistake.
        step: is told the name of each step before it is done.

    Raises:
        TooManyMovedOut: more than `MOST_MOVED_OUT` would move out.
        TableUnreadable: the file ends in the middle.
    """
    session.execute(text("SELECT pg_advisory_xact_lock(:lock, :community)"), {"lock": LOCK, "community": community.id})
    taken = Taken()
    _copy(session, rows, taken)
    step("check")
    day = archive.today(session, community.id, now=now)
    facts = {"community": community.id, "day": day, "new_buildings": new_buildings}
    _check(session, facts, taken)
    if taken.problems:
        return taken
    _write(session, facts, taken, complete=complete, many_moved_out=many_moved_out, step=step)
    step("accounts")
    _bring_accounts_up_to_date(session, community, taken, actor=actor, now=now, day=day)
    return taken


_STAGE = """
    CREATE TEMPORARY TABLE roster_rows (
      row int, building text, unit text, room text, name text, surname text, honorific text, language text, phone text,
      role text, moved_in date, moved_out date, household_id bigint, member_id bigint, kind text, detail text
    ) ON COMMIT DROP
"""
_COPY = f"COPY roster_rows ({', '.join(('row', *Row._fields[1:]))}) FROM STDIN"


def _copy(session: Session, rows: Iterable[Row | list[Problem]], taken: Taken) -> None:
    """Bring the rows to the database as they are read; none is kept here."""
    session.execute(text("DROP TABLE IF EXISTS roster_rows"))
    session.execute(text(_STAGE))
    connection: Any = session.connection().connection.driver_connection
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for row in rows:
            taken.rows += 1
            if isinstance(row, Row):
                copy.write_row(row)
            else:
                taken.problems += row
    session.execute(text("ANALYZE roster_rows"))


# What rows say about each other, or about a community that is known already: the phrase, and a query for its rows.
_CHECKS = {
    "utter_roster_twice": """
        SELECT row, first FROM (
          SELECT row, min(row) OVER (PARTITION BY building, unit, room, name) AS first FROM roster_rows) AS twin
        WHERE row > first ORDER BY row
    """,
    "utter_roster_new_building": """
        SELECT min(row) AS row, building, count(*) AS people FROM roster_rows
        WHERE NOT :new_buildings AND EXISTS (SELECT 1 FROM buildings WHERE community_id = :community)
          AND building NOT IN (SELECT name FROM buildings WHERE community_id = :community)
        GROUP BY building ORDER BY 1
    """,
}


def _check(session: Session, facts: dict[str, Any], taken: Taken) -> None:
    for phrase, query in _CHECKS.items():
        for found in session.execute(text(query), facts).mappings():
            more = {name: value for name, value in found.items() if name != "row"}
            taken.problems.append(Problem(found["row"], phrase, more))
    taken.problems.sort(key=lambda problem: problem.row)


_BUILDINGS = """
    INSERT INTO buildings (community_id, name) SELECT DISTINCT CAST(:community AS bigint), building FROM roster_rows
    ON CONFLICT DO NOTHING
"""
_HOUSEHOLDS = """
    INSERT INTO households (community_id, building_id, unit, room)
    SELECT DISTINCT CAST(:community AS bigint), building.id, staged.unit, staged.room FROM roster_rows AS staged
    JOIN buildings AS building ON building.community_id = :community AND building.name = staged.building
    ON CONFLICT DO NOTHING
"""
_FIND_HOUSEHOLDS = """
    UPDATE roster_rows AS staged SET household_id = door.id
    FROM households AS door JOIN buildings AS building ON building.id = door.building_id
    WHERE building.community_id = :community AND building.name = staged.building
      AND door.unit = staged.unit AND door.room = staged.room
"""
_FIND_MEMBERS = """
    UPDATE roster_rows AS staged SET member_id = member.id,
      kind = CASE WHEN member.moved_out <= :day AND (staged.moved_out IS NULL OR staged.moved_out > :day) THEN 'back'
                  WHEN staged.moved_out <= :day AND (member.moved_out IS NULL OR member.moved_out > :day)
                  THEN 'moved_out' END
    FROM members AS member WHERE member.household_id = staged.household_id AND member.name = staged.name
"""

# A name that is new in its household, with the number of somebody there whose name is not in the file any more: the
# name was written wrongly, and the person stays who they are, with the account that is bound to them.
_FIND_RENAMED = """
    UPDATE roster_rows AS staged SET member_id = member.id, kind = 'renamed', detail = member.name
    FROM members AS member
    WHERE staged.member_id IS NULL AND staged.phone IS NOT NULL AND member.household_id = staged.household_id
      AND member.phone = staged.phone
      AND NOT EXISTS (SELECT 1 FROM roster_rows AS other WHERE other.member_id = member.id)
      AND NOT EXISTS (SELECT 1 FROM roster_rows AS twin WHERE twin.household_id = staged.household_id
                      AND twin.phone = staged.phone AND twin.member_id IS NULL AND twin.row < staged.row)
"""
_COLUMNS = ("name", "surname", "honorific", "language", "phone", "role", "moved_in", "moved_out")

# An empty cell says nothing, but of moving out: who stands in the file without a day lives there.
_NEW = ", ".join(
    f"staged.{column} AS {column}" if column in {"name", "surname", "moved_out"} else
    f"coalesce(staged.{column}, member.{column}) AS {column}"
    for column in _COLUMNS
)  # fmt: skip
_CHANGED = " || ".join(
    f"CASE WHEN fresh.{column} IS DISTINCT FROM member.{column} THEN ARRAY['{column}'] ELSE '{{}}' END"
    for column in _COLUMNS
)
_FIND_CHANGED = f"""
    UPDATE roster_rows AS staged SET kind = coalesce(staged.kind, 'changed'),
      detail = coalesce(staged.detail, array_to_string({_CHANGED}, ', '))
    FROM members AS member, (SELECT staged.row, {_NEW} FROM roster_rows AS staged
                             JOIN members AS member ON member.id = staged.member_id) AS fresh
    WHERE member.id = staged.member_id AND fresh.row = staged.row AND cardinality({_CHANGED}) > 0
"""  # noqa: S608 - only our own columns are put in
_CHANGE = f"""
    UPDATE members AS member SET {", ".join(f"{column} = fresh.{column}" for column in _COLUMNS)}
    FROM (SELECT staged.kind, staged.member_id, {_NEW} FROM roster_rows AS staged
          JOIN members AS member ON member.id = staged.member_id) AS fresh
    WHERE member.id = fresh.member_id AND fresh.kind IS NOT NULL
"""  # noqa: S608
_ADD = """
    INSERT INTO members
      (community_id, household_id, name, surname, honorific, language, phone, role, moved_in, moved_out)
    SELECT CAST(:community AS bigint), household_id, name, surname, honorific, language, phone,
           coalesce(role, 'owner'), moved_in, moved_out
    FROM roster_rows WHERE member_id IS NULL
"""
_LIVING = "SELECT count(*) FROM members WHERE community_id = :community AND (moved_out IS NULL OR moved_out > :day)"
_MISSING = """
    FROM members AS member
    WHERE member.community_id = :community AND (member.moved_out IS NULL OR member.moved_out > :day)
      AND NOT EXISTS (SELECT 1 FROM roster_rows AS staged WHERE staged.member_id = member.id)
"""
_FIND_MISSING = f"""
    SELECT building.name AS building, door.unit, door.room, missing.name
    FROM (SELECT member.name, member.household_id {_MISSING}) AS missing
    JOIN households AS door ON door.id = missing.household_id
    JOIN buildings AS building ON building.id = door.building_id
    ORDER BY building.name, door.unit, door.room, missing.name
"""  # noqa: S608
_MOVE_OUT = f"UPDATE members SET moved_out = :day WHERE id IN (SELECT member.id {_MISSING})"  # noqa: S608
_FIND_ADDED = """
    UPDATE roster_rows AS staged SET member_id = member.id, kind = 'added' FROM members AS member
    WHERE staged.member_id IS NULL AND member.household_id = staged.household_id AND member.name = staged.name
"""
_STAGED_CHANGES = """
    SELECT row, kind, building, unit, room, name, coalesce(detail, '') AS detail FROM roster_rows
    WHERE kind IS NOT NULL AND kind <> 'added' ORDER BY row
"""

# Two names with one number: both are kept, but that number can tell nobody apart (`archive.by_phone`).
_SHARED = """
    SELECT row, 'shared_phone' AS kind, building, unit, room, name, CAST(first AS text) AS detail FROM (
      SELECT *, min(row) OVER (PARTITION BY phone) AS first,
             first_value(name) OVER (PARTITION BY phone ORDER BY row) AS owner
      FROM roster_rows WHERE phone IS NOT NULL) AS staged
    WHERE name <> owner ORDER BY row
"""


def _write(
    session: Session,
    facts: dict[str, Any],
    taken: Taken,
    *,
    complete: bool,
    many_moved_out: bool,
    step: Callable[[str], None],
) -> None:
    def done(statement: str) -> int:
        count: int = session.execute(text(statement), facts).rowcount  # type: ignore[attr-defined]
        return count

    step("households")
    taken.buildings, taken.households = done(_BUILDINGS), done(_HOUSEHOLDS)
    done(_FIND_HOUSEHOLDS)
    session.execute(text("CREATE INDEX ON roster_rows (household_id, name)"))
    session.execute(text("ANALYZE roster_rows"))
    step("compare")
    for statement in (_FIND_MEMBERS, _FIND_RENAMED, _FIND_CHANGED):
        done(statement)
    session.execute(text("CREATE INDEX ON roster_rows (member_id)"))
    step("changes")
    changed = done(_CHANGE)
    step("people")
    living = session.scalar(text(_LIVING), facts) or 0
    taken.added = done(_ADD)
    done(_FIND_ADDED)
    taken.same = taken.rows - taken.added - changed
    step("missing")
    taken.changes = [*_changes(session, _STAGED_CHANGES, facts), *_changes(session, _SHARED, facts)]
    missing = list(_changes(session, _FIND_MISSING, facts, kind="moved_out" if complete else "missing"))
    if complete and len(missing) > living * MOST_MOVED_OUT and not many_moved_out:
        raise TooManyMovedOut(count=len(missing), living=living)
    taken.changes += missing
    if complete:
        done(_MOVE_OUT)


def _changes(session: Session, query: str, facts: dict[str, Any], *, kind: str = "") -> Iterator[Change]:
    for found in session.execute(text(query), facts).mappings():
        yield Change(
            row=found.get("row", 0),
            kind=found.get("kind", kind),
            place="-".join(filter(None, (found["building"], found["unit"], found["room"]))),
            name=found["name"],
            detail=found.get("detail", ""),
        )


_CHANGED_FILES = text("""
    SELECT staged.member_id, staged.detail FROM roster_rows AS staged
    WHERE staged.kind <> 'added' AND staged.member_id IN (SELECT member_id FROM residents WHERE member_id IS NOT NULL)
""")


def _bring_accounts_up_to_date(
    session: Session, community: Community, taken: Taken, *, actor: str, now: datetime, day: date
) -> None:
    """Accounts of people whose file has changed know it at once; those of people who moved out are let go."""
    session.expire_all()
    changed = {row.member_id: row.detail or "" for row in session.execute(_CHANGED_FILES)}
    bound = select(Resident, Member).join(Member, Member.id == Resident.member_id)
    concerned = Member.id.in_(changed) | (Member.moved_out <= day)
    for resident, member in session.execute(bound.where(Resident.community_id == community.id, concerned)):
        if archive.lives_there(member, day):
            told = resident.phone
            archive.fill(resident, member)
            resident.phone = resident.phone if "phone" in changed[member.id] else told
            archive.log(session, resident, "file_changed", actor=actor, member=member, now=now)
        else:
            binding.let_go(session, resident, actor=actor, now=now)
    counts = {"rows": taken.rows, "added": taken.added, "moved_out": taken.count("moved_out")}
    archive.log_community(session, community.id, "imported", actor=actor, now=now, **counts)
