"""Whether a resident reports what is being worked on already: the same trouble in the same place, in other words."""

from __future__ import annotations

from dataclasses import astuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import categories, likeness, where
from service.cases import AT_WORK
from service.models.cases import Case
from service.models.talks import Conversation

KINDS = ("repair", "complaint")  # a complaint that nobody comes is about the repair


def find(session: Session, conversation: Conversation, matter: str, place: str | None) -> Case | None:
    """The resident's newest case at work on the same thing; they are asked, so it may be wrong now and then.

    Args:
        session: the caller's transaction.
        conversation: whose matter.
        matter: in their words.
        place: where it is, as it would be written on the case.
    """
    at_work = select(Case).where(Case.conversation_id == conversation.id, Case.state.in_(AT_WORK), Case.kind.in_(KINDS))
    found = session.scalars(at_work.order_by(Case.id.desc())).all()
    category = categories.categorise(matter).key
    return next(
        (
            case
            for case in found
            if case.category == category and is_one_place(case.place, place) and is_one_matter(case.matter, matter)
        ),
        None,
    )


def is_one_place(one: str | None, other: str | None) -> bool:
    """Whether two places may be the same: whatever both of them name has to agree."""
    pairs = zip(astuple(where.parse(one or "")), astuple(where.parse(other or "")), strict=True)
    return all(not (left and right) or left == right for left, right in pairs)


def is_one_matter(one: str, other: str) -> bool:
    """Whether two matters of one category name the same trouble, or are worded alike."""
    ours, theirs = categories.deciding_words(one), categories.deciding_words(other)
    if ours and theirs:
        return bool(ours & theirs)
    return bool(likeness.Crowd([one]).alike(other)) or not (ours or theirs)
