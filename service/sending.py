"""Rows out, the sender's half: take them by priority under the rate budgets, settle what became of each.

Only the sender calls Telegram. Everything here runs on the database's clock: rates and waits are real time, also when
the demo's clock is advanced.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text, update
from sqlalchemy.orm import Session

from service import bursts, db
from service.models.queues import Delivery, OutboxRow, OutboxState, Priority
from service.outbox import CHANNEL, FORGOTTEN, KEY, ORPHANED, SAID_LATER, TAKEN_OVER, TOO_OLD, UNASKED

KEPT = 0.4  # of the bot's tokens, for what is more urgent than a follow-up: it finds one at once, however much waits
HANDFUL = 3  # follow-ups go out together: nobody waits for one, and each look for what is due costs those who do wait
STALE = timedelta(hours=1)  # written so long ago, that hour may be over: a sender was down


@dataclass(frozen=True)
class Rates:
    """What Telegram tolerates; the real limits are unpublished, so these stay below the known ones."""

    bot_per_second: float
    private_per_second: float
    private_burst: int
    group_per_minute: float


@dataclass(frozen=True)
class Parcel:
    """A row on its way: committed as `sending` before Telegram is called."""

    id: int
    lease: UUID
    bot_id: int
    chat_id: int
    conversation_id: int | None
    topic_id: int | None
    thread_id: int | None
    topic_name: str | None
    topic_card: dict[str, Any] | None
    act: str
    payload: dict[str, Any]
    delivery: Delivery
    kind: str
    attempts: int
    edits_id: int | None
    edits_message: int | None
    on_message: int | None = None  # the twin that the row changes
    reply_message: int | None = None  # the twin that it answers
    twins: int = 0  # how many messages of others it carries over


# How many tokens the bot has left; the row stays locked, so one sender of a bot takes at a time.
_BOT_TOKENS = text("""
    INSERT INTO budgets AS b (key, full_at, closed_until) VALUES (:key, clock_timestamp(), clock_timestamp())
    ON CONFLICT (key) DO UPDATE SET key = excluded.key
    RETURNING floor(:burst - :rate * extract(epoch FROM greatest(b.full_at - clock_timestamp(), interval '0')))
""")

# The head of every lane whose chat has budget, best first. One row of a lane is in flight at a time, so a person
# reads lines in the order in which they were written.
_HEAD = """
    NOT EXISTS (SELECT 1 FROM outbox AS other WHERE other.lane = row.lane AND other.state = 'sending')
    AND NOT EXISTS (SELECT 1 FROM outbox AS other WHERE other.lane = row.lane AND other.state = 'pending'
                    AND (other.priority, other.id) < (row.priority, row.id))
"""

_READY = f"""
    FROM outbox AS row
    LEFT JOIN budgets AS chat ON chat.key = 'chat:' || row.bot_id || ':' || row.chat_id
    LEFT JOIN conversations AS talk ON talk.id = row.conversation_id AND row.epoch IS NOT NULL
    WHERE row.bot_id = :bot_id AND row.state = 'pending' AND row.not_before <= clock_timestamp()
      AND (chat.key IS NULL OR chat.closed_until <= clock_timestamp())
      AND (talk.held_until IS NULL OR talk.held_until <= clock_timestamp()) AND {_HEAD}
    ORDER BY row.priority, row.id
"""

_HEADS = text(f"""
    SELECT row.id, row.priority, row.chat_id, row.conversation_id, row.epoch, row.payload ? 'joins' AS joins,
           row.act = 'edit' AND row.payload ? 'on' OR row.payload -> 'reply' ?& '{{twin,quote}}' AS refers,
           CASE WHEN row.act IN ('copy', 'forward') THEN jsonb_array_length(row.payload -> 'message_ids')
                ELSE 1 END AS messages,
           row.kind = ANY(:unasked) AND row.not_before < clock_timestamp() - :stale AS stale {_READY} LIMIT :limit
""")

# FOR SHARE waits for a takeover that is just being committed and then reads its epoch.
_TALKS = text("""
    SELECT id, epoch, coalesce(held_until > clock_timestamp(), false) AS held FROM conversations
    WHERE id = ANY(:ids) ORDER BY id FOR SHARE
