"""Who is on duty."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import pytest

from service import duty
from service.duty import Hours
from service.errors import NotAllowed, ShiftNotClear
from service.models.people import Duty, Role, Staff
from tests.stage import NOON, Stage  # a Monday, 12:00 in Shanghai


def on_duty(stage: Stage, *, now: datetime = NOON) -> list[Staff]:
    stage.session.flush()
    return list(duty.on_duty(stage.session, stage.community, now=now))


@pytest.mark.parametrize(
    ("words", "weekdays", "begins", "ends"),
    [
        ("1-5 08:00-20:00", [1, 2, 3, 4, 5], time(8), time(20)),
        ("7 22:30–06:15", [7], time(22, 30), time(6, 15)),
        (" 6-7  9:00 - 12:00 ", [6, 7], time(9), time(12)),
    ],
)
def test_hours_are_read_as_staff_write_them(words, weekdays, begins, ends):
    hours = duty.read_hours(words)

    assert (list(hours.weekdays), hours.begins, hours.ends) == (weekdays, begins, ends)


@pytest.mark.parametrize(
    "words", ["", "1-5", "8 08:00-20:00", "0 08:00-20:00", "1 24:00-25:00", "1 08:00", "５ 08:00-9"]
)
def test_hours_that_are_not_clear_are_refused(words):
    with pytest.raises(ShiftNotClear):
        duty.read_hours(words)


@pytest.mark.parametrize(
    ("hours", "clock", "expected"),
    [
        (Hours([1], time(8), time(20)), "08:00", True),
        (Hours([1], time(8), time(20)), "19:59", True),
        (Hours([1], time(8), time(20)), "20:00", False),
        (Hours([2], time(8), time(20)), "12:00", False),
        (Hours([1], time(22), time(6)), "23:00", True),
        (Hours([1], time(22), time(6)), "05:00", False),
        (Hours([7], time(22), time(6)), "05:59", True),
        (Hours([7], time(22), time(6)), "06:00", False),
    ],
)
def test_the_roster_follows_the_communitys_clock(stage, hours, clock, expected):
    """A shift that ends no later than it begins lasts until the next morning."""
    member = stage.member()
    duty.plan(stage.session, member, hours, by=member)
    hour, minute = map(int, clock.split(":"))
    offset = hour - 12

    now = NOON.replace(minute=minute)
    assert (on_duty(stage, now=now + timedelta(hours=offset)) == [member]) is expected


@pytest.mark.parametrize(("said", "expected"), [(Duty.ON, True), (Duty.OFF, False), (None, True)])
def test_what_a_member_says_goes_before_the_roster(stage, said, expected):
    member = stage.member()
    duty.plan(stage.session, member, Hours([1], time(8), time(20)), by=member)

    duty.say(member, said)

    assert (on_duty(stage) == [member]) is expected


def test_a_new_plan_takes_the_place_of_the_old_one(stage):
    member = stage.member()
    duty.plan(stage.session, member, Hours([1], time(8), time(20)), by=member)

    duty.plan(stage.session, member, None, by=member)

    assert on_duty(stage) == []


def test_the_roster_of_others_is_for_supervisors(stage):
    member, colleague, boss = stage.member(), stage.member(), stage.member(Role.SUPERVISOR)

    with pytest.raises(NotAllowed):
        duty.plan(stage.session, member, None, by=colleague)
    duty.plan(stage.session, member, Hours([1], time(8), time(20)), by=boss)

    assert on_duty(stage) == [member]


def test_whoever_left_is_not_on_duty(stage):
    member = stage.member()
    member.duty, member.left_at = Duty.ON, NOON

    assert on_duty(stage) == []
