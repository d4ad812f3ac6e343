"""What is answered, and what could not be."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from service.models.base import Base


class QuestionState(StrEnum):
    """What became of a question nobody had written an answer to."""

    OPEN = "open"
    LEARNT = "learnt"  # an entry answers it now
    IGNORED = "ignored"


class KnowledgeEntry(Base):
    """Something residents ask, and its answer: of one community, or of the base that every community inherits."""

    __tablename__ = "knowledge_entries"
    __table_args__ = (UniqueConstraint("community_id", "key", postgresql_nulls_not_distinct=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int | None] = mapped_column(ForeignKey("communities.id"))  # None: the base
    key: Mapped[str] = mapped_column(String(64))
    content: Mapped[dict[str, Any]]  # as in a file: service/knowledge_file.py


class KnowledgeEdit(Base):
    """What an entry became, by whom and when. The log is never changed; its newest row says when an index is stale."""

    __tablename__ = "knowledge_edits"
    __table_args__ = (Index("knowledge_edits_by_community", "community_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("knowledge_entries.id"), index=True)
    community_id: Mapped[int | None] = mapped_column(ForeignKey("communities.id"))
    content: Mapped[dict[str, Any]]
    by: Mapped[str]
    at: Mapped[datetime]


class UnansweredQuestion(Base):
    """A question that was handed to people because no entry answers it; each turn that asked it has a row."""

    __tablename__ = "unanswered_questions"
    __table_args__ = (
        UniqueConstraint("conversation_id", "source"),
        Index("unanswered_questions_open", "community_id", "id", postgresql_where=text("state = 'open'")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"))
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"))
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    source: Mapped[str]  # the turn
    text: Mapped[str]
    language: Mapped[str] = mapped_column(String(2))
    asked_at: Mapped[datetime]
    state: Mapped[QuestionState]
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("knowledge_entries.id"))
