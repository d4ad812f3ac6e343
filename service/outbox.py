"""Rows out: put what a person is to see, and take back, hold up or change what has not gone out.

How a row goes out stands in `service/sending.py`. Everything here runs on the database's clock: waits are real time,
also when the demo's clock is advanced.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Interval, Select, bindparam, func, select, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from service import db
from service.models.communities import Community
from service.models.queues import Delivery, OutboxRow, OutboxState, Priority
from service.pages import pages

CHANNEL = "guanjia_outbox"
AHEAD = 250  # follow-ups of a community that wait to be sent: before more are written, these go out
EDITS_REST = 1.0  # seconds between the first change of a card in the group and the edit that shows the newest state

# Why a row is where it is.
OVERTAKEN = "a newer one overtook it"
TAKEN_OVER = "a butler has taken over"
TOO_OLD = "it waited too long for a sender"
ORPHANED = "the sender died while sending"
FORGOTTEN = "forgotten"  # whose words it carries has been forgotten (service/forgetting.py)

KEY = "console_key"  # the kind of a line that is a key: once it has been sent nobody is to find it in the database
SAID_LATER = (
    "progress",
    "progress_note",
    "call_back",
    "reminder",
    "survey",
    "visit",
    "visit_reminder",
    "incident_over",
)  # kinds that still matter when a butler hands back

# Kinds whose hour is checked when they are written.
UNASKED = ("progress_note", "call_back", "reminder", "survey", "visit_reminder", "incident_over")

_COLUMNS = (
    "bot_id", "community_id", "chat_id", "topic_id", "conversation_id", "epoch", "case_id", "lane", "kind", "act",
    "edits_id", "priority", "delivery", "state", "payload", "key",
)  # fmt: skip

# Gives the new row's id, and wakes a sender when the transaction commits.
_INSERT = f"""
    INSERT INTO outbox ({", ".join(_COLUMNS)}, not_before)
    VALUES ({", ".join(f":{name}" for name in _COLUMNS)}, {{not_before}})
    ON CONFLICT (key) DO NOTHING RETURNING id, pg_notify('{CHANNEL}', '')
"""  # noqa: S608 - only our own text is put in

_PAYLOAD: BindParameter[Any] = bindparam("payload", type_=JSONB)
_PUT = text(_INSERT.format(not_before="clock_timestamp()")).bindparams(_PAYLOAD)

# A line of the bot's, and that it was said.
_SAY = text(f"""
    WITH line AS ({_INSERT.format(not_before="clock_timestamp()")})
    INSERT INTO messages (conversation_id, author, kind, text, said_at, outbox_id)
    SELECT :conversation_id, 'bot', 'text', :said, :said_at, id FROM line RETURNING outbox_id
""").bindparams(_PAYLOAD)  # noqa: S608

# A group takes few events, so a card that changes again and again is edited once: the newest edit takes the place of
# those that wait, and goes out when the first of them was to go, so that a steady stream holds nothing up.
_WAS_TO_GO = "SELECT greatest(min(not_before), clock_timestamp()) FROM earlier HAVING count(*) > 0"

_PUT_CARD = text(f"""
    WITH earlier AS (
      SELECT id, not_before FROM outbox
      WHERE edits_id = :edits_id AND act = 'edit' AND state = 'pending'
        AND NOT EXISTS (SELECT 1 FROM outbox AS same WHERE same.key = CAST(:key AS text)) FOR UPDATE SKIP LOCKED
    ), overtaken AS (
      UPDATE outbox SET state = 'dropped', reason = '{OVERTAKEN}', settled_at = clock_timestamp()
      FROM earlier WHERE outbox.id = earlier.id
    )
    {_INSERT.format(not_before=f"least(({_WAS_TO_GO}), clock_timestamp() + :rest)")}
""").bindparams(_PAYLOAD, bindparam("rest", type_=Interval))  # noqa: S608


@dataclass(frozen=True)
class Spoken:
    """What stands in the transcript of a line of the bot's."""

    text: str
    at: datetime


