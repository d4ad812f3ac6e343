"""Households and what the property system knows of them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, Numeric, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from service.models.base import Base, searched, together


class MemberRole(StrEnum):
    """What a person is to their household."""

    OWNER = "owner"
    TENANT = "tenant"
    FAMILY = "family"


class RequestState(StrEnum):
    """What staff made of a resident's wish to be bound."""

    OPEN = "open"
    APPROVED = "approved"
    DECLINED = "declined"


MEMBER_WORDS = together("members", "name", "phone")


class Building(Base):
    """A building of a community, by the name residents use: a number or a letter."""

    __tablename__ = "buildings"
    __table_args__ = (UniqueConstraint("community_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"))
    name: Mapped[str] = mapped_column(String(16))


class Household(Base):
    """Who lives behind one door: the room is the household."""

    __tablename__ = "households"
    __table_args__ = (
        UniqueConstraint("building_id", "unit", "room"),
        Index("households_by_community", "community_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"), index=True)
    building_id: Mapped[int] = mapped_column(ForeignKey("buildings.id"))
    unit: Mapped[str] = mapped_column(String(16))  # empty in a building without units
    room: Mapped[str] = mapped_column(String(16))

    building: Mapped[Building] = relationship(lazy="joined", innerjoin=True)


class Member(Base):
    """A person of a household, as the roster has them; one row a person and household, also when they come back."""

    __tablename__ = "members"
    __table_args__ = (
        UniqueConstraint("household_id", "name"),
        searched("members", MEMBER_WORDS),
        Index("members_by_phone", "community_id", "phone", postgresql_where=text("phone IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"))
    household_id: Mapped[int] = mapped_column(ForeignKey("households.id"))
    name: Mapped[str] = mapped_column(String(64))
    surname: Mapped[str] = mapped_column(String(32))
    honorific: Mapped[str | None] = mapped_column(String(8))  # mr, ms
    language: Mapped[str | None] = mapped_column(String(2))
    phone: Mapped[str | None] = mapped_column(String(24))
    role: Mapped[MemberRole]
    moved_in: Mapped[date | None]
    moved_out: Mapped[date | None]  # the first day on which they live there no more
    consented_at: Mapped[datetime | None]  # when they said yes to being served by what the archive holds

    household: Mapped[Household] = relationship(lazy="joined", innerjoin=True)


class Fee(Base):
    """What a household owes or has paid, as the property system had it on `as_of`."""

    __tablename__ = "fees"

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"))
    household_id: Mapped[int] = mapped_column(ForeignKey("households.id"), index=True)
    name: Mapped[str] = mapped_column(String(64))  # what for
    period: Mapped[str | None] = mapped_column(String(64))  # in the office's words
    amount: Mapped[Decimal] = mapped_column(Numeric(12, 2))  # charged; below zero it is the household's
    waived: Mapped[Decimal] = mapped_column(Numeric(12, 2), server_default="0")
    paid: Mapped[Decimal] = mapped_column(Numeric(12, 2), server_default="0")
    currency: Mapped[str] = mapped_column(String(3))  # ISO 4217
    due: Mapped[date | None]
    paid_on: Mapped[date | None]  # the last payment
    reference: Mapped[str | None] = mapped_column(String(64))  # the number of the bill
    as_of: Mapped[date]

    @property
    def left(self) -> Decimal:
        """What is still owed; below zero the household has so much with the office."""
        return self.amount - self.waived - self.paid


class ParkingSpace(Base):
    """A parking space of a household, with a car that may stand on it, as the property system had it on `as_of`."""

    __tablename__ = "parking_spaces"

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"))
    household_id: Mapped[int] = mapped_column(ForeignKey("households.id"), index=True)
    name: Mapped[str] = mapped_column(String(64))
    plate: Mapped[str | None] = mapped_column(String(64))
    valid_until: Mapped[date | None]  # the last day; none: without an end
    as_of: Mapped[date]


class VisitorCode(Base):
    """A code by which a household's visitors come in, as the property system had it on `as_of`."""

    __tablename__ = "visitor_codes"

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"))
    household_id: Mapped[int] = mapped_column(ForeignKey("households.id"), index=True)
    name: Mapped[str | None] = mapped_column(String(64))  # for whom, or for what
    code: Mapped[str] = mapped_column(String(64))  # only the household is ever shown it
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime]  # the moment from which it opens nothing
    as_of: Mapped[date]


class Invitation(Base):
    """A link that binds one Telegram account to a household, once; the token itself stands only on paper."""

    __tablename__ = "invitations"
    __table_args__ = (
        Index("invitations_open", "household_id", postgresql_where=text("used_at IS NULL AND revoked_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"))
    household_id: Mapped[int] = mapped_column(ForeignKey("households.id"))
    digest: Mapped[str] = mapped_column(String(64), unique=True)  # SHA-256 of the token, in hexadecimal
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]
    used_by_id: Mapped[int | None] = mapped_column(ForeignKey("residents.id"))


class BindingOffer(Base):
    """What an account has proved so far: it may say which member of the household it is. One offer an account."""

    __tablename__ = "binding_offers"

    resident_id: Mapped[int] = mapped_column(ForeignKey("residents.id"), primary_key=True)
    how: Mapped[str] = mapped_column(String(16))  # invitation, phone
    household_id: Mapped[int] = mapped_column(ForeignKey("households.id"))
    member_id: Mapped[int | None] = mapped_column(ForeignKey("members.id"))  # none: any member of the household
    invitation_id: Mapped[int | None] = mapped_column(ForeignKey("invitations.id"))
    until: Mapped[datetime]


class BindingRequest(Base):
    """Somebody without an invitation says who they are; staff compare it with the roster and decide."""

    __tablename__ = "binding_requests"
    __table_args__ = (
        Index("binding_requests_open", "resident_id", unique=True, postgresql_where=text("state = 'open'")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"))
    resident_id: Mapped[int] = mapped_column(ForeignKey("residents.id"), index=True)
    household_id: Mapped[int | None] = mapped_column(ForeignKey("households.id"))
    member_id: Mapped[int | None] = mapped_column(ForeignKey("members.id"))
    words: Mapped[str]  # what they said of themselves
    state: Mapped[RequestState]
    asked_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))


class ArchiveEvent(Base):
    """Who did what with which file of the archive: also who was shown it. The log is never changed (N12)."""

    __tablename__ = "archive_events"
    __table_args__ = (
        Index("archive_events_by_resident", "resident_id", "id"),
        Index("archive_events_by_member", "member_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"))
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(32))  # resident, staff:<number>, operator, bot
    act: Mapped[str] = mapped_column(String(32))
    resident_id: Mapped[int | None] = mapped_column(ForeignKey("residents.id"))
    member_id: Mapped[int | None] = mapped_column(ForeignKey("members.id"))
    household_id: Mapped[int | None] = mapped_column(ForeignKey("households.id"))
    detail: Mapped[dict[str, Any] | None]
