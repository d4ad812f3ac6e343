"""`guanjia bench roster`: how long a roster of so many people takes, from the file to the commit."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import openpyxl
import psutil

from cli import bench, database
from cli.progress import Steps
from cli.starting import settings_for
from service import communities, db, roster, roster_file
from service.config import PREFIX

SEED = 20261123
ROOMS_A_BUILDING = 2 * 30 * 4  # units, floors, doors on a floor
MOST_IN_A_HOUSEHOLD = 4
HEADER = ("building", "unit", "room", "name", "honorific", "phone", "role", "movedin")
CHANGED = 0.01  # of the people have another number in the second file
NOW_LIMIT = 60.0  # seconds: the bar for 100,000 people


def write(file: Path, people: int, *, changed: float = 0.0) -> None:
    """Write a roster of people who do not exist; the same arguments write the same people."""
    book = openpyxl.Workbook(write_only=True)
    page = book.create_sheet("roster")
    page.append(HEADER)
    for row in rows(people, changed=changed):
        page.append(row)
    book.save(file)


def rows(people: int, *, changed: float = 0.0) -> Iterator[tuple[object, ...]]:
    """The people, household by household, as numbers and dates where Excel would have made them so."""
    chosen, moving = random.Random(SEED), random.Random(SEED + 1)
    written, door = 0, 0
    while written < people:
        building, inside = divmod(door, ROOMS_A_BUILDING)
        unit, at = divmod(inside, ROOMS_A_BUILDING // 2)
        room = (at // 4 + 1) * 100 + at % 4 + 1
        for number in range(min(chosen.randint(1, MOST_IN_A_HOUSEHOLD), people - written)):
            name = f"{chosen.choice(SURNAMES)}{chosen.choice(GIVEN)}{chosen.choice(GIVEN)}{number}"
            phone = 13_000_000_000 + written + (10**8 if moving.random() < changed else 0)
            since = date(2015, 1, 1) + timedelta(days=chosen.randrange(4000))
            role = "owner" if number == 0 else chosen.choice(("family", "tenant"))
            yield building + 1, unit + 1, room, name, chosen.choice(("mr", "ms")), phone, role, since
            written += 1
        door += 1


SURNAMES = ("Zhao", "Qian", "Sun", "Li", "Zhou", "Wu", "Zheng", "Wang")
GIVEN = ("an", "bo", "chun", "dan", "fang", "gang", "hua", "jun", "lan", "min", "ning", "ping", "qiang", "tao", "xia")


def run(people: int) -> dict[str, float]:
    """Import a roster, the same again, and one with some changes; print and give back the seconds."""
    folder = bench.fresh("bench-roster")
    first, second = folder / "roster.xlsx", folder / "changed.xlsx"
    write(first, people)
    write(second, people, changed=CHANGED)
    figures = {}
    with bench.settings_of_children({"DATA_DIR": str(folder), "DATABASE_URL": ""}):
        settings = settings_for("bench", token=False)
        with database.sessions(settings) as sessions:
            for name, file in (("new", first), ("same", first), ("changed", second)):
                figures[f"roster_{name}_seconds"] = _import(sessions, file, people)
    figures["roster_memory_mb"] = psutil.Process().memory_info().rss / 1e6
    for name, figure in figures.items():
        print(f"{name:24}{figure:8.1f}")
    print(f"bar for 100,000 people: {NOW_LIMIT:.0f} s; all settings as {PREFIX}… say")
    return figures


def _import(sessions: db.Sessions, file: Path, people: int) -> float:

    started = time.perf_counter()
    with db.transaction(sessions) as session:
        community = communities.settle_in(session, 1, communities.Profile("bench", "Asia/Shanghai", "1", None))
        sheet = roster_file.open_roster(file.read_bytes())
        with Steps(people) as steps:
            taken = roster.take_in(
                session, community, steps.counted(sheet.read()), now=datetime.now(UTC), step=steps.step
            )
        assert not taken.problems, taken.problems[:3]
    seconds = time.perf_counter() - started
    print(f"{file.name}: {taken.rows} rows, {taken.added} new, {taken.count('changed')} changed, {seconds:.1f} s")
    return seconds
