"""A clock's runs, read from a case's log: when each began, was paused and stopped. Pure: a log in, numbers out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from service.business_time import Calendar

TABLE = Path(__file__).with_name("clocks.yml")


@dataclass(frozen=True)
class Step:
    """One line of a case's log, as far as clocks care."""

    event: str
    at: datetime
    data: Mapping[str, Any]
    key: str | None = None  # the update that caused it


@dataclass(frozen=True)
class Rung:
    """A step of the ladder: at which part of a target who hears of it."""

    step: str
    at: float
    to: str


@dataclass(frozen=True)
class Run:
    """One run of a clock; `stopped` is empty while it runs, `ended` says that the promise is off."""

    clock: str
    number: int
    started: datetime
    urgency: int
    stopped: datetime | None = None
    ended: bool = False
    pauses: tuple[tuple[datetime, datetime | None], ...] = ()

    def reaches(self, length: timedelta, calendar: Calendar) -> datetime | None:
        """When so much service time has passed without the pauses; None while that waits for a pause to end.

        Raises:
            NotEnoughServiceTime: never, within ten years.
        """
        start = self.started
        for begins, ends in self.pauses:
            worked = calendar.between(start, begins)
            if length <= worked:
                break
            if ends is None:
                return None
            length, start = length - worked, max(start, ends)
        return calendar.due(start, length)

    def is_late(self, due: datetime | None, *, now: datetime) -> bool:
        """Whether the promise was broken; what is done in the last moment is done in time."""
        return not self.ended and due is not None and due < (self.stopped or now)


def names() -> Sequence[str]:
    """All clocks."""
    return tuple(table()["clocks"])


def promises(kind: str) -> Sequence[str]:
    """The clocks a resident is told of, the first that runs."""
    return tuple(table()["promises"].get(kind, ()))


@cache
def ladder() -> Sequence[Rung]:
    """Who hears of a clock, in the order of time."""
    return tuple(Rung(**row) for row in sorted(table()["ladder"], key=lambda row: row["at"]))


def runs(clock: str, log: Iterable[Step]) -> list[Run]:
    """Every run of a clock; a run that was started again before it stopped ended with that.

    Args:
        clock: one of `names`.
        log: the case's, oldest first. A clock that went back in between counts as one that stood still.
    """
    rule, steps = table()["clocks"][clock], list(_in_time(log))
    starts, ends, found = list(_starts(rule, steps)), (*_events("ends"), *rule.get("ends", ())), []
    for number, (begin, end) in enumerate(pairwise([*starts, len(steps)]), start=1):
        started, urgency = steps[begin].at, _urgency(steps[: begin + 1])
        stop = next((step for step in steps[begin + 1 : end + 1] if step.event in (*rule["stops"], *ends)), None)
        again = steps[end].at if end < len(steps) else None
        stopped = stop.at if stop else again
        ended = stop.event in ends if stop else again is not None
        ran = [step for step in steps[begin:end] if stopped is None or step.at < stopped]  # later pauses are others'
        pauses = tuple(_pauses(ran, stopped)) if rule.get("pauses", True) else ()
        found.append(Run(clock, number, started, urgency, stopped, ended, pauses))
    return found


def _starts(rule: Mapping[str, Any], steps: Sequence[Step]) -> Iterator[int]:
    """Where the runs of a clock begin: some steps start only what has been started before and was not put off since."""
    goes_on = False
    for place, step in enumerate(steps):
        if step.event in rule["starts"] or (goes_on and step.event in rule.get("again", ())):
            goes_on = True
            yield place
        elif step.event in rule.get("ends", ()):
            goes_on = False


def _in_time(log: Iterable[Step]) -> Iterator[Step]:
    latest: datetime | None = None
    for step in log:
        latest = step.at if latest is None else max(latest, step.at)
        yield Step(step.event, latest, step.data)


def _urgency(steps: Sequence[Step]) -> int:
    """How urgent the case was by then; a run keeps what it began with, so nobody is late by an urge."""
    raised = any(step.event in ("reopened", "urged") for step in steps)
    return max(int(raised), *(int(step.data.get("urgency") or 0) for step in steps))


def _pauses(steps: Sequence[Step], stopped: datetime | None) -> Iterator[tuple[datetime, datetime | None]]:
    """The pauses of a run; one for an appointment ends with it, and so does waiting for a visit wanted later."""
    for place, step in enumerate(steps):
        wanted, over = step.data.get("until"), _ends_of(step, is_first=place == 0)
        if not over:
            continue
        ends = next((later.at for later in steps[place + 1 :] if later.event in over), stopped)
        if wanted:
            until = max(datetime.fromisoformat(wanted), step.at)
            ends = until if ends is None else min(ends, until)
        yield step.at, ends


def _ends_of(step: Step, *, is_first: bool) -> Sequence[str]:
    """The steps that end what a step makes the work wait for; none when it does not wait."""
    if step.event in _events("pauses"):
        return _events("resumes")
    if step.event in _events("visits"):
        return _events("comes_before")
    return _events("visits") if is_first and step.data.get("until") else ()


def _events(key: str) -> Sequence[str]:
    return tuple(table()[key])


@cache
def table() -> Mapping[str, Any]:
    """What clocks.yml says."""
    loaded: Mapping[str, Any] = yaml.safe_load(TABLE.read_text("utf-8"))
    return loaded
