"""Take inbox rows lane by lane, call a handler, settle: one transaction each, none held over a network call."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable, Sequence
from datetime import datetime

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session

from bot.drain import Drain
from bot.handlers import answers, route
from bot.rasa import Answer, Ask, Rasa, RasaDown
from bot.wake import Wake
from service import conversations, db, held, inbox
from service.held import LineInFlight
from service.inbox import LeaseLost, Turn

log = structlog.get_logger(__name__)
CLAIM_AGAIN = 0.1  # seconds until a claim asks again whether the bot's last line has arrived
MOST_LEASES = 4 * inbox.MAX_ATTEMPTS  # of one turn; whoever takes it then has seen it end many a worker


class TurnKillsWorkers(Exception):
    """A turn was leased again and again and never given back: it is parked instead of ending one more worker."""


class Worker(Drain[Turn]):
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
        super().__init__(sessions, wake, places=lanes)
        self._bot_id = bot_id
        self._rasa = rasa
        self._now = now

    def take(self, session: Session, places: int) -> Sequence[Turn]:
        """Lease the next turns."""
        return inbox.take(session, self._bot_id, worker=self._wake.number, limit=places)

    def seconds_to_next(self, session: Session) -> float | None:
        """How long until a fragment has waited long enough, or a lease runs out."""
        return inbox.seconds_to_next(session, self._bot_id)

    def free_orphans(self, session: Session) -> None:
        """Free the leases of workers that died."""
        inbox.free_orphans(session)

    async def work(self, turn: Turn) -> None:
        """Handle a turn; what goes wrong is written into its rows."""
        try:
            await self._handle(turn)
        except LeaseLost:
            log.warning("lease_lost", turn=turn.id)
        except LineInFlight as claim:
            await self._claim_again(turn, claim.conversation_id)
        except (OperationalError, InterfaceError) as error:
            log.warning("turn_interrupted", turn=turn.id, error=type(error).__name__)
            await self._give_back(turn, "the database went away")
        except route.Unreadable as error:
            reason = f"unreadable: {error}"
            log.warning("unreadable_update", turn=turn.id, reason=reason)
            await self.write_down(lambda session: inbox.bury(session, turn, error=reason))
        except Exception as error:  # noqa: BLE001 - a bug must not stop the lanes; the row says what happened
            where = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{type(error).__name__} at {where.name}:{where.lineno}"
            log.error("turn_failed", turn=turn.id, error=place, attempts=turn.attempts)  # noqa: TRY400 - texts stay out
            await self._give_back(turn, place)

    async def _handle(self, turn: Turn) -> None:
        if turn.attempts > MOST_LEASES:
            raise TurnKillsWorkers
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

    async def _claim_again(self, turn: Turn, conversation_id: int) -> None:
        """A butler's claim waits for the line of the bot's that is on its way to the resident just now."""

        def wait(session: Session) -> None:
            held.hold(session, conversation_id)
            inbox.postpone(session, turn, seconds=CLAIM_AGAIN)

        await self.in_transaction(wait)

    async def _give_back(self, turn: Turn, error: str) -> None:
        def release(session: Session) -> None:
            if inbox.release(session, turn, error=error):
                answers.bury(session, turn, now=self._now())

        await self.write_down(release)
