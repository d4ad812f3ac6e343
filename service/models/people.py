"""Residents and staff."""

from __future__ import annotations

from datetime import datetime, time
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from service.models.base import Base, searched, together
from service.models.communities import Department


class Role(StrEnum):
    """What a member of staff is; `staff.RIGHTS` says what that allows."""

    BUTLER = "butler"
    DEPARTMENT = "department"
    SUPERVISOR = "supervisor"
    MANAGER = "manager"


class Duty(StrEnum):
    """Whether a member of staff is on duty, as they said themselves; without a word the roster decides."""

    ON = "on"
    OFF = "off"


RESIDENT_WORDS = together("residents", "display_name", "surname", "phone", "place")


class Resident(Base):
    """A person who writes to the bot, and what is known of them."""

    __tablename__ = "residents"
    __table_args__ = (
        UniqueConstraint("community_id", "chat_id"),
        Index("residents_by_community", "community_id", "id"),
        searched("residents", RESIDENT_WORDS),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"))
    chat_id: Mapped[int]
    display_name: Mapped[str]
    surname: Mapped[str | None]
    honorific: Mapped[str | None]
    language: Mapped[str] = mapped_column(String(2))
    phone: Mapped[str | None]
    place: Mapped[str | None]
    unreachable_since: Mapped[datetime | None]
    questions_off_since: Mapped[datetime | None]  # 退订: no call-backs and no surveys
    member_id: Mapped[int | None] = mapped_column(ForeignKey("members.id"), index=True)  # whom the account is bound to
    language_chosen: Mapped[bool] = mapped_column(default=False, server_default="false")  # else it follows the words
    binding_told_at: Mapped[datetime | None]  # when they were told what binding gives: once


class Staff(Base):
    """A member of the staff group."""

    __tablename__ = "staff"
    __table_args__ = (
        UniqueConstraint("community_id", "user_id"),
        UniqueConstraint("community_id", "number"),
        Index("staff_by_user", "user_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"))
    user_id: Mapped[int]
    number: Mapped[int]
    display_name: Mapped[str]
    left_at: Mapped[datetime | None]
    role: Mapped[Role] = mapped_column(default=Role.BUTLER, server_default="butler")
    department_id: Mapped[int | None] = mapped_column(ForeignKey("departments.id"))
    languages: Mapped[list[Any] | None]  # zh, en; none said: the community's own
    duty: Mapped[Duty | None]
    private_since: Mapped[datetime | None]  # since when the bot may write to them in private
    talks_with_id: Mapped[int | None]  # the conversation to which a plain line in their private chat goes
    shown_id: Mapped[int | None]  # the conversation whose line was shown there last

    department: Mapped[Department | None] = relationship(lazy="raise_on_sql")


class Shift(Base):
    """When a member of staff is on duty by the roster: local time, on one day of every week."""

    __tablename__ = "shifts"
    __table_args__ = (UniqueConstraint("staff_id", "weekday", "begins"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    weekday: Mapped[int]  # 1 is Monday
    begins: Mapped[time]
    ends: Mapped[time]  # not after `begins`: the next morning
