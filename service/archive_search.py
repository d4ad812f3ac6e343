"""Look people and doors up: accounts by name, number or address, households by address or by who lives there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from service import paging, where, word_search
from service.models.archive import MEMBER_WORDS, Building, Household, Invitation, Member
from service.models.people import RESIDENT_WORDS, Resident
from service.models.talks import Conversation
from service.paging import Page

MOST_INVITATIONS = 10  # of a household that are shown, newest first


@dataclass(frozen=True)
class Door:
    """A household as its page shows it."""

    household: Household
    members: Sequence[Member]  # who lives there first, then who has moved out
    accounts: Sequence[Resident]
    invitations: Sequence[Invitation]


def residents(session: Session, community_id: int, words: str, *, before: int | None = None) -> Page[Resident]:
    """Accounts, those who wrote to the bot for the first time last first, page by page.

    Args:
        session: a transaction; it is only read.
        community_id: whose.
        words: of a name, a telephone number or an address; without any, everybody.
        before: the account behind which the page begins.
    """
    found = select(Resident).where(Resident.community_id == community_id, word_search.holds(RESIDENT_WORDS, words))
    return paging.page(session, found, Resident.id, before=before)


def households(session: Session, community_id: int, words: str, *, before: int | None = None) -> Page[Household]:
    """Households by their address, 3栋2单元1201 or a part of it, or by a name or number of who lives there."""
    found = select(Household).where(Household.community_id == community_id)
    if words:
        found = found.where(or_(*_meant(community_id, words)))
    return paging.page(session, found, Household.id, before=before)


def _meant(community_id: int, words: str) -> list[ColumnElement[bool]]:
    people = select(Member.household_id).where(Member.community_id == community_id)
    meant: list[ColumnElement[bool]] = [Household.id.in_(people.where(word_search.holds(MEMBER_WORDS, words)))]
    named = where.parse(words)
    doors = select(Household.id).join(Household.building).where(Household.community_id == community_id)
    parts = ((Building.name, named.building), (Household.unit, named.unit), (Household.room, named.room))
    given = [column == part for column, part in parts if part]
    return [*meant, Household.id.in_(doors.where(*given))] if given else meant


def door(session: Session, community_id: int, household_id: int, *, day: date) -> Door | None:
    """A household of the community with everybody who lives or lived there; None when there is no such one."""
    household = session.get(Household, household_id)
    if household is None or household.community_id != community_id:
        return None
    people = session.scalars(select(Member).where(Member.household_id == household.id).order_by(Member.id)).all()
    bound = select(Resident).where(Resident.member_id.in_([person.id for person in people])).order_by(Resident.id)
    made = select(Invitation).where(Invitation.household_id == household.id).order_by(Invitation.id.desc())
    return Door(
        household=household,
        members=sorted(people, key=lambda person: person.moved_out is not None and person.moved_out <= day),
        accounts=session.scalars(bound).all(),
        invitations=session.scalars(made.limit(MOST_INVITATIONS)).all(),
    )


def talk_of(session: Session, community_id: int, resident_id: int) -> Conversation | None:
    """A resident of the community, by way of their conversation; None when there is no such one."""
    found = select(Conversation).where(
        Conversation.resident_id == resident_id, Conversation.community_id == community_id
    )
    return session.scalars(found).one_or_none()
