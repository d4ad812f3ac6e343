"""Cells of an office's table → values: text, a day, a moment, a door; whatever is wrong says so by its column.

Office programs are forgiven much: numbers that should be text, full-width digits. What changes the meaning is not
guessed: 3-2 that became the 2nd of March.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import yaml
from openpyxl.utils.datetime import from_excel

from service import where
from service.where import Where

WORDS = Path(__file__).with_suffix(".yml")
EXCEL_DAYS = range(10_000, 80_000)  # 1927 to 2119, as Excel counts days
SHOWN = 40  # characters of a cell in what is said of it

Parser = Callable[[Mapping[str, Any], str], Any]  # a row's cells by our names of their columns, and one of these


@dataclass(frozen=True)
class Problem:
    """What is wrong in a row, as a phrase of domain.yml and what fills it; `row` 0 is the whole file."""

    row: int
    phrase: str
    facts: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Change:
    """What a file changes for one person or entry, or would change; `row` 0 when they do not stand in it."""

    row: int
    kind: str  # the end of a `utter_roster_change_…` key
    place: str
    name: str
    detail: str = ""


@dataclass
class Taken:
    """What became of a file: nothing is written while there are problems."""

    rows: int = 0
    households: int = 0
    added: int = 0
    same: int = 0
    changes: list[Change] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


class Wrong(Exception):
    """A cell says nothing we understand."""

    def __init__(self, phrase: str, **facts: object) -> None:
        super().__init__(phrase)
        self.phrase = phrase
        self.facts = facts


def home(cells: Mapping[str, Any], _: str) -> Where:
    """The door, from three columns or from one address."""
    building, unit, room = (text(cells.get(name)) for name in ("building", "unit", "room"))
    if not (building and room):
        return _address(text(cells.get("address")) or building, room)
    found = _door(building, unit, room)
    if not (found.building and found.room and (found.unit or not unit)):
        raise Wrong("utter_roster_no_door", value=" ".join(filter(None, (building, unit, room)))[:SHOWN])
    return found


def _address(words: str, room: str) -> Where:
    if not words:
        raise Wrong("utter_roster_missing")
    found = where.parse(f"{words} {room}".strip())
    if not (found.building and found.room):
        raise Wrong("utter_roster_no_door", value=words[:SHOWN])
    return found


@lru_cache(maxsize=4096)
def _door(building: str, unit: str, room: str) -> Where:
    return Where(_building(building), _unit(unit), _room(room))


@lru_cache(maxsize=1024)
def _building(words: str) -> str | None:
    if re.fullmatch(r"\d{1,3}|[A-Za-z]\d{0,2}", words):
        return words.upper().lstrip("0") or None
    return where.parse(words).building or where.parse(f"{words}{_words()['marks']['building']}").building


@lru_cache(maxsize=1024)
def _unit(words: str) -> str | None:
    if re.fullmatch(r"\d{0,2}", words):
        return words.lstrip("0") or None
    return where.parse(words).unit or where.parse(f"{words}{_words()['marks']['unit']}").unit


def _room(words: str) -> str | None:
    if re.fullmatch(r"\d{1,5}[A-Za-z]?", words):
        return words.upper()
    return where.parse(words).room or where.parse(f"{words}{_words()['marks']['room']}").room


def day(cells: Mapping[str, Any], column: str) -> date | None:
    """The day of a cell; the hour beside it, which programs add, says nothing."""
    found = _day_and_clock(cells.get(column))
    return found[0] if found else None


def moment(cells: Mapping[str, Any], column: str) -> datetime | date | None:
    """The local moment of a cell; a day when it has no hour, or midnight, by which Excel means a day."""
    value = cells.get(column)
    found = _day_and_clock(value)
    if found is None:
        return None
    on, clock = found
    try:
        at = time.fromisoformat(clock.zfill(len("00:00"))) if clock else time()
    except ValueError:
        raise Wrong("utter_roster_no_day", value=str(value)[:SHOWN]) from None
    return datetime.combine(on, at) if at != time() else on


def _day_and_clock(value: Any) -> tuple[date, str] | None:
    if isinstance(value, datetime):
        return value.date(), f"{value:%H:%M}"
    if isinstance(value, date):
        return value, ""
    words = re.sub(r"\.0$", "", "" if isinstance(value, time) else text(value))
    try:
        return _day_of(words)
    except ValueError:
        raise Wrong("utter_roster_no_day", value=str(value)[:SHOWN]) from None


def _day_of(words: str) -> tuple[date, str] | None:
    if not words:
        return None
    if words.isdecimal() and len(words) == 5 and int(words) in EXCEL_DAYS:
        counted = from_excel(int(words))
        assert isinstance(counted, datetime)
        return counted.date(), ""
    parts = re.fullmatch(_words()["day"], words)
    if parts is None:
        raise ValueError(words)
    *on, clock = parts.groups()
    return date(*map(int, on)), clock or ""


def text(value: Any) -> str:
    """A cell as text; a date in a column of text is what Excel made of 3-2 or 12-01."""
    if isinstance(value, str):
        words = value if value.isascii() else unicodedata.normalize("NFKC", value)
    elif value is None:
        return ""
    elif isinstance(value, datetime | date | time | timedelta):
        raise Wrong("utter_roster_became_a_date", value=str(value))
    elif isinstance(value, float) and value.is_integer():
        return str(int(value))
    else:
        words = str(value)
    if words.startswith("#") and words.isupper():  # #REF!, #N/A
        raise Wrong("utter_roster_formula", value=words[:SHOWN])
    return " ".join(words.split()) if words.isprintable() else " ".join(_printable(words).split())


def _printable(words: str) -> str:
    return "".join(character if character.isprintable() else " " for character in words)


def choice(value: Any, values: Mapping[str, Sequence[str]]) -> str | None:
    """Which of ours a cell means, by the words that offices write for each; None when it is empty."""
    word = plain(value)
    if not word:
        return None
    for ours, words in values.items():
        if word in words:
            return ours
    raise Wrong("utter_roster_no_choice", value=word[:SHOWN], allowed=", ".join(words[0] for words in values.values()))


def plain(value: Any) -> str:
    """A header or a choice, ready to be compared."""
    if value is None or isinstance(value, datetime | date | time | timedelta):
        return ""
    words = re.sub(r"[(\[].*?[)\]]|[*_:\s]", "", unicodedata.normalize("NFKC", str(value)))
    return words.casefold()


@cache
def _words() -> Mapping[str, Any]:
    words: Mapping[str, Any] = yaml.safe_load(WORDS.read_text("utf-8"))
    return words
