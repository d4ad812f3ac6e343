"""Which hours of a day the words mean: every choice they leave, the likeliest first, as minutes from its midnight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from service.when_words import Said, table

HOUR = 60  # minutes
HALF_DAY = 12 * HOUR
MIDNIGHT = 24 * HOUR
NEXT_MORNING = 30 * HOUR  # when a night is over
SOON = 3 * HOUR  # at seven in the evening, "eight" is tonight


class Hours(NamedTuple):
    """Begin and end in minutes from the day's midnight; a moment when they are the same."""

    begins: int
    ends: int


class Day(NamedTuple):
    """The day the hours belong to, as far as it matters for them."""

    is_named: bool
    now: int | None  # minutes from its midnight when it is today


def are_named(said: Said) -> bool:
    """Whether the words name hours at all."""
    return not {"part", "anchor", "hour"}.isdisjoint(said.tells())


def choices(said: Said, *, day: Day, ahead: bool) -> Sequence[Hours]:
    """Name the hours that the words may mean.

    Args:
        said: what the words say.
        day: the day they would belong to.
        ahead: whether the future is meant; else the past.

    Returns:
        None at all when nobody could tell which hours are meant.
    """
    if said.part and _is_part(said):
        return [_edged(hours, said) for hours in _part(said.part, ahead=ahead)]
    minutes = _usual(said, day, ahead=ahead) if _is_open(said) else _clock(said)
    return [_edged(Hours(minute, minute + _more(said)), said) for minute in minutes]


def ranges(begin: Said, end: Said, *, day: Day, ahead: bool) -> Sequence[Hours]:
    """Name what from … to … may mean on one day; each side tells what the other leaves open."""
    if _is_open(begin) and not _is_open(end) and end.hour is not None:
        lasts = ((last, [first for first in _clock(begin) if first < last]) for last in _clock(end))
        return [Hours(firsts[-1], last) for last, firsts in lasts if firsts]
    firsts = choices(replace(begin, edge="since"), day=day, ahead=ahead)
    return [Hours(first.begins, last) for first in firsts for last in ends_after(end, first.begins)[:1]]


def ends_after(said: Said, minute: int) -> Sequence[int]:
    """When the words end that stand behind a 到, the earliest first.

    Args:
        said: what they say; nothing of an hour is the end of the day.
        minute: when it begins, from the same midnight.
    """
    if not are_named(said):
        return [MIDNIGHT]
    if said.part and _is_part(said):
        ends = [table()["parts"][said.part]["until"] * HOUR]
    else:
        ends = [each + later for later in (0, MIDNIGHT) for each in _clock(said)]
    return [each for each in ends if each > minute]


def _edged(hours: Hours, said: Said) -> Hours:
    """The hours after, or until, what was named."""
    noon = table()["parts"][said.part].get("at") if _is_part(said) else None
    begins = noon * HOUR if noon else hours.begins
    if said.edge in {"after", "since"}:
        return Hours(begins, MIDNIGHT if begins < MIDNIGHT else NEXT_MORNING)
    return Hours(0, begins) if said.edge in {"before", "by"} else hours


def _part(name: str, *, ahead: bool) -> Sequence[Hours]:
    part = table()["parts"][name]
    lengths = (part["until"], part.get("at_most", part["until"]))
    return [Hours(part["from"] * HOUR, until * HOUR) for until in (lengths if ahead else lengths[::-1])]


def _clock(said: Said) -> Sequence[int]:
    """The minutes that the words leave possible: 十点 in 晚上 is 22, anywhere else 10 or 22."""
    if said.anchor:
        return _anchor(said)
    hour = said.hour or 0
    halves = (hour, hour + 12, hour + 24)
    if said.meridiem is not None:
        hours = [hour % 12 + said.meridiem]
    elif said.part:
        clock = table()["parts"][said.part]["clock"]
        hours = [each for first, last in clock for each in halves if first <= each < last]
    else:
        hours = list(halves[:2]) if _is_open(said) else [hour]
    return [each * HOUR + (said.minute or 0) for each in hours]


def _anchor(said: Said) -> Sequence[int]:
    """Before and after work, school or a meal; of the thing itself no hour is known."""
    sides = {"after": "after", "since": "after", "before": "before", "by": "before"}
    hour = table()["anchors"][said.anchor].get(sides.get(str(said.edge)))
    clock = table()["parts"][said.part]["clock"] if said.part else [[0, 24]]
    return [int(hour * HOUR)] if hour and any(first <= hour < last for first, last in clock) else []


def _usual(said: Said, day: Day, *, ahead: bool) -> Sequence[int]:
    """A bare hour is when those who are up mean it; today also its other half."""
    early, late = sorted(_clock(said))
    hour, awake = said.hour or 0, [each * HOUR for each in table()["awake"]]
    usual = early if table()["usual"][hour] == hour else late
    if day.now is None:
        is_unclear = hour in table()["unclear"] and said.edge not in {"after", "since"}
        return [] if is_unclear or not (ahead or day.is_named) else [usual]
    others = [each for each in (early, late) if each != usual and awake[0] <= each < awake[1]]
    if ahead and not day.is_named:
        others = [each for each in others if each - day.now <= SOON or hour in table()["unclear"]]
    return sorted([usual, *others], reverse=not ahead)


def _more(said: Said) -> int:
    """How long 三点多 lasts: to the full hour, or to the half."""
    return 0 if not said.more else HOUR // 2 if said.minute else HOUR


def _is_part(said: Said) -> bool:
    """Whether a part of the day is all that is named."""
    return said.part is not None and said.hour is None and said.anchor is None


def _is_open(said: Said) -> bool:
    """Whether nothing tells which half of the day the hour belongs to."""
    told = said.written_out or said.part or said.meridiem is not None
    return not told and 1 <= (said.hour or 0) <= 12
