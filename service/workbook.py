"""Cells of a workbook: what a resident wrote stays text, whatever it begins with."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

MOMENT = "yyyy-mm-dd hh:mm"
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a text that begins so would be run when somebody edits its cell
LONGEST = 32_767  # characters of a cell


def cell(page: Any, value: Any) -> Any:
    """A cell of a write-only sheet; a moment is the local one it names, because Excel knows no zones."""
    if isinstance(value, datetime):
        made = WriteOnlyCell(page, value.replace(tzinfo=None, microsecond=0))
        made.number_format = MOMENT
        return made
    if not isinstance(value, str):
        return WriteOnlyCell(page, value)
    made = WriteOnlyCell(page, ILLEGAL_CHARACTERS_RE.sub("", value)[:LONGEST])
    made.data_type = "s"
    made.quotePrefix = value.startswith(FORMULA)
    return made
