"""Words of time → what each of them says, by the table when.yml; what the table does not explain is not read at all."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from service.numerals import HALF_WIDTH, digits, is_numeral

TABLE = Path(__file__).with_name("when.yml")
LONGEST = 80  # characters; nobody needs more to say when
DAYS_OF = {"day": 1, "week": 7}  # a unit in days
MINUTES_OF = {"minute": 1, "hour": 60}  # a unit in minutes
DAY_NAMES = frozenset({"day", "weekday", "week", "which", "year", "month", "months", "date", "stretch", "months_on"})
FIRST_YEAR, LAST_YEAR = 2000, 2100

Says = Mapping[str, Any]


@dataclass(frozen=True)
class Said:
    """What the words for one point of time say; what they leave open is None."""

    day: int | None = None  # days from today
    weekday: int | None = None  # 0 is Monday, 7 Saturday and Sunday
    week: int | None = None  # weeks from this one
    which: str | None = None  # of the days with that name: coming or last
    year: int | None = None
    month: int | None = None
    months: int | None = None  # months from this one
    date: int | None = None  # day of the month
    stretch: str | None = None  # first, middle or last days of a month
    months_on: int | None = None  # the same day, so many months from now
    part: str | None = None  # of the day, a key of `parts`
    anchor: str | None = None  # what it is before or after, a key of `anchors`
    hour: int | None = None
    minute: int | None = None
    meridiem: int | None = None  # hours that am or pm adds
    written_out: int | None = None  # the hour is of a day of 24
    bare: int | None = None  # a number that nothing beside it calls an hour
    more: int | None = None  # the hour and some minutes
    minutes: int | None = None  # minutes from now
    within: int | None = None  # minutes from now, at any of them
    within_days: int | None = None
    edge: str | None = None  # after, before, by or since
    at: int | None = None
    moment: str | None = None  # now
    anytime: int | None = None

    def tells(self) -> set[str]:
        """The names of what is not left open."""
        return {name for name, value in vars(self).items() if value is not None}


def read(words: str) -> tuple[Said, ...]:
    """Read what the words say.

    Args:
        words: as a resident typed them, in Chinese or English.

    Returns:
        One point of time, two for from … to …, none when anything in the words is not understood.
    """
    text = _normal(words)
    sides = _sides(text) if 0 < len(text) <= LONGEST else None
    if not sides or not all(map(_is_possible, sides)) or not any(map(_is_more_than_a_number, sides)):
        return ()
    return tuple(sides)


def _normal(words: str) -> str:
    """The text half-width, simplified and in lower case."""
    text = words[: 2 * LONGEST].translate(HALF_WIDTH).translate(_simplified()).lower().strip()
    for pattern, form in _rewritten():
        text = pattern.sub(form, text)
    return text


def _sides(text: str) -> list[Said] | None:
    """The points of time on both sides of a 到; None when a word is unknown or two contradict each other."""
    sides: list[dict[str, Any]] = [{}]
    for says in _pieces(text):
        if says is None or not _added(sides[-1], says):
            return None
        if sides[-1].pop("mark", None):
            sides.append({})
    if len(sides) == 2:
        sides = _joined(*sides)
    return [Said(**side) for side in sides] if all(sides) and len(sides) <= 2 else None


def _joined(first: dict[str, Any], second: dict[str, Any]) -> list[dict[str, Any]]:
    """Both sides of a 到: without a first it is an end; a day behind the hours, as in "9 to 5 tomorrow", is both's."""
    if not first:
        return [{"edge": "by"} | second]
    names = list(second)
    behind = names[names.index("hour") :] if "hour" in names and DAY_NAMES.isdisjoint(first) else []
    shared = {name: second.pop(name) for name in behind if name in DAY_NAMES}
    return [first | shared, second]


def _added(side: dict[str, Any], says: Says) -> bool:
    """Put what a word says beside what was said before, unless they contradict each other."""
    if "edge" in says and side.get("edge") == "since":
        side.pop("edge")  # 八点以后开始
    elif says.get("edge") == "since" and "edge" in side:
        return True
    contradict = any(side.get(name, value) != value for name, value in says.items())
    if "hour" in says and "hour" in side:
        return False
    side.update(says)
    return not contradict


