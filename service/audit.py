"""Who was shown or changed what in the console: keys and numbers, never words (N12)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from service import paging
from service.models.console import AuditEntry
from service.paging import MomentPage

SHOWN = "shown"
SHOWN_ONCE_IN = timedelta(minutes=10)  # a list that renews itself, or is gone back to, is one look


@dataclass(frozen=True)
class Wanted:
    """What somebody looks for; what is None may be anything."""

    actor: str | None = None
    act: str | None = None
    object: str | None = None
    object_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None  # not included


def write(
    session: Session,
    community_id: int,
    *,
    actor: str,
    act: str,
    object: str,  # noqa: A002 - the column's name
    object_id: int | None = None,
    now: datetime,
) -> None:
    """Write down that somebody did something; the same look again within ten minutes is written once.

    Args:
        session: the transaction in which it is done.
        community_id: whose thing it is.
        actor: staff:<number> or operator.
        act: shown, or what was done.
        object: what kind of thing.
        object_id: which; None for a list.
        now: the moment, aware UTC.
    """
    facts = {"community_id": community_id, "actor": actor, "act": act, "object": object, "object_id": object_id}
    if act != SHOWN or not _was_written(session, facts, since=now - SHOWN_ONCE_IN):
        session.add(AuditEntry(at=now, **facts))


def _was_written(session: Session, facts: dict[str, object], *, since: datetime) -> bool:
    same = [getattr(AuditEntry, name) == value for name, value in facts.items()]  # of None it makes IS NULL
    return bool(session.scalar(select(exists().where(*same, AuditEntry.at > since))))


def find(session: Session, community_id: int, wanted: Wanted, *, before: str | None = None) -> MomentPage[AuditEntry]:
    """What was written, newest first, page by page.

    Args:
        session: a transaction; it is only read.
        community_id: whose.
        wanted: what is looked for.
        before: where this page begins, as an earlier one said.
    """
    found = select(AuditEntry).where(AuditEntry.community_id == community_id)
    for name in ("actor", "act", "object", "object_id"):
        value = getattr(wanted, name)
        if value is not None:
            found = found.where(getattr(AuditEntry, name) == value)
    if wanted.since is not None:
        found = found.where(AuditEntry.at >= wanted.since)
    if wanted.until is not None:
        found = found.where(AuditEntry.at < wanted.until)
    return paging.page_by_moment(session, found, AuditEntry.at, AuditEntry.id, before=before)
