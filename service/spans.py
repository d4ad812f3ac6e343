"""How long something has lasted, in words: to the second at first, then to the minute, then in hours and minutes."""

from __future__ import annotations

from datetime import timedelta

from service import texts

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
BY_THE_SECOND = 10 * MINUTE  # seconds are of interest as long as that


def said(length: timedelta, *, language: str) -> str:
    """The length in words; one that is less than nothing, after a clock went back, is nothing."""
    length = max(length, timedelta())
    hours, rest = divmod(length, HOUR)
    minutes, rest = divmod(rest, MINUTE)
    seconds = rest.seconds if length < BY_THE_SECOND else 0
    kind = _kind(hours=hours, minutes=minutes, seconds=seconds)
    return texts.words(f"utter_word_lasts_{kind}", language=language, hours=hours, minutes=minutes, seconds=seconds)


def _kind(*, hours: int, minutes: int, seconds: int) -> str:
    if hours:
        return "hours_minutes" if minutes else "hours"
    if not minutes:
        return "seconds"
    return "minutes_seconds" if seconds else "minutes"
