"""Rows in: put what Telegram sent, take it lane by lane under a lease, settle it once.

Leases and waits run on the database's clock, because workers on several machines share them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import CursorResult, Row, select, text, update
from sqlalchemy.orm import Session

from service import db
from service.models.queues import InboxRow

CHANNEL = "guanjia_inbox"
LEASE = timedelta(seconds=60)  # longer than any turn: Rasa's 15 s and a slow database
REST = timedelta(seconds=2)  # Telegram has what it could not deliver ready at the first call
MAX_ATTEMPTS = 5  # then the turn is parked as a dead letter


@dataclass(frozen=True)
class Arrival:
    """An update as it came, before anything is understood of it."""

    update_id: int | None
    lane: str
    raw: bytes
    wait: float = 0.0  # seconds a fragment waits for its next bubble
    joins: bool = False
    fragment_in: int | None = None  # the private chat whose next bubble it waits for
    dead: str | None = None  # why it cannot be handled at all


@dataclass(frozen=True)
class Turn:
    """The rows one worker handles together, and the lease that proves they are its own."""

    id: int
    bot_id: int
    lane: str
    lease: UUID
    attempts: int
    rows: tuple[tuple[int, bytes], ...]


_PUT = text("""
    INSERT INTO inbox (bot_id, update_id, lane, joins, raw, ready_at, dead_at, error)
    VALUES (:bot_id, :update_id, :lane, :joins, :raw, clock_timestamp() + make_interval(secs => :wait),
            CASE WHEN CAST(:dead AS text) IS NULL THEN NULL ELSE clock_timestamp() END, :dead)
    ON CONFLICT (bot_id, update_id) DO NOTHING RETURNING pg_notify(:channel, '')
""")

# The head row of every lane that nobody works on and whose newest bubble has waited long enough. A lane is a bot's:
# the same person has the same chat id with every bot.
_HEADS = text("""
    SELECT id, lane FROM inbox AS head
    WHERE done_at IS NULL AND dead_at IS NULL AND bot_id = :bot_id
      AND (lease_until IS NULL OR lease_until < clock_timestamp())
      AND NOT EXISTS (SELECT 1 FROM inbox AS other WHERE other.lane = head.lane AND other.bot_id = head.bot_id
                      AND other.done_at IS NULL AND other.dead_at IS NULL
                      AND (other.id < head.id OR other.lease_until > clock_timestamp() AND other.worker IS NOT NULL))
      AND (turn_id IS NOT NULL OR NOT joins OR
           (SELECT ready_at FROM inbox AS newest WHERE newest.lane = head.lane AND newest.bot_id = head.bot_id
            AND newest.done_at IS NULL AND newest.dead_at IS NULL ORDER BY newest.id DESC LIMIT 1)
           <= clock_timestamp())
    ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED
""")

_WAIT_AGAIN = text("""
    UPDATE inbox SET ready_at = greatest(ready_at, clock_timestamp() + make_interval(secs => :seconds))
    WHERE bot_id = :bot_id AND joins AND turn_id IS NULL AND done_at IS NULL AND dead_at IS NULL
      AND position(convert_to('"media_group_id"', 'UTF8') IN raw) > 0
""")

_LANE = text("""
    SELECT id, turn_id, joins, attempts, raw FROM inbox
    WHERE bot_id = :bot_id AND lane = :lane AND id >= :head AND done_at IS NULL AND dead_at IS NULL
    ORDER BY id LIMIT :most
""")
MOST_BUBBLES = 20  # of one turn; the rest makes the next

_LEASE = text("""
    UPDATE inbox SET turn_id = :turn_id, worker = :worker, lease = :lease, attempts = attempts + 1,
           lease_until = clock_timestamp() + make_interval(secs => :seconds)
    WHERE id = ANY(:ids)
""")

_DONE = text("""
    UPDATE inbox SET done_at = clock_timestamp(), lease_until = NULL, error = NULL
    WHERE id = ANY(:ids) AND lease = :lease
