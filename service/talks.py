"""The list of a community's conversations by who answers, and one of them to be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from service import paging, waits
from service.models.communities import Department
from service.models.talks import Conversation, Handover, Owner, Wait
from service.paging import MomentPage


@dataclass(frozen=True)
class Wanted:
    """What somebody looks for; what is None may be anything."""

    owner: Owner | None = None
    butler: int | None = None  # whose key


def find(session: Session, community_id: int, wanted: Wanted, *, before: str | None = None) -> MomentPage[Conversation]:
    """Conversations, the one in which something was said last first, page by page.

    Args:
        session: a transaction; it is only read.
        community_id: whose.
        wanted: what is looked for.
        before: behind what the page begins, as an earlier page said.
    """
    found = select(Conversation).where(Conversation.community_id == community_id, Conversation.active_at.is_not(None))
    if wanted.owner is Owner.WAITING:  # also those who were handed on to a department in which nobody has answered
        waits_now = select(Wait.conversation_id).where(*waits.open_in(community_id))
        found = found.where(Conversation.id.in_(waits_now))
    elif wanted.owner is not None:
        found = found.where(Conversation.owner == wanted.owner)
    if wanted.butler is not None:
        found = found.where(Conversation.butler_id == wanted.butler)
    with_butler = found.options(joinedload(Conversation.butler))
    return paging.page_by_moment(session, with_butler, Conversation.active_at, Conversation.id, before=before)


def one(session: Session, community_id: int, conversation_id: int) -> Conversation | None:
    """A conversation of the community, only to be read."""
    mine = select(Conversation).where(Conversation.id == conversation_id, Conversation.community_id == community_id)
    return session.scalars(mine.options(joinedload(Conversation.butler))).one_or_none()


def last_handover(session: Session, conversation: Conversation) -> Handover | None:
    """Why whoever answers now does, and since when."""
    now = select(Handover).where(Handover.conversation_id == conversation.id, Handover.epoch == conversation.epoch)
    return session.scalars(now).one_or_none()


def departments(session: Session, community_id: int) -> Sequence[str]:
    """The keys of the departments a resident can be handed on to."""
    found = select(Department.key).where(Department.community_id == community_id)
    return session.scalars(found.order_by(Department.id)).all()
