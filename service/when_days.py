"""Which days the words mean: every choice they leave, the likeliest first."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from service.when_words import Said, table

DAY = timedelta(days=1)
WEEK = timedelta(weeks=1)
SLIP = timedelta(days=60)  # a date this far back is a slip to be asked about, not next year's
WEEKEND = 7


class Standpoint(NamedTuple):
    """Where the words are said, and which way they point."""

    today: date  # in the community's time zone
    ahead: bool  # whether the future is meant


@dataclass(frozen=True)
class Days:
    """From the first to the last day."""

    first: date
    last: date

    @property
    def is_one(self) -> bool:
        """Whether it is a single day."""
        return self.first == self.last


def choices(said: Said, *, today: date, ahead: bool) -> Sequence[Days]:
    """Name the days that the words may mean.

    Args:
        said: what the words say.
        today: in the community's time zone.
        ahead: whether the future is meant; else the past.

    Returns:
        One when the words leave no choice; none when no calendar has such a day.
    """
    for name, find in _FINDERS:
        if getattr(said, name) is not None:
            found = find(said, Standpoint(today, ahead))
            return found if find is _weekdays else [days for days in found if _agrees(days, said, today)]
    return [_one(today), _one(today + (DAY if ahead else -DAY))]


def are_named(said: Said) -> bool:
    """Whether the words name a day at all."""
    return any(getattr(said, name) is not None for name, _ in _FINDERS)


def _agrees(days: Days, said: Said, today: date) -> bool:
    """Whether nothing else that was said contradicts: Sunday 5 December is no day when that is a Saturday."""
    is_that_weekday = said.weekday is None or (days.is_one and days.first.weekday() == said.weekday)
    return is_that_weekday and (said.day is None or days == _one(today + said.day * DAY))


def _one(day: date) -> Days:
    return Days(day, day)


def _from_today(said: Said, here: Standpoint) -> Sequence[Days]:
    return [_one(here.today + (said.day or 0) * DAY)]


def _weekdays(said: Said, here: Standpoint) -> Sequence[Days]:
    """A day of the week, or the weekend: of a named week, the coming or last one, or whichever is next."""
    weekday = said.weekday or 0
    monday = here.today - here.today.weekday() * DAY
    if said.week is not None:
        return [_of_week(monday + said.week * WEEK, weekday)]
    this_week = _of_week(monday, weekday)
    if said.which == "last":
        return [this_week if this_week.last < here.today else _of_week(monday - WEEK, weekday)]
    if here.ahead:
        coming = this_week if this_week.last >= here.today else _of_week(monday + WEEK, weekday)
        return [coming] if said.which else [coming, _later(coming, WEEK)]
    latest = this_week if this_week.first <= here.today else _of_week(monday - WEEK, weekday)
    return [latest, _later(latest, -WEEK)]


def _of_week(monday: date, weekday: int) -> Days:
    if weekday == WEEKEND:
        return Days(monday + 5 * DAY, monday + 6 * DAY)
    return _one(monday + weekday * DAY)


def _later(days: Days, length: timedelta) -> Days:
    return Days(days.first + length, days.last + length)


def _week(said: Said, here: Standpoint) -> Sequence[Days]:
    monday = here.today - here.today.weekday() * DAY + (said.week or 0) * WEEK
    return [Days(monday, monday + 6 * DAY)]


def _month(said: Said, here: Standpoint) -> Sequence[Days]:
    """Days of a named month, in the year that fits best."""
    years = [said.year] if said.year else [here.today.year + offset for offset in (-1, 0, 1)]
    found = [days for year in years if (days := _in_month(year, said.month or 1, said))]
    if said.year:
        return found
    if here.ahead:
        earliest = here.today - SLIP
        return [days for days in found if earliest <= days.last and days.first < earliest + 366 * DAY][:1]
    return [days for days in found if days.first <= here.today][-1:]


def _months(said: Said, here: Standpoint) -> Sequence[Days]:
    days = _in_month(*_months_from(here.today, said.months or 0), said)
    return [days] if days else []


def _months_on(said: Said, here: Standpoint) -> Sequence[Days]:
    """The same day of another month, or its last when it is shorter."""
    year, month = _months_from(here.today, said.months_on or 0)
    return [_one(date(year, month, min(here.today.day, monthrange(year, month)[1])))]


def _any_month(said: Said, here: Standpoint) -> Sequence[Days]:
    """A day or a part of whichever month comes next: the 31st skips months that have none."""
    months = (_months_from(here.today, offset if here.ahead else -offset) for offset in (0, 1, 2))
    return [days for year, month in months if (days := _in_month(year, month, said))]


def _months_from(today: date, offset: int) -> tuple[int, int]:
    years, month = divmod(today.month - 1 + offset, 12)
    return today.year + years, month + 1


def _in_month(year: int, month: int, said: Said) -> Days | None:
    """The date, the first, middle or last days, or all of a month; None when it has no such date."""
    length = monthrange(year, month)[1]
    if said.date is not None:
        return _one(date(year, month, said.date)) if said.date <= length else None
    first, last = table()["stretches"][said.stretch] if said.stretch else (1, length)
    return Days(*(date(year, month, day if day > 0 else length + 1 + day) for day in (first, last)))


# Which words decide, the most telling first.
_FINDERS: tuple[tuple[str, Callable[[Said, Standpoint], Sequence[Days]]], ...] = (
    ("month", _month),
    ("months", _months),
    ("months_on", _months_on),
    ("day", _from_today),
    ("date", _any_month),
    ("stretch", _any_month),
    ("weekday", _weekdays),
    ("week", _week),
)