""")

_RELEASE = text("""
    UPDATE inbox SET error = :error, lease = NULL, worker = NULL,
           lease_until = clock_timestamp() + make_interval(secs => :wait),
           dead_at = CASE WHEN attempts >= :most THEN clock_timestamp() END
    WHERE id = ANY(:ids) AND lease = :lease RETURNING dead_at IS NOT NULL
""")

_NEXT = text("""
    SELECT extract(epoch FROM min(greatest(head.lease_until, CASE WHEN head.turn_id IS NULL AND head.joins THEN
           (SELECT ready_at FROM inbox AS newest WHERE newest.lane = head.lane AND newest.bot_id = head.bot_id
            AND newest.done_at IS NULL AND newest.dead_at IS NULL ORDER BY newest.id DESC LIMIT 1)
           ELSE head.ready_at END)) - clock_timestamp())
    FROM inbox AS head WHERE done_at IS NULL AND dead_at IS NULL AND bot_id = :bot_id
      AND NOT EXISTS (SELECT 1 FROM inbox AS earlier WHERE earlier.lane = head.lane AND earlier.bot_id = head.bot_id
                      AND earlier.id < head.id AND earlier.done_at IS NULL AND earlier.dead_at IS NULL)
""")

_ORPHANS = text("""
    SELECT DISTINCT worker FROM inbox
    WHERE done_at IS NULL AND dead_at IS NULL AND worker IS NOT NULL AND lease_until > clock_timestamp()
""")

_FREE = text("""
    UPDATE inbox SET lease_until = NULL, worker = NULL
    WHERE worker = :worker AND done_at IS NULL AND dead_at IS NULL
""")


class LeaseLost(Exception):
    """Another worker took the turn over; nothing of this one may be committed."""


def put(session: Session, bot_id: int, arrivals: Sequence[Arrival]) -> None:
    """Keep updates for ever, each once, and wake a worker when the transaction commits.

    Args:
        session: the caller's transaction; Telegram may be told 200 only after its commit.
        bot_id: whose updates they are.
        arrivals: in the order they came.
    """
    session.execute(_PUT, [{"bot_id": bot_id, "channel": CHANNEL, **vars(arrival)} for arrival in arrivals])


def take(session: Session, bot_id: int, *, worker: int, limit: int) -> list[Turn]:
    """Lease up to `limit` lanes' next turns; the caller commits before it works on them.

    Args:
        session: a transaction of its own, committed at once.
        bot_id: whose updates.
        worker: the advisory lock number that proves the worker lives (see `free_orphans`).
        limit: how many lanes at the most.
    """
    heads = session.execute(_HEADS, {"bot_id": bot_id, "limit": limit}).all()
    return [_lease(session, bot_id, head, worker) for head in heads]


def _lease(session: Session, bot_id: int, found: Row[Any], worker: int) -> Turn:
    lane = {"bot_id": bot_id, "lane": found.lane, "head": found.id, "most": MOST_BUBBLES}
    rows = session.execute(_LANE, lane).all()
    head = rows[0]
    turn_id = head.turn_id or head.id
    mine = [head]
    for row in rows[1:]:
        # A turn keeps the rows it was first given: Rasa may have answered just those already.
        together = row.turn_id == turn_id if head.turn_id else head.joins and row.joins
        if not together:
            break
        mine.append(row)
    turn = Turn(
        id=turn_id,
        bot_id=bot_id,
        lane=found.lane,
        lease=uuid4(),
        attempts=head.attempts + 1,
        rows=tuple((row.id, bytes(row.raw)) for row in mine),
    )
    session.execute(
        _LEASE,
        {
            "turn_id": turn.id,
            "worker": worker,
            "lease": turn.lease,
            "ids": [row_id for row_id, _ in turn.rows],
            "seconds": LEASE.total_seconds(),
        },
    )
    return turn


def done(session: Session, turn: Turn) -> None:
    """Settle a turn in the same transaction as its effects.

    Raises:
        LeaseLost: the turn is no longer ours; the caller rolls back.
    """
    result = session.execute(_DONE, {"ids": [row_id for row_id, _ in turn.rows], "lease": turn.lease})
    assert isinstance(result, CursorResult)
    if result.rowcount != len(turn.rows):
        raise LeaseLost


def release(session: Session, turn: Turn, *, error: str) -> bool:
    """Give a failed turn back: tried again after a growing wait, parked as a dead letter at last.

    Args:
        session: a transaction of its own.
        turn: what failed.
        error: the error's type and place, never a resident's words.

    Returns:
        True when it is now a dead letter.
    """
    wait = min(2.0**turn.attempts * 0.25, 30.0)
    ids = [row_id for row_id, _ in turn.rows]
    result = session.execute(
        _RELEASE, {"ids": ids, "lease": turn.lease, "error": error, "wait": wait, "most": MAX_ATTEMPTS}
    )
    return any(result.scalars())


_POSTPONE = text("""
    UPDATE inbox SET lease = NULL, worker = NULL, attempts = attempts - 1,
           lease_until = clock_timestamp() + make_interval(secs => :seconds)
    WHERE id = ANY(:ids) AND lease = :lease
