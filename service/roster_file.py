"""A roster of residents (业主名册) as a file: the people of its rows, each problem with the number of its row."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from service import phones, table_cells
from service.table_cells import Parser, Problem, Wrong, choice, day, text
from service.table_file import Layout, Table, open_table

WORDS = Path(__file__).with_suffix(".yml")
LONGEST_NAME = 64  # characters


class Row(NamedTuple):
    """One person in one household; what the file does not say is None."""

    number: int  # of the row in the file, as a spreadsheet counts
    building: str
    unit: str
    room: str
    name: str
    surname: str
    honorific: str | None
    language: str | None
    phone: str | None
    role: str | None
    moved_in: date | None
    moved_out: date | None


def open_roster(content: bytes) -> Table[Row]:
    """Find out what kind of file it is, and where its header stands.

    Args:
        content: the file.

    Raises:
        TableUnreadable: it is no .xlsx and no .csv, or broken; `facts` say what is the matter.
    """
    return open_table(content, [_layout()])


def _read(number: int, cells: Mapping[str, Any]) -> Row | list[Problem]:
    read = _layout().parsed(number, cells, PARSERS)
    if isinstance(read, list):
        return read
    home = read.pop("building")
    if read["moved_in"] and read["moved_out"] and read["moved_out"] < read["moved_in"]:
        return [Problem(number, "utter_roster_out_before_in")]
    surname = read.pop("surname") or surname_of(read["name"])
    return Row(number, str(home.building), home.unit or "", str(home.room), surname=surname, **read)


def _name(cells: Mapping[str, Any], column: str) -> str:
    name = text(cells.get(column))
    if not name:
        raise Wrong("utter_roster_missing")
    if len(name) > LONGEST_NAME or name.isdecimal():
        raise Wrong("utter_roster_no_name", value=name[:40])
    return name


def _surname(cells: Mapping[str, Any], column: str) -> str:
    return text(cells.get(column))[:32]


def surname_of(name: str) -> str:
    """The surname of a full name: the first character in Chinese, or two; the last word elsewhere."""
    if name.isascii() or " " in name:
        return name.rpartition(" ")[2][:32]
    return name[:2] if len(name) > 2 and name[:2] in _compound_surnames() else name[:1]


def _phone(cells: Mapping[str, Any], column: str) -> str | None:
    words = re.sub(r"\.0$", "", text(cells.get(column)))
    if not words:
        return None
    if re.fullmatch(r"\d(\.\d+)?[Ee]\+?\d+", words):
        raise Wrong("utter_roster_shortened", value=words)
    number = phones.normalise(words)
    if number is None:
        raise Wrong("utter_roster_no_phone", value=words[:40])
    return number


def _choice(cells: Mapping[str, Any], column: str) -> str | None:
    return choice(cells.get(column), _words()["values"][column])


PARSERS: Mapping[str, Parser] = {
    "building": table_cells.home,
    "name": _name,
    "surname": _surname,
    "honorific": _choice,
    "language": _choice,
    "phone": _phone,
    "role": _choice,
    "moved_in": day,
    "moved_out": day,
}


@cache
def _layout() -> Layout[Row]:
    return Layout(_words()["columns"], _words()["needed"], _read)


@cache
def _words() -> Mapping[str, Any]:
    words: Mapping[str, Any] = yaml.safe_load(WORDS.read_text("utf-8"))
    return words


@cache
def _compound_surnames() -> frozenset[str]:
    return frozenset(_words()["compound_surnames"].split())