""")

_KEEP_BACK = text("""
    UPDATE outbox SET state = CASE WHEN kind = ANY(:later) THEN 'held' ELSE 'dropped' END,
           reason = :reason, settled_at = clock_timestamp()
    WHERE id = :id AND state = 'pending'
""")

# Every row goes out with a token of the bot's and tokens of its chat; once a chat's are used up the rest of it stays.
# The bot's row is locked (`_BOT_TOKENS`), so that only a 429 can change a chat's budget meanwhile, and then none of its
# rows goes. Taking n tokens moves "full again" on by n intervals; the next token comes `burst - 1` intervals before it.
_START = text("""
    WITH moment AS MATERIALIZED (SELECT clock_timestamp() AS now),
    head AS (
      SELECT wanted.*, sum(n) OVER (PARTITION BY key ORDER BY place) - n AS before
      FROM unnest(CAST(:ids AS bigint[]), CAST(:keys AS text[]), CAST(:messages AS int[]), CAST(:rates AS float8[]),
                  CAST(:bursts AS float8[])) WITH ORDINALITY AS wanted(id, key, n, rate, burst, place)
    ), goes AS (
      SELECT head.*, greatest(b.full_at, now) AS full_at FROM head CROSS JOIN moment
      LEFT JOIN budgets AS b ON b.key = head.key
      WHERE coalesce(b.closed_until, now) <= now
        AND (before = 0 OR greatest(b.full_at, now) + make_interval(secs => (before + 1 - burst) / rate) <= now)
    ), charged AS (
      INSERT INTO budgets AS b (key, full_at, closed_until)
      SELECT key, full_at + make_interval(secs => sum(n) / rate),
             full_at + make_interval(secs => (sum(n) + 1 - burst) / rate)
      FROM goes GROUP BY key, full_at, rate, burst
      ON CONFLICT (key) DO UPDATE SET full_at = excluded.full_at, closed_until = excluded.closed_until
        WHERE b.closed_until <= clock_timestamp()
      RETURNING key
    ), started AS (
      UPDATE outbox AS row SET state = 'sending', sender = :sender, lease = gen_random_uuid(),
             sending_at = clock_timestamp(), attempts = row.attempts + 1
      FROM charged JOIN goes ON goes.key = charged.key JOIN outbox AS self ON self.id = goes.id
      LEFT JOIN topics AS topic ON topic.id = self.topic_id LEFT JOIN outbox AS target ON target.id = self.edits_id
      WHERE row.id = self.id AND row.state = 'pending'
      RETURNING row.id, row.lease, row.bot_id, row.chat_id, row.topic_id, row.act, row.payload, row.delivery,
                row.kind, row.attempts, row.edits_id, row.conversation_id, topic.thread_id, topic.name AS topic_name,
                topic.card AS topic_card, target.message_id AS edits_message,
                (SELECT twin.message_id FROM twins AS twin WHERE twin.chat_id = row.chat_id
                 AND twin.id = CAST(row.payload->'on'->>'twin' AS bigint)) AS on_message,
                (SELECT twin.message_id FROM twins AS twin WHERE twin.chat_id = row.chat_id
                 AND twin.id = CAST(row.payload->'reply'->>'twin' AS bigint)) AS reply_message,
                (SELECT count(*) FROM twins AS twin WHERE twin.outbox_id = row.id) AS twins
    ), paid AS (
      UPDATE budgets AS b SET
        full_at = greatest(b.full_at, now) + make_interval(secs => n / :bot_rate),
        closed_until = greatest(b.full_at, now) + make_interval(secs => (n + 1 - :bot_burst) / :bot_rate)
      FROM moment, (SELECT count(*) AS n FROM started) AS taken
      WHERE b.key = :bot_key AND b.closed_until <= now AND n > 0
    )
    SELECT * FROM started
""")

_SENT = text(f"""
    UPDATE outbox SET state = 'sent', settled_at = clock_timestamp(), sender = NULL,
           payload = CASE WHEN reason = '{FORGOTTEN}' OR kind = '{KEY}' THEN '{{}}' ELSE payload END,
           reason = CASE WHEN reason = '{FORGOTTEN}' THEN reason END,
           message_id = coalesce(taken.message_id, outbox.message_id)
    FROM unnest(CAST(:ids AS bigint[]), CAST(:leases AS uuid[]), CAST(:message_ids AS bigint[]))
         AS taken(id, lease, message_id)
    WHERE outbox.id = taken.id AND outbox.lease = taken.lease AND state <> 'sent'
