"""Staff take back what was sent to a resident: it disappears there, and the record says who did it when."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from service import conversations, outbox, revisions, staff, texts, twins
from service.communities import STAFF_LANGUAGE
from service.errors import NothingToTakeBack, TooLateToTakeBack
from service.models.people import Staff
from service.models.talks import Conversation, Twin
from service.sending import Parcel
from service.staff import Right

DELETED_FOR = timedelta(hours=48)  # what is older, Telegram does not delete for a bot


def take_back(
    session: Session,
    conversation: Conversation,
    member: Staff,
    message_id: int,
    *,
    chat_id: int,
    key: str,
    now: datetime,
) -> None:
    """Delete at the resident's what was passed on to them; an album goes as the one it came as.

    Args:
        session: the caller's transaction; the conversation is locked in it.
        conversation: whose topic it was said in.
        member: who takes it back.
        message_id: the butler's message, or the note that shows what they picked.
        chat_id: where it stands: the staff group, or the butler's private chat.
        key: the update; the same one again does nothing.
        now: the moment, aware UTC.

    Raises:
        NothingToTakeBack: it never went to the resident, or is taken back already.
        NotAllowed: somebody else said it, and somebody else has the resident; supervisors may all the same.
        TooLateToTakeBack: it was said more than 48 hours ago.
    """
    found = twins.of_original(session, conversation.id, chat_id, message_id)
    copies = [twin for twin in twins.companions(session, found[0]) if twin.withdrawn_at is None] if found else []
    if not copies or copies[0].chat_id != conversation.resident.chat_id:
        raise NothingToTakeBack
    lines = twins.lines(session, copies)
    if conversation.butler_id != member.id and any(line.staff_id != member.id for line in lines):
        staff.check(member, Right.END_FOR_OTHERS)
    if any(now - line.said_at > DELETED_FOR for line in lines):
        raise TooLateToTakeBack
    for line in lines:
        line.withdrawn_at, line.withdrawn_by_id = now, member.id
    for twin in copies:
        if outbox.withdraw(session, twin.outbox_id, reason="taken back") or outbox.never_goes(session, twin.outbox_id):
            twin.withdrawn_at = now
        else:
            revisions.change(session, conversation, twin, "delete", {}, key=f"{key}:{twin.id}")
    _say_when_all_are_gone(session, conversation, copies[0])


def taken_back(session: Session, parcel: Parcel, *, now: datetime) -> None:
    """Telegram has deleted a copy; when it was the last of what was taken back, staff are told."""
    if parcel.act != "delete" or parcel.conversation_id is None:
        return
    conversation = conversations.lock(session, parcel.conversation_id)
    twin = session.get(Twin, parcel.payload["on"]["twin"])
    if twin is None:  # the resident has been forgotten meanwhile
        return
    twin.withdrawn_at = now
    session.flush()
    if twin.chat_id == conversation.resident.chat_id:
        _say_when_all_are_gone(session, conversation, twin)


def _say_when_all_are_gone(session: Session, conversation: Conversation, twin: Twin) -> None:
    together = twins.companions(session, twin)
    if any(one.withdrawn_at is None for one in together):
        return
    first = together[0]
    note = texts.say("utter_staff_taken_back", language=STAFF_LANGUAGE)
    payload = note.payload() | {"reply": {"message_id": first.said_message_id}}
    conversations.to_staff(
        session, conversation, "say", payload, key=f"taken_back:{first.id}", kind="note", where=first.said_chat_id
    )
