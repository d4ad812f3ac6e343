"""A table that an office keeps as a file: .xlsx or .csv → rows, each problem with the number of its row.

Office programs are forgiven much: a title above the header, columns in any order and by many names, GB18030.
"""

from __future__ import annotations

import csv
import io
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice
from typing import Any, Generic, TypeVar

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from service.errors import TableUnreadable
from service.table_cells import Parser, Problem, Wrong, plain

MOST_BYTES = 200_000_000
HEADER_WITHIN = 10  # rows: a title and a date may stand above the header
EXCEL_BROKEN = (zipfile.BadZipFile, InvalidFileException, zlib.error, KeyError, ValueError, SyntaxError, EOFError)

Cells = Sequence[Any]
Row = TypeVar("Row")


@dataclass(frozen=True)
class Layout(Generic[Row]):
    """What a kind of table looks like: how offices call its columns, and how a row is read."""

    columns: Mapping[str, Sequence[str]]  # our name → theirs, the usual one first
    needed: Sequence[Sequence[str]]  # each of these, or one of the alternatives of a line
    row: Callable[[int, Mapping[str, Any]], Row | list[Problem]]

    @cached_property
    def _names(self) -> Mapping[str, str]:
        return {theirs: ours for ours, names in self.columns.items() for theirs in names}

    def places(self, cells: Cells) -> dict[str, int]:
        """Which of our columns stands where; the first of two with one name counts."""
        found: dict[str, int] = {}
        for place, cell in enumerate(cells):
            name = self._names.get(plain(cell))
            if name:
                found.setdefault(name, place)
        return found

    def missing(self, places: Mapping[str, int]) -> list[Sequence[str]]:
        """What a header lacks."""
        return [names for names in self.needed if not places.keys() & set(names)]

    def parsed(
        self, number: int, cells: Mapping[str, Any], parsers: Mapping[str, Parser]
    ) -> dict[str, Any] | list[Problem]:
        """The values of a row; every problem in it is found at once, so that a file is mended in one go."""
        read: dict[str, Any] = {}
        problems: list[Problem] = []
        for name, parse in parsers.items():
            try:
                read[name] = parse(cells, name)
            except Wrong as wrong:
                problems.append(Problem(number, wrong.phrase, {"column": self.columns[name][0], **wrong.facts}))
        return problems or read


@dataclass(frozen=True)
class Table(Generic[Row]):
    """A table that has been opened: its header is understood, its rows are read one by one."""

    layout: Layout[Row]
    total: int  # rows below the header, as far as the file says; 0: it does not
    columns: Mapping[str, int]  # which column is which of ours
    rows: Iterator[tuple[int, Cells]]

    def read(self) -> Iterator[Row | list[Problem]]:
        """Every row that is not empty: what it says, or what is wrong with it."""
        try:
            for number, cells in self.rows:
                if any(cell not in (None, "") for cell in cells):
                    yield self.layout.row(number, {name: _cell(cells, place) for name, place in self.columns.items()})
        except (*EXCEL_BROKEN, csv.Error) as error:
            raise TableUnreadable(reason=type(error).__name__) from error


def open_table(content: bytes, layouts: Sequence[Layout[Row]]) -> Table[Row]:
    """Find out what kind of file it is, where its header stands, and which table it is the header of.

    Args:
        content: the file.
        layouts: the tables it may be; of several that fit a header the first one counts.

    Raises:
        TableUnreadable: it is no .xlsx and no .csv, or broken; `facts` say what is the matter.
    """
    if len(content) > MOST_BYTES:
        raise TableUnreadable("utter_roster_too_large", megabytes=MOST_BYTES // 1_000_000)
    if not content.strip():
        raise TableUnreadable("utter_roster_empty")
    if content.startswith(b"\xd0\xcf\x11\xe0"):  # what Excel wrote before 2007, and writes with a password
        raise TableUnreadable("utter_roster_old_excel")
    return _excel(content, layouts) if content.startswith(b"PK") else _csv(content, layouts)


def _excel(content: bytes, layouts: Sequence[Layout[Row]]) -> Table[Row]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # styles and rules that openpyxl does not know are nothing to us
            book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        tables = [(page.max_row or 0, _pages(page)) for page in book.worksheets]
        return _first_with_header(tables, layouts)
    except EXCEL_BROKEN as error:
        raise TableUnreadable(reason=type(error).__name__) from error


def _pages(page: Any) -> Callable[[], Iterable[Cells]]:
    page.reset_dimensions()  # some programs write a wrong size, and what lies beyond would be left out
    return lambda: page.iter_rows(values_only=True)


def _csv(content: bytes, layouts: Sequence[Layout[Row]]) -> Table[Row]:
    text = _decoded(content)
    lines = text.count("\n")
    tables = [(lines, _separated(text, mark)) for mark in ",\t;|"]
    try:
        return _first_with_header(tables, layouts)
    except csv.Error as error:
        raise TableUnreadable(reason=type(error).__name__) from error


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
    raise TableUnreadable("utter_roster_no_text")


def _first_with_header(
    tables: Sequence[tuple[int, Callable[[], Iterable[Cells]]]], layouts: Sequence[Layout[Row]]
) -> Table[Row]:
    """The first table whose first rows hold a header we understand."""
    seen: list[str] = []
    nearest = layouts[0]
    for total, table in tables:
        rows = iter(table())
        head = list(islice(enumerate(rows, 1), HEADER_WITHIN))
        for (number, cells), layout in ((row, layout) for row in head for layout in layouts):
            places = layout.places(cells)
            if not layout.missing(places):
                below = chain(head[number:], enumerate(rows, HEADER_WITHIN + 1))
                return Table(layout, max(total - number, 0), places, below)
            words = [plain(cell) for cell in cells if plain(cell)]
            if _likeness(layout, words) > _likeness(nearest, seen):
                seen, nearest = words, layout
    raise TableUnreadable(
        "utter_roster_wrong_header",
        missing=", ".join(
            "/".join(nearest.columns[name][0] for name in names) for names in nearest.missing(nearest.places(seen))
        ),
        found=", ".join(seen[:20]),
    )


def _likeness(layout: Layout[Any], words: Cells) -> tuple[int, int]:
    """How much a row looks like a header; one word alone may stand in any row, 业主 for example."""
    return max(len(layout.places(words)) - 1, 0), min(len(words), 2)


def _cell(cells: Cells, place: int) -> Any:
    return cells[place] if place < len(cells) else None