""")


def postpone(session: Session, turn: Turn, *, seconds: float) -> None:
    """Give back a turn whose moment has not come yet; that is no failure, and its lane waits for it."""
    session.execute(_POSTPONE, {"ids": [row_id for row_id, _ in turn.rows], "lease": turn.lease, "seconds": seconds})


def wait_for_the_rest(session: Session, bot_id: int) -> None:
    """Ingress was down and is starting: parts of an album wait for those that Telegram now sends again."""
    session.execute(_WAIT_AGAIN, {"bot_id": bot_id, "seconds": REST.total_seconds()})


def seconds_to_next(session: Session, bot_id: int) -> float | None:
    """How long until a waiting row may be ready; None when nothing waits."""
    seconds = session.scalar(_NEXT, {"bot_id": bot_id})
    return None if seconds is None else max(float(seconds), 0.0)


def free_orphans(session: Session) -> None:
    """Free the leases of workers that died, at once instead of when the lease ends.

    A worker holds the advisory lock of its number for as long as it lives; whoever can take that lock knows that
    the worker is gone.
    """
    for worker in session.scalars(_ORPHANS).all():
        if session.scalar(text("SELECT pg_try_advisory_xact_lock(:worker)"), {"worker": worker}):
            session.execute(_FREE, {"worker": worker})


def bury(session: Session, turn: Turn, *, error: str) -> None:
    """Park a turn that no attempt will ever handle; `guanjia dead` shows it."""
    statement = text("""
        UPDATE inbox SET dead_at = clock_timestamp(), error = :error, lease_until = NULL
        WHERE id = ANY(:ids) AND lease = :lease
    """)
    session.execute(statement, {"ids": [row_id for row_id, _ in turn.rows], "lease": turn.lease, "error": error})


def dead(session: Session, bot_id: int, *, limit: int = 100) -> Sequence[InboxRow]:
    """The dead letters, oldest first."""
    found = select(InboxRow).where(InboxRow.bot_id == bot_id, InboxRow.dead_at.is_not(None))
    return session.scalars(found.order_by(InboxRow.id).limit(limit)).all()


def revive(session: Session, bot_id: int, row_id: int) -> bool:
    """Have a dead letter handled again; False when there is no such one."""
    again = update(InboxRow).where(
        InboxRow.id == row_id, InboxRow.bot_id == bot_id, InboxRow.dead_at.is_not(None), InboxRow.update_id.is_not(None)
    )
    fresh = again.values(dead_at=None, error=None, attempts=0, lease=None, lease_until=None, turn_id=None)
    revived = session.scalar(fresh.returning(InboxRow.id)) is not None
    db.notify(session, CHANNEL)
    return revived
