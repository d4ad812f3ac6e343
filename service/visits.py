"""When somebody may come: the words a resident used, with the day and the clock they mean."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from service import texts
from service.when import When

MIDNIGHT = time()
CLOCK = "%H:%M"


def written(words: str | None, when: When | None, *, timezone: str, language: str) -> str | None:
    """Write down when somebody may come, so that resident and worker read the same.

    Args:
        words: the resident's own, which are always kept.
        when: what they mean, or None when that is unclear.
        timezone: the community's, by its IANA name.
        language: zh or en.
    """
    if not words or when is None:
        return words
    meant = display(when, timezone=timezone, language=language)
    return texts.words("utter_word_wanted_at", language=language, words=words, when=meant)


def display(when: When, *, timezone: str, language: str) -> str:
    """The day and the clock of a moment or an interval, as short as they can be said."""
    begins, ends = _local(when.begins, timezone), _local(when.ends or when.begins, timezone)
    is_to_midnight = ends.time() == MIDNIGHT and ends.date() > begins.date()
    last = ends.date() - timedelta(days=is_to_midnight)
    return texts.words(
        f"utter_word_when_{_kind(when, begins, last, is_to_midnight=is_to_midnight)}",
        language=language,
        day=_day(begins.date(), language),
        begins=begins.strftime(CLOCK),
        last_day=_day(last, language),
        ends=ends.strftime(CLOCK),
    )


def _kind(when: When, begins: datetime, last: date, *, is_to_midnight: bool) -> str:
    """Which phrase says it; an evening to midnight is open, and so is a day up to an hour."""
    is_one_day, is_from_midnight = begins.date() == last, begins.time() == MIDNIGHT
    if when.ends is None:
        return "open"
    if when.ends == when.begins:
        return "moment"
    if is_from_midnight and is_to_midnight:
        return "day" if is_one_day else "days"
    if not is_one_day:
        return "over_days"
    return "from" if is_to_midnight else "until" if is_from_midnight else "between"


def _local(moment: datetime, timezone: str) -> datetime:
    return moment.astimezone(ZoneInfo(timezone))


def _day(day: date, language: str) -> str:
    month = texts.words(f"utter_word_month_{day.month}", language=language)
    weekday = texts.words(f"utter_word_weekday_{day.weekday()}", language=language)
    return texts.words("utter_word_day", language=language, month=month, day=day.day, weekday=weekday)
