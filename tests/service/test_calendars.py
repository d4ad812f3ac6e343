"""A community's calendar: from its rows, and from the settings where there are none."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from service import calendar_file, calendars
from service.errors import NotEnoughServiceTime
from service.models.communities import CalendarDay, WeekdayHours
from tests.stage import NOON, Stage

HOUR = timedelta(hours=1)


def take_in(stage: Stage, *rows: str) -> None:
    reading = calendar_file.read("\n".join(["day,hours,name", *rows]).encode())
    calendars.take_in(stage.session, stage.community, reading, now=NOON)


def test_without_a_calendar_the_desks_hours_of_the_settings_hold_every_day(stage):
    """NOON is 12:00 in Shanghai; the desk closes at 20:00."""
    calendar = calendars.of(stage.session, stage.community)

    assert calendar.due(NOON, 8 * HOUR) == NOON + 8 * HOUR
    assert calendar.due(NOON, 9 * HOUR) == NOON + 21 * HOUR


def test_a_desk_that_opens_when_it_closes_never_closes(stage):
    stage.community.desk_opens = stage.community.desk_closes = time(0)

    assert calendars.of(stage.session, stage.community).due(NOON, 24 * HOUR) == NOON + 24 * HOUR


def test_imported_hours_replace_the_settings_and_the_same_file_again_changes_nothing(stage):
    rows = ("mon-sun,09:00-11:00 13:00-15:00,", "2026-11-24,closed,", "2026-11-28,workday,")

    for _ in range(2):
        take_in(stage, *rows)

    calendar = calendars.of(stage.session, stage.community)
    assert calendar.next_opening(NOON) == NOON + HOUR
    assert calendar.due(NOON, 3 * HOUR) == datetime(2026, 11, 25, 2, 0, tzinfo=UTC), "the 24th is a day off"
    assert stage.session.query(WeekdayHours).count() == 7
    assert stage.session.query(CalendarDay).count() == 2


def test_a_later_file_adds_to_an_earlier_one(stage):
    """Each autumn brings next year's holidays."""
    take_in(stage, "2026-11-24,closed,")
    take_in(stage, "2026-11-25,closed,", "2026-11-24,10:00-11:00,")

    found = [(row.day, row.hours) for row in calendars.special_days(stage.session, stage.community)]
    assert found == [(date(2026, 11, 24), "10:00-11:00"), (date(2026, 11, 25), "")]


def test_a_working_day_in_lieu_follows_mondays_hours_also_when_these_change(stage):
    take_in(stage, "sat-sun,closed,", "2026-11-28,workday,")
    take_in(stage, "mon,10:00-11:00,")

    calendar = calendars.of(stage.session, stage.community)
    assert calendar.between(datetime(2026, 11, 27, 16, tzinfo=UTC), datetime(2026, 11, 28, 16, tzinfo=UTC)) == HOUR


def test_a_calendar_that_never_opens_is_refused(stage):
    with pytest.raises(NotEnoughServiceTime):
        take_in(stage, "mon-sun,closed,")

    assert stage.session.query(WeekdayHours).count() == 0


def test_a_changed_time_zone_holds_from_the_next_look_on(stage):
    before = calendars.of(stage.session, stage.community)
    stage.community.timezone = "America/New_York"

    assert calendars.of(stage.session, stage.community).next_opening(NOON) == NOON + 9 * HOUR
    assert before.next_opening(NOON) == NOON


def test_what_would_be_is_not_kept(stage):
    reading = calendar_file.read(b"day,hours\nmon-sun,13:00-14:00\n")

    assert calendars.imagine(stage.session, stage.community, reading).due(NOON, HOUR) == NOON + 2 * HOUR
    assert calendars.of(stage.session, stage.community).due(NOON, HOUR) == NOON + HOUR


def test_another_communitys_calendar_is_its_own(stage):
    take_in(stage, "mon-sun,13:00-14:00,")
    stage.session.flush()

    calendars.forget(stage.session, stage.community)

    assert calendars.of(stage.session, stage.community).is_open(NOON)
