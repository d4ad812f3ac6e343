"""A calendar as a file: hours, holidays and working days in lieu (调休), as CSV or iCal, each problem with its row.

    day,hours,name
    mon-fri,08:00-12:00 14:00-20:00,
    sat,09:00-17:00,
    2026-10-01,closed,国庆节
    2026-10-10,workday,国庆节调休
    2026-12-31,08:00-12:00,

`closed` and `workday` may be written 休 and 班. A working day in lieu has Monday's hours. Of an iCal file its whole-day
events are read: an event that says neither is left out, because such files name every observance.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from icalendar import Calendar as ICal
from icalendar import Component

from service.business_time import read_hours, write_hours
from service.errors import WrongHours

WORDS = Path(__file__).with_suffix(".yml")
CLOSED = ""  # how the hours of a day off are kept
WORKDAY = "workday"  # and those of a working day in lieu: as Monday's, also when these change
LONGEST = timedelta(days=60)  # of one event; a longer one is a mistake in the file
MOST_BYTES = 2_000_000
APPLE = {"WORK-HOLIDAY": CLOSED, "ALTERNATE-WORKDAY": WORKDAY}  # how Apple's calendar of holidays marks its days


@dataclass(frozen=True)
class Problem:
    """What is wrong in a row, as a phrase of domain.yml and what fills it."""

    row: int
    phrase: str
    facts: dict[str, object]


@dataclass(frozen=True)
class Day:
    """What a file says about one day: its hours as they are kept, and why."""

    hours: str
    name: str | None = None


@dataclass
class Reading:
    """What a file says; nothing is to be taken over while there are problems."""

    week: dict[int, str] = field(default_factory=dict)
    days: dict[date, Day] = field(default_factory=dict)
    left_out: int = 0
    problems: list[Problem] = field(default_factory=list)


class _Wrong(Exception):
    def __init__(self, phrase: str, **facts: object) -> None:
        super().__init__(phrase)
        self.phrase, self.facts = phrase, facts


def read(content: bytes) -> Reading:
    """Read a calendar file of either kind, to its end: all its problems at once."""
    reading = Reading()
    try:
        text = _text(content)
        (_read_ical if text.lstrip().upper().startswith("BEGIN:VCALENDAR") else _read_csv)(text, reading)
    except _Wrong as wrong:
        reading.problems.append(Problem(0, wrong.phrase, wrong.facts))
    return reading


def _text(content: bytes) -> str:
    """UTF-8, or what a Chinese spreadsheet writes."""
    if len(content) > MOST_BYTES:
        raise _Wrong("utter_staff_calendar_too_large", most=MOST_BYTES)
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise _Wrong("utter_staff_calendar_no_text")


# --- CSV --------------------------------------------------------------------------------------------------------------


def _read_csv(text: str, reading: Reading) -> None:
    rows = csv.reader(io.StringIO(text, newline=""))
    try:
        columns = _columns(next(rows, []))
        for cells in rows:
            if any(cell.strip() for cell in cells):
                _take_row(rows.line_num, dict(zip(columns, map(str.strip, cells), strict=False)), reading)
    except csv.Error as error:
        raise _Wrong("utter_staff_calendar_no_csv", error=str(error)) from None


def _columns(head: Sequence[str]) -> list[str]:
    keys = {word: key for key, words in _words("columns").items() for word in words}
    names = [keys.get(cell.strip().lower(), "") for cell in head]
    if "day" not in names or "hours" not in names:
        raise _Wrong("utter_staff_calendar_no_columns")
    return names


def _take_row(row: int, cells: Mapping[str, str], reading: Reading) -> None:
    try:
        hours = _hours(cells.get("hours", ""))
        weekdays = _weekdays(cells.get("day", ""))
        if weekdays:
            _take_weekdays(weekdays, hours, reading, said=cells)
        else:
            _take_day(_date(cells.get("day", "")), hours, reading, name=cells.get("name"))
    except _Wrong as wrong:
        reading.problems.append(Problem(row, wrong.phrase, wrong.facts))


def _take_weekdays(weekdays: Sequence[int], hours: str, reading: Reading, *, said: Mapping[str, str]) -> None:
    if hours == WORKDAY:
        raise _Wrong("utter_staff_calendar_no_hours", hours=said["hours"])
    if reading.week.keys() & set(weekdays):
        raise _Wrong("utter_staff_calendar_twice", day=said["day"])
    reading.week.update(dict.fromkeys(weekdays, hours))


def _take_day(day: date, hours: str, reading: Reading, *, name: str | None) -> None:
    """A day may stand twice if both say the same: feeds list a holiday under each of its names."""
    if reading.days.setdefault(day, Day(hours, name or None)).hours != hours:
        raise _Wrong("utter_staff_calendar_twice", day=day)


def _hours(words: str) -> str:
    for kept, key in ((CLOSED, "closed"), (WORKDAY, "workday")):
        if words.lower() in _words(key):
            return kept
    try:
        frames = read_hours(words)
    except WrongHours as wrong:
        raise _Wrong("utter_staff_calendar_no_hours", hours=wrong.facts["frame"]) from None
    if not frames:
        raise _Wrong("utter_staff_calendar_no_hours", hours=words)
    return write_hours(frames)


def _weekdays(words: str) -> list[int]:
    names = {name: number for number, names in _words("weekdays").items() for name in names}
    first, *rest = [names.get(word.strip()) for word in re.split("|".join(_words("to")), words.lower())]
    last = rest[0] if len(rest) == 1 else first
    if first is None or last is None or len(rest) > 1:
        return []
    return [(first + step) % 7 for step in range((last - first) % 7 + 1)]


def _date(words: str) -> date:
    try:
        return date.fromisoformat(words.replace("/", "-"))
    except ValueError:
        raise _Wrong("utter_staff_calendar_no_day", day=words) from None


# --- iCal -------------------------------------------------------------------------------------------------------------


def _read_ical(text: str, reading: Reading) -> None:
    try:
        events = ICal.from_ical(text).walk("VEVENT")
    except (ValueError, IndexError, KeyError, TypeError) as error:
        raise _Wrong("utter_staff_calendar_no_ical", error=str(error)[:200]) from None
    for row, event in enumerate(events, start=1):
        title = str(event.get("SUMMARY", "")).strip()
        try:
            for day, hours in _days(event, title):
                _take_day(day, hours, reading, name=title)
        except _Wrong as wrong:
            reading.problems.append(Problem(row, wrong.phrase, wrong.facts))
        reading.left_out += _meaning(event, title) is None


def _days(event: Component, title: str) -> Iterator[tuple[date, str]]:
    hours = _meaning(event, title)
    if hours is None:
        return
    first, last = _edges(event, title)
    if "RRULE" in event or "RDATE" in event:
        raise _Wrong("utter_staff_calendar_repeats", title=title, day=first)
    if not timedelta() < last - first <= LONGEST:
        raise _Wrong("utter_staff_calendar_length", title=title, day=first)
    for ahead in range((last - first).days):
        yield first + timedelta(days=ahead), hours


def _edges(event: Component, title: str) -> tuple[date, date]:
    """The first day of an event, and the one after its last."""
    try:
        first, last = event.start, event.end  # type: ignore[attr-defined]  # only events are walked
    except (ValueError, KeyError, TypeError):  # how the library refuses an event without a start, or with a broken one
        raise _Wrong("utter_staff_calendar_no_day", day=title) from None
    if isinstance(first, datetime) or isinstance(last, datetime):
        raise _Wrong("utter_staff_calendar_clock", title=title)
    return first, last


def _meaning(event: Component, title: str) -> str | None:
    """Whether the event is a day off or a working day in lieu; the latter often names the holiday it makes up for."""
    marked = APPLE.get(str(event.get("X-APPLE-SPECIAL-DAY", "")).upper())
    if marked is not None:
        return marked
    for hours, key in ((WORKDAY, "workday"), (CLOSED, "closed")):
        if any(_stands_in(word, title.lower()) for word in _words(key)):
            return hours
    return None


def _stands_in(word: str, title: str) -> bool:
    return re.search(rf"\b{re.escape(word)}\b" if word.isascii() else re.escape(word), title) is not None


@cache
def _table() -> Mapping[str, Any]:
    table: Mapping[str, Any] = yaml.safe_load(WORDS.read_text("utf-8"))
    return table


def _words(key: str) -> Any:
    return _table()[key]
