"""Windows for visits: cut from the calendar's hours, by day, ahead of now; a wish means some of them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from service import windows
from service.business_time import Calendar, Frames, read_hours
from service.models.communities import Community
from service.when import When
from service.windows import Window
from tests.stage import NOON

HOUR = timedelta(hours=1)
SHANGHAI = "Asia/Shanghai"


def community(zone: str = SHANGHAI, minutes: int = 120) -> Community:
    return Community(timezone=zone, visit_minutes=minutes, quiet_from=time(21), quiet_until=time(8))


def calendar(hours: str, zone: str = SHANGHAI, days: dict[date, Frames] | None = None) -> Calendar:
    return Calendar(zone, (read_hours(hours),) * 7, days)


def offered(hours: str, *, now: datetime = NOON, where: Community | None = None) -> list[str]:
    """The windows of today and tomorrow, on the wall's clock."""
    lives = where or community()
    cut = windows.ahead(calendar(hours, lives.timezone), lives, now=now)
    zone = ZoneInfo(lives.timezone)
    local = [(window.begins.astimezone(zone), window.ends.astimezone(zone)) for window in cut]
    first = now.astimezone(zone).date()
    near = [(begins, ends) for begins, ends in local if begins.date() <= first + timedelta(days=1)]
    return [f"{begins:%d %H:%M}-{ends:%H:%M}" for begins, ends in near]


def test_hours_are_cut_into_windows_from_the_opening_on():
    found = offered("08:00-12:00 14:00-20:00")

    assert found[:3] == ["23 14:00-16:00", "23 16:00-18:00", "23 18:00-20:00"], "now is noon"
    assert found[3:5] == ["24 08:00-10:00", "24 10:00-12:00"]


def test_what_is_left_of_the_hours_is_a_window_when_it_is_worth_coming():
    assert offered("09:00-12:00")[-1] == "24 11:00-12:00"
    assert offered("09:00-11:30")[-1] == "24 09:00-11:00"
    assert offered("09:00-09:30")[-1] == "24 09:00-09:30", "all there is"


def test_nobody_rings_at_night():
    """A community that works around the clock would offer two in the morning."""
    assert offered("00:00-24:00")[-1] == "24 18:00-20:00"
    assert offered("22:00-06:00") == []


def test_frames_that_overlap_give_each_window_once():
    assert offered("08:00-12:00 10:00-14:00")[-3:] == ["24 08:00-10:00", "24 10:00-12:00", "24 12:00-14:00"]


def test_a_window_that_begins_at_once_is_not_offered():
    """Somebody has to get there."""
    assert offered("14:00-16:00", now=NOON + HOUR)[0].startswith("23")
    assert offered("14:00-16:00", now=NOON + HOUR + timedelta(seconds=1))[0].startswith("24")


def test_a_calendar_that_never_opens_offers_nothing():
    assert windows.ahead(Calendar(SHANGHAI, ((),) * 7), community(), now=NOON) == []


def test_a_holiday_has_no_windows():
    holiday = calendar("09:00-11:00", days={date(2026, 11, 24): ()})

    first, *_ = windows.ahead(holiday, community(), now=NOON)

    assert first.begins == datetime(2026, 11, 25, 1, tzinfo=UTC)


@pytest.mark.parametrize("sunday", [datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)])
def test_the_hours_on_the_door_stay_when_the_clocks_are_changed(sunday):
    found = offered("09:00-11:00", now=sunday - 12 * HOUR, where=community("Europe/Berlin"))

    assert found[-1] == f"{sunday:%d} 09:00-11:00"


TOMORROW = [
    Window(NOON + hours * HOUR, NOON + (hours + 2) * HOUR) for hours in (20, 22, 26, 28, 30)
]  # 8, 10, 14, 16, 18


@pytest.mark.parametrize(
    ("begins", "ends", "meant"),
    [
        (27, 27, [26]),  # 15:00
        (28, 28, [28]),  # 16:00 sharp belongs to the window that begins
        (25, 25, []),  # 13:00, when nobody works
        (20, 24, [20, 22]),  # the morning
        (25, 30, [26, 28]),  # the afternoon
        (30, None, [30]),  # after six: of that day
        (26.5, 27, [26]),  # half an hour inside
        (27, 29, [26, 28]),  # from three to five
    ],
)
def test_a_wish_means_the_windows_it_shares_half_its_time_with(begins, ends, meant):
    wish = When(NOON + begins * HOUR, None if ends is None else NOON + ends * HOUR)
    later = [Window(window.begins + 24 * HOUR, window.ends + 24 * HOUR) for window in TOMORROW]

    found = windows.fitting([*TOMORROW, *later], wish, timezone=SHANGHAI)

    assert [(window.begins - NOON) // HOUR for window in found] == meant
