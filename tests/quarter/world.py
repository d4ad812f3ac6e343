"""A community on the real functions and a real PostgreSQL; its clock jumps to where something is due.

The sweeps are those of `bot/scheduler.py`, each line goes out through `bot/sender.py`, every step is a transaction that
is committed, now and then killed right before and made again, or made twice. Telegram and people are played.
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session, sessionmaker

from bot.scheduler import SWEEPS, Scheduler
from bot.sender import IN_FLIGHT, Sender, Settle
from bot.wake import Wake
from service import calendar_file, calendars, communities, delivery, held, outbox
from service.errors import ServiceError
from service.held import LineInFlight
from service.outbox import Parcel
from tests.quarter.telegram import Killed, Telegram
from tests.quarter.watch import NEWS, Watch
from tests.stage import BOT_ID, PLENTY, STAFF_CHAT

CALENDAR = Path(__file__).with_name("calendar.csv")
ZONE = "Asia/Shanghai"
MINUTE = timedelta(minutes=1)
GRID = timedelta(minutes=5)  # the scheduler looks at full five minutes only
ROUNDS = timedelta(hours=12)  # every sweep is woken that often, also one that `DUE` does not know
KILLED_BEFORE_THE_COMMIT, MADE_TWICE = 0.01, 0.02  # of all steps

# When the next thing of each sweep is due, so that the clock can jump there. A new kind of follow-up has one line here.
DUE: Mapping[str, str] = {
    "call_backs": """SELECT due_at FROM call_backs WHERE state IN ('planned', 'sent', 'phone')
        AND (state = 'planned' OR state = 'sent' AND reminded_at IS NULL) ORDER BY due_at LIMIT 1""",
    "phone_calls": """SELECT due_at FROM call_backs WHERE state IN ('planned', 'sent', 'phone')
        AND (state = 'sent' AND reminded_at IS NOT NULL OR state = 'phone' AND warned_at IS NULL)
        ORDER BY due_at LIMIT 1""",
    "surveys": "SELECT asked_at + interval '7 days' FROM surveys WHERE state = 'sent' ORDER BY asked_at LIMIT 1",
    "clocks": "SELECT wake_at FROM case_clocks WHERE wake_at IS NOT NULL ORDER BY wake_at LIMIT 1",
    "desk": "SELECT opens_at FROM desk_messages WHERE handed_over_at IS NULL ORDER BY opens_at LIMIT 1",
    "idle": """SELECT min(coalesce(idle_told_at + interval '11 min', active_at + interval '31 min')) FROM conversations
        WHERE owner = 'butler' AND butler_id IS NOT NULL AND (idle_told_at IS NULL OR NOT answer_owed)""",
    "after_talks": """SELECT to_timestamp(0) FROM outbox AS line JOIN conversations AS talk
        ON talk.id = line.conversation_id AND talk.owner = 'bot' WHERE line.state = 'held' LIMIT 1""",
    "unconfirmed": f"""SELECT to_timestamp(0) FROM outbox
        WHERE state = 'unconfirmed' AND reason <> '{delivery.SHOWN}' LIMIT 1""",
}
# Both looks in one question: it is asked after every step.
_LOOK = text(f"SELECT news.*, {', '.join(f'({due}) AS {name}' for name, due in DUE.items())} FROM ({NEWS}) AS news")


class World:
    """The community, its clock and its processes."""

    def __init__(self, engine: Engine, *, seed: int, begins: datetime) -> None:
        self.chance = Random(seed)
        self.now = begins.astimezone(UTC)
        self.seen: Counter[str] = Counter()
        self._numbers = itertools.count(1)
        self._agenda: list[tuple[datetime, int, Callable[[], None]]] = []
        self._due: dict[str, datetime] = {"rounds": self.now}
        self._swept = self._down_until = self.now
        self._engine = engine
        self.sessions = sessionmaker(engine, expire_on_commit=False)
        self._one_by_one = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        self.watch = Watch(self._one_by_one, zone=ZONE, seen=self.seen)
        self.hears: Callable[[Parcel], None] = lambda parcel: None  # people's ears
        self.telegram = Telegram(Random(seed), arrived=self._arrived, doubted=self.watch.uncertain.add)
        self._wake = Wake(str(engine.url), outbox.CHANNEL)
        sender: Any = self.telegram
        self._sender = Sender(sender, self.sessions, self._wake, rates=PLENTY, now=lambda: self.now)
        self._scheduler = Scheduler(self.sessions, now=lambda: self.now, every=60.0)
        self._be_born()
        self._settle_in()

    def _settle_in(self) -> None:
        with self.sessions.begin() as session:
            community = communities.settle_in(
                session, BOT_ID, communities.Profile("阳光花园", ZONE, "0731-1", STAFF_CHAT)
            )
            calendars.take_in(session, community, calendar_file.read(CALENDAR.read_bytes()), now=self.now)
            self.community_id = community.id
            self.calendar = calendars.of(session, community)

    def close(self) -> None:
        """Let the database go."""
        self._one_by_one.close()
        self._engine.dispose()

    # --- Time -------------------------------------------------------------------------------------------------------

    def at(self, moment: datetime, act: Callable[[], None]) -> None:
        """Have something happen at the next full minute."""
        heapq.heappush(self._agenda, (_full(moment, MINUTE), next(self._numbers), act))

    def after(self, length: timedelta, act: Callable[[], None]) -> None:
        """The same, some time from now."""
        self.at(self.now + length, act)

    def number(self) -> int:
        """One that nothing else has."""
        return next(self._numbers)

    def play(self, until: datetime, *, progress: Callable[[datetime], None] = lambda moment: None) -> None:
        """Let everything happen up to a moment."""
        self._look()
        while (moment := self._next()) <= until and not self._is_over():
            self.now = max(self.now, moment)
            progress(self.now)
            if self._agenda and self._agenda[0][0] <= moment:
                self._step(*heapq.heappop(self._agenda))
            else:
                self._sweep()
            if not self._is_down():
                self._send()
            self._look()
            self.seen["moments"] += 1
        self._waits_pass()
        self._send()

    def _next(self) -> datetime:
        """The next moment at which anything happens: by people, or a look of the scheduler that finds something."""
        tick = _full(max(min(self._due.values()), self._swept + GRID, self._down_until), GRID)
        return min(tick, self._agenda[0][0]) if self._agenda else tick

    def _is_over(self) -> bool:
        """Nobody plans anything, and nothing is due but the rounds."""
        return not self._agenda and all(self._due[name] is NEVER for name in DUE)

    def _step(self, moment: datetime, _: int, act: Callable[[], None]) -> None:
        if self._is_down():
            self.at(self._down_until, act)
        else:
            act()

    def _sweep(self) -> None:
        """Wake the sweeps that have something to do; in the rounds all of them."""
        self._swept = self.now
        rounds = self._due["rounds"] <= self.now
        for name in SWEEPS:
            if rounds or self._due.get(name, NEVER) <= self.now:
                self.seen[f"wakes of {name}"] += 1
                self._scheduler.sweep(name)
        if rounds:
            self._due["rounds"] = self.now + ROUNDS

    def _look(self) -> None:
        """What has changed, and when the sweeps have something to do next."""
        found = self._one_by_one.execute(_LOOK, {"after": self.watch.newest_step}).mappings().one()
        self.watch.look(found["newest"], found["forgotten"])
        self._due |= {name: found[name] or NEVER for name in DUE}

    def _is_down(self) -> bool:
        return self.now < self._down_until

    def go_down(self, length: timedelta) -> None:
        """The machine stops right after the sweeps, before anything is sent; what people do meanwhile waits for it."""
        self.seen["outages"] += 1
        self._sweep()
        self._down_until = _full(self.now + length, MINUTE)
        self.at(self._down_until, lambda: self._come_up(length))

    def _come_up(self, length: timedelta) -> None:
        self._outbox_ages(length)
        self._be_born()

    # --- Processes --------------------------------------------------------------------------------------------------

    def do(self, act: Callable[[Session], Any]) -> Any:
        """One step, as a handler makes it: what it gives, True if that is nothing, and None when it was refused."""
        luck = self.chance.random()
        if luck < KILLED_BEFORE_THE_COMMIT:
            self.seen["steps killed before the commit"] += 1
            self._make(act, commit=False)
        result = self._make(act)
        if luck > 1 - MADE_TWICE:
            self.seen["steps made twice"] += 1
            self._make(act)
        return result

    def _make(self, act: Callable[[Session], Any], *, commit: bool = True) -> Any:
        with self.sessions() as session:
            try:
                result = act(session)
            except ServiceError as error:
                self.seen[f"refused: {type(error).__name__}"] += 1
                result = NOTHING
            if commit:
                session.commit()
            return None if result is NOTHING else True if result is None else result

    def claim(self, conversation_id: int, act: Callable[[Session], Any], then: Callable[[], None]) -> None:
        """A step that waits for a line in flight, as `bot/worker.py` lets it wait."""
        try:
            if self.do(act):
                then()
        except LineInFlight:
            self.seen["claims that waited"] += 1
            self.do(lambda session: held.hold(session, conversation_id))
            self.after(MINUTE, self._waits_pass)
            self.after(MINUTE, lambda: self.claim(conversation_id, act, then))

    def _be_born(self) -> None:
        """A sender that lives: it holds the lock of its number, which its predecessor has lost."""
        self._one_by_one.execute(text("SELECT pg_advisory_unlock_all()"))
        self._wake.number = PROCESSES + self.number()
        self._one_by_one.execute(text("SELECT pg_advisory_lock(:n)"), {"n": self._wake.number})
        with self.sessions.begin() as session:
            self._sender.free_orphans(session)

    def _send(self) -> None:
        """Let the sender send until nothing can be sent now."""
        while self._something_waits() and (parcels := self._take()):
            try:
                outcomes = [self._call(parcel) for parcel in parcels]
            except Killed:
                self._kill_sender(parcels)
            else:
                with self.sessions.begin() as session:
                    for settle in outcomes:
                        settle(session)
        if self.telegram.had_trouble:
            self.telegram.had_trouble = False
            self.after(MINUTE, self._waits_pass)

    def _call(self, parcel: Parcel) -> Settle:
        self.telegram.parcel = parcel
        settle: Settle = _at_once(self._sender.call(parcel))
        return settle

    def _something_waits(self) -> bool:
        """As a sender is woken: one cheap question in place of a transaction that takes nothing."""
        return bool(self._one_by_one.scalar(_WAITING))

    def _take(self) -> list[Parcel]:
        with self.sessions.begin() as session:
            return list(self._sender.take(session, IN_FLIGHT))

    def _kill_sender(self, claimed: list[Parcel]) -> None:
        """Killed between the claim and the outcome: whatever it had claimed is uncertain."""
        self.seen["senders killed"] += 1
        self.watch.uncertain |= {parcel.id for parcel in claimed}
        self._be_born()

    def _arrived(self, parcel: Parcel) -> None:
        self.watch.arrived(parcel, now=self.now)
        self.hears(parcel)

    def _waits_pass(self) -> None:
        """A minute has passed here; on the database's clock, by which budgets and retries wait, it has not."""
        for question in _WAITS_PASS:
            self._one_by_one.execute(text(question))

    def _outbox_ages(self, length: timedelta) -> None:
        self._one_by_one.execute(_AGES, {"length": length})


