"""Service time: equal to counting minute by minute, in any zone, on the nights the clock is changed too."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from service.business_time import (
    ALL_DAY,
    Calendar,
    Frame,
    Frames,
    around_the_clock,
    read_hours,
    write_hours,
)
from service.errors import NotEnoughServiceTime, TargetNotPositive, UnknownZone, WrongHours
from tests.watcher import MINUTE, Watcher

HOUR = timedelta(hours=1)
SHANGHAI = ZoneInfo("Asia/Shanghai")
OFFICE = (read_hours("08:00-12:00 14:00-18:00"),) * 5 + ((), ())

# Zones that change by an hour, by half an hour, by two, at midnight, never; and one that once skipped a whole day.
ZONES = (
    "Asia/Shanghai", "Asia/Kolkata", "UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe",
    "America/Havana", "Antarctica/Troll", "Africa/Casablanca", "Pacific/Apia", "Asia/Beirut", "America/Sao_Paulo",
)  # fmt: skip
# Days around which the clocks of some of them change.
NIGHTS = (
    "2026-03-08", "2026-11-01", "2026-03-29", "2026-10-25", "2026-04-05", "2026-10-04", "2011-12-30", "2018-11-04",
    "2018-02-18", "2026-02-15", "2026-03-22",
)  # fmt: skip


# --- Random calendars, for the oracle of tests/watcher.py -----------------------------------------------------------


def make_day(chance: random.Random) -> list[tuple[int, int]]:
    """Nothing, or up to three frames; some over night, some a day long, some overlapping."""
    frames = []
    for _ in range(chance.choice((0, 1, 1, 2, 3))):
        opens = chance.randrange(1440)
        frames.append((opens, opens + chance.choice((1, chance.randrange(1, 1441), chance.randrange(1, 300), 1440))))
    return frames


def make_case(seed: int) -> tuple[Calendar, Watcher, datetime, random.Random]:
    """A calendar, its watcher, and a moment near a night on which some zone changes its clock."""
    chance = random.Random(seed)
    zone, start = chance.choice(ZONES), datetime.fromisoformat(chance.choice(NIGHTS)).replace(tzinfo=UTC)
    start += timedelta(minutes=chance.randrange(-3 * 1440, 2 * 1440))
    week = [make_day(chance) for _ in range(7)]
    special = [start.date() + timedelta(days=chance.randrange(-3, 6)) for _ in range(chance.randrange(4))]
    days = {day: make_day(chance) for day in special}
    calendar = Calendar(
        zone,
        [tuple(Frame(*frame) for frame in day) for day in week],
        {day: tuple(Frame(*frame) for frame in frames) for day, frames in days.items()},
    )
    return calendar, Watcher(zone, week, days), start, chance


def assert_agrees(seed: int) -> None:
    """One random case: how long, until when, open or not, opens when; all against the watcher."""
    calendar, watcher, start, chance = make_case(seed)
    end = start + timedelta(minutes=chance.randrange(4 * 1440))
    target = chance.randrange(1, 1500)

    assert calendar.between(start, end) == watcher.counts(start, end) * MINUTE, seed
    assert calendar.is_open(start) == watcher.sees_open(start), seed
    due = watcher.waits(start, target, most=4 * 1440)
    if due is not None:
        assert calendar.due(start, target * MINUTE) == due, seed
        assert calendar.between(start, due) == target * MINUTE, seed
    opens = watcher.waits(start, 1, most=4 * 1440)
    if opens is not None:
        assert calendar.next_opening(start) == opens - MINUTE, seed


def test_random_calendars_agree_with_a_person_who_counts():
    """A short run of the long one below, with other seeds than it has."""
    for seed in range(100_000, 100_150):
        assert_agrees(seed)


@pytest.mark.oracle
def test_ten_thousand_random_calendars_agree_with_a_person_who_counts():
    for seed in range(10_000):
        assert_agrees(seed)


@pytest.mark.parametrize("seed", range(40))
def test_both_ways_are_each_others_opposite(seed):
    """What residents are promised and what the report counts come from one function; to the microsecond."""
    calendar, _, start, chance = make_case(seed)
    start += timedelta(microseconds=chance.randrange(60_000_000))
    for _ in range(20):
        target = timedelta(microseconds=chance.randrange(1, 10**11))
        try:
            due = calendar.due(start, target)
        except NotEnoughServiceTime:
            continue
        assert calendar.between(start, due) == target
        assert calendar.between(start, due - timedelta(microseconds=1)) < target


# --- What people would say ------------------------------------------------------------------------------------------


def at(clock: str, zone: ZoneInfo = SHANGHAI) -> datetime:
    return datetime.fromisoformat(clock).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("start", "minutes", "due"),
    [
        ("2026-11-23 09:00", 60, "2026-11-23 10:00"),
        ("2026-11-23 11:30", 60, "2026-11-23 14:30"),  # over noon
        ("2026-11-23 11:00", 60, "2026-11-23 12:00"),  # done at closing time, not at the next opening
        ("2026-11-23 19:00", 30, "2026-11-24 08:30"),  # reported in the evening
        ("2026-11-27 17:30", 60, "2026-11-30 08:30"),  # over the weekend
    ],
)
def test_a_target_passes_only_while_the_desk_is_open(start, minutes, due):
    assert Calendar("Asia/Shanghai", OFFICE).due(at(start), minutes * MINUTE) == at(due)


def test_a_holiday_does_not_count_and_a_working_day_in_lieu_does():
    """调休: Saturday 10 October 2026 is worked so that the week before can be free."""
    days: dict[date, Frames] = {date(2026, 10, day): () for day in range(1, 8)}
    days[date(2026, 10, 10)] = OFFICE[0]
    calendar = Calendar("Asia/Shanghai", OFFICE, days)

    assert calendar.due(at("2026-09-30 17:00"), 2 * HOUR) == at("2026-10-08 09:00")
    assert calendar.due(at("2026-10-09 17:00"), 2 * HOUR) == at("2026-10-10 09:00")


def test_a_night_frame_reaches_into_a_holiday():
    """Who came on duty at ten in the evening goes home at six, also when a holiday has begun."""
    calendar = Calendar("Asia/Shanghai", (read_hours("22:00-06:00"),) * 7, {date(2026, 10, 1): ()})

    assert calendar.is_open(at("2026-10-01 05:59"))
    assert not calendar.is_open(at("2026-10-01 06:00"))
    assert calendar.next_opening(at("2026-10-01 06:00")) == at("2026-10-02 22:00")


def test_a_night_in_which_the_clock_goes_back_is_an_hour_longer():
    """Those on duty work it, so it counts."""
    zone = ZoneInfo("Europe/Berlin")
    calendar = Calendar("Europe/Berlin", (read_hours("22:00-06:00"),) * 7)
    for evening, hours in (("2026-10-23 22:00", 8), ("2026-10-24 22:00", 9), ("2026-03-28 22:00", 7)):
        start = at(evening, zone).astimezone(UTC)
        assert calendar.between(start, start + 12 * HOUR) == hours * HOUR


def test_frames_that_touch_or_overlap_are_one():
    calendar = Calendar("Asia/Shanghai", (read_hours("08:00-12:00 12:00-20:00 11:00-13:00"),) * 7)

    assert calendar.between(at("2026-11-23 00:00"), at("2026-11-24 00:00")) == 12 * HOUR
    assert around_the_clock().due(at("2026-11-23 09:00"), 240 * HOUR) == at("2026-12-03 09:00")


# --- What cannot be -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("minutes", [0, -1])
def test_a_target_of_nothing_is_refused(minutes):
    """It would be missed before anybody can act."""
    with pytest.raises(TargetNotPositive):
        Calendar("Asia/Shanghai", OFFICE).due(at("2026-11-23 09:00"), minutes * MINUTE)


def test_a_calendar_that_never_opens_says_so_instead_of_searching_for_ever():
    closed = Calendar("Asia/Shanghai", ((),) * 7)
    once = Calendar("Asia/Shanghai", ((),) * 7, {date(2026, 11, 24): OFFICE[0]})

    for calendar in (closed, once):
        with pytest.raises(NotEnoughServiceTime):
            calendar.due(at("2026-11-23 09:00"), 9 * HOUR)
    with pytest.raises(NotEnoughServiceTime):
        closed.next_opening(at("2026-11-23 09:00"))
    assert closed.between(at("2026-11-23 09:00"), at("2027-11-23 09:00")) == timedelta()
    assert once.due(at("2026-11-23 09:00"), 8 * HOUR) == at("2026-11-24 18:00")


def test_a_clock_that_goes_back_takes_no_service_time_away():
    assert Calendar("Asia/Shanghai", OFFICE).between(at("2026-11-23 10:00"), at("2026-11-23 09:00")) == timedelta()


def test_another_zone_moves_the_hours_with_it():
    """The same hours on the door, read on another clock."""
    here, there = Calendar("Asia/Shanghai", OFFICE), Calendar("Asia/Urumqi", OFFICE)

    assert there.due(at("2026-11-23 07:00"), HOUR) - here.due(at("2026-11-23 07:00"), HOUR) == 2 * HOUR


@pytest.mark.parametrize("zone", ["Asia/Nowhere", "", "../etc/passwd", "Asia/\0"])
def test_an_unknown_zone_is_refused(zone):
    with pytest.raises(UnknownZone):
        Calendar(zone, OFFICE)


@pytest.mark.parametrize(
    "words", ["8-12", "08:00-08:00", "08:00-25:00", "24:00-08:00", "08:00-24:30", "x", "08:60-09:00"]
)
def test_hours_that_cannot_be_read_are_refused_with_the_frame(words):
    with pytest.raises(WrongHours) as refused:
        read_hours(f"09:00-10:00 {words}")

    assert refused.value.facts == {"frame": words}


@pytest.mark.parametrize(
    ("words", "written"),
    [
        ("", ""), ("8:00-12:00,14:00–20:00", "08:00-12:00 14:00-20:00"), ("22:00-06:00", "22:00-06:00"),
        ("00:00-24:00", "00:00-24:00"), ("14:00-15:00;09:00-10:00", "09:00-10:00 14:00-15:00"),
        ("18:00-24:00", "18:00-24:00"), ("18:00-00:00", "18:00-24:00"),
    ],
)  # fmt: skip
def test_hours_are_written_as_they_are_read(words, written):
    assert write_hours(read_hours(words)) == written
    assert read_hours(write_hours(read_hours(words))) == read_hours(words)


def test_all_day_is_midnight_to_midnight():
    assert read_hours("00:00-24:00") == ALL_DAY
