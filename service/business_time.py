"""Service time: when a community works, and how long that is, over holidays and daylight saving.

A moment is open when the wall clock of the community's zone stands inside a frame. Everything else follows from that
one sentence: an hour that the clock repeats is worked twice, an hour it skips is not worked at all. Lengths are real
time, so a target of 60 service minutes is 60 minutes that really pass while the community is open.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from service.errors import NotEnoughServiceTime, TargetNotPositive, UnknownZone, WrongHours

DAY_MINUTES = 1440
MINUTE = 60_000_000  # microseconds, in which moments are counted: exact, and quick to compare
DAY = DAY_MINUTES * MINUTE
BLOCK = 28 * DAY  # what is worked out at once, and kept
HORIZON = 10 * 366 * DAY  # nothing is promised further ahead
LOOK = 7 * DAY  # how often a zone is asked for its offset; no zone changes it twice in a week
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_DAY = EPOCH.date().toordinal()
TICK = timedelta(microseconds=1)

_HOURS = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)-([01]?\d|2[0-4]):([0-5]\d)")


@dataclass(frozen=True, order=True)
class Frame:
    """From when to when, in minutes after midnight of the local day it begins on; past 1440 is the day after."""

    opens: int
    closes: int


Frames = tuple[Frame, ...]
ALL_DAY: Frames = (Frame(0, DAY_MINUTES),)


def read_hours(words: str) -> Frames:
    """The frames of a day as people write them: "08:00-12:00 14:00-20:00", "22:00-06:00"; nothing is a day off.

    Raises:
        WrongHours: a frame that cannot be read, or one that is empty.
    """
    return tuple(sorted(map(_frame, re.split(r"[,;\s]+", words.strip())))) if words.strip() else ()


def write_hours(frames: Frames) -> str:
    """The frames of a day as `read_hours` reads them."""
    return " ".join(f"{_clock(frame.opens)}-{_clock(frame.closes, closes=True)}" for frame in frames)


def _frame(word: str) -> Frame:
    found = _HOURS.fullmatch(word.replace("–", "-"))
    if found is None:
        raise WrongHours(frame=word)
    opens, closes = (int(found[hour]) * 60 + int(found[hour + 1]) for hour in (1, 3))
    if closes > DAY_MINUTES or closes == opens:
        raise WrongHours(frame=word)
    return Frame(opens, closes if closes > opens else closes + DAY_MINUTES)


def _clock(minute: int, *, closes: bool = False) -> str:
    minute = minute if closes and minute == DAY_MINUTES else minute % DAY_MINUTES
    return f"{minute // 60:02}:{minute % 60:02}"


@dataclass(frozen=True)
class _Block:
    """The open intervals of four weeks: where each begins, and how much was worked in the block before it."""

    starts: Sequence[int]
    ends: Sequence[int]
    before: Sequence[int]
    worked: int

    def until(self, tick: int) -> int:
        """How much of the block is worked up to a moment in it."""
        place = bisect_right(self.starts, tick) - 1
        return 0 if place < 0 else self.before[place] + min(tick, self.ends[place]) - self.starts[place]

    def when(self, worked: int) -> int:
        """The first moment at which that much, and something, has been worked."""
        place = bisect_left(self.before, worked) - 1
        return self.starts[place] + worked - self.before[place]


class Calendar:
    """When a community works: the hours of its week, and of the days that differ."""

    def __init__(self, zone: str, week: Sequence[Frames], days: Mapping[date, Frames] | None = None) -> None:
        """Take the hours over.

        Args:
            zone: the IANA name of the time zone.
            week: the frames of Monday to Sunday.
            days: holidays (no frames), working days in lieu (调休) and other days with hours of their own.

        Raises:
            UnknownZone: there is no such time zone.
        """
        try:
            self._zone = ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise UnknownZone(zone=zone) from None
        self.zone, self.week, self.days = zone, tuple(week), dict(days or {})
        self._special = {day.toordinal() - EPOCH_DAY: frames for day, frames in self.days.items()}
        self._blocks: dict[int, _Block] = {}

    def is_open(self, at: datetime) -> bool:
        """Whether the community works at this moment; at closing time it no longer does.

        Args:
            at: aware.
        """
        tick = _tick(at)
        block = self._block(tick // BLOCK)
        place = bisect_right(block.starts, tick) - 1
        return place >= 0 and tick < block.ends[place]

    def next_opening(self, after: datetime) -> datetime:
        """The first open moment from `after` on; `after` itself when it is open.

        Raises:
            NotEnoughServiceTime: it does not open again within ten years.
        """
        return after if self.is_open(after) else self.due(after, TICK) - TICK

    def due(self, start: datetime, target: timedelta) -> datetime:
        """When `target` of service time has passed since `start`: the first such moment.

        Args:
            start: aware; outside the hours nothing passes.
            target: service time, more than nothing.

        Raises:
            TargetNotPositive: a target of nothing would be due before anybody can act.
            NotEnoughServiceTime: the calendar does not offer that much within ten years.
        """
        wanted, tick = target // TICK, _tick(start)
        if wanted <= 0:
            raise TargetNotPositive(target=target)
        index = tick // BLOCK
        last = (tick + HORIZON) // BLOCK
        wanted += self._block(index).until(tick)
        while wanted > self._block(index).worked:
            wanted -= self._block(index).worked
            index += 1
            if index > last:
                raise NotEnoughServiceTime(zone=self.zone, target=target)
        return _moment(self._block(index).when(wanted))

    def between(self, start: datetime, end: datetime) -> timedelta:
        """The service time from one moment to another; nothing when the clock went back in between."""
        begin, finish = _tick(start), _tick(end)
        if finish <= begin:
            return timedelta()
        first, last = begin // BLOCK, finish // BLOCK
        whole = sum(self._block(index).worked for index in range(first, last))
        return (whole - self._block(first).until(begin) + self._block(last).until(finish)) * TICK

    def opens_on(self, day: date) -> list[tuple[datetime, datetime]]:
        """From when to when the community works in a local day's frames, aware UTC; joined where they meet.

        Args:
            day: local; a frame over night reaches into the day after.
        """
        frames = _joined((frame.opens, frame.closes) for frame in self._frames(day.toordinal() - EPOCH_DAY))
        return [
            (self._at(day, opens), self._at(day, closes))
            for opens, closes in zip(frames.starts, frames.ends, strict=True)
        ]

    def _at(self, day: date, minutes: int) -> datetime:
        """The moment at which clocks on the wall show so many minutes after the day's midnight."""
        local = datetime.combine(day, time()) + timedelta(minutes=minutes)
        return local.replace(tzinfo=self._zone).astimezone(UTC)

    def _frames(self, day: int) -> Frames:
        special = self._special.get(day)
        return self.week[(day + 3) % 7] if special is None else special  # 1 January 1970 was a Thursday

    def _block(self, index: int) -> _Block:
        block = self._blocks.get(index)
        if block is None:
            block = self._blocks[index] = _joined(self._open(index * BLOCK, (index + 1) * BLOCK))
        return block

    def _open(self, begin: int, end: int) -> Iterator[tuple[int, int]]:
        """The open intervals of a stretch, overlapping and in no order, stretch by stretch of one offset."""
        for first, last, offset in self._stretches(begin, end):
            local_first, local_last = first + offset, last + offset
            for day in range(
                local_first // DAY - 1, (local_last - 1) // DAY + 1
            ):  # last night's frames reach into today
                for frame in self._frames(day):
                    opens = max(day * DAY + frame.opens * MINUTE, local_first)
                    closes = min(day * DAY + frame.closes * MINUTE, local_last)
                    if opens < closes:
                        yield opens - offset, closes - offset

    def _stretches(self, begin: int, end: int) -> Iterator[tuple[int, int, int]]:
        """The stretch in parts in which the zone keeps its offset from UTC."""
        for first in range(begin, end, LOOK):
            last = first + LOOK
            before, after = self._offset(first), self._offset(last)
            if before == after:
                yield first, last, before
            else:
                change = self._change(first, last, before)
                yield first, change, before
                yield change, last, after

    def _change(self, first: int, last: int, before: int) -> int:
        """When the offset changes, to the second."""
        second = MINUTE // 60
        while last - first > second:
            middle = (first + last) // 2 // second * second
            first, last = (middle, last) if self._offset(middle) == before else (first, middle)
        return last

    def _offset(self, tick: int) -> int:
        offset = datetime.fromtimestamp(tick // 1_000_000, self._zone).utcoffset()
        assert offset is not None
        return offset // TICK


@cache
def around_the_clock() -> Calendar:
    """The calendar of what cannot wait for anybody's hours."""
    return Calendar("UTC", (ALL_DAY,) * 7)


def _joined(intervals: Iterable[tuple[int, int]]) -> _Block:
    starts: list[int] = []
    ends: list[int] = []
    for opens, closes in sorted(intervals):
        if ends and opens <= ends[-1]:
            ends[-1] = max(ends[-1], closes)
        else:
            starts.append(opens)
            ends.append(closes)
    before, worked = [], 0
    for opens, closes in zip(starts, ends, strict=True):
        before.append(worked)
        worked += closes - opens
    return _Block(starts, ends, before, worked)


def _tick(moment: datetime) -> int:
    return (moment - EPOCH) // TICK


def _moment(tick: int) -> datetime:
    return EPOCH + tick * TICK
