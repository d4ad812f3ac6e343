"""A sheet as a file, .xlsx or JSON, written row by row: what 100,000 rows need is the memory of a few."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl

from service import sheets
from service.sheets import Sheet
from service.workbook import cell

Rows = Iterable[Sequence[Any]]


def write_xlsx(file: Path, sheet: Sheet, rows: Rows, *, language: str) -> int:
    """Write a workbook for people: titles in both languages, values in words; returns how many rows there were."""
    book = openpyxl.Workbook(write_only=True)
    page = book.create_sheet(sheet.name)
    page.freeze_panes = "A2"
    page.append([cell(page, title) for title in sheets.titles(sheet)])
    count = 0
    for row in rows:
        page.append([cell(page, value) for value in sheets.in_words(sheet, row, language)])
        count += 1
    book.save(file)
    return count


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
