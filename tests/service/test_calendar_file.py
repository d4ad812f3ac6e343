"""Calendar files: hours, holidays and working days in lieu, and every mistake with its row."""

from __future__ import annotations

import random
from datetime import date

import pytest

from service import calendar_file, texts
from service.calendar_file import CLOSED, WORKDAY, Day

HEAD = "day,hours,name\n"


def csv(*rows: str) -> calendar_file.Reading:
    return calendar_file.read((HEAD + "\n".join(rows)).encode())


def ical(*events: str) -> calendar_file.Reading:
    body = "".join(f"BEGIN:VEVENT\r\nUID:{n}\r\n{event}\r\nEND:VEVENT\r\n" for n, event in enumerate(events))
    return calendar_file.read(f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{body}END:VCALENDAR\r\n".encode())


def event(first: str, last: str, title: str, *more: str) -> str:
    return "\r\n".join([f"DTSTART;VALUE=DATE:{first}", f"DTEND;VALUE=DATE:{last}", f"SUMMARY:{title}", *more])


def test_hours_of_weekdays_and_days_are_read():
    reading = csv(
        "mon-fri,8:00-12:00 14:00-20:00,",
        "周六,09:00-17:00,",
        "sun,closed,",
        "",
        "2026-10-01,休,国庆节",
        "2026/10/10,班,调休",
    )

    assert reading.problems == []
    assert reading.week == {**dict.fromkeys(range(5), "08:00-12:00 14:00-20:00"), 5: "09:00-17:00", 6: CLOSED}
    assert reading.days == {date(2026, 10, 1): Day(CLOSED, "国庆节"), date(2026, 10, 10): Day(WORKDAY, "调休")}


def test_a_range_of_weekdays_may_go_over_sunday():
    assert csv("fri-mon,22:00-06:00,").week.keys() == {4, 5, 6, 0}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_spreadsheets_own_encoding_is_read(encoding):
    """Excel in China writes GB18030, and a byte order mark elsewhere."""
    reading = calendar_file.read("日期,时间,名称\r\n2026-10-01,休息,国庆节\r\n".encode(encoding))

    assert reading.days == {date(2026, 10, 1): Day(CLOSED, "国庆节")}


@pytest.mark.parametrize(
    ("row", "phrase"),
    [
        ("2026-02-30,closed,", "no_day"), ("someday,closed,", "no_day"), ("mon-fri-sun,closed,", "no_day"),
        ("2026-10-01,maybe,", "no_hours"), ("2026-10-01,,", "no_hours"), ("2026-10-01,08:00-08:00,", "no_hours"),
        ("mon,workday,", "no_hours"), ("2026-10-02,8:00-9:00,", "twice"), ("tue,closed,", "twice"),
        ("2026-10-01", "no_hours"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_row_and_the_rest_is_read_too(row, phrase):
    """Whoever sends thirty rows wants to mend them all at once."""
    reading = csv("2026-10-02,closed,", "tue,09:00-10:00,", row, "2026-10-03,closed,", "wed,nonsense,")

    assert [(one.row, one.phrase) for one in reading.problems] == [
        (4, f"utter_staff_calendar_{phrase}"), (6, "utter_staff_calendar_no_hours")
    ]  # fmt: skip
    assert date(2026, 10, 3) in reading.days


@pytest.mark.parametrize(
    ("content", "phrase"),
    [
        (b"\xff\xfe\x00\x01", "no_text"), (b"a\0b", "no_text"), (b"", "no_columns"), (b"x,y\n1,2", "no_columns"),
        (b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nnonsense", "no_ical"), (b"x" * 2_000_001, "too_large"),
        (b"day,hours\n" + b"2026-10-01," + b"9" * 200_000, "no_csv"),
    ],
)  # fmt: skip
def test_what_is_no_calendar_is_refused_as_a_whole(content, phrase):
    [problem] = calendar_file.read(content).problems

    assert (problem.row, problem.phrase) == (0, f"utter_staff_calendar_{phrase}")


def test_holidays_and_working_days_of_an_ical_file_are_read():
    """The feeds of Chinese holidays mark them 休 and 班; Apple's has a field of its own; others are none."""
    reading = ical(
        event("20261001", "20261004", "国庆节（休）"),
        event("20261010", "20261011", "国庆节（补班）"),
        event("20261225", "20261226", "Christmas", "X-APPLE-SPECIAL-DAY:WORK-HOLIDAY"),
        event("20260910", "20260911", "教师节"),
        event("20261231", "20270101", "Working day for New Year's Day"),
    )

    assert reading.problems == []
    assert reading.left_out == 1
    assert {f"{day:%m%d}": told.hours for day, told in reading.days.items()} == {
        "1001": CLOSED, "1002": CLOSED, "1003": CLOSED, "1010": WORKDAY, "1225": CLOSED, "1231": WORKDAY
    }  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "phrase"),
    [
        (event("20261001", "20261002", "国庆节 休", "RRULE:FREQ=YEARLY"), "repeats"),
        (event("20261001", "20271001", "国庆节 休"), "length"),
        (event("20261002", "20261001", "国庆节 休"), "length"),
        (event("20260930", "20261001", "补班"), "twice"),
        ("SUMMARY:休", "no_day"),
        ("DTSTART;VALUE=DATE:20261301\r\nSUMMARY:休", "no_day"),
        ("DTSTART:20261001T080000Z\r\nDTEND:20261001T090000Z\r\nSUMMARY:休", "clock"),
    ],
)
def test_an_event_that_cannot_be_taken_over_is_named_by_its_place(wrong, phrase):
    reading = ical(event("20260930", "20261001", "中秋 休"), wrong)

    assert [(one.row, one.phrase) for one in reading.problems] == [(2, f"utter_staff_calendar_{phrase}")]
    assert texts.words(reading.problems[0].phrase, language="en", **reading.problems[0].facts)


@pytest.mark.parametrize("seed", range(40))
def test_a_spoiled_file_is_read_or_refused_and_never_an_error(seed):
    """A file that was cut off, mixed up or saved by a strange program gets an answer."""
    chance = random.Random(seed)
    whole = event("20261001", "20261004", "国庆节 休", "DURATION:P1D", "RRULE:FREQ=YEARLY;COUNT=2")
    for text in (f"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n{whole}\r\nEND:VEVENT\r\nEND:VCALENDAR", HEAD + "mon,休,\n" * 3):
        content = bytearray(text.encode())
        for _ in range(4):
            place = chance.randrange(len(content))
            content[place : place + chance.randrange(12)] = chance.randbytes(chance.randrange(4))

        reading = calendar_file.read(bytes(content))

        assert all(texts.words(one.phrase, language="zh", **one.facts) for one in reading.problems)


def test_a_day_off_that_stands_twice_and_says_the_same_is_no_mistake():
    assert ical(event("20261001", "20261002", "休"), event("20261001", "20261003", "休")).problems == []