""")  # noqa: S608 - only our own text is put in

# What was on its way when its resident was forgotten is not tried again, and keeps no words.
_SETTLE = text(f"""
    UPDATE outbox SET
           state = CASE WHEN reason = '{FORGOTTEN}' THEN 'dropped' ELSE CAST(:state AS text) END,
           payload = CASE WHEN reason = '{FORGOTTEN}' OR kind = '{KEY}' AND CAST(:state AS text) <> 'pending'
                          THEN '{{}}' ELSE payload END,
           reason = CASE WHEN reason = '{FORGOTTEN}' THEN reason ELSE CAST(:reason AS text) END,
           settled_at = CASE WHEN CAST(:state AS text) <> 'pending' OR reason = '{FORGOTTEN}'
                             THEN clock_timestamp() END,
           not_before = clock_timestamp() + make_interval(secs => :wait), sender = NULL
    WHERE id = :id AND lease = :lease AND state = 'sending'
""")  # noqa: S608 - only our own text is put in

_CLOSE_CHAT = text("""
    INSERT INTO budgets AS b (key, full_at, closed_until) VALUES
      (:key, clock_timestamp(), clock_timestamp() + make_interval(secs => :seconds))
    ON CONFLICT (key) DO UPDATE SET closed_until = greatest(b.closed_until, excluded.closed_until)
""")

# While a row only waits for the bot's budget, nothing else need be known: of a hundred thousand that wait, one is read.
# It is a question apart from the next because it is asked after every few messages, and together they took fifteen
# times as long to plan as to answer.
_FIRST = text(f"""
    SELECT (SELECT row.priority {_READY} LIMIT 1) AS priority,
           (SELECT extract(epoch FROM closed_until - clock_timestamp()) FROM budgets WHERE key = :bot_key) AS closed,
           EXISTS (SELECT 1 FROM outbox WHERE bot_id = :bot_id AND state = 'pending') AS waits
""")  # noqa: S608

_LATER = text(f"""
    SELECT extract(epoch FROM min(greatest(
             row.not_before, chat.closed_until, bot.closed_until, talk.held_until)) - clock_timestamp())
    FROM outbox AS row
    LEFT JOIN conversations AS talk ON talk.id = row.conversation_id AND row.epoch IS NOT NULL
    LEFT JOIN budgets AS chat ON chat.key = 'chat:' || row.bot_id || ':' || row.chat_id
    LEFT JOIN budgets AS bot ON bot.key = 'bot:' || row.bot_id
    WHERE row.bot_id = :bot_id AND row.state = 'pending' AND {_HEAD}
""")  # noqa: S608

_ORPHANS = text("SELECT DISTINCT sender FROM outbox WHERE state = 'sending' AND sender IS NOT NULL")

# What a dead sender left in flight is uncertain: each class has its own answer.
_FREE = text(f"""
    UPDATE outbox SET sender = NULL,
      state = CASE WHEN reason = '{FORGOTTEN}' THEN 'dropped'
                   WHEN delivery = 'at_most_once' THEN 'unconfirmed' ELSE 'pending' END,
      payload = CASE WHEN reason = '{FORGOTTEN}' THEN '{{}}' ELSE payload END,
      reason = CASE WHEN reason = '{FORGOTTEN}' THEN reason ELSE :reason END,
      settled_at = CASE WHEN delivery = 'at_most_once' OR reason = '{FORGOTTEN}' THEN clock_timestamp() END
    WHERE state = 'sending' AND sender = :sender AND lease <> ALL(CAST(:in_hand AS uuid[]))
