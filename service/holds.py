"""Follow-ups that somebody holds back: no sweep takes them until they are released. Who and why stays written down."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from service.models.follow_ups import Hold


def free(number: InstrumentedAttribute[int]) -> ColumnElement[bool]:
    """Whether nobody holds the row back: a condition for every sweep over follow-ups.

    Args:
        number: the column by which the table's rows are held, as a rule its id.
    """
    return ~exists().where(Hold.of == table_of(number), Hold.row_id == number, Hold.released_at.is_(None))


def open_hold(session: Session, number: InstrumentedAttribute[int], row_id: int) -> Hold | None:
    """The hold that keeps the row back now; for a sweep, asked once more after it has locked the conversation."""
    found = select(Hold).where(Hold.of == table_of(number), Hold.row_id == row_id, Hold.released_at.is_(None))
    return session.scalars(found).one_or_none()


def put(
    session: Session,
    number: InstrumentedAttribute[int],
    row_id: int,
    *,
    community_id: int,
    conversation_id: int | None,
    by: str,
    why: str,
    now: datetime,
) -> Hold:
    """Hold a row back from now on."""
    hold = Hold(
        community_id=community_id,
        conversation_id=conversation_id,
        of=table_of(number),
        row_id=row_id,
        by=by,
        why=why,
        held_at=now,
    )
    session.add(hold)
    session.flush()
    return hold


def table_of(number: InstrumentedAttribute[int]) -> str:
    """The table whose rows are held by this column."""
    return str(number.class_.__tablename__)