def put(
    session: Session,
    *,
    bot_id: int,
    community_id: int,
    chat_id: int,
    kind: str,
    act: str,
    payload: Mapping[str, Any],
    priority: int = Priority.TALK,
    delivery: Delivery = Delivery.AT_LEAST_ONCE,
    topic_id: int | None = None,
    conversation_id: int | None = None,
    epoch: int | None = None,
    case_id: int | None = None,
    edits_id: int | None = None,
    key: str | None = None,
    state: OutboxState = OutboxState.PENDING,
    spoken: Spoken | None = None,
) -> int | None:
    """Write one call to Telegram; it goes out when the caller's transaction has committed.

    Args:
        session: the caller's transaction.
        bot_id: the bot that speaks.
        community_id: whose row it is.
        chat_id: a resident's chat or the staff group.
        kind: what it is, in staff's words: reply, relay, work_order, call_back, survey, alert, card …
        act: say, edit, copy, …: a key of `bot/render.py`.
        payload: a `Line` or what to copy, in our own terms; bot/render.py makes a Bot API call of it.
        priority: who goes first.
        delivery: what may happen when nobody knows whether it arrived.
        topic_id: our topic; Telegram's thread is looked up, and made if need be, at send time.
        conversation_id: whose transcript it belongs to.
        epoch: the conversation's epoch for a bot's line; None for staff's lines, cards and what nothing holds back.
        case_id: the case whose progress it tells.
        edits_id: the row whose message is edited; its message id is looked up at send time. In a group only the newest
            of several edits goes out, after a rest in which more may follow.
        key: writing the same key again does nothing.
        state: pending, or held while a butler talks.
        spoken: what of it is kept as a line of the bot's.

    Returns:
        The row's id, or None when the key was there already.
    """
    lane = f"{bot_id}:{f'topic:{topic_id}' if topic_id else chat_id}"  # a topic stays, also when its group moves
    values: dict[str, Any] = {
        "bot_id": bot_id,
        "community_id": community_id,
        "chat_id": chat_id,
        "topic_id": topic_id,
        "conversation_id": conversation_id,
        "epoch": epoch,
        "case_id": case_id,
        "lane": lane,
        "kind": kind,
        "act": act,
        "edits_id": edits_id,
        "priority": priority,
        "delivery": delivery,
        "state": state,
    }
    first, *more = _pages(act, dict(payload))
    values |= {"payload": first, "key": key}
    if edits_id is not None and act == "edit" and chat_id < 0:
        statement, values = _PUT_CARD, values | {"rest": timedelta(seconds=EDITS_REST)}
    elif spoken is not None:
        statement, values = _SAY, values | {"said": spoken.text, "said_at": spoken.at}
    else:
        statement = _PUT
    row_id: int | None = session.scalar(statement, values)
    for number, page in enumerate(more, 2):
        session.execute(_PUT, values | {"payload": page, "key": f"{key}:page:{number}" if key else None})
    return row_id


def _pages(act: str, payload: dict[str, Any]) -> list[dict[str, Any]]:
    """A line too long for one message is several; the keys stand below the last, the answer above the first."""
    if act != "say" or "entities" in payload or "text" not in payload:
        return [payload]
    parts: list[dict[str, Any]] = [{"text": page} for page in pages(payload["text"])]
    parts[-1] |= {name: value for name, value in payload.items() if name not in ("text", "reply")}
    if "reply" in payload:
        parts[0]["reply"] = payload["reply"]
    return parts


def roomy() -> Select[int]:
    """The communities of which little that nobody asked for waits to be sent; for the others, more had better wait.

    What is written only when it can soon go out was checked a moment before: whether it is the hour, whether a butler
    talks, whether it is too late. And after a downtime the sender has hundreds of rows before it, and not all of them.
    """
    waiting = select(OutboxRow.community_id).where(OutboxRow.state == OutboxState.PENDING, OutboxRow.kind.in_(UNASKED))
    crowded = waiting.group_by(OutboxRow.community_id).having(func.count() >= AHEAD)
    return select(Community.id).where(Community.id.not_in(crowded))


