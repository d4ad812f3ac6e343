"""A resident's message that the served model has understood, as the worker leaves it behind."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from service import conversations, readings
from service.candidates import Guess, Heard
from service.conversations import Said
from service.inbox import Turn
from service.models.queues import InboxRow
from service.models.talks import Conversation
from tests.stage import BOT_ID, NOON, Stage

SERVED = "guanjia-old"


def answered(
    stage: Stage,
    *bubbles: str,
    talk: Conversation | None = None,
    model: str = SERVED,
    part: str | None = None,
    place: int = 0,
    now: datetime = NOON,
) -> tuple[Conversation, int]:
    """A resident writes, and the served model takes it, or a part of it, for a repair; gives the talk and the turn."""
    talk = talk or stage.resident()
    lane, chat_id = f"chat:{talk.resident.chat_id}", talk.resident.chat_id
    rows = [InboxRow(bot_id=BOT_ID, update_id=None, lane=lane, joins=False, raw=b"{}", attempts=1) for _ in bubbles]
    stage.session.add_all(rows)
    stage.session.flush()
    for row, words in zip(rows, bubbles, strict=True):
        conversations.hear(stage.session, talk, Said("text", words, chat_id, row.id, row.id), now=NOON)
    turn = Turn(rows[0].id, BOT_ID, lane, uuid4(), 1, tuple((row.id, b"{}") for row in rows))
    whole = conversations.as_one(bubbles)
    heard = Heard(part or whole, Guess("repair", 0.9, 0.5, model))
    source = f"turn:{turn.id}:{place}" if place else f"turn:{turn.id}"
    readings.note(stage.session, talk, turn, whole, heard, source=source, now=now)
    return talk, turn.id
