"""A community on the real functions and a real PostgreSQL; its clock jumps to where something is due.

Every step of people's is a transaction that is committed, now and then killed right before and made again, or made
twice. What falls within five minutes happens at one moment: the machine (tests/quarter/machine.py) wakes its sweeps and
sends, then people act, one after the other: a seed is the same story every time. Who meets whom at a lock is for
tests/faults and tests/takeover, where real processes do.
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.scheduler import SWEEPS
from service import calendar_file, calendars, communities, db, delivery, held
from service.errors import ServiceError
from service.held import LineInFlight
from service.sending import Parcel
from tests.quarter.machine import Machine
from tests.quarter.watch import NEWS, QUIET_FROM
from tests.stage import BOT_ID, STAFF_CHAT

CALENDAR = Path(__file__).with_name("calendar.csv")
ZONE = "Asia/Shanghai"
MINUTE = timedelta(minutes=1)
APART = timedelta(minutes=5)  # two moments at which anything happens
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
    "visits": "SELECT due_at FROM appointments WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1",
    "waiting": "SELECT wake_at FROM waits WHERE wake_at IS NOT NULL ORDER BY wake_at LIMIT 1",
    "incidents": """SELECT expected_until FROM incidents
        WHERE ended_at IS NULL AND reminded_at IS NULL ORDER BY expected_until LIMIT 1""",
    "incidents_over": "SELECT due_at FROM incident_reports WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1",
    "clocks": "SELECT wake_at FROM case_clocks WHERE wake_at IS NOT NULL ORDER BY wake_at LIMIT 1",
    "desk": "SELECT opens_at FROM desk_messages WHERE handed_over_at IS NULL ORDER BY opens_at LIMIT 1",
    "idle": "SELECT min(look_at) FROM conversations WHERE owner = 'butler' AND butler_id IS NOT NULL",
    "after_talks": """SELECT to_timestamp(0) FROM outbox AS line JOIN conversations AS talk
        ON talk.id = line.conversation_id WHERE line.state = 'held' AND (talk.owner = 'bot'
            OR talk.owner = 'waiting' AND line.kind IN ('progress', 'visit', 'progress_note')) LIMIT 1""",
    "unconfirmed": f"""SELECT to_timestamp(0) FROM outbox
        WHERE state = 'unconfirmed' AND reason <> '{delivery.SHOWN}' LIMIT 1""",
}
# What has changed, and what comes next, in one question: it is asked between two moments.
_LOOK = text(
    f"SELECT news.*, EXISTS (SELECT FROM outbox WHERE state = 'pending') AS waits, "
    f"{', '.join(f'({due}) AS {name}' for name, due in DUE.items())} FROM ({NEWS}) AS news"
)


class World:
    """The community, its clock and its people's steps; the machine is beside it."""

    def __init__(self, url: str, *, seed: int, begins: datetime) -> None:
        self.chance = Random(seed)
        self.now = begins.astimezone(UTC)
        self.seen: Counter[str] = Counter()
        self._numbers = itertools.count(1)
        self._agenda: list[tuple[datetime, int, Callable[[], None]]] = []
        self._due: dict[str, datetime] = {"rounds": self.now}
        self._something_waits = False
        self._stops_for: timedelta | None = None
        self._outage: timedelta | None = None
        self._down_until = self.now
        self._newest_step = 0
        self._engine = db.connect(url)
        self.sessions = db.sessions(self._engine)
        self._killed = db.connect(url)  # steps that are: a ROLLBACK throws away what its connection has kept ready
        self._doomed = db.sessions(self._killed)
        self._one_by_one = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        self._one_by_one.execute(text("SET plan_cache_mode = force_generic_plan"))  # planning a look takes 0.5 ms
        self._settle_in()
        self.machine = Machine(url, seed=seed, zone=ZONE, seen=self.seen)
        self.hears: Callable[[Parcel], None] = lambda parcel: None  # people's ears

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
        self.machine.close()
        self._one_by_one.close()
        self._killed.dispose()
        self._engine.dispose()

    # --- Time -------------------------------------------------------------------------------------------------------

    def at(self, moment: datetime, act: Callable[[], None]) -> None:
        """Have something happen then, or at the next moment after it."""
        heapq.heappush(self._agenda, (moment, next(self._numbers), act))

    def after(self, length: timedelta, act: Callable[[], None]) -> None:
        """The same, some time from now."""
        self.at(self.now + length, act)

    def number(self) -> int:
        """One that nothing else has."""
        return next(self._numbers)

    def saw(self, what: str) -> None:
        """Count it."""
        self.seen[what] += 1

    @property
    def violations(self) -> Sequence[str]:
        """The promises whose breach was seen so far."""
        return self.machine.watch.violations

    def play(self, until: datetime, *, progress: Callable[[World], None] = lambda world: None) -> None:
        """Let everything happen up to a moment."""
        self._look()
        while (moment := self._next()) <= until and not self._is_over():
            self.now = moment
            progress(self)
            self._happen()
        self._happen()

    def _next(self) -> datetime:
        """The next moment at which anything happens: by people, or by the machine."""
        moment = min(self._due.values())
        if self._agenda:
            moment = min(moment, self._agenda[0][0])
        if self._something_waits:
            moment = self.now
        return _full_minute(max(moment, self.now + APART, self._down_until))

    def _is_over(self) -> bool:
        """Nobody plans anything, and nothing is due but the rounds."""
        return not self._agenda and not self._something_waits and all(self._due[name] is NEVER for name in DUE)

    def _happen(self) -> None:
        """One moment; what was said in it just before the quiet hours goes out before them."""
        self._take_turns()
        if self._something_waits and self._night_begins():
            self._take_turns()

    def _night_begins(self) -> bool:
        """Whether the quiet hours begin before the next moment: a sender is seconds behind, not five minutes."""
        here = self.now.astimezone(ZoneInfo(ZONE))
        return here.time() < QUIET_FROM <= (here + APART).time()

    def _take_turns(self) -> None:
        """The machine has its turn, people act, and hear what has arrived."""
        asked = self._machines_turn()
        for act in self._acts_of_now():
            act()
        for parcel in asked:
            self.hears(parcel)
        self._look()
        self.saw("moments")

    def _acts_of_now(self) -> Iterator[Callable[[], None]]:
        """What people are to do now; while the machine is down it waits until it is up again."""
        while self._agenda and self._agenda[0][0] <= self.now:
            _, _, act = heapq.heappop(self._agenda)
            if self._is_down():
                self.at(self._down_until, act)
            else:
                yield act

    def _machines_turn(self) -> Sequence[Parcel]:
        """What it has brought; a machine that stops does so right after the sweeps, before anything is sent."""
        was_down, self._outage, self._stops_for = self._outage, self._stops_for, None
        if self._outage is not None:
            self.saw("outages")
            self._down_until = self.now + self._outage
        sweeps = self._sweeps()
        sends = not self._is_down() and (self._something_waits or bool(sweeps))
        return self.machine.turn(self.now, sweeps, sends=sends, was_down=was_down)

    def _sweeps(self) -> tuple[str, ...]:
        """Those that have something to do; in the rounds all of them."""
        if self._due["rounds"] <= self.now:
            self._due["rounds"] = self.now + ROUNDS
            return tuple(SWEEPS)
        return tuple(name for name in SWEEPS if self._due.get(name, NEVER) <= self.now)

    def _look(self) -> None:
        """What has changed, and when there is something to do next."""
        found = self._one_by_one.execute(_LOOK, {"after": self._newest_step}).mappings().one()
        self._newest_step = found["newest"] or self._newest_step
        for case_id in found["forgotten"] or ():
            self.machine.watch.forgotten(case_id)
        self._something_waits = found["waits"]
        self._due |= {name: found[name] or NEVER for name in DUE}

    def _is_down(self) -> bool:
        return self.now < self._down_until

    def go_down(self, length: timedelta) -> None:
        """The machine stops at the next moment; what people do meanwhile waits for it."""
        self._stops_for = length

    def judge(self) -> list[str]:
        """Every promise whose breach was seen; what there was is counted together."""
        self._happen()
        self.machine.watch.look_at_everything()
        return list(self.violations)

    # --- Steps ------------------------------------------------------------------------------------------------------

    def do(self, act: Callable[[Session], Any]) -> Any:
        """One step, as a handler makes it: what it gives, True if that is nothing, and None when it was refused."""
        luck = self.chance.random()
        if luck < KILLED_BEFORE_THE_COMMIT:
            self.saw("steps killed before the commit")
            self._make(act, commit=False)
        result = self._make(act)
        if luck > 1 - MADE_TWICE:
            self.saw("steps made twice")
            self._make(act)
        return result

    def _make(self, act: Callable[[Session], Any], *, commit: bool = True) -> Any:
        """The step, in a transaction of its own."""
        with (self.sessions if commit else self._doomed)() as session:
            try:
                result = act(session)
            except ServiceError as error:
                self.saw(f"refused: {type(error).__name__}")
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
            self.saw("claims that waited")
            self.do(lambda session: held.hold(session, conversation_id))
            self.machine.speaks_again(conversation_id)
            self.after(MINUTE, lambda: self.claim(conversation_id, act, then))


NEVER = datetime.max.replace(tzinfo=UTC) - timedelta(days=1)
NOTHING = object()  # what a refused step gives


def _full_minute(moment: datetime) -> datetime:
    """The next one."""
    return moment + (datetime(2026, 1, 1, tzinfo=UTC) - moment) % MINUTE
