"""Buttons of a message that was sent: taken off when they lead nowhere any more."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import outbox
from service.models.queues import Delivery, OutboxRow, Priority
from service.models.talks import Conversation


def put_away(session: Session, conversation: Conversation, data: str) -> None:
    """Take the buttons off every message to a resident that has one of these.

    Args:
        session: the caller's transaction.
        conversation: the resident's.
        data: how what the buttons carry begins.
    """
    offered = select(OutboxRow.id).where(
        OutboxRow.conversation_id == conversation.id,
        OutboxRow.chat_id == conversation.resident.chat_id,
        OutboxRow.act == "say",
        OutboxRow.payload["buttons"].astext.contains(f'"{data}'),
    )
    for row_id in session.scalars(offered.order_by(OutboxRow.id)).all():
        take_off(session, row_id)


def take_off(session: Session, outbox_id: int | None) -> None:
    """Take the buttons off a message; one that never arrived is left alone at send time."""
    row = session.get(OutboxRow, outbox_id) if outbox_id is not None else None
    if row is None or "text" not in row.payload:  # never written, or forgotten
        return
    outbox.put(
        session,
        bot_id=row.bot_id,
        community_id=row.community_id,
        chat_id=row.chat_id,
        conversation_id=row.conversation_id,
        kind="card",
        act="edit",
        payload={"text": row.payload["text"]},
        edits_id=row.id,
        priority=Priority.CARD,
        delivery=Delivery.RETRY,
        key=f"plain:{row.id}",
    )
