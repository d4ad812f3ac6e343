"""The household archive: who lives where, and which account speaks for whom."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from service import archive, residents, where
from service.models.archive import ArchiveEvent, MemberRole
from tests.households import household, member
from tests.stage import NOON, Stage

TODAY = date(2026, 11, 23)


def acts(stage: Stage) -> list[tuple[str, str]]:
    found = stage.session.scalars(select(ArchiveEvent).order_by(ArchiveEvent.id))
    return [(event.act, event.actor) for event in found]


def bind(stage: Stage, talk, person, *, how="invitation"):
    archive.bind(stage.session, talk.resident, person, how=how, actor="resident", now=NOON)


def test_a_bound_account_is_addressed_and_found_by_what_the_roster_knows(stage):
    """D, resident files: name, honorific, address and number are there before the first repair (N8)."""
    person = member(stage, "欧阳兰", surname="欧阳", honorific="ms", phone="13800138000")
    talk = stage.resident()

    bind(stage, talk, person)

    resident = talk.resident
    assert (resident.place, resident.phone) == ("3栋2单元1201室", "13800138000")
    assert residents.salutation(resident) == "欧阳女士，"
    assert acts(stage) == [("bound", "resident")]
    assert person.consented_at == NOON


def test_what_the_resident_told_stays_when_the_roster_has_no_number(stage):
    talk = stage.resident(phone="13900139000")

    bind(stage, talk, member(stage, phone=None))

    assert talk.resident.phone == "13900139000"


def test_a_yes_by_staff_is_not_the_residents_consent(stage):
    person = member(stage)

    bind(stage, stage.resident(), person, how="staff")

    assert person.consented_at is None


def test_an_account_speaks_for_one_person_at_a_time(stage):
    """Who moves within the community takes the new address along, and the old one is not theirs any more."""
    talk = stage.resident()
    bind(stage, talk, member(stage, address="3-2-1201"))

    bind(stage, talk, member(stage, address="5-1-302"))

    assert talk.resident.place == "5栋1单元302室"
    assert [act for act, _ in acts(stage)] == ["bound", "unbound", "bound"]


def test_a_second_account_of_one_person_is_bound_beside_the_first(stage):
    person = member(stage)
    phone, tablet = stage.resident(), stage.resident()

    bind(stage, phone, person)
    bind(stage, tablet, person)

    assert [account.id for account in archive.accounts(stage.session, person)] == [
        phone.resident_id,
        tablet.resident_id,
    ]


def test_an_unbound_account_keeps_its_name_but_not_the_address(stage):
    talk = stage.resident()
    bind(stage, talk, member(stage, phone="13800138000"))

    archive.unbind(stage.session, talk.resident, why="moved_out", actor="bot", now=NOON)

    resident = talk.resident
    assert (resident.member_id, resident.place, resident.surname, resident.phone) == (None, None, "王", "13800138000")


@pytest.mark.parametrize(
    ("moved_out", "lives"),
    [(None, True), (TODAY + timedelta(1), True), (TODAY, False), (TODAY - timedelta(1), False)],
)
def test_a_member_lives_there_until_the_day_of_moving_out(stage, moved_out, lives):
    person = member(stage, moved_out=moved_out, phone="13800138000")

    assert archive.lives_there(person, TODAY) is lives
    assert (archive.members(stage.session, person.household_id, day=TODAY) == [person]) is lives
    assert (archive.by_phone(stage.session, stage.community.id, "13800138000", day=TODAY) == person) is lives


def test_the_day_is_the_communitys(stage):
    late = NOON.replace(hour=17)

    assert archive.today(stage.session, stage.community.id, now=late) == TODAY + timedelta(1), "01:00 in Shanghai"


def test_owners_come_first(stage):
    child = member(stage, "王小宝", role=MemberRole.FAMILY)
    owner = member(stage, "王建国")

    assert archive.members(stage.session, owner.household_id, day=TODAY) == [owner, child]


def test_a_number_that_two_people_share_tells_nobody_apart(stage):
    member(stage, "王芳", phone="13800138000")
    member(stage, "王建国", phone="13800138000")

    assert archive.by_phone(stage.session, stage.community.id, "13800138000", day=TODAY) is None


def test_one_person_with_two_flats_is_one_person(stage):
    first = member(stage, "王芳", address="3-2-1201", phone="13800138000")
    member(stage, "王芳", address="5-1-302", phone="13800138000")

    assert archive.by_phone(stage.session, stage.community.id, "13800138000", day=TODAY) == first


@pytest.mark.parametrize(
    ("said", "found"),
    [("3栋2单元1201", True), ("3栋1201", True), ("三号楼二单元1201室", True), ("3栋", False), ("9栋2单元1201", False)],
)
def test_a_door_is_found_as_residents_say_it(stage, said, found):
    door = household(stage, "3-2-1201")

    assert (archive.find_household(stage.session, stage.community.id, where.parse(said)) == door) is found


def test_a_door_that_exists_in_two_units_needs_its_unit(stage):
    household(stage, "3-1-1201")
    second = household(stage, "3-2-1201")

    assert archive.find_household(stage.session, stage.community.id, where.parse("3栋1201")) is None
    assert archive.find_household(stage.session, stage.community.id, where.parse("3栋2单元1201")) == second


def test_an_address_is_written_in_both_languages(stage):
    door = household(stage, "A--302")

    assert [archive.place(door, language) for language in ("zh", "en")] == ["A座302室", "Tower A, Room 302"]
