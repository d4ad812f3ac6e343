"""The oracle of service time: a person with a watch and the opening hours."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)


class Watcher:
    """Looks at the wall clock once a minute and counts. Shares nothing with what it judges but the hours."""

    def __init__(self, zone: str, week: list[list[tuple[int, int]]], days: dict[date, list[tuple[int, int]]]) -> None:
        self.zone, self.week, self.days = ZoneInfo(zone), week, days
        self.hours = cache(lambda day: self.days.get(day, self.week[day.weekday()]))

    def sees_open(self, moment: datetime) -> bool:
        wall = moment.astimezone(self.zone)
        minute = wall.hour * 60 + wall.minute
        today, yesterday = self.hours(wall.date()), self.hours(wall.date() - timedelta(days=1))
        return any(o <= minute < c for o, c in today) or any(o <= minute + 1440 < c for o, c in yesterday)

    def counts(self, start: datetime, end: datetime) -> int:
        """The open minutes from one full minute to another."""
        minutes = int((end - start) / MINUTE)
        return sum(self.sees_open(start + n * MINUTE) for n in range(minutes))

    def waits(self, start: datetime, target: int, most: int) -> datetime | None:
        """The full minute at which so many have been open; None when that takes more than `most` minutes."""
        for n in range(most):
            target -= self.sees_open(start + n * MINUTE)
            if target == 0:
                return start + (n + 1) * MINUTE
        return None
