"""What a takeover holds back of the bot's lines: what goes out, what waits, and what is not said any more.

A claim may commit only when no line of the bot's is on its way to the resident, because nothing can call it back. So
it waits for the one that is in flight, for which no other is begun meanwhile, and settles all the rest itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.orm import Session

from service import outbox, sending
from service.models.queues import OutboxRow, OutboxState
from service.models.talks import Conversation

LAST_WORDS = timedelta(seconds=3)  # how long after its call began the line of a killed sender may still arrive
COURTESY = "courtesy"  # the kind of what only says that they are not forgotten: a butler who comes need not know
HOLD = 30.0  # seconds without the claim trying again, after which the bot may speak

_HOLD = text("""
    UPDATE conversations SET held_until = clock_timestamp() + make_interval(secs => :seconds) WHERE id = :id
""")


class LineInFlight(Exception):
    """A line of the bot's is on its way to the resident at this very moment; the claim is to be tried again."""

    def __init__(self, conversation_id: int) -> None:
        super().__init__(type(self).__doc__)
        self.conversation_id = conversation_id


def settle(session: Session, conversation: Conversation) -> Sequence[OutboxRow]:
    """Take back everything the bot has not said yet; from the commit on nothing of it can go out.

    Args:
        session: the caller's transaction, in which the conversation is locked: the sender begins no line meanwhile.
        conversation: about to be taken over.

    Returns:
        What is not said any more, for the butler to know; what matters later is held and not among it.

    Raises:
        LineInFlight: one is being sent right now, or was by a sender that has just been killed.
    """
    if _in_flight(session, conversation):
        sending.free_orphans(session)  # one whose sender was killed is soon in nobody's hands
        if _in_flight(session, conversation):
            raise LineInFlight(conversation.id)
    conversation.held_until = None
    waiting = select(OutboxRow).where(*_lines(conversation), OutboxRow.state == OutboxState.PENDING)
    rows = session.scalars(waiting.order_by(OutboxRow.id).execution_options(populate_existing=True)).all()
    for row in rows:
        row.state = OutboxState.HELD if row.kind in outbox.SAID_LATER else OutboxState.DROPPED
        row.reason, row.settled_at = outbox.TAKEN_OVER, func.clock_timestamp()
    return [row for row in rows if row.state is OutboxState.DROPPED and row.kind != COURTESY]


def hold(session: Session, conversation_id: int) -> None:
    """Begin no line of the bot's in this conversation for a while: a claim waits for the last one to end."""
    session.execute(_HOLD, {"id": conversation_id, "seconds": HOLD})


def _in_flight(session: Session, conversation: Conversation) -> bool:
    """Whether a line may still arrive: it is being sent, or its sender was killed a moment ago."""
    moment_ago = OutboxRow.sending_at > func.clock_timestamp() - LAST_WORDS
    sending = OutboxRow.state == OutboxState.SENDING
    orphaned = (OutboxRow.reason == outbox.ORPHANED) & moment_ago
    found = select(OutboxRow.id).where(*_lines(conversation), sending | orphaned)
    return session.scalar(found.limit(1)) is not None


def _lines(conversation: Conversation) -> tuple[ColumnElement[bool], ...]:
    """The bot's own lines to the resident; those without an epoch go out whoever answers."""
    return OutboxRow.conversation_id == conversation.id, OutboxRow.epoch.is_not(None)
