"""When somebody may come: which of the times in a message are meant, and what they mean."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from actions.turns import Turn
from service import visits, when
from service.when import When

MUCH_NEARER = 7  # times; 12月3号 in November is next week's, 周六 may be either


def meaning(words: str, turn: Turn, *, before: When | None = None) -> When | None:
    """What words about a visit mean.

    Args:
        words: the resident's.
        turn: the message they stand in; its moment is the "now" of its "tomorrow".
        before: what was wanted so far: 「改成四点」 keeps the day.
    """
    return when.resolve(words, now=turn.now, timezone=turn.timezone, day=_day_of(before, turn))


def to_slot(moment: datetime | None) -> str | None:
    """A moment as the slots keep it."""
    return moment.isoformat() if moment else None


def from_slots(begins: str | None, ends: str | None) -> When | None:
    """What the words meant, back from the slots."""
    return When(datetime.fromisoformat(begins), datetime.fromisoformat(ends) if ends else None) if begins else None


def to_come(words: str, turn: Turn) -> When | None:
    """What the words mean, if it is clear and not over."""
    meant = meaning(words, turn)
    return None if meant is None or meant.is_over(turn.now) else meant


def whole(turn: Turn) -> str:
    """The time of a message; else all of it, where it is nothing but a time. Empty when it names none."""
    found = " ".join(turn.found("time"))
    return found or (turn.text if not turn.tapped and meaning(turn.text, turn) is not None else "")


def is_all(turn: Turn) -> bool:
    """Whether a message is nothing but a time, whatever it was understood as: "afternoon" sounds like a greeting."""
    return whole(turn) == turn.text


def of_a_visit(turn: Turn, *, is_asked: bool) -> Sequence[str]:
    """The times of a message that are about a visit; when the trouble began is none.

    A time that is added by itself when the matter has been told, 「窗把手松了，周六上午」, is when a visit suits.

    Args:
        turn: the message.
        is_asked: whether the matter is known already, so that even a time that is over can only be a visit's.
    """
    times = turn.found("time")
    ahead = [words for words in times if not _is_over(words, turn)]
    if is_asked:
        return ahead or (times if turn.says_only_facts else [])
    if turn.speaks_of_a_visit:
        return ahead
    added = {words for clause in turn.afterthoughts for words in clause.found("time")}
    return [words for words in ahead if words in added or _lies_ahead(words, turn)]


def written(words: str, meant: When | None, turn: Turn) -> str:
    """The words with the day and the clock they mean."""
    return visits.written(words, meant, timezone=turn.timezone, language=turn.language) or words


def _is_over(words: str, turn: Turn) -> bool:
    meant = meaning(words, turn)
    return meant is not None and meant.is_over(turn.now)


def _lies_ahead(words: str, turn: Turn) -> bool:
    """Whether the words mean the future even to somebody who expects the past: tonight, or a date much nearer ahead."""
    ahead, past = (when.resolve(words, now=turn.now, timezone=turn.timezone, ahead=side) for side in (True, False))
    if ahead is None or past is None:
        return False
    until, since = ahead.begins - turn.now, turn.now - past.begins
    return since < timedelta(0) or timedelta(0) < until * MUCH_NEARER < since


def _day_of(meant: When | None, turn: Turn) -> date | None:
    """The one day that was wanted so far, unless it is over."""
    if meant is None or meant.ends is None or meant.is_over(turn.now):
        return None
    zone = ZoneInfo(turn.timezone)
    first, last = meant.begins.astimezone(zone), meant.ends.astimezone(zone)
    return first.date() if last - first <= timedelta(days=1) else None
