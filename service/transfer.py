"""A butler hands a resident on to a colleague or a department; the bot stays silent meanwhile."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import communities, conversations, held, outbox, private_talks, staff, takeover, texts
from service.communities import STAFF_LANGUAGE
from service.errors import NoSuchTarget, NothingToHandBack
from service.models.communities import Department
from service.models.people import Staff
from service.models.queues import Priority
from service.models.talks import Conversation, Owner
from service.staff import Right
from service.texts import Line

Target = Staff | Department
MOST_NOTE = 500  # characters


def find_target(session: Session, community_id: int, words: str) -> Target:
    """Whom the words mean: a staff number, or a department by its name or key.

    Raises:
        NoSuchTarget: neither.
        NoSuchMember: nobody in the group has the number.
    """
    number = words.removesuffix(texts.words("utter_word_number_sign", language=STAFF_LANGUAGE))
    if number.isdecimal() and len(number) < 10:
        return staff.by_number(session, community_id, int(number))
    for key in communities.DEPARTMENTS:
        names = {key, *(texts.words(f"utter_word_{key}", language=language).lower() for language in texts.LANGUAGES)}
        if words.lower() in names:
            return communities.department(session, community_id, key)
    raise NoSuchTarget(words=words[:40])


def transfer(
    session: Session, conversation: Conversation, member: Staff, to: Target, *, note: str, source: str, now: datetime
) -> bool:
    """Hand the resident on; who gets them greets with their own number when they answer (N2).

    Args:
        session: the caller's transaction; the conversation is locked in it.
        conversation: whose.
        member: who hands on.
        to: a colleague, who has the resident from now on, or a department, of whom one has to take over.
        note: for the next one; it stays inside.
        source: the update; the same one again does nothing.
        now: the moment, aware UTC.

    Returns:
        False when the colleague has the resident already.

    Raises:
        NothingToHandBack: the bot answers; whoever wants the resident takes over.
        ConversationTaken: another butler has them.
        NotAllowed: the role of one of both does not talk to residents.
        LineInFlight: a line of the bot's is being sent; to be tried again.
    """
    if conversation.owner is Owner.BOT:
        raise NothingToHandBack
    takeover.check_is_theirs(session, conversation, member)
    if isinstance(to, Staff):
        staff.check(to, Right.TALK)
        if conversation.butler_id == to.id:
            return False
    held.settle(session, conversation)
    before = private_talks.room(session, conversation)
    takeover.change_owner(
        session,
        conversation,
        Owner.BUTLER,
        butler=to if isinstance(to, Staff) else None,
        department_id=to.id if isinstance(to, Department) else None,
        reason="transferred",
        note=note[:MOST_NOTE] or None,
        now=now,
    )
    told = _tell(session, conversation, member, to, note=note[:MOST_NOTE], source=source)
    takeover.tell_in_private(session, before, conversation, told, key=f"{source}:transferred_from")
    if isinstance(to, Staff):
        private_talks.turn_to_when_free(session, to, conversation)
    takeover.go_private(session, conversation, source=source, now=now)
    after = private_talks.room(session, conversation)
    takeover.tell_in_private(session, after, conversation, told, key=f"{source}:transferred_to_private")
    return True


def offer(session: Session, conversation: Conversation, candidates: list[Staff], *, key: str) -> None:
    """Offer colleagues and departments as buttons."""
    departments = select(Department).where(Department.community_id == conversation.community_id)
    targets: list[tuple[str, str]] = [
        (f"{one.number} {one.display_name}"[:20], str(one.number)) for one in candidates[:8]
    ]
    targets += [
        (texts.words(f"utter_word_{one.key}", language=STAFF_LANGUAGE), one.key)
        for one in session.scalars(departments.order_by(Department.id))
    ]
    buttons = tuple(texts.Button(title, f"c:{conversation.id}:to_{word}") for title, word in targets)
    line = texts.Line(texts.words("utter_staff_transfer_to", language=STAFF_LANGUAGE), buttons=buttons)
    conversations.to_staff(session, conversation, "say", line.payload(), key=key, kind="note")


def _tell(session: Session, conversation: Conversation, member: Staff, to: Target, *, note: str, source: str) -> Line:
    """Staff read it in the resident's topic, a department in its own too, where a button takes over."""
    name = (
        f"{to.number} {to.display_name}"
        if isinstance(to, Staff)
        else texts.words(f"utter_word_{to.key}", language=STAFF_LANGUAGE)
    )
    line = texts.say(
        "utter_staff_transferred",
        language=STAFF_LANGUAGE,
        number=member.number,
        to=name,
        resident=conversations.topic_name(conversation.resident),
        note=note,
        conversation_id=conversation.id,
    )
    facts: dict[str, Any] = {"kind": "note", "where": conversations.IN_TOPIC}
    conversations.to_staff(session, conversation, "say", line.payload(), key=f"{source}:transferred", **facts)
    if isinstance(to, Department):
        _tell_department(session, conversation, to, line, key=f"{source}:transferred_to")
    return line


def _tell_department(
    session: Session, conversation: Conversation, department: Department, line: texts.Line, *, key: str
) -> None:
    group = communities.staff_group(session, department.community_id)
    if group is None:
        return
    outbox.put(
        session,
        **group,
        topic_id=department.topic_id,
        conversation_id=conversation.id,
        kind="note",
        act="say",
        payload=line.payload(),
        priority=Priority.WORK_ORDER,
        key=key,
    )
