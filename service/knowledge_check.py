"""What staff should look at in the knowledge base: what is not offered, has no source, or is hard to find."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from service import knowledge, knowledge_entries
from service.knowledge import Reader, Reason
from service.knowledge_entries import Entry
from service.models.communities import Community
from service.texts import LANGUAGES

SOON = timedelta(days=30)  # before an entry expires, somebody should write the next one
FEWEST_QUESTIONS = 3  # in a language, for an entry to be found by whatever words


@dataclass(frozen=True)
class Checked:
    """An entry of a community and everything to be said about it; `is_offered` in any language."""

    entry: Entry
    is_offered: bool
    reasons: tuple[Reason, ...]


def check(session: Session, community: Community, *, now: datetime) -> list[Checked]:
    """Look at every entry of a community, inherited ones included.

    Args:
        session: the caller's transaction.
        community: whose settings fill the placeholders.
        now: the moment, aware UTC.
    """
    readers = {language: Reader(community, language, now) for language in LANGUAGES}
    entries = knowledge_entries.of_community(session, community.id)
    return [_checked(entry, readers) for entry in entries.values()]


def _checked(entry: Entry, readers: dict[str, Reader]) -> Checked:
    kept_back = {
        language: knowledge.why_not_offered(entry, language, facts=set(reader.facts), today=reader.today)
        for language, reader in readers.items()
    }
    is_offered = any(reason is None for reason in kept_back.values())
    found = [reason for reason in kept_back.values() if reason is not None]
    found += _doubts(entry, readers[LANGUAGES[0]])
    unlike = {(reason.phrase, tuple(reason.facts.items())): reason for reason in found}
    return Checked(entry, is_offered, tuple(unlike.values()))


def _doubts(entry: Entry, reader: Reader) -> Iterator[Reason]:
    """What does not keep an entry from being offered."""
    if entry.source is None:
        yield Reason("utter_staff_knowledge_no_source", {})
    if entry.valid_until is not None and reader.today <= entry.valid_until < reader.today + SOON:
        yield Reason("utter_staff_knowledge_expires", {"day": entry.valid_until})
    for language, wording in entry.wordings.items():
        if len(wording.questions) < FEWEST_QUESTIONS:
            facts: dict[str, object] = {"count": len(wording.questions), "lang": language}
            yield Reason("utter_staff_knowledge_few_questions", facts)
