"""Staff: whoever is in the staff group, each with a number of their own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import timedelta
from threading import Barrier

import pytest

from service import staff
from service.db import Sessions
from service.errors import NotAllowed, NotStaff
from service.models.people import Role, Staff
from service.staff import Right
from tests.stage import NOON, Stage


def member(stage: Stage, user_id: int) -> Staff:
    return staff.access_staff(stage.session, stage.community.id, user_id, display_name="李")


def test_numbers_begin_where_they_sound_like_staff_numbers(stage):
    """N2: the number is said to residents."""
    assert [member(stage, user_id).number for user_id in (1, 2, 1)] == [101, 102, 101]


def test_whoever_leaves_loses_the_rights_and_returns_under_the_same_number(stage):
    first = member(stage, 1)

    staff.leave(stage.session, stage.community.id, 1, now=NOON)
    stage.session.refresh(first)
    assert first.left_at == NOON

    with pytest.raises(NotStaff):
        member(stage, 1)

    staff.come_back(stage.session, stage.community.id, 1)
    again = member(stage, 1)
    assert (again.id, again.number, again.left_at) == (first.id, 101, None)


@pytest.mark.parametrize(("seconds", "is_back"), [(-1, False), (0, False), (1, True)])
def test_a_line_written_after_leaving_proves_that_somebody_is_back(stage, seconds, is_back):
    """Updates of different lanes are handled in any order; only a member can write in the group."""
    first = member(stage, 1)
    staff.leave(stage.session, stage.community.id, 1, now=NOON)
    stage.session.refresh(first)
    wrote_at = NOON + timedelta(seconds=seconds)

    with nullcontext() if is_back else pytest.raises(NotStaff):
        staff.access_staff(stage.session, stage.community.id, 1, display_name="李", wrote_at=wrote_at)

    assert (first.left_at is None) == is_back


# --- What a role allows ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("right", Right)
def test_the_table_decides_what_a_role_may_do(stage, role, right):
    """The table alone: a right that is not in it is refused, with the role in words."""
    one = member(stage, 1)
    one.role = role

    if right in staff.RIGHTS[role]:
        staff.check(one, right)
        assert staff.may(one, right)
    else:
        with pytest.raises(NotAllowed) as refused:
            staff.check(one, right)
        assert refused.value.facts["role"]


@pytest.mark.parametrize("right", Right)
def test_who_has_left_has_no_right(stage, right):
    one = member(stage, 1)
    one.role, one.left_at = Role.MANAGER, NOON

    assert not staff.may(one, right)


def test_only_a_manager_says_who_is_what(stage):
    boss, other = member(stage, 1), member(stage, 2)

    with pytest.raises(NotAllowed):
        staff.give_role(other, Role.SUPERVISOR, by=boss)
    boss.role = Role.MANAGER
    staff.give_role(other, Role.SUPERVISOR, by=boss)

    assert other.role is Role.SUPERVISOR


def test_a_number_is_not_given_again_after_somebody_left(stage):
    """Residents would take the newcomer for the one who left."""
    member(stage, 1)
    staff.leave(stage.session, stage.community.id, 1, now=NOON)

    assert member(stage, 2).number == 102


def test_the_time_of_leaving_is_not_moved_by_hearing_of_it_again(stage):
    first = member(stage, 1)
    for hour in (0, 1):
        staff.leave(stage.session, stage.community.id, 1, now=NOON.replace(hour=hour))

    stage.session.refresh(first)
    assert first.left_at == NOON.replace(hour=0)


def test_newcomers_who_write_at_once_get_numbers_of_their_own(sessions: Sessions):
    with sessions.begin() as session:
        community_id = Stage(session).community.id
    start = Barrier(4)

    def write(user_id: int) -> int:
        start.wait()
        with sessions.begin() as session:
            return staff.access_staff(session, community_id, user_id // 2, display_name="李").number

    with ThreadPoolExecutor(4) as pool:
        numbers = list(pool.map(write, range(2, 6)))

    assert (numbers[0], numbers[2]) == (numbers[1], numbers[3])
    assert set(numbers) == {101, 102}
