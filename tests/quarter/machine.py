"""The machine on which scheduler and sender run, beside the people or in a process of its own; Telegram is played."""

from __future__ import annotations

import gc
import logging
import traceback
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, Protocol, TypeVar

import structlog
from psycopg.errors import DeadlockDetected
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from bot.scheduler import Scheduler
from bot.sender import IN_FLIGHT, Sender, Settle, Taken
from bot.wake import Wake
from service import db, outbox
from service.sending import Parcel
from tests.quarter.telegram import Killed, Telegram
from tests.quarter.watch import Watch
from tests.stage import PLENTY

Answer = TypeVar("Answer")
PROCESSES = 1_000_000_000  # their numbers begin here; smaller ones lock other things

# What people have done since the last turn, of which the machine's Telegram or the watch is to know: what, who, when.
Note = tuple[str, int, datetime]


@dataclass(frozen=True)
class Orders:
    """One turn: what time it is, which sweeps are woken, and whether anything is sent."""

    now: datetime
    sweeps: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    sends: bool = True
    was_down: timedelta | None = None  # until a moment ago


@dataclass(frozen=True)
class News:
    """What a turn has brought: messages that ask somebody something, and promises that were seen broken."""

    asked: Sequence[Parcel]
    violations: Sequence[str]


class Machine:
    """The sweeps of `bot/scheduler.py` and the sender of `bot/sender.py`, on one clock."""

    def __init__(self, url: str, *, seed: int, zone: str) -> None:
        self.now = datetime.max.replace(tzinfo=UTC)
        self.seen: Counter[str] = Counter()
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

    def turn(self, orders: Orders) -> News:
        """Wake the sweeps, and let the sender send while it can."""
        self.now, self._asked, known = orders.now, [], len(self.watch.violations)
        self._time_passes()
        for what, number, moment in orders.notes:
            NOTES[what](self, number, moment)
        if orders.was_down is not None:
            self._one_by_one.execute(_AGES, {"length": orders.was_down})
            self._be_born()
        for name in orders.sweeps:
            self._sweep(name)
        if orders.sends:
            self._send()
        return News(self._asked, self.watch.violations[known:])

    def judge(self) -> tuple[list[str], Counter[str]]:
        """Every promise that was broken, and what there was."""
        self.watch.look_at_everything()
        return self.watch.violations, self.seen

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
        try:
            self._scheduler.sweep(name)
        except OperationalError as error:
            if not isinstance(error.orig, DeadlockDetected):
                raise
            self.seen["sweeps that met a deadlock"] += 1

    def _be_born(self) -> None:
        """A sender that lives: it holds the lock of its number, which its predecessor has lost."""
        self._one_by_one.execute(text("SELECT pg_advisory_unlock_all()"))
        self._wake.number = next(self._numbers)
        self._one_by_one.execute(text("SELECT pg_advisory_lock(:n)"), {"n": self._wake.number})
        with self._sessions.begin() as session:
            self._sender.free_orphans(session)

    def _send(self) -> None:
        while parcels := self._in_transaction(lambda session: self._sender.take(session, IN_FLIGHT)):
            self.watch.expect(parcels)
            try:
                outcomes = [self._call(parcel) for parcel in parcels]
            except Killed:
                self._kill_sender(parcels)
            else:
                self._write_down(outcomes)

    def _write_down(self, outcomes: Sequence[Settle]) -> None:
        """What was simply taken together, everything else by itself, as the sender's loop does it."""
        taken = [outcome for outcome in outcomes if isinstance(outcome, Taken)]
        for outcome in outcomes:
            if not isinstance(outcome, Taken):
                self._in_transaction(outcome)
        if taken:
            self._in_transaction(lambda session: self._sender.settle(session, taken))

    def _in_transaction(self, work: Callable[[Session], Answer]) -> Answer:
        """Of two that wait for each other the database refuses one, and `bot/drain.py` does it again."""
        while True:
            try:
                with self._sessions.begin() as session:
                    return work(session)
            except OperationalError as error:
                if not isinstance(error.orig, DeadlockDetected):
                    raise
                self.seen["sends that met a deadlock"] += 1

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


NOTES: dict[str, Callable[[Machine, int, datetime], None]] = {
    "hears": Machine.hears,
    "blocks": lambda machine, chat_id, _: machine.blocked(chat_id),
    "sent again": lambda machine, row_id, _: machine.watch.sent_again.add(row_id),
    "held": lambda machine, talk_id, _: machine.speaks_again(talk_id),
    "forgotten": lambda machine, case_id, _: machine.watch.forgotten(case_id),
}


class Beside(Protocol):
    """A machine that is asked now and answers later."""

    def ask(self, what: str, *about: object) -> None:
        """Have it do something."""

    def answer(self) -> Any:
        """What came of it."""

    def close(self) -> None:
        """Stop it."""


class InTurn:
    """It does everything before people go on: the same story every time."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self._answer: Any = None

    def ask(self, what: str, *about: object) -> None:
        """Have it done."""
        self._answer = getattr(self.machine, what)(*about)

    def answer(self) -> Any:
        """What came of it."""
        return self._answer

    def close(self) -> None:
        """Let its database go."""
        self.machine.close()


class InItsOwnProcess:
    """It works while people act, as in production: on two cores, in another order every time."""

    def __init__(self, make: partial[Machine]) -> None:
        self._pipe, theirs = get_context("spawn").Pipe()
        self._process = get_context("spawn").Process(target=_work, args=(make, theirs), daemon=True)
        self._process.start()

    def ask(self, what: str, *about: object) -> None:
        """Have it done."""
        self._pipe.send((what, about))

    def answer(self) -> Any:
        """What came of it.

        Raises:
            RuntimeError: it broke down; the text says how.
        """
        is_well, answer = self._pipe.recv()
        if not is_well:
            raise RuntimeError(answer)
        return answer

    def close(self) -> None:
        """Let it end."""
        self.ask("close")
        self.answer()
        self._pipe.send(None)
        self._process.join()


def _work(make: partial[Machine], pipe: Connection) -> None:
    settle_down()
    try:
        machine = make()
        while asked := pipe.recv():
            what, about = asked
            pipe.send((True, getattr(machine, what)(*about)))
    except Exception:  # noqa: BLE001 - whatever it is, the story ends with it
        pipe.send((False, traceback.format_exc()))


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
_SPEAKS_AGAIN = text("UPDATE conversations SET held_until = NULL WHERE id = :id")
_AGES = text("UPDATE outbox SET created_at = created_at - :length, not_before = not_before - :length "
             "WHERE state = 'pending'")  # fmt: skip
