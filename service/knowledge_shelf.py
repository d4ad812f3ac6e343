"""The indexes a process holds: one per community, made again when an edit has changed it, never per message."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from threading import Lock

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import knowledge_entries
from service.knowledge_entries import Entry, Stamp
from service.knowledge_index import Index, Written
from service.models.communities import Community

HELD = 64  # communities; the one asked longest ago makes room


@dataclass(frozen=True)
class Book:
    """The entries of a community, with the index over them."""

    stamp: Stamp
    entries: Mapping[str, Entry]
    index: Index


class Shelf:
    """Books by community. Whoever meets a stale one makes it anew, while all others go on reading the old one."""

    def __init__(self, *, make: Callable[[Iterable[Written]], Index] = Index, held: int = HELD) -> None:
        self._make, self._held = make, held
        self._books: dict[int, Book] = {}
        self._making = Lock()

    def book(self, session: Session, community_id: int) -> Book:
        """A community's entries as they are, or at most one making of an index ago."""
        stamp = knowledge_entries.stamp(session, community_id)
        held = self._books.get(community_id)
        if held is not None and held.stamp == stamp:
            return held
        if not self._making.acquire(blocking=held is None):
            assert held is not None
            return held
        try:
            return self._made(session, community_id, stamp)
        finally:
            self._making.release()

    def fill(self, session: Session) -> None:
        """Make the books of a start, so that nobody's first question waits for one."""
        for community_id in session.scalars(select(Community.id).order_by(Community.id).limit(self._held)):
            self.book(session, community_id)

    def _made(self, session: Session, community_id: int, stamp: Stamp) -> Book:
        held = self._books.get(community_id)
        if held is not None and held.stamp == stamp:
            return held  # made by another thread while this one waited
        entries = knowledge_entries.of_community(session, community_id)
        book = Book(stamp, entries, self._make(map(_written, entries.values())))
        self._books = dict([*self._books.items()][1 - self._held :]) | {community_id: book}
        return book


def _written(entry: Entry) -> Written:
    wordings = entry.wordings.values()
    questions = [question for wording in wordings for question in wording.questions]
    return Written(entry.key, questions, [wording.answer for wording in wordings])
