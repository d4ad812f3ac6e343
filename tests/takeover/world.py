"""A resident, two butlers, workers and senders that may be killed at any moment, and a Telegram that remembers.

Everything runs on the real functions and a real PostgreSQL, in one transaction that is thrown away, so thousands of
histories fit into minutes: what a process commits is written into it, and only what may be rolled back costs a
savepoint. Time passes when somebody says so.
"""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, select, text
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.orm.session import JoinTransactionMode

from bot.handlers import answers, route
from bot.rasa import Answer, Ask, Reply
from service import (
    after_talks,
    board,
    callbacks,
    conversations,
    held,
    idle,
    inbox,
    self_check,
    sending,
    staff,
    surveys,
    topic_names,
    waiting,
    work,
)
from service.errors import ServiceError
from service.held import LineInFlight
from service.inbox import Arrival, Turn
from service.models.cases import Case, CaseState
from service.models.communities import Community, TalksIn
from service.models.people import Staff
from service.models.talks import Conversation, Owner
from service.sending import Parcel
from tests.bot.updates import message, staff_message, tap, user
from tests.stage import BOT_ID, NOON, PLENTY, Stage

RESIDENT = 5001
BUTLERS = (9001, 9002)
THREAD = 77
WORDS = ("水管漏了", "还在吗", "三栋", "没事了", "着火了！", "转人工")
_numbers = itertools.count(1)


class Killed(Exception):
    """The process is gone before its commit."""


@dataclass
class Flight:
    """A call to Telegram that has begun: who makes it, and whether Telegram has taken it in."""

    parcel: Parcel
    sender: int
    bots: bool  # a line of the bot's to the resident
    arrived: bool = False


@dataclass
class Job:
    """A turn that a worker has in hand: first received, then, when Rasa has answered, settled."""

    turn: Turn
    worker: int
    ask: Ask | None = None


