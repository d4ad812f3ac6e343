"""The base that comes with Guanjia: what residents of any community ask, in knowledge_base/."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from service import knowledge_entries, knowledge_file
from service.knowledge_entries import Content
from service.models.knowledge import KnowledgeEdit, KnowledgeEntry

FOLDER = Path(__file__).with_suffix("")
SHIPPED = "guanjia"  # who has written what comes with a version, before the version's digest


def bring_up_to_date(session: Session, *, now: datetime) -> int:
    """Write this version's base into the database; entries that a person has changed since stay as they are.

    Returns:
        How many entries changed; 0 at every start but the first of a version.
    """
    knowledge_entries.lock(session)
    version = f"{SHIPPED} {_digest()}"
    if session.scalar(_newest_version()) == version:
        return 0
    wanted, changed = shipped(), 0
    theirs = _edited_by_people(session)
    gone = {row.key for row in knowledge_entries.own(session, None)} - set(wanted)
    for key, content in [*wanted.items(), *((key, {"withdrawn": True}) for key in gone)]:
        if key not in theirs:
            changed += knowledge_entries.put(session, None, key, content, by=version, now=now) is not None
    return changed


def shipped() -> dict[str, Content]:
    """Every entry of this version's files, by key."""
    entries: dict[str, Content] = {}
    for file in sorted(FOLDER.glob("*.yml")):
        found = knowledge_file.read(file.read_bytes(), has_facts=False)
        assert not found.problems, (file.name, found.problems)
        entries |= {key: content for _, key, content in found.entries}
    return entries


def _digest() -> str:
    """Names what all files of the base hold."""
    digest = hashlib.sha256()
    for file in sorted(FOLDER.glob("*.yml")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def _newest_version() -> Select[str]:
    ours = select(KnowledgeEdit.by).where(KnowledgeEdit.community_id.is_(None), _is_shipped())
    return ours.order_by(KnowledgeEdit.id.desc()).limit(1)


def _is_shipped() -> ColumnElement[bool]:
    return KnowledgeEdit.by.like(f"{SHIPPED} %")


def _edited_by_people(session: Session) -> set[str]:
    newest = select(func.max(KnowledgeEdit.id)).where(KnowledgeEdit.community_id.is_(None))
    ours = select(KnowledgeEntry.key).join(KnowledgeEdit, KnowledgeEdit.entry_id == KnowledgeEntry.id)
    edited = ours.where(KnowledgeEdit.id.in_(newest.group_by(KnowledgeEdit.entry_id)), ~_is_shipped())
    return set(session.scalars(edited))
