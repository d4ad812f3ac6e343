"""Long lists page by page, newest first, by the key of the last row: the thousandth page costs what the first does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, tuple_
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


START = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class MomentPage(Generic[T]):
    """The same; what the next page begins behind is a moment and a key."""

    rows: Sequence[T]
    before: str | None


def page_by_moment(
    session: Session,
    found: Select[T],
    moment: InstrumentedAttribute[Any],
    key: InstrumentedAttribute[int],
    *,
    before: str | None,
    rows: int = ROWS,
) -> MomentPage[T]:
    """The rows of a list by when something happened last, newest first; the id decides between equals.

    Args:
        session: a transaction; it is only read.
        found: one entity, without an order.
        moment: a column of it, never empty in what is found; an index has it together with the key.
        key: its id.
        before: as an earlier page said; what cannot be read is the beginning.
        rows: how many.
    """
    behind = _read(before or "")
    older: Select[Any] = found if behind is None else found.where(tuple_(moment, key) < tuple_(*behind))
    taken = session.scalars(older.order_by(moment.desc(), key.desc()).limit(rows + 1)).all()
    shown = taken[:rows]
    return MomentPage(shown, _written(shown[-1], moment.key, key.key) if len(taken) > rows else None)


def _written(row: Any, moment: str, key: str) -> str:
    return f"{(getattr(row, moment) - START) // timedelta(microseconds=1)}-{getattr(row, key)}"


def _read(before: str) -> tuple[datetime, int] | None:
    moment, _, key = before.partition("-")
    if not (moment.isascii() and moment.isdecimal() and key.isascii() and key.isdecimal()):
        return None
    if len(moment) > 17 or len(key) > 18:  # beyond the year 5138, or beyond any id
        return None
    return START + timedelta(microseconds=int(moment)), int(key)