""")  # noqa: S608


def take(session: Session, bot_id: int, *, sender: int, limit: int, rates: Rates) -> list[Parcel]:
    """Mark up to `limit` rows as being sent; the caller commits before it calls Telegram.

    A bot's line that was born before a takeover is dropped here, at the last moment, and so is a question that nobody
    asked for and that has waited too long for a sender: whether it is still its hour is checked anew, or it is off.

    Args:
        session: a transaction of its own, committed at once.
        bot_id: the bot that speaks.
        sender: the advisory lock number that proves the sender lives (see `free_orphans`).
        limit: free places for calls in flight.
        rates: the budgets.
    """
    tokens = int(session.scalar(_BOT_TOKENS, _bot_bucket(bot_id, rates)) or 0)
    facts = {"bot_id": bot_id, "limit": min(limit, max(tokens, 0)), "unasked": list(UNASKED), "stale": STALE}
    heads = session.execute(_HEADS, facts).all()
    going = _leave_tokens(_those_that_may_go(session, heads), spare=tokens - _kept(rates))
    for head in going:
        _make_ready(session, head)
    return _start(session, going, sender, bot_id=bot_id, rates=rates)


def _burst(rates: Rates) -> float:
    return max(rates.bot_per_second, 1.0)


def _kept(rates: Rates) -> int:
    """How many tokens follow-ups and what is less urgent leave to the others."""
    return int(KEPT * _burst(rates))


def _leave_tokens(heads: Sequence[Row[Any]], *, spare: int) -> list[Row[Any]]:
    """All that is urgent, and of the rest, which comes last, as much as may be spent on it."""
    return [head for place, head in enumerate(heads) if head.priority < Priority.FOLLOW_UP or place < spare]


def _those_that_may_go(session: Session, heads: Sequence[Row[Any]]) -> list[Row[Any]]:
    """All but the bot's lines that are too old or from before a takeover, which settles them, or wait for a claim."""
    talks = [head.conversation_id for head in heads if head.epoch is not None]
    found = {talk.id: talk for talk in session.execute(_TALKS, {"ids": talks})} if talks else {}
    return [head for head in heads if head.epoch is None or _may_go(session, head, found[head.conversation_id])]


def _may_go(session: Session, head: Row[Any], talk: Row[Any]) -> bool:
    reason = TAKEN_OVER if talk.epoch != head.epoch else TOO_OLD if head.stale else None
    if reason is not None:
        session.execute(_KEEP_BACK, {"id": head.id, "later": list(SAID_LATER), "reason": reason})
    return reason is None and not talk.held


def _make_ready(session: Session, head: Row[Any]) -> None:
    """What can only be known now: which lines go along, and where in one message the line stands that it refers to."""
    if head.joins:
        bursts.join(session, head.id)
    if head.refers:
        bursts.fit(session, head.id)


def _bot_bucket(bot_id: int, rates: Rates) -> dict[str, Any]:
    return {"key": f"bot:{bot_id}", "rate": float(rates.bot_per_second), "burst": float(_burst(rates))}


def _chat_bucket(bot_id: int, chat_id: int, rates: Rates) -> dict[str, Any]:
    key = f"chat:{bot_id}:{chat_id}"
    if chat_id < 0:
        # Telegram counts any 60 seconds: a third at once and two thirds over the minute never add up to more.
        third = rates.group_per_minute / 3
        return {"key": key, "rate": 2.0 * third / 60, "burst": max(third, 1.0)}
    return {"key": key, "rate": float(rates.private_per_second), "burst": float(rates.private_burst)}


def _start(session: Session, heads: Sequence[Row[Any]], sender: int, *, bot_id: int, rates: Rates) -> list[Parcel]:
    """Their parcels, in the same order; without those whose chat has no token left."""
    if not heads:
        return []
    buckets = [_chat_bucket(bot_id, head.chat_id, rates) for head in heads]
    facts = {f"{name}s": [bucket[name] for bucket in buckets] for name in ("key", "rate", "burst")}
    facts |= {f"bot_{name}": value for name, value in _bot_bucket(bot_id, rates).items()}
    facts |= {"ids": [head.id for head in heads], "messages": [head.messages for head in heads]}
    rows = session.execute(_START, facts | {"sender": sender}).mappings()
    started = {row["id"]: Parcel(**{**row, "delivery": Delivery(row["delivery"])}) for row in rows}
    return [started[head.id] for head in heads if head.id in started]


def sent(session: Session, parcel: Parcel, *, message_id: int | None) -> None:
    """Telegram took it, and calls the message this."""
    all_sent(session, [(parcel, message_id)])


