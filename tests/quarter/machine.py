"""The machine on which scheduler and sender run; Telegram is played."""

from __future__ import annotations

import gc
import logging
from collections import Counter
from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import text

from bot.scheduler import Scheduler
from bot.sender import IN_FLIGHT, Sender, Settle, Taken
from bot.wake import Wake
from service import db, outbox
from service.sending import Parcel
from tests.quarter.telegram import Killed, Telegram
from tests.quarter.watch import Watch
from tests.stage import PLENTY

PROCESSES = 1_000_000_000  # their numbers begin here; smaller ones lock other things


class Machine:
    """The sweeps of `bot/scheduler.py` and the sender of `bot/sender.py`, on one clock."""

    def __init__(self, url: str, *, seed: int, zone: str, seen: Counter[str]) -> None:
        self.now = datetime.max.replace(tzinfo=UTC)
        self.seen = seen
        self._engine = db.connect(url)
        self._sessions = db.sessions(self._engine)
        self._one_by_one = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        self.watch = Watch(self._one_by_one, zone=zone, seen=self.seen)
        self._telegram = Telegram(seed, arrived=self._arrived, doubted=self.watch.uncertain.add)
        self._wake = Wake(url, outbox.CHANNEL)
        bot: Any = self._telegram
        self._sender = Sender(bot, self._sessions, self._wake, rates=PLENTY, now=lambda: self.now)
        self._scheduler = Scheduler(self._sessions, now=lambda: self.now, every=60.0)
        self._numbers = iter(range(PROCESSES, 2 * PROCESSES))
        self._asked: list[Parcel] = []  # what has arrived with buttons below it
        self._be_born()

    def turn(
        self, now: datetime, sweeps: Sequence[str], *, sends: bool, was_down: timedelta | None
    ) -> Sequence[Parcel]:
        """Wake sweeps, and let the sender send while it can.

        Args:
            now: the moment.
            sweeps: which are woken.
            sends: whether anything is sent.
            was_down: how long the machine stood still, until a moment ago.

        Returns:
            What has arrived and asks somebody something.
        """
        self.now, self._asked = now, []
        self._time_passes()
        if was_down is not None:
            self._one_by_one.execute(_AGES, {"length": was_down})
            self._be_born()
        for name in sweeps:
            self._sweep(name)
        if sends:
            self._send()
        return self._asked

    def close(self) -> None:
        """Let the database go."""
        self._one_by_one.close()
        self._engine.dispose()

    def blocked(self, chat_id: int) -> None:
        """Nothing arrives there any more."""
        self._telegram.blocked_by.add(chat_id)

    def hears(self, chat_id: int, moment: datetime) -> None:
        """A resident has written: they can be reached."""
        self._telegram.blocked_by.discard(chat_id)
        self.watch.hears(chat_id, now=moment)

    def speaks_again(self, conversation_id: int) -> None:
        """The bot begins no line while a claim waits; by now it has waited for long."""
        self._one_by_one.execute(_SPEAKS_AGAIN, {"id": conversation_id})

    def _time_passes(self) -> None:
        """Minutes have passed here; on the database's clock, by which budgets, edits and retries wait, not."""
        self._one_by_one.execute(_TIME_PASSES)

    def _sweep(self, name: str) -> None:
        self.seen[f"wakes of {name}"] += 1
        self._scheduler.sweep(name)

    def _be_born(self) -> None:
        """A sender that lives: it holds the lock of its number, which its predecessor has lost."""
        self._one_by_one.execute(text("SELECT pg_advisory_unlock_all()"))
        self._wake.number = next(self._numbers)
        self._one_by_one.execute(text("SELECT pg_advisory_lock(:n)"), {"n": self._wake.number})
        with self._sessions.begin() as session:
            self._sender.free_orphans(session)

    def _send(self) -> None:
        while parcels := self._take():
            self.watch.expect(parcels)
            try:
                outcomes = [self._call(parcel) for parcel in parcels]
            except Killed:
                self._kill_sender(parcels)
            else:
                self._write_down(outcomes)

    def _take(self) -> Sequence[Parcel]:
        """What goes out next; where nothing waits nobody locks a budget to find that out."""
        if not self._one_by_one.scalar(_SOMETHING_WAITS):
            return ()
        with self._sessions.begin() as session:
            return self._sender.take(session, IN_FLIGHT)

    def _write_down(self, outcomes: Sequence[Settle]) -> None:
        """What was simply taken together, everything else by itself, as the sender's loop does it."""
        taken = [outcome for outcome in outcomes if isinstance(outcome, Taken)]
        for outcome in outcomes:
            if not isinstance(outcome, Taken):
                with self._sessions.begin() as session:
                    outcome(session)
        if taken:
            with self._sessions.begin() as session:
                self._sender.settle(session, taken)

    def _call(self, parcel: Parcel) -> Settle:
        self._telegram.parcel = parcel
        settle: Settle = _at_once(self._sender.call(parcel))
        return settle

    def _kill_sender(self, claimed: Sequence[Parcel]) -> None:
        """Killed between the claim and the outcome: whatever it had claimed is uncertain."""
        self.seen["senders killed"] += 1
        self.watch.uncertain |= {parcel.id for parcel in claimed}
        self._be_born()

    def _arrived(self, parcel: Parcel) -> None:
        self.watch.arrived(parcel, now=self.now)
        if parcel.act == "say" and parcel.payload.get("buttons"):
            self._asked.append(parcel)


def settle_down() -> None:
    """For a process that only plays: a quarter's troubles are not logged, and what is loaded is there for good."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def _at_once(work: Coroutine[Any, Any, Any]) -> Any:
    """Run what never waits, because its Telegram answers at once."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("the sender waits for something")


# What waits for seconds goes out; a claim no longer waits for the last words of a sender that was killed.
_TIME_PASSES = text(f"""
    WITH lines AS (
      UPDATE outbox SET not_before = least(not_before, clock_timestamp()),
             reason = CASE WHEN reason = '{outbox.ORPHANED}' THEN 'its sender died a while ago' ELSE reason END
      WHERE state = 'pending' AND (not_before > clock_timestamp() OR reason = '{outbox.ORPHANED}')
         OR state = 'unconfirmed' AND reason = '{outbox.ORPHANED}'
    )
    UPDATE budgets SET full_at = clock_timestamp(), closed_until = clock_timestamp()
    WHERE greatest(full_at, closed_until) > clock_timestamp()
""")
_SOMETHING_WAITS = text("SELECT EXISTS (SELECT FROM outbox WHERE state = 'pending')")
_SPEAKS_AGAIN = text("UPDATE conversations SET held_until = NULL WHERE id = :id")
_AGES = text("UPDATE outbox SET created_at = created_at - :length, not_before = not_before - :length "
             "WHERE state = 'pending'")  # fmt: skip
