"""When the desk is open, in words."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial, reduce
from itertools import groupby

from sqlalchemy.orm import object_session

from service import calendars, texts
from service.business_time import Frames, write_hours
from service.models.communities import Community


def told(community: Community, *, language: str) -> str:
    """When the desk is open, as short as it can be said: days with the same hours together.

    Args:
        community: by its calendar, as far as it was read from a database; else by its settings.
        language: zh or en.
    """
    session = object_session(community)
    calendar = calendars.of(session, community) if session is not None else calendars.usual(community)
    week = list(enumerate(calendar.week))
    spans = [[day for day, _ in those] for _, those in groupby(week, key=lambda day: day[1])]
    if len(spans) == 1:
        return _frames(week[0][1], language)
    spoken = (_span(span, week[span[0]][1], language) for span in spans)
    return reduce(partial(_then, language), spoken)


def _then(language: str, these: str, those: str) -> str:
    return texts.words("utter_word_hours_then", language=language, these=these, those=those)


def _span(days: Sequence[int], frames: Frames, language: str) -> str:
    first, last = (texts.words(f"utter_word_weekday_{day}", language=language) for day in (days[0], days[-1]))
    said = _frames(frames, language)
    if first == last:
        return texts.words("utter_word_hours_of_day", language=language, day=first, hours=said)
    return texts.words("utter_word_hours_of_days", language=language, first=first, last=last, hours=said)


def _frames(frames: Frames, language: str) -> str:
    return write_hours(frames).replace("-", "–") or texts.words("utter_word_closed_day", language=language)
