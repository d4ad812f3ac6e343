"""The clocks of a case, counted minute by minute from its log; shares nothing with the service but the table."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import yaml

from tests.watcher import MINUTE, Watcher

TABLE = Path(__file__).parents[2] / "service" / "clocks.yml"
MOST = 60 * 24 * 60  # minutes that are looked at
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True)
class Step:
    """A line of a case's log."""

    event: str
    at: datetime
    data: dict[str, Any]


@dataclass(frozen=True)
class Counted:
    """A run of a clock, as somebody with a watch saw it."""

    clock: str
    number: int
    started: datetime
    stopped: datetime | None
    due: datetime | None


@dataclass
class Waiting:
    """What a case waits for, as its log says so far."""

    table: dict[str, Any]
    wish: datetime | None = None  # when they want somebody, until an hour is agreed
    visit: datetime | None = None  # the hour that is agreed
    pause: bool = False
    pause_until: datetime | None = None

    def reads(self, step: Step) -> None:
        """One more line of the log."""
        if step.event in self.table["resumes"]:
            self.pause, self.pause_until = False, None
        if step.event in self.table["pauses"]:
            self.pause, self.pause_until = True, _until(step)
        if step.event in self.table["comes_before"]:
            self.visit = None
        if step.event in self.table["visits"]:
            self.wish, self.visit = None, _until(step)

    def is_on(self, minute: datetime) -> bool:
        """Whether nothing is to be done in this minute."""
        hours = [hour for hour in (self.wish, self.visit) if hour is not None]
        if self.pause:
            hours.append(self.pause_until or datetime.max.replace(tzinfo=minute.tzinfo))
        return any(minute < hour for hour in hours)


class Oracle:
    """Knows the community's hours and what was promised, and counts."""

    def __init__(self, calendar: Path, zone: str) -> None:
        week, days = _read(calendar)
        self._watcher = Watcher(zone, week, days)
        self._open: dict[datetime, bool] = {}
        self._table = yaml.safe_load(TABLE.read_text("utf-8"))

    def counts(self, kind: str, category: str, log: Sequence[Step]) -> list[Counted]:
        """Every run of every clock of a case."""
        found = []
        for clock, rule in self._table["clocks"].items():
            begins = _begins(rule, log)
            for number, (begin, end) in enumerate(zip(begins, [*begins, len(log)][1:], strict=True), 1):
                target = self._target(kind, clock, category, _urgency(log[: begin + 1]))
                if target is not None:
                    again = log[end].at if end < len(log) else None
                    found.append(self._run(clock, number, rule, target, log[begin:end], again))
        return found

    def _target(self, kind: str, clock: str, category: str, urgency: int) -> dict[str, Any] | None:
        """The row with most conditions, of equals the shorter."""
        rows = [
            row
            for row in self._table["targets"]
            if (row["kind"], row["clock"]) == (kind, clock)
            and row.get("category", category) == category
            and row.get("urgency", 0) <= urgency
        ]
        return min(rows, key=lambda row: (-("category" in row) - ("urgency" in row), row["minutes"]), default=None)

    def _run(
        self,
        clock: str,
        number: int,
        rule: dict[str, Any],
        target: dict[str, Any],
        steps: Sequence[Step],
        again: datetime | None,
    ) -> Counted:
        ends = (*rule["stops"], *rule.get("ends", ()), *self._table["ends"])
        stopped = next((step.at for step in steps[1:] if step.event in ends), again)
        pausing = steps if rule.get("pauses", True) else ()
        due = self._wait(steps[0].at, target, pausing, stopped)
        return Counted(clock, number, steps[0].at, stopped, due)

    def _wait(
        self, start: datetime, target: dict[str, Any], steps: Sequence[Step], stopped: datetime | None
    ) -> datetime | None:
        """Look at the watch every minute, and at the log; whoever is asked to wait does not count."""
        left, minute, coming = target["minutes"], start, list(steps)
        waiting = Waiting(self._table, wish=_until(coming[0]) if coming else None)
        for _ in range(MOST):
            while coming and coming[0].at <= minute:
                waiting.reads(coming.pop(0))
            if stopped is not None and minute >= stopped:
                waiting, coming = Waiting(self._table), []
            left -= not waiting.is_on(minute) and (target.get("always", False) or self._is_open(minute))
            minute += MINUTE
            if left == 0:
                return minute
        return None

    def _is_open(self, minute: datetime) -> bool:
        if minute not in self._open:
            self._open[minute] = self._watcher.sees_open(minute)
        return self._open[minute]


def _begins(rule: dict[str, Any], log: Sequence[Step]) -> list[int]:
    """The places at which a clock is started; what goes on `again` must have begun, and not been put off since."""
    begins, has_begun = [], False
    for place, step in enumerate(log):
        if step.event in rule["starts"] or (has_begun and step.event in rule.get("again", ())):
            begins.append(place)
        has_begun = (has_begun and step.event not in rule.get("ends", ())) or place in begins
    return begins


def _until(step: Step) -> datetime | None:
    return datetime.fromisoformat(step.data["until"]) if step.data.get("until") else None


def _urgency(log: Sequence[Step]) -> int:
    return int(any(step.event in ("reopened", "urged") for step in log))


def _read(calendar: Path) -> tuple[list[list[tuple[int, int]]], dict[date, list[tuple[int, int]]]]:
    """The hours of the week and of the days that differ, in minutes after midnight."""
    week: list[list[tuple[int, int]]] = [[] for _ in DAYS]
    days: dict[date, list[tuple[int, int]]] = {}
    with calendar.open(encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            hours = week[0] if row["hours"] == "workday" else _frames(row["hours"])
            first, _, last = row["day"].partition("-")
            if first in DAYS:
                for day in range(DAYS.index(first), DAYS.index(last or first) + 1):
                    week[day] = hours
            else:
                days[date.fromisoformat(row["day"])] = hours
    return week, days


def _frames(words: str) -> list[tuple[int, int]]:
    clocks = [] if words == "closed" else [frame.split("-") for frame in words.split()]
    return [(_minute(opens), _minute(closes)) for opens, closes in clocks]


def _minute(clock: str) -> int:
    hour, minute = clock.split(":")
    return int(hour) * 60 + int(minute)