@dataclass
class World:
    """Everything that can happen, one step at a time."""

    connection: Connection
    lives: Connection  # holds the advisory locks of the living
    seen: Counter[str] = field(default_factory=Counter)
    now: datetime = NOON

    def __post_init__(self) -> None:
        self.commit = self._transactions("rollback_only")  # one transaction of one process
        self.attempt = self._transactions("create_savepoint")  # one that may fail, and leaves nothing behind then
        self.flights: list[Flight] = []
        self.ghosts: list[Flight] = []  # requests of killed senders that are still on the wire
        self.jobs: list[Job] = []
        self.arrivals: list[tuple[int, int]] = []  # outbox row and chat, as Telegram took them in
        self.uncertain: set[int] = set()  # rows whose outcome nobody knew at some time: these may arrive twice
        self.typed: dict[int, str] = {}  # message of a butler's → the lane in which it came
        self.said: dict[int, bool] = {}  # message of the resident's → people had the talk
        self.update_id = next(_numbers) * 100_000
        self.raws: list[Arrival] = []
        self.senders = [self.be_born(), self.be_born()]
        self.workers = [self.be_born(), self.be_born()]
        [(self.talk_id, self.case_id)] = self.rows("SELECT conversation_id, id FROM cases")

    def _transactions(self, mode: JoinTransactionMode) -> Callable[[], AbstractContextManager[Session]]:
        return sessionmaker(self.connection, expire_on_commit=False, join_transaction_mode=mode).begin

    def be_born(self) -> int:
        """The number of a process that lives from now on."""
        number = 1_000_000 + next(_numbers)
        self.lives.execute(text("SELECT pg_advisory_lock(:n)"), {"n": number})
        return number

    def die(self, number: int) -> None:
        """A process is killed."""
        self.lives.execute(text("SELECT pg_advisory_unlock(:n)"), {"n": number})

    def butlers_read_in_private(self) -> None:
        """The community has its talks there, and both butlers have opened the bot; they may type in the topic too."""
        with self.commit() as session:
            community = session.scalars(select(Community)).one()
            community.talks_in = TalksIn.PRIVATE
            for who in BUTLERS:
                member = staff.access_staff(session, community.id, who, display_name="管家")
                member.private_since = self.now

    def owner(self) -> Owner:
        [(owner,)] = self.rows("SELECT owner FROM conversations WHERE id = %s", self.talk_id)
        return Owner(owner)

    # --- People ---------------------------------------------------------------------------------------------------

    def resident_says(self, n: int) -> None:
        body = message(WORDS[n % len(WORDS)], sender=user(RESIDENT))
        self.said[int(body["message_id"])] = False
        self._put(f"chat:{RESIDENT}", {"message": body})

    def resident_bursts(self, n: int) -> None:
        """Several lines that a worker handles before a sender looks."""
        for place in range(2 + n % 3):
            self.resident_says(n + place)
        for _ in range(2 + n % 3):
            self.worker_takes(n)

    def butler_types(self, n: int) -> None:
        body = staff_message(f"第{next(_numbers)}句", thread=THREAD, who=BUTLERS[n % 2])
        self._type(f"topic:{THREAD}", body)

    def butler_types_in_private(self, n: int) -> None:
        """To the resident they have; whoever has none, or whose last line is still on its way, is no butler there."""
        who, lane = BUTLERS[n % 2], f"chat:{BUTLERS[n % 2]}"
        theirs = """SELECT 1 FROM conversations JOIN staff ON staff.id = butler_id JOIN communities
                    ON communities.id = staff.community_id WHERE talks_in = 'private' AND staff.user_id = %s
                    AND NOT EXISTS (SELECT 1 FROM inbox WHERE lane = %s AND done_at IS NULL)"""
        if self.rows(theirs, who, lane):
            words = f"第{next(_numbers)}句"
            self._type(lane, message(words, chat={"id": who, "type": "private"}, sender=user(who, first_name="李强")))

    def _type(self, lane: str, body: dict[str, Any]) -> None:
        self.typed[int(body["message_id"])] = lane
        self._put(lane, {"message": body})

    def butler_taps(self, n: int) -> None:
        """接手."""
        on = staff_message("卡片", thread=THREAD, who=BOT_ID)
        self._put(f"topic:{THREAD}", {"callback_query": tap(f"c:{self.talk_id}:claim", on=on, who=BUTLERS[n % 2])})

    def butler_is_done(self, n: int) -> None:
        self._put(f"topic:{THREAD}", {"message": staff_message("/done", thread=THREAD, who=BUTLERS[n % 2])})

    def butler_hands_on(self, n: int) -> None:
        """To a colleague, who may not have said anything yet and so has no number, or to a department."""
        to = ("102", "103", "工程部")[n % 3]
        words = f"/transfer {to} 请接着谈"
        self._put(f"topic:{THREAD}", {"message": staff_message(words, thread=THREAD, who=BUTLERS[n % 2])})

    def butler_sends_a_phrase(self, n: int) -> None:
        on = staff_message("卡片", thread=THREAD, who=BOT_ID)
        self._put(f"topic:{THREAD}", {"callback_query": tap(f"p:{self.talk_id}:sorry", on=on, who=BUTLERS[n % 2])})

    def telegram_sends_an_update_again(self, n: int) -> None:
        if self.raws:
            self.seen["updates that came again"] += 1
            with self.commit() as session:
                inbox.put(session, BOT_ID, [self.raws[n % len(self.raws)]])

    def _put(self, lane: str, update: Mapping[str, object]) -> None:
        self.update_id += 1
        raw = json.dumps({"update_id": self.update_id, **update}).encode()
        self.raws.append(Arrival(self.update_id, lane, raw))
        with self.commit() as session:
            inbox.put(session, BOT_ID, self.raws[-1:])

    # --- Workers --------------------------------------------------------------------------------------------------

    def worker_takes(self, n: int) -> None:
        worker = self.workers[n % 2]
        with self.commit() as session:
            turns = inbox.take(session, BOT_ID, worker=worker, limit=1 + n % 2)
        for turn in turns:
            self._receive(Job(turn, worker))

    def _receive(self, job: Job) -> None:
        self.now += timedelta(milliseconds=1)
        try:
            with self.attempt() as session:
                job.ask = route.receive(session, job.turn, now=self.now)
                had = session.get_one(Conversation, self.talk_id).owner is not Owner.BOT
                if job.ask is None:
                    inbox.done(session, job.turn)
        except LineInFlight as claim:
            self.seen["claims that waited"] += 1
            with self.commit() as session:
                held.hold(session, claim.conversation_id)
                inbox.postpone(session, job.turn, seconds=0.1)
            return
        if job.ask is not None:
            self.jobs.append(job)
            return
        for _, raw in job.turn.rows:
            number = json.loads(raw).get("message", {}).get("message_id")
            if number in self.said:
                self.said[number] = had

    def rasa_answers(self, n: int) -> None:
        """Late as it may be."""
        if not self.jobs:
            return
        job = self.jobs.pop(n % len(self.jobs))
        assert job.ask is not None
        said = Answer(tuple(Reply(f"答{job.turn.id}-{i}") for i in range(1 + n % 2)), False, "inform", 1.0)
        with self.commit() as session:
            inbox.done(session, job.turn)
            answers.say(session, job.turn, job.ask, said, now=self.now)

    def worker_is_killed(self, n: int) -> None:
        """Between two commits: what it had in hand is somebody else's; what it had not committed never was."""
        dead, self.workers[n % 2] = self.workers[n % 2], self.be_born()
        self.die(dead)
        self.seen["workers killed"] += 1
        self.seen["turns that a killed worker had in hand"] += sum(job.worker == dead for job in self.jobs)
        self.jobs = [job for job in self.jobs if job.worker != dead]
        with self.commit() as session:
            inbox.free_orphans(session)

    def worker_is_killed_in_the_middle(self, n: int) -> None:
        """Everything was done, and the commit never came."""
        worker = self.workers[n % 2]
        with self.commit() as session:
            turns = inbox.take(session, BOT_ID, worker=worker, limit=1)
        self.seen["turns that a killed worker had done, but not committed"] += len(turns)
        with suppress(LineInFlight, Killed), self.attempt() as session:
            for turn in turns:
                route.receive(session, turn, now=self.now)
            raise Killed
        self.worker_is_killed(n)

    # --- Senders --------------------------------------------------------------------------------------------------

    def sender_takes(self, n: int) -> None:
        sender = self.senders[n % 2]
        with self.commit() as session:
            parcels = sending.take(session, BOT_ID, sender=sender, limit=1 + n, rates=PLENTY)
        to_resident = [parcel.id for parcel in parcels if parcel.chat_id == RESIDENT]
        by_bot = "SELECT id FROM outbox WHERE id = ANY(%s) AND epoch IS NOT NULL"
        bots = [row for (row,) in self.rows(by_bot, to_resident)] if to_resident else []
        self.flights += [Flight(parcel, sender, parcel.id in bots) for parcel in parcels]

    def telegram_takes_it_in(self, n: int) -> None:
        """The call arrives; also one whose sender was killed right after."""
        waiting = [flight for flight in [*self.flights, *self.ghosts] if not flight.arrived]
        if waiting:
            self._arrive(waiting[n % len(waiting)])

    def _arrive(self, flight: Flight) -> None:
        flight.arrived = True
        self.arrivals.append((flight.parcel.id, flight.parcel.chat_id))
        over_a_butler = flight.bots and self.owner() is Owner.BUTLER
        assert not over_a_butler, f"the bot speaks over a butler: {flight.parcel.kind}"
        self.seen["lines of the bot's" if flight.bots else "lines of people's and to staff"] += 1

    def sender_writes_it_down(self, n: int) -> None:
        arrived = [flight for flight in self.flights if flight.arrived]
        if arrived:
            self._settle(arrived[n % len(arrived)])

    def _settle(self, flight: Flight) -> None:
        self.flights.remove(flight)
        with self.commit() as session:
            sending.sent(session, flight.parcel, message_id=flight.parcel.id)

    def the_answer_is_lost(self, n: int) -> None:
        """Telegram took it in or not; the sender never learns which."""
        if self.flights:
            flight = self.flights.pop(n % len(self.flights))
            self.seen["answers of Telegram's that were lost"] += 1
            self.uncertain.add(flight.parcel.id)
            with self.commit() as session:
                sending.uncertain(session, flight.parcel, reason="read timeout")

    def telegram_says_slow_down(self, n: int) -> None:
        waiting = [flight for flight in self.flights if not flight.arrived]
        if waiting:
            flight = waiting[n % len(waiting)]
            self.flights.remove(flight)
            with self.commit() as session:
                sending.again(session, flight.parcel, reason="RetryAfter", wait=0.0)

    def sender_is_killed(self, n: int) -> None:
        dead, self.senders[n % 2] = self.senders[n % 2], self.be_born()
        self.die(dead)
        mine = [flight for flight in self.flights if flight.sender == dead]
        self.seen["senders killed"] += 1
        self.seen["calls that a killed sender had in flight"] += len(mine)
        self.uncertain |= {flight.parcel.id for flight in mine}
        self.ghosts += [flight for flight in mine if not flight.arrived]
        self.flights = [flight for flight in self.flights if flight.sender != dead]

    def somebody_notices(self, _: int) -> None:
        with self.commit() as session:
            sending.free_orphans(session)
            inbox.free_orphans(session)

    def time_passes(self, _: int = 0) -> None:
        """Long enough for every wait; what was on the wire has arrived or never will."""
        self.ghosts.clear()
        with self.commit() as session:
            session.execute(text("UPDATE inbox SET lease_until = NULL, ready_at = received_at WHERE lease IS NULL"))
            long_ago = "UPDATE outbox SET sending_at = sending_at - interval '5 s', not_before = created_at"
            session.execute(text(f"{long_ago} WHERE state IN ('pending', 'unconfirmed')"))

    # --- The scheduler and the departments --------------------------------------------------------------------------

    def department_takes_a_step(self, n: int) -> None:
        verb = ("accept", "depart", "done", "ask")[n % 4]
        with self.commit() as session:
            try:
                member = session.scalars(select(Staff)).first()
                assert member is not None
                work.tap(session, member, self.case_id, verb, key=f"tap:{next(_numbers)}", now=self.now)
            except ServiceError:
                return

    def the_scheduler_wakes(self, _: int) -> None:
        self.now += timedelta(hours=30)
        self._sweep()

    def it_is_noon_again(self) -> None:
        """Some day later, outside the quiet hours, when everything may be said."""
        self.now = datetime.combine(self.now.date() + timedelta(days=1), NOON.timetz())
        self._sweep()

    def _sweep(self) -> None:
        with self.commit() as session:
            callbacks.send_due(session, now=self.now)
            idle.sweep(session, now=self.now)
            after_talks.take_up(session, now=self.now)
            topic_names.rename_due(session, now=self.now)
            board.refresh_due(session, now=self.now)
            waiting.sweep(session, now=self.now)

    def half_a_minute_passes(self, n: int) -> None:
        """Whoever waits is kept company, and staff are told after some of these."""
        self.now += timedelta(seconds=30 * (n + 1))
        with self.commit() as session:
            waiting.sweep(session, now=self.now)

    def a_survey_is_due(self, _: int) -> None:
        with self.commit() as session:
            case = session.get_one(Case, self.case_id)
            if case.state is CaseState.FINISHED:
                surveys.ask(session, case, now=self.now)

    # --- The end ----------------------------------------------------------------------------------------------------

    def calm_down(self) -> None:
        """Everybody finishes what is in hand; then there is nothing left to do."""
        before = None
        for _ in range(180):
            left = self.work_left()
            if not any(left) and not self.jobs:
                return
            if left == before:  # nothing went on: somebody has died, or something waits for its time
                self.somebody_notices(0)
                self.time_passes()
            before = left
            if left[0]:
                self.worker_takes(1)
                self.rasa_answers(0)
            if self.work_left()[1]:
                self._send_all()
        raise AssertionError("it never comes to rest")

    def _send_all(self) -> None:
        self.sender_takes(9)
        for flight in list(self.flights):
            if not flight.arrived:
                self._arrive(flight)
            self._settle(flight)

    def work_left(self) -> tuple[int, int]:
        """Updates nobody has finished, and lines that are still to go out."""
        [(updates, lines)] = self.rows(
            """SELECT (SELECT count(*) FROM inbox WHERE done_at IS NULL AND dead_at IS NULL),
                      (SELECT count(*) FROM outbox WHERE state IN ('pending', 'sending'))"""
        )
        return int(updates), int(lines)

    def violations(self) -> list[dict[str, Any]]:
        """What the nightly self-check would report."""
        with self.commit() as session:
            community = session.scalars(select(Community)).one()
            return self_check.violations(session, community, since=self_check.EVER, after=0)

    def rows(self, question: str, *values: object) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self.connection.exec_driver_sql(question, values or None).all()]


