"""The household archive (业主档案): who lives where, which account speaks for whom, and who looked or changed.

The roster fills the resident's row while an account is bound, so whoever talks to them needs to know nothing of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from service import where
from service.models.archive import ArchiveEvent, Building, Household, Member, MemberRole
from service.models.communities import Community
from service.models.people import Resident
from service.residents import HOME_LANGUAGE
from service.where import Where

ROLES = tuple(MemberRole)
PROVES_A_PERSON = ("phone", "staff")  # ways of binding; an invitation only proves a household


def place(household: Household, language: str) -> str:
    """The address as people write it: 3栋2单元1201."""
    named = Where(household.building.name, household.unit or None, household.room)
    return where.display(named, language)


def today(session: Session, community_id: int, *, now: datetime) -> date:
    """The community's day."""
    return now.astimezone(ZoneInfo(session.get_one(Community, community_id).timezone)).date()


def living(day: date) -> ColumnElement[bool]:
    """Whether a member lives there on that day, for queries."""
    return or_(Member.moved_out.is_(None), Member.moved_out > day)


def lives_there(member: Member, day: date) -> bool:
    """The same, for one member."""
    return member.moved_out is None or member.moved_out > day


def find_household(session: Session, community_id: int, named: Where) -> Household | None:
    """The household behind a door; a unit that was left out is no obstacle when only one fits."""
    if not (named.building and named.room):
        return None
    found = (
        select(Household)
        .join(Household.building)
        .where(Household.community_id == community_id, Building.name == named.building, Household.room == named.room)
    )
    if named.unit:
        found = found.where(Household.unit == named.unit)
    doors = session.scalars(found.limit(2)).all()
    return doors[0] if len(doors) == 1 else None


def members(session: Session, household_id: int, *, day: date) -> Sequence[Member]:
    """Who lives in the household on that day, owners first."""
    found = select(Member).where(Member.household_id == household_id, living(day)).order_by(Member.id)
    return sorted(session.scalars(found), key=lambda member: ROLES.index(member.role))


def by_phone(session: Session, community_id: int, phone: str, *, day: date) -> Member | None:
    """The one member whose number this is; nobody when several share it, for nobody knows which of them asks."""
    found = select(Member).where(Member.community_id == community_id, Member.phone == phone, living(day))
    owners = session.scalars(found.order_by(Member.id)).all()
    return owners[0] if len({owner.name for owner in owners}) == 1 else None


def member_of(session: Session, resident: Resident) -> Member | None:
    """Whom the account is bound to."""
    return session.get(Member, resident.member_id) if resident.member_id is not None else None


def homes(session: Session, resident: Resident, *, day: date) -> Sequence[Member]:
    """Whom the account speaks for, once a household: the member it is bound to, and the same person at other doors.

    The same person has the same name and number. An invitation proves a household and no person: whoever tapped a
    name on a sheet of paper sees no other door of theirs.
    """
    member = member_of(session, resident)
    if member is None or not lives_there(member, day):
        return []
    bound = (
        select(ArchiveEvent.detail["how"].astext)
        .where(ArchiveEvent.resident_id == resident.id, ArchiveEvent.act == "bound")
        .order_by(ArchiveEvent.id.desc())
    )
    if member.phone is None or session.scalar(bound.limit(1)) not in PROVES_A_PERSON:
        return [member]
    same = select(Member).where(
        Member.community_id == member.community_id,
        Member.phone == member.phone,
        Member.name == member.name,
        living(day),
    )
    return session.scalars(same.order_by(Member.id)).all()


def accounts(session: Session, member: Member) -> Sequence[Resident]:
    """The accounts that are bound to a member; a person may have several."""
    return session.scalars(select(Resident).where(Resident.member_id == member.id).order_by(Resident.id)).all()


def bind(
    session: Session,
    resident: Resident,
    member: Member,
    *,
    how: str,
    actor: str,
    now: datetime,
    asked_at: datetime | None = None,
) -> None:
    """Let the account speak for the member; what it was bound to before ends with it.

    Args:
        session: the caller's transaction; the resident's conversation is locked in it.
        resident: the account.
        member: who they are.
        how: invitation, phone or staff.
        actor: who decided, as in a case's log.
        now: the moment, aware UTC.
        asked_at: when they asked staff for it, which was their yes; otherwise they are saying it just now.
    """
    if resident.member_id not in (None, member.id):
        unbind(session, resident, why="rebound", actor=actor, now=now)
    resident.member_id = member.id
    if how != "staff" or asked_at is not None:
        member.consented_at = asked_at or now
    fill(resident, member)
    log(session, resident, "bound", actor=actor, member=member, now=now, how=how)


def fill(resident: Resident, member: Member) -> None:
    """Put what the roster knows where the dialogue looks for it, so that it is not asked again (N8)."""
    resident.surname, resident.honorific = member.surname, member.honorific
    resident.place = place(member.household, HOME_LANGUAGE)
    resident.phone = member.phone or resident.phone


def unbind(session: Session, resident: Resident, *, why: str, actor: str, now: datetime) -> None:
    """Let the account speak for nobody: the address is theirs no more, their name and number stay their own."""
    member = member_of(session, resident)
    resident.member_id = None
    resident.place = None
    log(session, resident, "unbound", actor=actor, member=member, now=now, why=why)


def log(
    session: Session,
    resident: Resident,
    act: str,
    *,
    actor: str,
    now: datetime,
    member: Member | None = None,
    **detail: object,
) -> None:
    """Write down who did what with a resident's file, or looked at it (N12)."""
    session.add(
        ArchiveEvent(
            community_id=resident.community_id,
            at=now,
            actor=actor,
            act=act,
            resident_id=resident.id,
            member_id=member.id if member else None,
            household_id=member.household_id if member else None,
            detail=detail or None,
        )
    )
    session.flush()


def log_community(
    session: Session, community_id: int, act: str, *, actor: str, now: datetime, **detail: object
) -> None:
    """Write down what was done with the whole archive."""
    session.add(ArchiveEvent(community_id=community_id, at=now, actor=actor, act=act, detail=detail))
    session.flush()
