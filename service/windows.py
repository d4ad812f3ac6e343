"""Windows in which somebody may come: cut from the hours in which a community works. Pure: no database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from service import quiet_hours
from service.business_time import Calendar
from service.models.communities import Community
from service.when import When

DAYS = 14  # that are offered
LEAD = timedelta(hours=1)  # a window that begins sooner can be planned by nobody
MINUTE = timedelta(minutes=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, order=True)
class Window:
    """From when to when somebody may come, aware UTC."""

    begins: datetime
    ends: datetime

    @property
    def minute(self) -> int:
        """Names the window on a button: minutes since 1970."""
        return (self.begins - EPOCH) // MINUTE


def ahead(calendar: Calendar, community: Community, *, now: datetime) -> list[Window]:
    """The windows of the days to come, none of them in quiet hours; none at all where it never opens.

    Args:
        calendar: the community's.
        community: how long its windows are, and its quiet hours.
        now: the moment, aware UTC.
    """
    today = now.astimezone(ZoneInfo(community.timezone)).date()
    length = timedelta(minutes=community.visit_minutes)
    days = (today + timedelta(days=number) for number in range(-1, DAYS))  # last night's hours reach into today
    cut = {window for day in days for opens, closes in calendar.opens_on(day) for window in _cut(opens, closes, length)}
    return sorted(window for window in cut if window.begins >= now + LEAD and _is_by_day(window, community))


def _cut(opens: datetime, closes: datetime, length: timedelta) -> Iterator[Window]:
    """Windows one after the other; what is left counts when it is half as long, or all there is."""
    begins = opens
    while begins < closes:
        ends = min(begins + length, closes)
        if begins == opens or (ends - begins) * 2 >= length:
            yield Window(begins, ends)
        begins = ends


def _is_by_day(window: Window, community: Community) -> bool:
    return not any(quiet_hours.are_at(moment, community) for moment in (window.begins, window.ends - MINUTE))


def fitting(windows: Iterable[Window], wish: When, *, timezone: str) -> Sequence[Window]:
    """Those that a wish means: where its moment lies in, or which share half of their time with it.

    Args:
        windows: to choose from.
        wish: without an end it goes on until midnight.
        timezone: the community's, by its IANA name.
    """
    ends = wish.ends or _midnight_after(wish.begins, timezone)
    if ends == wish.begins:
        return [window for window in windows if window.begins <= wish.begins < window.ends]
    return [window for window in windows if _share(window, wish.begins, ends) >= 1]


def _share(window: Window, begins: datetime, ends: datetime) -> float:
    """The common time, where half of the shorter one is 1."""
    common = min(window.ends, ends) - max(window.begins, begins)
    return common * 2 / min(window.ends - window.begins, ends - begins)


def _midnight_after(moment: datetime, timezone: str) -> datetime:
    zone = ZoneInfo(timezone)
    tomorrow = moment.astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), zone).astimezone(UTC)
