"""A roster of residents (业主名册) as a file: .xlsx or .csv → rows, each problem with the number of its row.

Office programs are forgiven much: a title above the header, columns in any order and by many names, numbers that
should be text, full-width digits, GB18030. What changes the meaning is not guessed: 3-2 that became the 2nd of March.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cache, lru_cache
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

import openpyxl
import yaml
from openpyxl.utils.datetime import from_excel
from openpyxl.utils.exceptions import InvalidFileException

from service import phones, where
from service.errors import RosterUnreadable
from service.where import Where

WORDS = Path(__file__).with_suffix(".yml")
MOST_BYTES = 200_000_000
HEADER_WITHIN = 10  # rows: a title and a date may stand above the header
LONGEST_NAME = 64  # characters
EXCEL_DAYS = range(10_000, 80_000)  # 1927 to 2119, as Excel counts days
EXCEL_BROKEN = (zipfile.BadZipFile, InvalidFileException, zlib.error, KeyError, ValueError, SyntaxError, EOFError)

Cells = Sequence[Any]


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


@dataclass(frozen=True)
class Problem:
    """What is wrong in a row, as a phrase of domain.yml and what fills it; `row` 0 is the whole file."""

    row: int
    phrase: str
    facts: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Sheet:
    """A roster that has been opened: its header is understood, its rows are read one by one."""

    total: int  # rows below the header, as far as the file says; 0: it does not
    columns: Mapping[str, int]  # which column is which of ours
    rows: Iterator[tuple[int, Cells]]

    def read(self) -> Iterator[Row | list[Problem]]:
        """Every row that is not empty: what it says, or what is wrong with it."""
        try:
            for number, cells in self.rows:
                if any(cell not in (None, "") for cell in cells):
                    yield _read(number, {name: _cell(cells, place) for name, place in self.columns.items()})
        except (*EXCEL_BROKEN, csv.Error) as error:
            raise RosterUnreadable(reason=type(error).__name__) from error


def open_roster(content: bytes) -> Sheet:
    """Find out what kind of file it is, and where its header stands.

    Args:
        content: the file.

    Raises:
        RosterUnreadable: it is no .xlsx and no .csv, or broken; `facts` say what is the matter.
    """
    if len(content) > MOST_BYTES:
        raise RosterUnreadable("utter_roster_too_large", megabytes=MOST_BYTES // 1_000_000)
    if not content.strip():
        raise RosterUnreadable("utter_roster_empty")
    if content.startswith(b"\xd0\xcf\x11\xe0"):  # what Excel wrote before 2007, and writes with a password
        raise RosterUnreadable("utter_roster_old_excel")
    return _excel(content) if content.startswith(b"PK") else _csv(content)


def _excel(content: bytes) -> Sheet:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # styles and rules that openpyxl does not know are nothing to us
            book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        tables = [(page.max_row or 0, _pages(page)) for page in book.worksheets]
        return _first_with_header(tables)
    except EXCEL_BROKEN as error:
        raise RosterUnreadable(reason=type(error).__name__) from error


def _pages(page: Any) -> Callable[[], Iterable[Cells]]:
    page.reset_dimensions()  # some programs write a wrong size, and what lies beyond would be left out
    return lambda: page.iter_rows(values_only=True)


def _csv(content: bytes) -> Sheet:
    text = _decoded(content)
    lines = text.count("\n")
    tables = [(lines, _separated(text, mark)) for mark in ",\t;|"]
    try:
        return _first_with_header(tables)
    except csv.Error as error:
        raise RosterUnreadable(reason=type(error).__name__) from error


def _separated(text: str, mark: str) -> Callable[[], Iterable[Cells]]:
    return lambda: csv.reader(io.StringIO(text, newline=""), delimiter=mark)


def _decoded(content: bytes) -> str:
    """The text of a file in UTF-8, in UTF-16 with its mark, or in GB18030, which Chinese Excel writes."""
    encodings = ("utf-16",) if content.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise RosterUnreadable("utter_roster_no_text")


def _first_with_header(tables: Sequence[tuple[int, Callable[[], Iterable[Cells]]]]) -> Sheet:
    """The first table whose first rows hold a header we understand."""
    seen: list[str] = []
    for total, table in tables:
        rows = iter(table())
        head = list(islice(enumerate(rows, 1), HEADER_WITHIN))
        for number, cells in head:
            columns = _columns(cells)
            if not _missing(columns):
                below = chain(head[number:], enumerate(rows, HEADER_WITHIN + 1))
                return Sheet(max(total - number, 0), columns, below)
            seen = max(seen, [_plain(cell) for cell in cells if _plain(cell)], key=_likeness)
    columns = _columns(seen)
    raise RosterUnreadable(
        "utter_roster_wrong_header",
        missing=", ".join("/".join(_words()["columns"][name][0] for name in names) for names in _missing(columns)),
        found=", ".join(seen[:20]),
    )


def _likeness(words: Cells) -> tuple[int, int]:
    """How much a row looks like a header; one word alone may stand in any row, 业主 for example."""
    return max(len(_columns(words)) - 1, 0), min(len(words), 2)


def _columns(cells: Cells) -> dict[str, int]:
    """Which of our columns stands where; the first of two with one name counts."""
    found: dict[str, int] = {}
    for place, cell in enumerate(cells):
        name = _headers().get(_plain(cell))
        if name:
            found.setdefault(name, place)
    return found


def _missing(columns: Mapping[str, int]) -> list[list[str]]:
    return [names for names in _words()["needed"] if not columns.keys() & set(names)]


def _cell(cells: Cells, place: int) -> Any:
    return cells[place] if place < len(cells) else None


class _Wrong(Exception):
    """A cell says nothing we understand."""

    def __init__(self, phrase: str, **facts: object) -> None:
        super().__init__(phrase)
        self.phrase = phrase
        self.facts = facts


def _read(number: int, cells: Mapping[str, Any]) -> Row | list[Problem]:
    """One row; every problem in it is found at once, so that a file is mended in one go."""
    read: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, parse in PARSERS.items():
        try:
            read[name] = parse(cells, name)
        except _Wrong as wrong:
            problems.append(Problem(number, wrong.phrase, {"column": _words()["columns"][name][0], **wrong.facts}))
    if problems:
        return problems
    home: Where = read.pop("building")
    if read["moved_in"] and read["moved_out"] and read["moved_out"] < read["moved_in"]:
        return [Problem(number, "utter_roster_out_before_in")]
    surname = read.pop("surname") or surname_of(read["name"])
    return Row(number, str(home.building), home.unit or "", str(home.room), surname=surname, **read)


def _home(cells: Mapping[str, Any], _: str) -> Where:
    """The door, from three columns or from one address."""
    building, unit, room = (_text(cells.get(name)) for name in ("building", "unit", "room"))
    if not (building and room):
        return _address(_text(cells.get("address")) or building, room)
    found = _door(building, unit, room)
    if not (found.building and found.room and (found.unit or not unit)):
        raise _Wrong("utter_roster_no_door", value=" ".join(filter(None, (building, unit, room)))[:40])
    return found


def _address(text: str, room: str) -> Where:
    if not text:
        raise _Wrong("utter_roster_missing")
    found = where.parse(f"{text} {room}".strip())
    if not (found.building and found.room):
        raise _Wrong("utter_roster_no_door", value=text[:40])
    return found


@lru_cache(maxsize=4096)
def _door(building: str, unit: str, room: str) -> Where:
    return Where(_building(building), _unit(unit), _room(room))


@lru_cache(maxsize=1024)
def _building(text: str) -> str | None:
    if re.fullmatch(r"\d{1,3}|[A-Za-z]\d{0,2}", text):
        return text.upper().lstrip("0") or None
    return where.parse(text).building or where.parse(f"{text}{_words()['marks']['building']}").building


@lru_cache(maxsize=1024)
def _unit(text: str) -> str | None:
    if re.fullmatch(r"\d{0,2}", text):
        return text.lstrip("0") or None
    return where.parse(text).unit or where.parse(f"{text}{_words()['marks']['unit']}").unit


def _room(text: str) -> str | None:
    if re.fullmatch(r"\d{1,5}[A-Za-z]?", text):
        return text.upper()
    return where.parse(text).room or where.parse(f"{text}{_words()['marks']['room']}").room


def _name(cells: Mapping[str, Any], column: str) -> str:
    name = _text(cells.get(column))
    if not name:
        raise _Wrong("utter_roster_missing")
    if len(name) > LONGEST_NAME or name.isdecimal():
        raise _Wrong("utter_roster_no_name", value=name[:40])
    return name


def _surname(cells: Mapping[str, Any], column: str) -> str:
    return _text(cells.get(column))[:32]


def surname_of(name: str) -> str:
    """The surname of a full name: the first character in Chinese, or two; the last word elsewhere."""
    if name.isascii() or " " in name:
        return name.rpartition(" ")[2][:32]
    return name[:2] if len(name) > 2 and name[:2] in _compound_surnames() else name[:1]


def _phone(cells: Mapping[str, Any], column: str) -> str | None:
    text = re.sub(r"\.0$", "", _text(cells.get(column)))
    if not text:
        return None
    if re.fullmatch(r"\d(\.\d+)?[Ee]\+?\d+", text):
        raise _Wrong("utter_roster_shortened", value=text)
    number = phones.normalise(text)
    if number is None:
        raise _Wrong("utter_roster_no_phone", value=text[:40])
    return number


def _choice(cells: Mapping[str, Any], column: str) -> str | None:
    text = _plain(cells.get(column))
    if not text:
        return None
    chosen = _values(column).get(text)
    if chosen is None:
        allowed = ", ".join(words[0] for words in _words()["values"][column].values())
        raise _Wrong("utter_roster_no_choice", value=text[:40], allowed=allowed)
    return chosen


def _day(cells: Mapping[str, Any], column: str) -> date | None:
    value = cells.get(column)
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    text = re.sub(r"\.0$", "", "" if isinstance(value, time) else _text(value))
    try:
        return _day_of(text)
    except ValueError:
        raise _Wrong("utter_roster_no_day", value=str(value)[:40]) from None


def _day_of(text: str) -> date | None:
    if not text:
        return None
    if text.isdecimal() and len(text) == 5 and int(text) in EXCEL_DAYS:
        counted = from_excel(int(text))
        assert isinstance(counted, datetime)
        return counted.date()
    parts = re.fullmatch(_words()["day"], text)
    if parts is None:
        raise ValueError(text)
    return date(*map(int, parts.groups()))


PARSERS: Mapping[str, Callable[[Mapping[str, Any], str], Any]] = {
    "building": _home,
    "name": _name,
    "surname": _surname,
    "honorific": _choice,
    "language": _choice,
    "phone": _phone,
    "role": _choice,
    "moved_in": _day,
    "moved_out": _day,
}


def _text(value: Any) -> str:
    """A cell as text; a date in a column of text is what Excel made of 3-2 or 12-01."""
    if isinstance(value, str):
        text = value if value.isascii() else unicodedata.normalize("NFKC", value)
    elif value is None:
        return ""
    elif isinstance(value, datetime | date | time | timedelta):
        raise _Wrong("utter_roster_became_a_date", value=str(value))
    elif isinstance(value, float) and value.is_integer():
        return str(int(value))
    else:
        text = str(value)
    if text.startswith("#") and text.isupper():  # #REF!, #N/A
        raise _Wrong("utter_roster_formula", value=text[:40])
    return " ".join(text.split()) if text.isprintable() else " ".join(_printable(text).split())


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)


def _plain(value: Any) -> str:
    """A header or a choice, ready to be compared."""
    if value is None or isinstance(value, datetime | date | time | timedelta):
        return ""
    text = re.sub(r"[(\[].*?[)\]]|[*_:\s]", "", unicodedata.normalize("NFKC", str(value)))
    return text.casefold()


@cache
def _words() -> Mapping[str, Any]:
    words: Mapping[str, Any] = yaml.safe_load(WORDS.read_text("utf-8"))
    return words


@cache
def _headers() -> Mapping[str, str]:
    return {word: name for name, words in _words()["columns"].items() for word in words}


@cache
def _values(column: str) -> Mapping[str, str]:
    return {word: value for value, words in _words()["values"][column].items() for word in words}


@cache
def _compound_surnames() -> frozenset[str]:
    return frozenset(_words()["compound_surnames"].split())