def all_sent(session: Session, taken: Sequence[tuple[Parcel, int | None]]) -> None:
    """Telegram took all of these; who seemed dead and was not may still know that: it ends the doubt."""
    facts = {"ids": [parcel.id for parcel, _ in taken], "leases": [parcel.lease for parcel, _ in taken]}
    session.execute(_SENT, facts | {"message_ids": [message_id for _, message_id in taken]})


def again(session: Session, parcel: Parcel, *, reason: str, wait: float | None = None) -> None:
    """It certainly did not arrive, or may arrive twice: send it again after `wait` seconds (default: back-off)."""
    delay = min(0.5 * 2.0 ** (parcel.attempts - 1), 60.0) if wait is None else wait
    _settle(session, parcel, OutboxState.PENDING, reason=reason, wait=delay)


def uncertain(session: Session, parcel: Parcel, *, reason: str) -> None:
    """Nobody knows whether it arrived: its delivery class says what happens."""
    if parcel.delivery is Delivery.AT_MOST_ONCE:
        _settle(session, parcel, OutboxState.UNCONFIRMED, reason=reason)
    else:
        again(session, parcel, reason=reason)


def dropped(session: Session, parcel: Parcel, *, reason: str) -> None:
    """It is not to be sent any more, by design."""
    _settle(session, parcel, OutboxState.DROPPED, reason=reason)


def dead(session: Session, parcel: Parcel, *, reason: str) -> None:
    """Telegram refuses it for ever: a person has to look."""
    _settle(session, parcel, OutboxState.DEAD, reason=reason)


def _settle(session: Session, parcel: Parcel, state: OutboxState, *, reason: str, wait: float = 0.0) -> None:
    facts = {"id": parcel.id, "lease": parcel.lease, "state": state, "reason": reason, "wait": wait}
    session.execute(_SETTLE, facts)
    if state is OutboxState.PENDING:
        db.notify(session, CHANNEL)


def close_chat(session: Session, bot_id: int, chat_id: int, *, seconds: float) -> None:
    """Obey a 429: nothing goes to this chat for `seconds`."""
    session.execute(_CLOSE_CHAT, {"key": f"chat:{bot_id}:{chat_id}", "seconds": seconds})


def seconds_to_next(session: Session, bot_id: int, rates: Rates) -> float | None:
    """How long until a pending row may go out; None when nothing is pending."""
    first = session.execute(_FIRST, {"bot_id": bot_id, "bot_key": _bot_bucket(bot_id, rates)["key"]}).one()
    if first.priority is not None:
        handful = min(_kept(rates) + HANDFUL, int(_burst(rates)))
        spare = handful - 1 if first.priority >= Priority.FOLLOW_UP else 0
        seconds = float(first.closed or 0.0) + spare / rates.bot_per_second
    elif first.waits:
        seconds = session.scalar(_LATER, {"bot_id": bot_id})
    else:
        seconds = None
    return None if seconds is None else max(float(seconds), 0.0)


def free_orphans(session: Session) -> None:
    """Settle what died senders left in flight, as soon as anybody notices.

    A sender holds the advisory lock of its number for as long as it lives; whoever can take that lock knows that the
    sender is gone.
    """
    for sender in session.scalars(_ORPHANS).all():
        if session.scalar(text("SELECT pg_try_advisory_xact_lock(:sender)"), {"sender": sender}):
            free_unknown(session, sender, in_hand=())


def free_unknown(session: Session, sender: int, *, in_hand: Sequence[UUID]) -> None:
    """Settle what a sender holds and does not know of.

    When the database dies between a commit and its answer, rows are taken of which their sender never heard: while it
    lives they would stay so, and everything behind them in their lanes with them.

    Args:
        session: a transaction in which nothing is taken.
        sender: whose, by its lock's number.
        in_hand: the leases it knows of.
    """
    session.execute(_FREE, {"sender": sender, "reason": ORPHANED, "in_hand": list(in_hand)})


def bare(session: Session, parcel: Parcel, *, reason: str) -> None:
    """What it answers is gone: it goes out without."""
    row = update(OutboxRow).where(OutboxRow.id == parcel.id)
    session.execute(row.values(payload=OutboxRow.payload.op("-")("reply")))
    again(session, parcel, reason=reason, wait=0.0)