def wake(session: Session) -> None:
    """Wake the sender when this transaction commits."""
    db.notify(session, CHANNEL)


def find(session: Session, *, key: str) -> int | None:
    """The row that was written with this key."""
    return session.scalar(select(OutboxRow.id).where(OutboxRow.key == key))


def withdraw(session: Session, row_id: int, *, reason: str) -> bool:
    """Take back a row that has not gone out; False when it has, or is just going."""
    return bool(_drop_waiting(session, OutboxRow.id == row_id, reason=reason))


def withdraw_kinds(session: Session, conversation_id: int, kinds: Sequence[str], *, reason: str) -> None:
    """Take back what has not gone out of these kinds in a conversation."""
    _drop_waiting(session, OutboxRow.conversation_id == conversation_id, OutboxRow.kind.in_(kinds), reason=reason)


def reword(session: Session, edits_id: int, payload: Mapping[str, Any]) -> int | None:
    """Let an edit of this row that has not gone out yet say this instead; None when there is none such."""
    edits = (OutboxRow.edits_id == edits_id, OutboxRow.act == "edit")
    waiting = select(OutboxRow.id).where(*edits, OutboxRow.state == OutboxState.PENDING)
    row_id = session.scalar(waiting.limit(1).with_for_update(skip_locked=True))
    if row_id is not None:
        session.execute(update(OutboxRow).where(OutboxRow.id == row_id).values(payload=dict(payload)))
    return row_id


def _drop_waiting(session: Session, *which: ColumnElement[bool], reason: str) -> Sequence[datetime]:
    """Drop what waits, and say when it was due; a row that a sender is just taking is not waited for."""
    waiting = select(OutboxRow.id).where(*which, OutboxRow.state == OutboxState.PENDING)
    ids = session.scalars(waiting.with_for_update(skip_locked=True)).all()
    dropped = update(OutboxRow).where(OutboxRow.id.in_(ids))
    values = {"state": OutboxState.DROPPED, "reason": reason, "settled_at": func.clock_timestamp()}
    return session.scalars(dropped.values(values).returning(OutboxRow.not_before)).all() if ids else ()


def never_goes(session: Session, row_id: int) -> bool:
    """Whether the row will not go out any more, by design or because Telegram refuses it."""
    state = session.scalar(select(OutboxRow.state).where(OutboxRow.id == row_id))
    return state in (OutboxState.DROPPED, OutboxState.DEAD)


def overtake(session: Session, *, act: str, on: Mapping[str, int], after: float = 0.0) -> float:
    """Drop what still waits to do the same to the same message; what comes now says more.

    Returns:
        How many seconds the newcomer waits, so that changes in quick succession are one call: `after`, or what is left
        of it.
    """
    due = _drop_waiting(session, OutboxRow.act == act, OutboxRow.payload["on"] == on, reason=OVERTAKEN)
    left = session.scalar(select(func.extract("epoch", min(due) - func.clock_timestamp()))) if due else after
    return max(float(left or 0.0), 0.0)


def delay(session: Session, row_id: int, *, seconds: float) -> None:
    """Let a row that was just written wait."""
    later = func.clock_timestamp() + timedelta(seconds=seconds)
    session.execute(update(OutboxRow).where(OutboxRow.id == row_id).values(not_before=later))


def dead_rows(session: Session, bot_id: int, *, limit: int = 100) -> Sequence[OutboxRow]:
    """What Telegram refuses for ever, oldest first."""
    found = select(OutboxRow).where(OutboxRow.bot_id == bot_id, OutboxRow.state == OutboxState.DEAD)
    return session.scalars(found.order_by(OutboxRow.id).limit(limit)).all()


def revive(session: Session, bot_id: int, row_id: int) -> bool:
    """Send a dead row again; False when there is no such one."""
    fresh = update(OutboxRow).where(
        OutboxRow.id == row_id, OutboxRow.bot_id == bot_id, OutboxRow.state == OutboxState.DEAD
    )
    revived = session.scalar(fresh.values(state=OutboxState.PENDING, reason=None, attempts=0).returning(OutboxRow.id))
    wake(session)
    return revived is not None
