"""Taking over what the property system holds: a household's entries as a whole, everything or nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from service import ledger_import, texts
from service.ledger_file import Row
from service.models.archive import ArchiveEvent, Fee, ParkingSpace, VisitorCode
from service.table_cells import Problem, Taken
from tests.households import household
from tests.stage import NOON, Stage

TODAY = date(2026, 11, 23)


def bill(door: str = "3-2-1201", *, number: int = 2, **facts: Any) -> Row:
    told = {"name": "物业费", "period": "Q4", "amount": Decimal("1234.50"), "currency": "CNY"}
    rest = dict.fromkeys(("due", "paid_on", "reference")) | {"waived": Decimal(0), "paid": Decimal(0)}
    building, unit, room = door.split("-")
    return Row(number, building, unit, room, told | rest | facts)


def take_in(stage: Stage, *rows: Row | list[Problem], kind: str = "fees", **how: Any) -> Taken:
    numbered = [row._replace(number=place) if isinstance(row, Row) else row for place, row in enumerate(rows, 2)]
    return ledger_import.take_in(stage.session, stage.community, kind, numbered, now=NOON, **how)


def fees(stage: Stage) -> list[tuple[int, str, Decimal, date]]:
    found = stage.session.scalars(select(Fee).execution_options(populate_existing=True).order_by(Fee.id))
    return [(one.id, one.name, one.amount, one.as_of) for one in found]


def said(taken: Taken) -> list[tuple[int, str]]:
    return [(one.row, texts.words(one.phrase, language="en", **one.facts)) for one in taken.problems]


@pytest.fixture(autouse=True)
def doors(stage: Stage) -> None:
    for address in ("3-2-1201", "3-2-1202", "A--302"):
        household(stage, address)


def test_a_file_is_taken_over_and_again_changes_nothing_but_its_day(stage):
    """Idempotent: who is not sure whether it worked simply does it again."""
    rows = [bill(), bill(name="停车费", paid_on=TODAY), bill("A--302")]
    first = take_in(stage, *rows, as_of=date(2026, 11, 20))
    before = fees(stage)

    again = take_in(stage, *rows)

    assert (first.rows, first.households, first.added, first.same) == (3, 2, 3, 0)
    assert (again.added, again.same, again.changes) == (0, 3, [])
    assert fees(stage) == [(number, name, amount, TODAY) for number, name, amount, _ in before]
    assert {as_of for *_, as_of in before} == {date(2026, 11, 20)}


def test_the_entries_of_a_household_are_replaced_as_a_whole(stage):
    """What the property system has no more is gone; households the file does not name keep what they had."""
    take_in(stage, bill(), bill(name="停车费"), bill("3-2-1202", name="别家"))

    taken = take_in(stage, bill(amount=Decimal(99)))

    assert [(name, amount) for _, name, amount, _ in fees(stage)] == [
        ("别家", Decimal("1234.50")),
        ("物业费", Decimal("99.00")),
    ]
    assert [(one.kind, one.place, one.name) for one in taken.changes] == [
        ("gone", "3-2-1201", "停车费 Q4"),
        ("gone", "3-2-1201", "物业费 Q4"),
    ]


def test_a_complete_file_empties_the_households_it_does_not_name(stage):
    """And nobody else's community."""
    other = Stage.__new__(Stage)
    other.session, other.community = stage.session, stage.another_community()
    household(other, "3-2-1201")
    take_in(other, bill(name="邻区"))
    take_in(stage, bill(), bill("3-2-1202", name="别家"))

    taken = take_in(stage, bill(), complete=True)

    assert [name for _, name, *_ in fees(stage)] == ["邻区", "物业费"]
    assert [one.name for one in taken.changes] == ["别家 Q4"]


def test_a_problem_anywhere_writes_nothing(stage):
    """Nothing half-imported: the good rows of a bad file wait for its mending."""
    taken = take_in(stage, bill(), [Problem(3, "utter_roster_missing", {"column": "金额"})])

    assert said(taken) == [(3, "金额 is empty.")]
    assert fees(stage) == []


