"""Taking a roster over: everything or nothing, and the same file twice changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from service import archive, communities, roster, texts
from service.db import Sessions
from service.errors import TooManyMovedOut
from service.models.archive import ArchiveEvent, Building, Household, Member
from service.roster import Taken
from service.roster_file import Row
from service.table_cells import Problem
from tests.stage import NOON, Stage

TODAY = date(2026, 11, 23)


def person(name: str = "王芳", door: str = "3-2-1201", *, number: int = 0, **facts: Any) -> Row:
    """A row; its number is given by `take_in` unless it is."""
    building, unit, room = door.split("-")
    told = {"surname": name[0], "honorific": None, "language": None, "phone": None, "role": None}
    return Row(number, building, unit, room, name, **(told | {"moved_in": None, "moved_out": None} | facts))


def take_in(stage: Stage, *rows: Row | list[Problem], **how: Any) -> Taken:
    numbered = [
        row._replace(number=place) if isinstance(row, Row) and not row.number else row
        for place, row in enumerate(rows, 2)
    ]
    return roster.take_in(stage.session, stage.community, numbered, now=NOON, **how)


def people(stage: Stage) -> dict[str, tuple[Any, ...]]:
    found = stage.session.scalars(select(Member).execution_options(populate_existing=True).order_by(Member.id))
    return {one.name: (archive.place(one.household, "zh"), one.phone, one.role, one.moved_out) for one in found}


def changes(taken: Taken) -> list[tuple[int, str, str, str]]:
    return [(change.row, change.kind, change.name, change.detail) for change in taken.changes]


def said(taken: Taken) -> list[tuple[int, str]]:
    return [(one.row, texts.words(one.phrase, language="en", **one.facts)) for one in taken.problems]


def test_a_roster_makes_buildings_households_and_people(stage):
    taken = take_in(
        stage,
        person("王芳", phone="13800138000", honorific="ms"),
        person("王建国", role="family"),
        person("李雷", "A--302", role="tenant", moved_out=date(2027, 1, 1)),
    )

    assert (taken.rows, taken.added, taken.buildings, taken.households) == (3, 3, 2, 2)
    assert people(stage) == {
        "王芳": ("3栋2单元1201室", "13800138000", "owner", None),
        "王建国": ("3栋2单元1201室", None, "family", None),
        "李雷": ("A座302室", None, "tenant", date(2027, 1, 1)),
    }


def test_the_same_file_again_changes_nothing(stage):
    """Idempotent: who is not sure whether it worked simply does it again."""
    rows = [person("王芳", phone="13800138000"), person("李雷", "5-1-302", moved_in=date(2020, 1, 1))]
    take_in(stage, *rows)
    before = people(stage)

    taken = take_in(stage, *rows)

    assert (taken.added, taken.same, taken.changes, taken.households) == (0, 2, [], 0)
    assert people(stage) == before


def test_what_has_changed_is_told_by_its_columns(stage):
    take_in(stage, person("王芳", phone="13800138000"))

    taken = take_in(stage, person("王芳", phone="13900139000", honorific="ms"))

    assert changes(taken) == [(2, "changed", "王芳", "honorific, phone")]
    assert people(stage)["王芳"][1] == "13900139000"


def test_an_empty_cell_takes_nothing_away(stage):
    """A list for the lift repair without telephone numbers must not delete those of the archive."""
    take_in(stage, person("王芳", phone="13800138000", role="tenant"))

    taken = take_in(stage, person("王芳"))

    assert taken.same == 1
    assert people(stage)["王芳"][1:3] == ("13800138000", "tenant")


def test_a_problem_anywhere_writes_nothing(stage):
    """Nothing half-imported."""
    taken = take_in(stage, person("王芳"), [Problem(3, "utter_roster_missing", {"column": "姓名"})])

    assert said(taken) == [(3, "姓名 is empty.")]
    assert people(stage) == {}


def test_the_same_person_twice_in_a_household_is_a_mistake(stage):
    taken = take_in(stage, person("王芳"), person("王芳", "5-1-302"), person("王芳"))

    assert said(taken) == [(4, "The same person of the same household as in row 2.")]


def test_the_first_roster_brings_the_buildings_and_a_later_one_may_not_invent_any(stage):
    """33 for 3 is a slip of the finger; it would make a building."""
    take_in(stage, person("王芳"))

    taken = take_in(stage, person("王芳"), person("李雷", "33-2-1201"), person("韩梅", "33-2-1202"))

    assert said(taken) == [
        (3, "The archive knows no building 33 (2 people in this file). If it is new, say --new-buildings.")
    ]
    assert take_in(stage, person("李雷", "33-2-1201"), new_buildings=True).buildings == 1


def test_two_people_on_one_number_are_kept_and_told(stage):
    """Couples share one; it cannot tell them apart, so it binds nobody."""
    taken = take_in(stage, person("王芳", phone="13800138000"), person("王建国", phone="13800138000"))

    assert changes(taken) == [(3, "shared_phone", "王建国", "2")]
    assert archive.by_phone(stage.session, stage.community.id, "13800138000", day=TODAY) is None


def test_one_person_with_two_flats_is_nothing_to_tell(stage):
    taken = take_in(stage, person("王芳", phone="13800138000"), person("王芳", "5-1-302", phone="13800138000"))

    assert (taken.added, taken.changes) == (2, [])


def test_who_is_not_in_the_file_is_told_and_stays(stage):
    """A list of one building is no list of who moved out."""
    take_in(stage, person("王芳"), person("李雷", "5-1-302"))

    taken = take_in(stage, person("王芳"))

    assert changes(taken) == [(0, "missing", "李雷", "")]
    assert people(stage)["李雷"][3] is None


def test_a_complete_file_ends_who_is_not_in_it(stage):
    everybody = [person(f"住户{number}", f"3-2-{number}") for number in range(101, 111)]
    take_in(stage, *everybody)

    taken = take_in(stage, *everybody[1:], complete=True)

    assert changes(taken) == [(0, "moved_out", "住户101", "")]
    assert people(stage)["住户101"][3] == TODAY


def test_a_complete_file_that_lacks_half_of_the_people_is_questioned(stage):
    """Somebody saved the filtered view."""
    everybody = [person(f"住户{number}", f"3-2-{number}") for number in range(101, 111)]
    take_in(stage, *everybody)

    with pytest.raises(TooManyMovedOut):
        take_in(stage, *everybody[5:], complete=True)

    assert take_in(stage, *everybody[5:], complete=True, many_moved_out=True).count("moved_out") == 5


def test_who_is_in_the_file_again_lives_there_again(stage):
    take_in(stage, person("王芳", moved_out=date(2026, 1, 1)))

    taken = take_in(stage, person("王芳"))

    assert changes(taken) == [(2, "back", "王芳", "moved_out")]
    assert people(stage)["王芳"][3] is None


def test_a_name_written_otherwise_with_the_same_number_is_the_same_person(stage):
    """The account that is bound to them stays bound."""
    take_in(stage, person("王方", phone="13800138000"))

    taken = take_in(stage, person("王芳", phone="13800138000"), complete=True)

    assert changes(taken) == [(2, "renamed", "王芳", "王方")]
    assert list(people(stage)) == ["王芳"]


def test_a_couple_with_one_number_is_not_taken_for_one_person(stage):
    take_in(stage, person("王芳", phone="13800138000"))

    taken = take_in(stage, person("王芳", phone="13800138000"), person("王建国", phone="13800138000"))

    assert (taken.added, taken.count("renamed")) == (1, 0)


def test_the_bound_account_knows_what_has_changed(stage):
    take_in(stage, person("王芳", phone="13800138000"))
    resident = bound(stage, "王芳").resident

    take_in(stage, person("王芳", phone="13900139000", honorific="ms"))

    assert (resident.phone, resident.honorific) == ("13900139000", "ms")


def test_a_number_the_resident_told_outlives_other_changes(stage):
    take_in(stage, person("王芳", phone="13800138000"))
    resident = bound(stage, "王芳").resident
    resident.phone = "13700137000"

    take_in(stage, person("王芳", phone="13800138000", role="tenant"))

    assert resident.phone == "13700137000"


def test_the_account_of_who_moved_out_is_let_go_and_told_once(stage):
    """Their address is not theirs any more; they may go on asking."""
    take_in(stage, person("王芳"), person("李雷", "5-1-302"))
    talk = bound(stage, "王芳")
    gone = [person("王芳", moved_out=TODAY), person("李雷", "5-1-302")]

    take_in(stage, *gone)
    take_in(stage, *gone)

    assert (talk.resident.member_id, talk.resident.place) == (None, None)
    assert ["迁出" in line for line in stage.lines_to(talk)] == [True]


def bound(stage: Stage, name: str):
    member = stage.session.scalars(select(Member).where(Member.name == name)).one()
    talk = stage.resident()
    archive.bind(stage.session, talk.resident, member, how="invitation", actor="resident", now=NOON)
    return talk


def test_another_communitys_people_are_not_touched(stage):
    """Thousands of communities share the tables."""
    take_in(stage, person("王芳"))
    profile = communities.Profile("翠湖苑", "Asia/Shanghai", "1", None)
    stage.community = communities.settle_in(stage.session, 100002, profile)

    taken = take_in(stage, person("李雷"), complete=True)

    assert (taken.added, taken.changes) == (1, [])
    assert people(stage)["王芳"][3] is None


def test_the_import_is_written_down(stage):
    take_in(stage, person("王芳"))

    [event] = stage.session.scalars(select(ArchiveEvent))
    assert (event.act, event.actor, event.detail) == ("imported", "operator", {"rows": 1, "added": 1, "moved_out": 0})


def test_two_imports_at_once_make_everybody_once(sessions: Sessions):
    with sessions.begin() as session:
        community = Stage(session).community
    start = Barrier(2)
    rows = [person(f"住户{number}", f"3-2-{number}", number=number) for number in range(101, 131)]

    def run(_: int) -> int:
        start.wait()
        with sessions.begin() as session:
            return roster.take_in(session, community, rows, now=NOON).added

    with ThreadPoolExecutor(2) as pool:
        added = list(pool.map(run, range(2)))

    assert sorted(added) == [0, 30]
    with sessions.begin() as session:
        counts = [session.scalar(select(func.count()).select_from(table)) for table in (Building, Household, Member)]
    assert counts == [1, 30, 30]


ROWS = st.lists(
    st.builds(
        person,
        st.sampled_from(["王芳", "李雷", "韩梅"]),
        st.sampled_from(["3-2-1201", "3-2-1202", "5--101"]),
        phone=st.sampled_from([None, "13800138000", "13900139000"]),
        role=st.sampled_from([None, "owner", "tenant"]),
        moved_out=st.sampled_from([None, date(2026, 1, 1), date(2027, 1, 1)]),
    ),
    unique_by=lambda row: row[1:5],
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(files=st.lists(ROWS, min_size=1, max_size=3))
def test_whatever_came_before_the_last_file_holds_and_again_changes_nothing(stage, files: Sequence[Sequence[Row]]):
    """Any order of any files: afterwards everybody of the last one is there as it says."""
    with stage.session.begin_nested() as nested:
        for rows in files:
            assert take_in(stage, *rows, new_buildings=True).problems == []
        again = take_in(stage, *files[-1], new_buildings=True)

        kept = {(one.household.room, one.name): one for one in stage.session.scalars(select(Member))}
        assert [(one, kept[one.room, one.name].moved_out) for one in files[-1]] == [
            (one, one.moved_out) for one in files[-1]
        ]
        assert all(one.phone in (None, kept[one.room, one.name].phone) for one in files[-1])
        assert (again.added, again.same) == (0, len(files[-1]))
        nested.rollback()
    stage.session.expire_all()
