"""Staff: whoever is in the community's staff group, what their role allows; leaving the group takes it away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service import texts
from service.communities import STAFF_LANGUAGE
from service.errors import NoSuchMember, NotAllowed, NotStaff
from service.models.console import ConsoleLink, ConsoleSession
from service.models.people import Role, Staff

FIRST_NUMBER = 101  # staff numbers are spoken to residents (N2), so they start where they sound like one


class Right(StrEnum):
    """What a member of staff may do; asked at every tap and command."""

    WORK = "work"  # take the steps of a case
    TALK = "talk"  # take a resident over, answer them, hand them back or on
    END_FOR_OTHERS = "end_for_others"  # hand back or on what another butler has
    CONFIRM = "confirm"  # say what became of a message nobody can vouch for
    INCIDENTS = "incidents"  # make an incident known, and say that it is over
    OWN_DUTY = "own_duty"
    DUTY_OF_OTHERS = "duty_of_others"  # the roster
    PHRASES = "phrases"  # change the canned phrases
    ROLES = "roles"  # say who is what
    CONSOLE = "console"  # sign in to the console, and see its board
    TEACH = "teach"  # say what messages mean; see models, phrases and answers
    TRAIN = "train"  # have a model trained and measured, decide between two opinions
    SERVE = "serve"  # say which model is served
    KNOWLEDGE = "knowledge"  # write answers
    RECORDS = "records"  # look up cases, talks, residents and households in the console
    LETTERS = "letters"  # have what could not be handled or sent tried again
    ARCHIVE = "archive"  # take a roster over, print invitations
    PRIVACY = "privacy"  # give out or delete what is kept of a resident, at their wish
    CHARTS = "charts"  # see the figures of a community, and the cases and messages behind them
    AUDIT = "audit"  # read who was shown or changed what


# Whoever mends it knows first that it is broken for all, and that it is mended.
_EVERYBODY = frozenset({Right.WORK, Right.INCIDENTS, Right.OWN_DUTY})
_BUTLER = _EVERYBODY | {Right.TALK, Right.CONFIRM, Right.CONSOLE, Right.TEACH, Right.RECORDS}
_SUPERVISOR = _BUTLER | {
    Right.END_FOR_OTHERS,
    Right.DUTY_OF_OTHERS,
    Right.PHRASES,
    Right.TRAIN,
    Right.KNOWLEDGE,
    Right.LETTERS,
    Right.CHARTS,
}
_MANAGER = _SUPERVISOR | {Right.ROLES, Right.AUDIT, Right.SERVE, Right.ARCHIVE, Right.PRIVACY}

RIGHTS: Mapping[Role, frozenset[Right]] = {
    Role.DEPARTMENT: _EVERYBODY,
    Role.BUTLER: _BUTLER,
    Role.SUPERVISOR: _SUPERVISOR,
    Role.MANAGER: _MANAGER,
}


def may(member: Staff, right: Right) -> bool:
    """Whether the member's role allows it."""
    return member.left_at is None and right in RIGHTS[member.role]


def check(member: Staff, right: Right) -> None:
    """Refuse what the member's role does not allow.

    Raises:
        NotAllowed: their role does not have this right.
    """
    if not may(member, right):
        raise NotAllowed(role=texts.words(f"utter_word_role_{member.role}", language=STAFF_LANGUAGE))


def access_staff(
    session: Session, community_id: int, user_id: int, *, display_name: str, wrote_at: datetime | None = None
) -> Staff:
    """The member of staff who wrote or tapped in the staff group, enrolled with a number on their first act.

    Args:
        session: the caller's transaction.
        community_id: the community whose staff group it was.
        user_id: the Telegram user.
        display_name: how they call themselves on Telegram.
        wrote_at: when they wrote in the group, aware: only members can. None for a tap, which proves nothing.

    Raises:
        NotStaff: they have left the group since.
    """
    found = select(Staff).where(Staff.community_id == community_id, Staff.user_id == user_id)
    member = session.scalars(found).one_or_none()
    if member is None:
        _enrol(session, community_id, user_id, display_name=display_name)
        member = session.scalars(found).one()
    if member.left_at is not None and (wrote_at is None or wrote_at <= member.left_at):
        raise NotStaff
    member.left_at = None
    return member


def _enrol(session: Session, community_id: int, user_id: int, *, display_name: str) -> None:
    highest = select(func.coalesce(func.max(Staff.number), FIRST_NUMBER - 1) + 1)
    number = highest.where(Staff.community_id == community_id).scalar_subquery()
    values = {"community_id": community_id, "user_id": user_id, "display_name": display_name, "number": number}
    session.execute(select(func.pg_advisory_xact_lock(community_id)))
    session.execute(insert(Staff).values(values | {"role": Role.BUTLER}).on_conflict_do_nothing())


def find(session: Session, community_id: int, user_id: int) -> Staff | None:
    """The member who is this Telegram user and still in the group; nobody is enrolled by being looked for."""
    found = select(Staff).where(Staff.community_id == community_id, Staff.user_id == user_id, Staff.left_at.is_(None))
    return session.scalars(found).one_or_none()


def memberships(session: Session, user_id: int) -> Sequence[Staff]:
    """What a Telegram user is in each community whose group they are in, by community."""
    members = select(Staff).where(Staff.user_id == user_id, Staff.left_at.is_(None))
    return session.scalars(members.order_by(Staff.community_id)).all()


def by_number(session: Session, community_id: int, number: int) -> Staff:
    """The member with this number, still in the group.

    Raises:
        NoSuchMember: nobody has it, or they have left.
    """
    found = select(Staff).where(Staff.community_id == community_id, Staff.number == number, Staff.left_at.is_(None))
    member = session.scalars(found).one_or_none()
    if member is None:
        raise NoSuchMember(number=number)
    return member


def leave(session: Session, community_id: int, user_id: int, *, now: datetime) -> None:
    """The member left the staff group or was put out of it: with it go their rights, their duty and the console."""
    gone = update(Staff).where(Staff.community_id == community_id, Staff.user_id == user_id, Staff.left_at.is_(None))
    for member_id in session.scalars(gone.values(left_at=now, duty=None).returning(Staff.id)).all():
        for key in (ConsoleLink, ConsoleSession):
            still_open = update(key).where(key.staff_id == member_id, key.ended_at.is_(None))
            session.execute(still_open.values(ended_at=now))


def come_back(session: Session, community_id: int, user_id: int) -> None:
    """The member is in the group again; who never was there is enrolled by their first act."""
    back = update(Staff).where(Staff.community_id == community_id, Staff.user_id == user_id)
    session.execute(back.values(left_at=None))


def present(session: Session, community_id: int) -> Sequence[Staff]:
    """Everybody who is in the group, by number."""
    members = select(Staff).where(Staff.community_id == community_id, Staff.left_at.is_(None))
    return session.scalars(members.order_by(Staff.number)).all()


def give_role(member: Staff, role: Role, *, by: Staff, department_id: int | None = None) -> None:
    """Say what somebody is, as a member of staff.

    Raises:
        NotAllowed: only managers do.
    """
    check(by, Right.ROLES)
    appoint(member, role, department_id=department_id)


def appoint(member: Staff, role: Role, *, department_id: int | None = None) -> None:
    """Say what somebody is, as the operator; a department's people belong to one."""
    member.role, member.department_id = role, department_id
