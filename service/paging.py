"""Long lists page by page, newest first, by the key of the last row: the thousandth page costs what the first does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Select
from sqlalchemy.orm import InstrumentedAttribute, Session

T = TypeVar("T")
ROWS = 50  # of one page


@dataclass(frozen=True)
class Page(Generic[T]):
    """Rows of a list, and behind which key the next page begins; None: there is none."""

    rows: Sequence[T]
    before: int | None


def page(
    session: Session,
    found: Select[T],
    key: InstrumentedAttribute[int],
    *,
    before: int | None,
    rows: int = ROWS,
) -> Page[T]:
    """The rows of a query older than a key.

    Args:
        session: a transaction; it is only read.
        found: one entity, without an order.
        key: its id, which rises with time and by which an index finds it.
        before: the key behind which this page begins; None: the newest.
        rows: how many.
    """
    older: Select[Any] = found if before is None else found.where(key < before)
    taken = session.scalars(older.order_by(key.desc()).limit(rows + 1)).all()
    shown = taken[:rows]
    more = len(taken) > rows
    return Page(shown, getattr(shown[-1], key.key) if more else None)
