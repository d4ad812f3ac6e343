"""Words of place → building, unit, room and place; and back into words a person reads."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import yaml

from service.numerals import HALF_WIDTH, digits, is_numeral

TABLE = Path(__file__).with_suffix(".yml")
LONGEST = 2_000  # characters that are read; an address stands near the beginning
SIMPLIFIED = str.maketrans("棟單元號樓層電車庫區間廚廳臥陽臺門東", "栋单元号楼层电车库区间厨厅卧阳台门东")


@dataclass(frozen=True)
class Where:
    """A place as far as it was named; `place` holds the rooms, floors and public spots in order."""

    building: str | None = None
    unit: str | None = None
    room: str | None = None
    place: str | None = None


def parse(text: str) -> Where:
    """Read the place out of a message.

    Args:
        text: anything; what names no place gives an empty Where.
    """
    text = text[:LONGEST].translate(HALF_WIDTH).translate(SIMPLIFIED).lower()
    parts: dict[str, str] = {}
    for pattern in _addresses():
        found = pattern.search(text)
        named = {name: _value(value) for name, value in found.groupdict().items() if value} if found else {}
        if found and named and not parts.keys() & named.keys():
            parts |= named
            text = f"{text[: found.start()]} | {text[found.end() :]}"
    return Where(**parts, place=" ".join(_places_in(text)) or None)


def display(where: Where, language: str) -> str:
    """Write a place down, empty when nothing is known.

    Args:
        where: as parsed.
        language: zh or en; a place is translated when it is one we know.
    """
    words: Mapping[str, str] = _table()["display"][language]
    home = [
        words["letter" if name == "building" and not value.isdecimal() else name].format(value)
        for name, value in asdict(where).items()
        if value and name != "place"
    ]
    place = _translated(where.place or "", language)
    return words["before_place"].join(filter(None, (words["join"].join(home), place)))


def _translated(place: str, language: str) -> str:
    """The place with the words we know in that language."""
    words = _table()["places"] if language == "en" else {en: zh for zh, en in reversed(_table()["places"].items())}
    known = "|".join(map(re.escape, sorted(words, key=len, reverse=True)))
    space = " " if language == "en" else ""
    place = re.sub(known, lambda found: f"{space}{words[found[0]]}{space}", place)
    for pattern, form in _table()["rewritten"][language].items():
        place = _compiled(pattern).sub(partial(_filled, form), place)
    return " ".join(place.split())


def _filled(form: str, found: re.Match[str]) -> str:
    return form.format(_value(found[1]))


def _places_in(text: str) -> Iterator[str]:
    """The rooms, floors and public spots of a text."""
    return (
        found[0] if found[0].isascii() and len(found[0]) > 3 else found[0].upper() for found in _place().finditer(text)
    )


def _value(written: str) -> str:
    """A part as it is stored: digits for numerals, capital letters."""
    if is_numeral(written[0]):
        return digits(written)
    return str(_table()["spoken"].get(written) or re.sub(r"(?<=\d)(?:st|nd|rd|th)$", "", written).upper())


@cache
def _table() -> Mapping[str, Any]:
    table: Mapping[str, Any] = yaml.safe_load(TABLE.read_text("utf-8"))
    return table


def _compiled(pattern: str) -> re.Pattern[str]:
    """A pattern with its building blocks in place; blocks may stand in blocks."""
    while (filled := re.sub(r"<(\w+)>", _block, pattern)) != pattern:
        pattern = filled
    return re.compile(pattern)


def _block(found: re.Match[str]) -> str:
    names: Mapping[str, str] = _table()["names"]
    return names.get(found[1], found[0])


@cache
def _addresses() -> tuple[re.Pattern[str], ...]:
    return tuple(map(_compiled, _table()["addresses"]))


@cache
def _place() -> re.Pattern[str]:
    """Floors, phases and known places, each with the zone behind it."""
    table = _table()
    known = sorted({*table["places"], *table["places"].values()}, key=len, reverse=True)
    spots = "|".join([*(f"(?:{floor})" for floor in table["floors"]), table["phases"], *map(_spot, known)])
    return _compiled(rf"(?:{spots})(?:\s?{table['zones']})?|{table['zones']}")


def _spot(word: str) -> str:
    """A known place; a Latin one stands alone."""
    return rf"(?<![a-z]){re.escape(word)}(?![a-z])" if word.isascii() else re.escape(word)