def beginning(session: Session) -> None:
    """What stands before every history: a resident with a topic and a case."""
    stage = Stage(session)
    talk = stage.resident(chat_id=RESIDENT)
    conversations.to_staff(session, talk, "say", {"text": "卡片"}, key="card")
    stage.case(talk)
    stage.member()
    session.execute(text("UPDATE topics SET thread_id = id + 1000"))
    session.execute(text("UPDATE topics SET thread_id = :t WHERE id = :id"), {"t": THREAD, "id": talk.topic_id})
    session.execute(text("UPDATE outbox SET state = 'sent'"))


Step = Callable[[World, int], None]
STEPS: Mapping[str, Step] = {
    step.__name__: step
    for step in (
        World.resident_says,
        World.resident_bursts,
        World.butler_types,
        World.butler_types_in_private,
        World.butler_taps,
        World.butler_is_done,
        World.butler_hands_on,
        World.butler_sends_a_phrase,
        World.telegram_sends_an_update_again,
        World.worker_takes,
        World.rasa_answers,
        World.worker_is_killed,
        World.worker_is_killed_in_the_middle,
        World.sender_takes,
        World.telegram_takes_it_in,
        World.sender_writes_it_down,
        World.the_answer_is_lost,
        World.telegram_says_slow_down,
        World.sender_is_killed,
        World.somebody_notices,
        World.time_passes,
        World.department_takes_a_step,
        World.the_scheduler_wakes,
        World.half_a_minute_passes,
        World.a_survey_is_due,
    )
}


@contextmanager
def a_world(engine: Engine, seen: Counter[str]) -> Iterator[World]:
    """A world that leaves nothing behind."""
    with engine.connect() as connection, engine.connect().execution_options(isolation_level="AUTOCOMMIT") as lives:
        whole = connection.begin()
        try:
            yield World(connection, lives, seen)
        finally:
            whole.rollback()
            lives.execute(text("SELECT pg_advisory_unlock_all()"))
