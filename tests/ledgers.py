"""Builders for what the property system says of a household."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from service.models.archive import Fee, Household, ParkingSpace, VisitorCode
from service.models.base import Base
from tests.stage import Stage

AS_OF = date(2026, 11, 22)
Entry = TypeVar("Entry", bound=Base)


def fee(stage: Stage, door: Household, name: str = "物业费", amount: str = "1234.50", **facts: Any) -> Fee:
    """A fee that nobody has paid yet; with a day it was paid in full."""
    charged = Decimal(amount)
    told = {"period": None, "currency": "CNY", "due": None, "paid_on": None, "waived": Decimal(0)} | facts
    told.setdefault("paid", charged if told["paid_on"] else Decimal(0))
    return kept(stage, Fee(**_of(door), name=name, amount=charged, **told))


def space(stage: Stage, door: Household, name: str = "B1-023", **facts: Any) -> ParkingSpace:
    """A parking space."""
    told = {"plate": "湘A12345", "valid_until": date(2027, 3, 1)} | facts
    return kept(stage, ParkingSpace(**_of(door), name=name, **told))


def visitor_code(stage: Stage, door: Household, code: str, *, begins: datetime, ends: datetime) -> VisitorCode:
    """A code for a grandmother."""
    return kept(stage, VisitorCode(**_of(door), name="外婆", code=code, valid_from=begins, valid_until=ends))


def _of(door: Household) -> dict[str, Any]:
    return {"community_id": door.community_id, "household_id": door.id, "as_of": AS_OF}


def kept(stage: Stage, entry: Entry) -> Entry:
    """The entry, written."""
    stage.session.add(entry)
    stage.session.flush()
    return entry
