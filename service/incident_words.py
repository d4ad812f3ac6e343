"""How staff enter an incident in one line, and by which words a resident's matter is recognised as one.

3栋 停水 至 18:00 水管爆裂，正在抢修 | a water main burst, we are repairing it
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from service import categories, when, where
from service.errors import IncidentNotClear
from service.where import Where

TABLE = Path(__file__).with_suffix(".yml")
BESIDE = "|"  # parts the Chinese words from the English ones
MOST_WORDS = 500  # characters of what residents are told
WRITTEN_IN = "zh"  # places as they are kept; service/where.py reads them again
MARKS = " ,，、;；。.:："
MOMENT = r"(?:tomorrow |today )?[0-9:：点时半刻分今明后天日月号周星期一二三四五六七上下中午晚早凌晨]+(?: ?[ap]\.?m\.?)?"
_NUMBER = r"[0-9a-z一二三四五六七八九十百]+"
# A place as staff write it: 3栋2单元1201, 3号楼, building 3 unit 2.
PLACE = re.compile(
    rf"(?i){_NUMBER}\s*(?:栋|幢|号楼|座|#)(?:\s*{_NUMBER}\s*单元)?(?:\s*\d{{3,4}}\s*[室号房]?)?"
    rf"|(?:building|block|tower)\s+{_NUMBER}(?:,?\s+unit\s+{_NUMBER})?(?:,?\s+room\s+\d{{3,4}})?"
)


@dataclass(frozen=True)
class Entry:
    """What staff said: what fails where, from when until when, and in which words residents are to hear it."""

    category: str
    trouble: str | None
    places: tuple[str, ...]
    begins_at: datetime
    expected_until: datetime | None
    text_zh: str | None
    text_en: str | None


def read(words: str, *, now: datetime, timezone: str) -> Entry:
    """Read an incident off one line.

    Args:
        words: places, what fails, optionally from and until when, and whatever residents are to be told besides.
        now: the moment, aware UTC.
        timezone: the community's, by its IANA name.

    Raises:
        IncidentNotClear: no place, nothing that fails, or a time nobody can read.
    """
    chinese, _, english = (part.strip(MARKS) for part in words.partition(BESIDE))
    begins, left = _time(chinese, "from", now=now, timezone=timezone)
    until, left = _time(left, "until", now=now, timezone=timezone)
    places, left = _places(left)
    trouble = next(iter(troubles(left)), None)
    category = _table()["troubles"][trouble]["category"] if trouble else categories.categorise(left).key
    if not left or (until is not None and until <= (begins or now)):
        raise IncidentNotClear
    return Entry(
        category=category,
        trouble=trouble,
        places=places,
        begins_at=begins or now,
        expected_until=until,
        text_zh=None if left.isascii() else _told(left),
        text_en=english[:MOST_WORDS] or (_told(left) if left.isascii() else None),
    )


def troubles(text: str) -> frozenset[str]:
    """What fails, by the words of a text."""
    return frozenset(name for name, pattern in _troubles().items() if pattern.search(text.lower()))


def covers(places: list[str], place: str | None) -> bool:
    """Whether a place lies within those of an incident; without any, everything does."""
    if not places:
        return True
    named = where.parse(place or "")
    return any(_lies_in(named, where.parse(one)) for one in places)


def _lies_in(named: Where, area: Where) -> bool:
    parts = ((area.building, named.building), (area.unit, named.unit), (area.room, named.room))
    return all(wanted is None or wanted == found for wanted, found in parts)


def _told(words: str) -> str | None:
    """What is left to be told when the bare name of the trouble is taken away."""
    names = (pattern.match(words.lower()) for pattern in _troubles().values())
    name = max((found.end() for found in names if found), default=0)
    return words[name:].lstrip(f"了{MARKS}")[:MOST_WORDS] or None


def _time(words: str, group: str, *, now: datetime, timezone: str) -> tuple[datetime | None, str]:
    """The moment behind one of the group's words that is nearest to now, and the line without it."""
    found = re.search(rf"(?i){_any(group)}\s*({MOMENT})(?:{_any('over')})?", words)
    if found is None or not any(character.isdigit() for character in found[1]):
        return None, words
    sides = (True,) if group == "until" else (True, False)
    meant = [when.resolve(found[1], now=now, timezone=timezone, ahead=ahead) for ahead in sides]
    moments = sorted((one.begins for one in meant if one), key=lambda moment: abs(moment - now))
    if not moments:
        raise IncidentNotClear
    return moments[0], f"{words[: found.start()]} {words[found.end() :]}".strip(MARKS)


def _places(words: str) -> tuple[tuple[str, ...], str]:
    """The places a line begins with, and the rest of it."""
    everywhere = re.match(rf"(?i){_any('everywhere')}", words)
    if everywhere:
        return (), words[everywhere.end() :].strip(MARKS)
    places: list[str] = []
    while found := PLACE.match(words):
        named = where.parse(found[0])
        places.append(where.display(Where(named.building, named.unit, named.room), WRITTEN_IN))
        words = words[found.end() :].lstrip(f"{MARKS}和与及")
    if not all(places) or not places:
        raise IncidentNotClear
    return tuple(dict.fromkeys(places)), words


@cache
def _troubles() -> Mapping[str, re.Pattern[str]]:
    return {name: re.compile(_pattern(row["words"])) for name, row in _table()["troubles"].items()}


def _any(group: str) -> str:
    return f"(?:{_pattern(_table()[group])})"


def _pattern(words: list[str]) -> str:
    longest_first = sorted(words, key=len, reverse=True)
    return "|".join(rf"\b{re.escape(word)}\b" if word.isascii() else re.escape(word) for word in longest_first)


@cache
def _table() -> Mapping[str, Any]:
    table: Mapping[str, Any] = yaml.safe_load(TABLE.read_text("utf-8"))
    return table
