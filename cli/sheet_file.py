"""A sheet as a file, .xlsx or JSON, written row by row: what 100,000 rows need is the memory of a few."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from service import sheets
from service.sheets import Sheet

MOMENT = "yyyy-mm-dd hh:mm"
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a text that begins so would be run when somebody edits its cell
LONGEST = 32_767  # characters of a cell
Rows = Iterable[Sequence[Any]]


def write_xlsx(file: Path, sheet: Sheet, rows: Rows, *, language: str) -> int:
    """Write a workbook for people: titles in both languages, values in words; returns how many rows there were."""
    book = openpyxl.Workbook(write_only=True)
    page = book.create_sheet(sheet.name)
    page.freeze_panes = "A2"
    page.append([_cell(page, title) for title in sheets.titles(sheet)])
    count = 0
    for row in rows:
        page.append([_cell(page, value) for value in sheets.in_words(sheet, row, language)])
        count += 1
    book.save(file)
    return count


def _cell(page: Any, value: Any) -> Any:
    """A cell whose text stays text, whatever it begins with; local time, because Excel knows no zones."""
    if isinstance(value, datetime):
        cell = WriteOnlyCell(page, value.replace(tzinfo=None, microsecond=0))
        cell.number_format = MOMENT
        return cell
    if not isinstance(value, str):
        return WriteOnlyCell(page, value)
    cell = WriteOnlyCell(page, ILLEGAL_CHARACTERS_RE.sub("", value)[:LONGEST])
    cell.data_type = "s"
    cell.quotePrefix = value.startswith(FORMULA)
    return cell


def write_json(file: Path, sheet: Sheet, rows: Rows, *, language: str) -> int:
    """Write a list of objects for other programs: keys and values as they are stored; returns how many there were."""
    del language
    names = [column.name for column in sheet.columns]
    count = 0
    with file.open("w", encoding="utf-8") as out:
        out.write("[")
        for row in rows:
            content = json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False, default=_plain)
            out.write(f"{',' if count else ''}\n{content}")
            count += 1
        out.write("\n]\n")
    return count


def _plain(value: object) -> str:
    """What JSON has no word for: moments, with the community's offset."""
    assert isinstance(value, date), type(value)
    return value.isoformat()


WRITERS: dict[str, Callable[..., int]] = {"xlsx": write_xlsx, "json": write_json}
