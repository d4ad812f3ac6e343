"""What somebody has to look at: updates nobody could handle, messages Telegram refuses, messages in doubt."""

from __future__ import annotations

import json

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import paging
from service.models.communities import Community
from service.models.queues import InboxRow, OutboxRow, OutboxState
from service.paging import Page

EXCERPT = 200  # characters that are shown of what was said


def unread(session: Session, community: Community, *, before: int | None = None) -> Page[InboxRow]:
    """Updates that were parked, newest first; `inbox.revive` has one handled again."""
    found = select(InboxRow).where(InboxRow.bot_id == community.bot_id, InboxRow.dead_at.is_not(None))
    return paging.page(session, found, InboxRow.id, before=before)


def unsent(session: Session, community: Community, state: OutboxState, *, before: int | None = None) -> Page[OutboxRow]:
    """Messages that are dead or unconfirmed, newest first; `outbox.revive` or `delivery.decide` goes on with one."""
    found = select(OutboxRow).where(OutboxRow.community_id == community.id, OutboxRow.state == state)
    return paging.page(session, found, OutboxRow.id, before=before)


def excerpt(raw: bytes) -> str:
    """The words of an update, as far as there are any; it may be anything."""
    try:
        update = json.loads(raw)
        message = update.get("message") or update.get("edited_message") or {}
        return str(message.get("text") or message.get("caption") or "")[:EXCERPT]
    except (ValueError, AttributeError, RecursionError):
        return ""
