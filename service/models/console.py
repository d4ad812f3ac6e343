"""Who signed in, what they did and keep at hand."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from service.models.base import Base
from service.models.people import Role, Staff


class ConsoleLink(Base):
    """A link that signs a member of staff in to the console, once; the token itself stands only in their chat."""

    __tablename__ = "console_links"

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)  # SHA-256 of the token, in hexadecimal
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]  # used, or another was made since


class ConsoleSession(Base):
    """A member of staff is signed in to the console in one browser."""

    __tablename__ = "console_sessions"

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)  # SHA-256 of what the cookie holds
    role: Mapped[Role]  # when they signed in: with another one they sign in again
    language: Mapped[str] = mapped_column(String(2))
    made_at: Mapped[datetime]
    used_at: Mapped[datetime]  # to the minute
    ended_at: Mapped[datetime | None]

    member: Mapped[Staff] = relationship(lazy="raise_on_sql")


class AuditEntry(Base):
    """Who was shown or changed what in the console: keys and numbers, no words. The log is never changed (N12)."""

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index("audit_entries_by_community", "community_id", "at", "id"),
        Index("audit_entries_by_actor", "community_id", "actor", "at", "id"),
        Index("audit_entries_by_object", "community_id", "object", "object_id", "at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"))
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(32))  # staff:<number>, operator
    act: Mapped[str] = mapped_column(String(32))  # shown, or what was done
    object: Mapped[str] = mapped_column(String(32))  # what kind of thing: case, resident, board …
    object_id: Mapped[int | None]  # none: a list


class SavedView(Base):
    """A filter of a list that a member of staff has given a name."""

    __tablename__ = "saved_views"
    __table_args__ = (UniqueConstraint("staff_id", "page", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    page: Mapped[str] = mapped_column(String(16))  # cases
    name: Mapped[str] = mapped_column(String(32))
    query: Mapped[str]  # as it stands in the address
