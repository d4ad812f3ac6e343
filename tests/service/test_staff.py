"""Staff: whoever is in the staff group, each with a number of their own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from service import staff
from service.db import Sessions
from service.models import Staff
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

    again = member(stage, 1)
    assert (again.id, again.number, again.left_at) == (first.id, 101, None)


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