PROCESSES = 1_000_000_000  # their numbers begin here; smaller ones lock other things
NEVER = datetime.max.replace(tzinfo=UTC) - timedelta(days=1)
NOTHING = object()  # what a refused step gives
_WAITS_PASS = (
    "UPDATE outbox SET not_before = clock_timestamp() WHERE state = 'pending' AND not_before > clock_timestamp()",
    "UPDATE outbox SET sending_at = sending_at - interval '1 min' WHERE reason = 'the sender died while sending'",
    "UPDATE budgets SET full_at = clock_timestamp(), closed_until = clock_timestamp()",
    "UPDATE conversations SET held_until = NULL WHERE held_until IS NOT NULL",
)
_WAITING = text("SELECT EXISTS (SELECT FROM outbox WHERE state = 'pending' AND not_before <= clock_timestamp())")
_AGES = text("UPDATE outbox SET created_at = created_at - :length, not_before = not_before - :length "
             "WHERE state = 'pending'")  # fmt: skip


def _full(moment: datetime, unit: timedelta) -> datetime:
    """The next full minute, or five minutes."""
    return moment + (datetime(2026, 1, 1, tzinfo=UTC) - moment) % unit


def _at_once(work: Coroutine[Any, Any, Any]) -> Any:
    """Run what never waits, because its Telegram answers at once."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("the sender waits for something")