def test_a_door_the_archive_does_not_know_is_named(stage):
    taken = take_in(stage, bill("9-1-101"), bill())

    [(row, words)] = said(taken)
    assert (row, words[:41]) == (2, "The archive has no household 9-1-101, or ")


def test_a_unit_that_was_left_out_is_no_obstacle_when_one_door_fits(stage):
    household(stage, "3-1-1202")

    taken = take_in(stage, bill("3--1201"), bill("3--1202"))

    assert [row for row, _ in said(taken)] == [3], "two doors have the number 1202"


def test_the_same_entry_twice_is_a_mistake_and_two_bills_are_none(stage):
    """A double line would double what is owed."""
    twice = take_in(stage, bill(), bill("3-2-1202"), bill())
    bills = take_in(stage, bill(reference="A"), bill(reference="B"))
    reference = take_in(stage, bill(reference="A"), bill("3-2-1202", reference="A"))

    mend = "Take one out; two different bills need numbers of their own."
    assert said(twice) == [(4, f"The same entry as in row 2. {mend}")]
    assert bills.problems == []
    assert said(reference) == [(3, f"The same entry as in row 2. {mend}")]


def test_a_space_or_a_code_belongs_to_one_household(stage):
    space = {"name": "B1-023", "plate": None, "valid_until": None}
    begins, ends = datetime.fromisoformat("2026-11-23"), datetime.fromisoformat("2026-11-24")
    code = {"name": None, "code": "1", "valid_from": begins, "valid_until": ends}

    for kind, facts in (("parking", space), ("visitor_codes", code)):
        rows = [Row(0, "3", "2", room, facts) for room in ("1201", "1202")]
        assert [row for row, _ in said(take_in(stage, *rows, kind=kind))] == [3]


def test_hours_of_a_code_are_the_communitys(stage):
    facts = {
        "name": "外婆",
        "code": "482913",
        "valid_from": datetime.fromisoformat("2026-11-27 08:00"),
        "valid_until": datetime.fromisoformat("2026-11-30"),
    }

    take_in(stage, Row(0, "3", "2", "1201", facts), kind="visitor_codes")

    kept = stage.session.query(VisitorCode).one()
    assert kept.valid_from == datetime(2026, 11, 27, 0, tzinfo=UTC)
    assert kept.valid_until == datetime(2026, 11, 29, 16, tzinfo=UTC)


def test_a_space_keeps_its_plate_and_day(stage):
    facts = {"name": "B1-023", "plate": "湘A12345", "valid_until": date(2027, 3, 1)}

    take_in(stage, Row(0, "3", "2", "1201", facts), kind="parking")

    kept = stage.session.query(ParkingSpace).one()
    assert (kept.name, kept.plate, kept.valid_until) == ("B1-023", "湘A12345", date(2027, 3, 1))


@pytest.mark.parametrize(
    ("rows", "as_of", "words"),
    [
        ([], None, "There is nothing below the header; nothing was written."),
        ([bill()], date(2026, 11, 24), "The data is said to be of 2026-11-24, and today is 2026-11-23."),
    ],
)
def test_a_file_that_says_nothing_or_too_much_is_refused(stage, rows, as_of, words):
    """An empty file, said to be complete, would empty everything."""
    take_in(stage, bill())

    taken = take_in(stage, *rows, as_of=as_of, complete=True)

    assert said(taken) == [(0, words)]
    assert len(fees(stage)) == 1


def test_the_log_has_counts_and_nobodys_figures(stage):
    take_in(stage, bill())

    logged = stage.session.query(ArchiveEvent).filter_by(act="ledger").one()
    assert (logged.actor, logged.detail) == ("operator", {"kind": "fees", "rows": 1, "added": 1, "gone": 0})
