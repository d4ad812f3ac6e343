"""Take inbox rows lane by lane, call a handler, settle: one transaction each, none held over a network call."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable
from datetime import datetime

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session

from bot.handlers import answers, route
from bot.rasa import Answer, Ask, Rasa, RasaDown
from bot.wake import Wake
from service import conversations, db, inbox
from service.inbox import LeaseLost, Turn

log = structlog.get_logger(__name__)
ORPHANS_EVERY = 5.0  # seconds between looks for leases of workers that died


class Worker:
    """Handles turns: one at a time in a lane, many lanes at once."""

    def __init__(
        self,
        bot_id: int,
        sessions: db.Sessions,
        wake: Wake,
        rasa: Rasa,
        *,
        lanes: int,
        now: Callable[[], datetime],
    ) -> None:
        self._bot_id = bot_id
        self._sessions = sessions
        self._wake = wake
        self._rasa = rasa
        self._lanes = lanes
        self._now = now
        self._at_work: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Work for ever."""
        await self._wake.ready.wait()
        looked = 0.0
        loop = asyncio.get_running_loop()
        while True:
            try:
                if loop.time() - looked > ORPHANS_EVERY:
                    await self._in_transaction(inbox.free_orphans)
                    looked = loop.time()
                pause = await self._take_some()
            except SQLAlchemyError as error:
                log.warning("worker_database", error=type(error).__name__)
                pause = 1.0
            await self._wake.wait(pause)

    async def finish(self) -> None:
        """Let turns at work end, so that a clean stop leaves no lease behind."""
        await asyncio.gather(*self._at_work, return_exceptions=True)

    async def _take_some(self) -> float | None:
        free = self._lanes - len(self._at_work)
        if free <= 0:
            return None
        turns, pause = await asyncio.to_thread(self._take, free)
        for turn in turns:
            task = asyncio.create_task(self._work(turn))
            self._at_work.add(task)
            task.add_done_callback(self._done)
        return 0.0 if turns else pause

    def _take(self, free: int) -> tuple[list[Turn], float | None]:
        with db.transaction(self._sessions) as session:
            turns = inbox.take(session, self._bot_id, worker=self._wake.number, limit=free)
            pause = None if turns else inbox.seconds_to_next(session, self._bot_id)
        return turns, pause

    def _done(self, task: asyncio.Task[None]) -> None:
        self._at_work.discard(task)
        self._wake.now()

    async def _work(self, turn: Turn) -> None:
        try:
            await self._handle(turn)
        except LeaseLost:
            log.warning("lease_lost", turn=turn.id)
        except (OperationalError, InterfaceError) as error:
            log.warning("turn_interrupted", turn=turn.id, error=type(error).__name__)
            await self._give_back(turn, "the database went away")
        except route.Unreadable as error:
            reason = f"unreadable: {error}"
            log.warning("unreadable_update", turn=turn.id, reason=reason)
            await self._in_transaction(lambda session: inbox.bury(session, turn, error=reason))
        except Exception as error:  # noqa: BLE001 - a bug must not stop the lanes; the row says what happened
            where = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{type(error).__name__} at {where.name}:{where.lineno}"
            log.error("turn_failed", turn=turn.id, error=place, attempts=turn.attempts)  # noqa: TRY400 - texts stay out
            await self._give_back(turn, place)

    async def _handle(self, turn: Turn) -> None:
        ask = await asyncio.to_thread(self._receive, turn)
        if ask is None:
            return
        try:
            answer: Answer | None = await self._rasa.ask(ask)
        except RasaDown as error:
            log.warning("rasa_down", turn=turn.id, reason=str(error))
            answer = None
        await asyncio.to_thread(self._settle, turn, ask, answer)

    def _receive(self, turn: Turn) -> Ask | None:
        with db.transaction(self._sessions) as session:
            ask = route.receive(session, turn, now=self._now())
            if ask is None:
                inbox.done(session, turn)
        return ask

    def _settle(self, turn: Turn, ask: Ask, answer: Answer | None) -> None:
        with db.transaction(self._sessions) as session:
            inbox.done(session, turn)
            if answer is None:
                conversation = conversations.lock(session, ask.conversation_id)
                answers.apologise(session, turn, ask, conversation, now=self._now())
            else:
                answers.say(session, turn, ask, answer, now=self._now())

    async def _give_back(self, turn: Turn, error: str) -> None:
        def release(session: Session) -> None:
            if inbox.release(session, turn, error=error):
                answers.bury(session, turn, now=self._now())

        try:
            await self._in_transaction(release)
        except SQLAlchemyError as failure:
            log.warning("not_released", turn=turn.id, error=type(failure).__name__)  # the lease will run out

    async def _in_transaction(self, work: Callable[[Session], object]) -> None:
        await asyncio.to_thread(self._run, work)

    def _run(self, work: Callable[[Session], object]) -> None:
        with db.transaction(self._sessions) as session:
            work(session)
