"""What follows from how a delivery ended: a resident out of reach, a lost topic, a message nobody can vouch for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service import (
    callbacks,
    communities,
    conversations,
    holds,
    incident_reports,
    outbox,
    private_talks,
    residents,
    sending,
    surveys,
    texts,
    visit_reminders,
)
from service.communities import STAFF_LANGUAGE
from service.errors import ButtonExpired
from service.models.queues import OutboxRow, OutboxState, Priority
from service.models.talks import Conversation, Owner
from service.sending import Parcel


def unreachable(session: Session, bot_id: int, chat_id: int, *, now: datetime) -> None:
    """The resident has blocked the bot: nothing more is tried, staff are told once."""
    community = communities.access_community(session, bot_id)
    conversation = residents.find_conversation(session, community.id, chat_id)
    if conversation is None or not residents.unreachable(conversation.resident, now=now):
        return
    conversations.silence(session, conversation, reason="the resident cannot be reached")
    note = texts.say("utter_staff_blocked", language=STAFF_LANGUAGE, name=conversation.resident.display_name)
    conversations.to_staff(
        session,
        conversation,
        "say",
        note.payload(),
        key=f"blocked:{conversation.id}:{now.isoformat()}",
        kind="note",
        priority=Priority.WORK_ORDER,
    )


def refused(session: Session, parcel: Parcel, *, reason: str, now: datetime) -> None:
    """Telegram refuses a message because of the chat: private chats are out of reach, a group needs a person."""
    if parcel.chat_id > 0:
        _close(session, parcel, reason=reason, now=now)
    else:
        sending.dead(session, parcel, reason=reason)


def _close(session: Session, parcel: Parcel, *, reason: str, now: datetime) -> None:
    """A private chat is out of reach: a resident's lines are dropped, a butler's go to the topics."""
    talk = conversations.lock(session, parcel.conversation_id) if parcel.conversation_id else None
    if talk is not None and talk.resident.chat_id != parcel.chat_id:
        sending.again(session, parcel, reason=reason, wait=0.0)
        shut_by_butler(session, parcel.bot_id, parcel.chat_id, now=now)
    else:
        sending.dropped(session, parcel, reason=reason)
        unreachable(session, parcel.bot_id, parcel.chat_id, now=now)


def shut_by_butler(session: Session, bot_id: int, chat_id: int, *, now: datetime) -> None:
    """A butler has blocked the bot: their talks go on in the topics, and whoever reads there is told why."""
    for talk in private_talks.shut(session, bot_id, chat_id):
        line = texts.say("utter_staff_private_shut", language=STAFF_LANGUAGE)
        key = f"shut:{talk.id}:{now.isoformat()}"
        conversations.to_staff(session, talk, "say", line.payload(), key=key, kind="note")


def show_unconfirmed(session: Session, *, limit: int = 20) -> int:
    """Ask staff about messages that may or may not have arrived, each once; returns how many there were."""
    unknown = OutboxRow.state == OutboxState.UNCONFIRMED, OutboxRow.reason != SHOWN
    rows = select(OutboxRow).where(*unknown, holds.free(OutboxRow.id))
    found = session.scalars(rows.order_by(OutboxRow.id).limit(limit).with_for_update(skip_locked=True)).all()
    for row in found:
        row.reason = SHOWN
        line = texts.say(
            "utter_staff_unconfirmed",
            language=STAFF_LANGUAGE,
            kind=texts.words(f"utter_word_row_{row.kind}", language=STAFF_LANGUAGE),
            text=str(row.payload.get("text", ""))[:200],
            outbox_id=row.id,
        )
        key = f"unconfirmed:{row.id}:{row.attempts}"
        conversations.alert_staff(session, row.community_id, line, key=key, priority=Priority.WORK_ORDER)
    return len(found)


SHOWN = "shown to staff"


def decide(session: Session, community_id: int, outbox_id: int, *, arrived: bool, now: datetime) -> None:
    """Staff say what became of an unconfirmed message: it arrived, or it is to be sent again.

    A question that has been answered or taken back meanwhile is not asked again, nor is anybody reminded of what is
    over; the row says so.

    Args:
        session: the caller's transaction.
        community_id: whose staff.
        outbox_id: the message.
        arrived: what they say.
        now: the moment, aware UTC.

    Raises:
        ButtonExpired: it is settled already, or another community's.
    """
    conversation_id = session.scalar(select(OutboxRow.conversation_id).where(OutboxRow.id == outbox_id))
    talk = conversations.lock(session, conversation_id) if conversation_id else None
    row = session.get(OutboxRow, outbox_id, with_for_update=True)
    if row is None or row.community_id != community_id or row.state is not OutboxState.UNCONFIRMED:
        raise ButtonExpired
    if arrived:
        row.state, row.reason = OutboxState.SENT, "staff say it arrived"
        return
    row.state, row.reason = _again(session, row, talk, now=now)
    row.not_before = func.clock_timestamp()
    if talk is not None and row.epoch is not None:
        row.epoch = talk.epoch
    outbox.wake(session)


# Questions and reminders, and whether they still hold; everything else is sent again as it is.
_STILL_ASKED: Mapping[str, Callable[[Session, OutboxRow, datetime], bool]] = {
    "call_back": lambda session, row, _: callbacks.is_still_open(session, row),
    "reminder": lambda session, row, _: callbacks.is_still_open(session, row),
    "survey": lambda session, row, _: surveys.is_still_open(session, row),
    "visit_reminder": visit_reminders.is_still_open,
    incident_reports.KIND: lambda session, row, _: incident_reports.is_still_open(session, row),
}


def _again(session: Session, row: OutboxRow, talk: Conversation | None, *, now: datetime) -> tuple[OutboxState, str]:
    """What becomes of a row that staff want to be sent again."""
    asked = _STILL_ASKED.get(row.kind)
    if asked is not None and not asked(session, row, now):
        return OutboxState.DROPPED, "it is not asked any more"
    if talk is not None and row.epoch is not None and talk.owner is Owner.BUTLER:
        later = row.kind in outbox.SAID_LATER
        return OutboxState.HELD if later else OutboxState.DROPPED, outbox.TAKEN_OVER
    return OutboxState.PENDING, "staff sent it again"
