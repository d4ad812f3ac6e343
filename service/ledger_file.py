"""What the property system holds of households (台账) as a file: fees, parking spaces or visitor codes.

Which of them it is, its header says. Money is not guessed: what is no exact amount is a problem of its row, and so are
amounts that contradict each other. Below zero is what the office owes the household.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from service import table_cells
from service.table_cells import Parser, Problem, Wrong, choice, day, moment, text
from service.table_file import Layout, Table, open_table

WORDS = Path(__file__).with_suffix(".yml")
LONGEST = 64  # characters of a cell
NOTHING = Decimal(0)
CENTS = 2  # digits behind the point
FLOATING = 6  # digits up to which what a spreadsheet has calculated is exact: 250.17999999999998 is 250.18


class Row(NamedTuple):
    """One entry of one household."""

    number: int  # of the row in the file, as a spreadsheet counts
    building: str
    unit: str
    room: str
    facts: Mapping[str, Any]  # by the columns of the entry's own table


def open_ledger(content: bytes) -> tuple[str, Table[Row]]:
    """Find out what kind of file it is, where its header stands, and what it holds: fees, parking or visitor_codes.

    Args:
        content: the file.

    Raises:
        TableUnreadable: it is no .xlsx and no .csv, broken, or none of the three; `facts` say what is the matter.
    """
    table = open_table(content, list(_layouts().values()))
    kind = next(kind for kind, layout in _layouts().items() if layout is table.layout)
    return kind, table


def _read(kind: str, number: int, cells: Mapping[str, Any]) -> Row | list[Problem]:
    read = _layouts()[kind].parsed(number, cells, {"building": table_cells.home, **PARSERS[kind]})
    if isinstance(read, list):
        return read
    home = read.pop("building")
    try:
        facts = COMPLETED[kind](read)
    except Wrong as wrong:
        return [Problem(number, wrong.phrase, wrong.facts)]
    return Row(number, str(home.building), home.unit or "", str(home.room), facts)


def _settled(read: dict[str, Any]) -> dict[str, Any]:
    """Of what was charged, waived, paid and is left, what the office did not write follows from the rest."""
    left, waived = read.pop("left"), read["waived"] or NOTHING
    charged, paid = read["amount"], read["paid"]
    if charged is None and left is None:
        raise Wrong("utter_roster_missing", column=_layouts()["fees"].columns["amount"][0])
    if charged is None:
        charged = left + waived + (paid or NOTHING)
    if paid is None:
        paid = charged - waived - left if left is not None else charged - waived if read["paid_on"] else NOTHING
    open_now = charged - waived - paid
    if left not in (None, open_now):
        raise Wrong("utter_ledger_does_not_add_up", charged=charged, waived=waived, paid=paid, left=left)
    if open_now > 0 and re.search(_table()["credits"], read["name"]):
        raise Wrong("utter_ledger_credit_or_owed", name=read["name"], left=open_now)
    return read | {"amount": charged, "waived": waived, "paid": paid}


def _begun(read: dict[str, Any]) -> dict[str, Any]:
    if read["valid_until"] <= read["valid_from"]:
        raise Wrong("utter_ledger_over_before_begun")
    return read


def _words_of(cells: Mapping[str, Any], column: str) -> str | None:
    words = text(cells.get(column))
    if len(words) > LONGEST:
        raise Wrong("utter_ledger_too_long", value=words[: table_cells.SHOWN], most=LONGEST)
    return words or None


def _needed(cells: Mapping[str, Any], column: str) -> str:
    words = _words_of(cells, column)
    if words is None:
        raise Wrong("utter_roster_missing")
    return words


def _period(cells: Mapping[str, Any], column: str) -> str | None:
    """Whatever the office calls it; a spreadsheet makes the first of the month of 2026-11."""
    value = cells.get(column)
    return f"{value:%Y-%m}" if isinstance(value, date) else _words_of(cells, column)


def _amount(cells: Mapping[str, Any], column: str) -> Decimal | None:
    value = cells.get(column)
    words = text(round(value, FLOATING) if isinstance(value, float) else value)
    if not words:
        return None
    found = re.fullmatch(_table()["amount"], words)
    if found is None:
        raise Wrong("utter_ledger_no_amount", value=words[: table_cells.SHOWN])
    whole, cents = found[2].replace(",", ""), (found[3] or "").rstrip("0")
    if len(cents) > CENTS:
        raise Wrong("utter_ledger_too_exact", value=words)
    return Decimal(f"{'-' * len(found[1])}{whole}.{cents or 0}")


def _currency(cells: Mapping[str, Any], column: str) -> str:
    currencies: Mapping[str, list[str]] = _table()["currencies"]
    return choice(cells.get(column), currencies) or next(iter(currencies))


def _from(cells: Mapping[str, Any], column: str) -> datetime:
    return _local(cells, column, days=0)


def _until(cells: Mapping[str, Any], column: str) -> datetime:
    """A day counts to its end."""
    return _local(cells, column, days=1)


def _local(cells: Mapping[str, Any], column: str, *, days: int) -> datetime:
    """The moment in the community's zone; a bare day is its midnight, so many days later."""
    found = moment(cells, column)
    if found is None:
        raise Wrong("utter_roster_missing")
    return found if isinstance(found, datetime) else datetime.combine(found, time()) + timedelta(days=days)


# How each column of a table is read; the door comes first in all of them.
PARSERS: Mapping[str, Mapping[str, Parser]] = {
    "fees": {
        "name": _needed,
        "period": _period,
        "amount": _amount,
        "waived": _amount,
        "paid": _amount,
        "left": _amount,
        "currency": _currency,
        "due": day,
        "paid_on": day,
        "reference": _words_of,
    },
    "parking": {"name": _needed, "plate": _words_of, "valid_until": day},
    "visitor_codes": {"name": _words_of, "code": _needed, "valid_from": _from, "valid_until": _until},
}
# What a row says besides, once its cells are read.
COMPLETED: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "fees": _settled,
    "parking": dict,
    "visitor_codes": _begun,
}


@cache
def _layouts() -> Mapping[str, Layout[Row]]:
    return {
        kind: Layout(told["columns"], told["needed"], partial(_read, kind)) for kind, told in _table()["tables"].items()
    }


@cache
def _table() -> Mapping[str, Any]:
    table: Mapping[str, Any] = yaml.safe_load(WORDS.read_text("utf-8"))
    return table