def _pieces(text: str) -> Iterator[Says | None]:
    """What each word says, in the order of the text; None for one that is unknown, which ends it."""
    place = 0
    while place < len(text):
        if text[place].isspace():
            place += 1
            continue
        found = [(match, says) for pattern, says in _patterns() if (match := pattern.match(text, place))]
        match, says = max(found, key=lambda one: one[0].end(), default=(None, {}))
        if match is None or match.end() == place:
            yield None
            return
        yield _with_length({**says, **_words().get(match[0], {}), **_values(match)})
        place = match.end()


def _values(match: re.Match[str]) -> Says:
    return {name: _value(name, text) for name, text in match.groupdict().items() if text}


def _value(name: str, text: str) -> Any:
    """A group's value: by the table, or the number it is."""
    for known in (table()["values"].get(name, {}), table()["values"]["number"]):
        if text in known:
            return known[text]
    return int(digits(text) if is_numeral(text[0]) else text)


def _with_length(says: Says) -> Says | None:
    """A length of time as the day or the minutes it leads to; None for half a day."""
    if "unit" not in says:
        return says
    unit, how, count = says["unit"], says["how"], says["count"] + says.get("half", 0)
    amount = count * (MINUTES_OF.get(unit) or DAYS_OF.get(unit) or 1) * (-1 if how == "back" else 1)
    if amount != int(amount):
        return None
    within = {"minutes": "within", "day": "within_days"}
    name = "minutes" if unit in MINUTES_OF else "day" if unit in DAYS_OF else "months_on"
    return {within.get(name, name) if how == "within" else name: int(amount)}


def _is_possible(said: Said) -> bool:
    """Whether the numbers are of a clock and a calendar, and one thing says the hour."""
    limits = {"hour": (0, 24), "minute": (-15, 59), "month": (1, 12), "date": (1, 31), "year": (FIRST_YEAR, LAST_YEAR)}
    if said.anchor and said.hour is not None:  # 三点下班: which of them?
        return False
    return all(low <= getattr(said, name) <= high for name, (low, high) in limits.items() if name in said.tells())


def _is_more_than_a_number(said: Said) -> bool:
    """Whether something stands beside the number that makes it an hour: "2" says nothing, "at 2" does."""
    return not said.bare or bool(said.tells() - {"bare", "hour"})


@cache
def table() -> Mapping[str, Any]:
    """The table of words, parts of the day and usual hours."""
    loaded: Mapping[str, Any] = yaml.safe_load(TABLE.read_text("utf-8"))
    return loaded


@cache
def _simplified() -> dict[int, Any]:
    return str.maketrans(table()["simplified"])


@cache
def _rewritten() -> list[tuple[re.Pattern[str], str]]:
    return [(re.compile(pattern), form) for pattern, form in table()["rewritten"].items()]


@cache
def _words() -> Mapping[str, Says]:
    return {str(word): row["says"] for row in table()["words"] for word in row["words"]}


@cache
def _patterns() -> list[tuple[re.Pattern[str], Says]]:
    """Every pattern with what it says by itself; all words are one more."""
    rows = [row if isinstance(row, dict) else {"pattern": row, "says": {}} for row in table()["patterns"]]
    words = "|".join(map(_whole, sorted(_words(), key=len, reverse=True)))
    return [(_compiled(words), {}), *((_compiled(row["pattern"]), row["says"]) for row in rows)]


def _whole(word: str) -> str:
    """A word to look for; a Latin one stands alone."""
    return rf"(?<![a-z]){re.escape(word)}(?![a-z])" if word[0].isascii() and word[0].isalpha() else re.escape(word)


def _compiled(pattern: str) -> re.Pattern[str]:
    """A pattern with its building blocks in place; blocks may stand in blocks."""
    names: Mapping[str, str] = table()["names"]
    while (filled := re.sub(r"(?<!\(\?P)<(\w+)>", lambda found: names[found[1]], pattern)) != pattern:
        pattern = filled
    return re.compile(pattern)
