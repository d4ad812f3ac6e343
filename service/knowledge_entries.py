"""Entries of the knowledge base as rows: put with their history, read as a community has them.

The base (no community) is inherited by everybody; a community's entry of the same key stands instead of it, and one
that is withdrawn hides it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from string import Formatter
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from service.models.knowledge import KnowledgeEdit, KnowledgeEntry

EDIT_LOCK = 7_262_616  # any fixed number: edits come one after the other, so that the newest number is the newest edit
LONGEST_ANSWER = 400  # characters; longer ones are not read
LONGEST_QUESTION = 120  # characters
PLACEHOLDER = re.compile(r"[a-z][a-z0-9_]*")

Content = dict[str, Any]  # an entry as it stands in a file
Stamp = tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class Wording:
    """An entry in one language; texts may hold {placeholders}."""

    questions: tuple[str, ...]  # the first is how it is offered
    answer: str
    documents: tuple[str, ...] = ()
    contact: str = ""

    @property
    def placeholders(self) -> set[str]:
        """What the community has to fill before this can be said."""
        said = (self.answer, self.contact, *self.documents)
        return {name for part in said for _, name, _, _ in Formatter().parse(part) if name}


@dataclass(frozen=True)
class Source:
    """Where an answer comes from: law, the estate's own rule, or the common practice of property services."""

    kind: str
    name: Mapping[str, str] = field(default_factory=dict)  # by language; empty for common practice
    at: date | None = None


@dataclass(frozen=True)
class Entry:
    """Something residents ask, and its answer."""

    key: str
    wordings: Mapping[str, Wording]  # by language
    is_base: bool
    valid_from: date | None = None
    valid_until: date | None = None  # the last day
    source: Source | None = None
    personal: str | None = None  # answered from the resident's own data: one of knowledge_file.PERSONAL


def put(
    session: Session, community_id: int | None, key: str, content: Content, *, by: str, now: datetime
) -> KnowledgeEdit | None:
    """Write an entry, new or changed, with its history; the same content again changes nothing.

    Args:
        session: the caller's transaction; other edits wait until it ends.
        community_id: whose; None is the base.
        key: names the entry.
        content: as `knowledge_file` reads it.
        by: who says so.
        now: the moment, aware UTC.

    Returns:
        The edit, None when nothing changed.
    """
    lock(session)
    row = find(session, community_id, key)
    if row is None:
        row = KnowledgeEntry(community_id=community_id, key=key, content=content)
        session.add(row)
        session.flush()
    elif row.content == content:
        return None
    row.content = content
    edit = KnowledgeEdit(entry_id=row.id, community_id=community_id, content=content, by=by, at=now)
    session.add(edit)
    session.flush()
    return edit


def lock(session: Session) -> None:
    """Let nobody else edit until the transaction ends."""
    session.execute(select(func.pg_advisory_xact_lock(EDIT_LOCK)))


def find(session: Session, community_id: int | None, key: str) -> KnowledgeEntry | None:
    """A community's own entry, or the base's."""
    return session.scalars(
        select(KnowledgeEntry).where(KnowledgeEntry.community_id == community_id, KnowledgeEntry.key == key)
    ).one_or_none()


def history(session: Session, community_id: int | None, key: str) -> Sequence[KnowledgeEdit]:
    """Everything an entry has been, the newest first."""
    edits = select(KnowledgeEdit).join(KnowledgeEntry, KnowledgeEntry.id == KnowledgeEdit.entry_id)
    ours = edits.where(KnowledgeEntry.community_id == community_id, KnowledgeEntry.key == key)
    return session.scalars(ours.order_by(KnowledgeEdit.id.desc())).all()


def own(session: Session, community_id: int | None) -> Sequence[KnowledgeEntry]:
    """The rows of a community, or of the base, by key."""
    rows = select(KnowledgeEntry).where(KnowledgeEntry.community_id == community_id)
    return session.scalars(rows.order_by(KnowledgeEntry.key)).all()


def of_community(session: Session, community_id: int) -> dict[str, Entry]:
    """Every entry a community has, its own before the base's, withdrawn ones left out."""
    rows = {row.key: row for owner in (None, community_id) for row in own(session, owner)}
    return {key: read(row) for key, row in sorted(rows.items()) if not row.content.get("withdrawn")}


def entry(session: Session, community_id: int, key: str) -> Entry | None:
    """One entry, the community's own before the base's; None when there is none or it was withdrawn."""
    owner = KnowledgeEntry.community_id
    found = select(KnowledgeEntry).where(KnowledgeEntry.key == key, (owner == community_id) | owner.is_(None))
    row = session.scalars(found.order_by(owner.nulls_last()).limit(1)).one_or_none()
    return read(row) if row is not None and not row.content.get("withdrawn") else None


def read(row: KnowledgeEntry) -> Entry:
    """A row as an entry."""
    content, source = row.content, row.content.get("source")
    valid = content.get("valid", {})
    return Entry(
        key=row.key,
        wordings=dict(_wordings(content)),
        is_base=row.community_id is None,
        valid_from=_day(valid.get("from")),
        valid_until=_day(valid.get("until")),
        source=Source(source["kind"], _names(source), _day(source.get("date"))) if source else None,
        personal=content.get("personal"),
    )


def stamp(session: Session, community_id: int) -> Stamp:
    """What changes with every edit of the base or of a community: the newest edits, and who wrote them into the table.

    The transaction's number stands beside the row's own, which begins anew in a database that was restored.
    """
    newest = text(
        "(SELECT id, xmin::text FROM knowledge_edits WHERE community_id IS NULL ORDER BY id DESC LIMIT 1) UNION ALL "
        "(SELECT id, xmin::text FROM knowledge_edits WHERE community_id = :community ORDER BY id DESC LIMIT 1)"
    )
    return tuple((row[0], row[1]) for row in session.execute(newest, {"community": community_id}))


def _wordings(content: Content) -> Iterator[tuple[str, Wording]]:
    for language in ("zh", "en"):
        told = content.get(language)
        if told:
            documents = tuple(told.get("documents", ()))
            yield language, Wording(tuple(told["questions"]), told["answer"], documents, told.get("contact", ""))


def _names(source: Mapping[str, str]) -> dict[str, str]:
    return {language: source[language] for language in ("zh", "en") if language in source}


def _day(value: str | None) -> date | None:
    return date.fromisoformat(value) if value else None
