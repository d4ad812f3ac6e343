"""Words of time → the moment or the interval they mean, in a community's time zone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from service import when_days, when_hours, when_words
from service.when_days import DAY, Days
from service.when_hours import MIDNIGHT, Day
from service.when_words import Said

WORTH_WHILE = timedelta(hours=1)  # what must be left of an interval that somebody means
COUNTED = frozenset({"minutes", "within", "within_days", "moment"})  # counted from now, so nothing else can be said


@dataclass(frozen=True)
class When:
    """A moment when both are the same, else from one to the other, both aware UTC; without an end it goes on."""

    begins: datetime
    ends: datetime | None

    def is_over(self, now: datetime) -> bool:
        """Whether nothing of it is left; the minute that runs still counts, and what has no end lasts a day."""
        return (self.ends or self.begins + DAY) < _full_minute(now)


def resolve(words: str, *, now: datetime, timezone: str, ahead: bool = True, day: date | None = None) -> When | None:
    """Turn a resident's words of time into what they mean.

    A day that the words name is kept even if it lies on the wrong side of now: 今天上午, said in the afternoon, is
    over, and the caller asks again. What they leave open is chosen so that it lies on the right side: 三点 is the next
    three o'clock at which people are up.

    Args:
        words: as typed, Chinese or English: 周六上午, "tomorrow after 6".
        now: the moment they were said, aware.
        timezone: the community's, by its IANA name.
        ahead: True for a visit, which is in the future; False for when the trouble was.
        day: the day that is talked of already, in that time zone; words without a day mean it.

    Returns:
        None when the words are unreadable or ambiguous: nobody's time is guessed wildly.
    """
    sides = when_words.read(words)
    clock = _Clock(_full_minute(now), ZoneInfo(timezone), ahead, day)
    if any(COUNTED & side.tells() for side in sides):
        return _counted(sides[0], clock) if len(sides) == 1 else None
    found = list(_meanings(sides, clock))
    opens = len(sides) == 1 and _opens(sides[0])
    fitting = [when for when in found if clock.fits(when, opens=opens)]
    if not fitting and found and clock.knows_day(sides[0]):
        return found[-1]
    return fitting[0] if fitting else None


@dataclass(frozen=True)
class _Clock:
    """What time it is where the words were said, and which way they point."""

    now: datetime  # UTC, full minutes
    zone: ZoneInfo
    ahead: bool
    talked_of: date | None

    def knows_day(self, said: Said) -> bool:
        """Whether the words name a day, or follow on one."""
        return when_days.are_named(said) or self.talked_of is not None

    def days(self, said: Said) -> Sequence[Days]:
        """The days that the words may mean."""
        if self.talked_of and not when_days.are_named(said):
            return [Days(self.talked_of, self.talked_of)]
        return when_days.choices(said, today=self.today, ahead=self.ahead)

    @property
    def today(self) -> date:
        return self.now.astimezone(self.zone).date()

    @property
    def minute(self) -> int:
        """Minutes since midnight, as clocks on the wall show them."""
        local = self.now.astimezone(self.zone)
        return local.hour * 60 + local.minute

    def at(self, day: date, minutes: int = 0) -> datetime:
        """The moment at which clocks on the wall show so many minutes after the day's midnight."""
        local = datetime.combine(day, time()) + timedelta(minutes=minutes)
        return local.replace(tzinfo=self.zone).astimezone(UTC)

    def fits(self, when: When, *, opens: bool) -> bool:
        """Whether it lies on the right side of now; an interval may have begun."""
        if not self.ahead:
            return when.begins <= self.now
        if when.ends is None:
            return True
        if opens or when.begins == when.ends:
            return when.begins >= self.now
        return when.ends - self.now >= WORTH_WHILE


def _full_minute(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(second=0, microsecond=0)


def _opens(said: Said) -> bool:
    return said.edge in {"after", "since"}


def _counted(said: Said, clock: _Clock) -> When | None:
    """半小时后, 两天内, right now: nothing else may be said beside it."""
    if len(said.tells() - {"at"}) > 1:
        return None
    if said.within is not None:
        return When(clock.now, clock.now + timedelta(minutes=said.within))
    if said.within_days is not None:
        return When(clock.now, clock.at(clock.today + said.within_days * DAY, clock.minute))
    moment = clock.now + timedelta(minutes=said.minutes or 0)
    return When(moment, moment)


def _meanings(sides: Sequence[Said], clock: _Clock) -> Iterator[When]:
    """Everything that the words may mean, the likeliest first."""
    if len(sides) == 1:
        yield from _choices(sides[0], clock)
    elif sides:
        yield from _ranges(sides[0], sides[1], clock)


def _choices(said: Said, clock: _Clock) -> Iterator[When]:
    """Everything that words for one point of time may mean, the likeliest first."""
    for days in clock.days(said):
        if not when_hours.are_named(said):
            yield from _whole(days, said, clock)
        elif days.is_one:
            for hours in when_hours.choices(said, day=_day(days.first, said, clock), ahead=clock.ahead):
                yield When(clock.at(days.first, hours.begins), clock.at(days.first, hours.ends))


def _day(day: date, said: Said, clock: _Clock) -> Day:
    """The day as its hours see it."""
    return Day(clock.knows_day(said), clock.minute if day == clock.today else None)


def _whole(days: Days, said: Said, clock: _Clock) -> Iterator[When]:
    """Full days, or all before or after them; what is before them counts from today."""
    today, begins, ends = clock.at(clock.today), clock.at(days.first), clock.at(days.last + DAY)
    if not when_days.are_named(said):
        if said.anytime and clock.ahead:
            yield When(clock.now, None)
    elif _opens(said):
        yield When(ends if said.edge == "after" else begins, None)
    elif not said.edge:
        yield When(begins, ends)
    elif (until := begins if said.edge == "before" else ends) > today:
        yield When(today, until)


def _ranges(begin: Said, end: Said, clock: _Clock) -> Iterator[When]:
    """Everything that from … to … may mean, the likeliest first."""
    for first in clock.days(begin):
        last = _last_days(end, first, clock)
        if not last or last.last < first.first:
            continue
        hours = _hours_between(begin, end, first=first, last=last, clock=clock)
        for begins, ends in hours:
            when = When(clock.at(first.first, begins), clock.at(last.last, ends))
            if when.ends and when.begins < when.ends:
                yield when


def _last_days(end: Said, first: Days, clock: _Clock) -> Days | None:
    """The days behind a 到: 12月3号到5号 is in one month, but 到明天 counts from today."""
    if not when_days.are_named(end):
        return first
    counts_from_today = not {"day", "week", "months", "months_on"}.isdisjoint(end.tells())
    return next(iter(when_days.choices(end, today=clock.today if counts_from_today else first.first, ahead=True)), None)


def _hours_between(begin: Said, end: Said, *, first: Days, last: Days, clock: _Clock) -> Iterator[tuple[int, int]]:
    """Minutes from the midnight of the first and of the last day."""
    if not (when_hours.are_named(begin) or when_hours.are_named(end)):
        yield 0, MIDNIGHT
        return
    if not (first.is_one and last.is_one):
        return
    day = _day(first.first, begin, clock)
    if first == last:
        yield from when_hours.ranges(begin, end, day=day, ahead=clock.ahead)
        return
    begins = when_hours.choices(replace(begin, edge="since"), day=day, ahead=clock.ahead)
    starts = [hours.begins for hours in begins] if when_hours.are_named(begin) else [0]
    yield from ((start, minute) for start in starts for minute in when_hours.ends_after(end, 0)[:1])
