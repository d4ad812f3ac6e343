"""APScheduler wakes the sweeps of service/; the rows are the truth, so any number of schedulers may run."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from datetime import datetime

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from bot.heart import unwatched
from service import (
    after_talks,
    board,
    callbacks,
    daily_sums,
    db,
    delivery,
    desk,
    files,
    idle,
    incident_reports,
    incidents,
    ladder,
    near_misses,
    phone_calls,
    self_check,
    surveys,
    topic_names,
    visit_reminders,
    waiting,
)

log = structlog.get_logger(__name__)
BATCH = 10  # rows of one transaction: while it is written, residents wait for a core
RESTS = 2.0  # times as long as a batch took, before the next: residents are not to notice what is made up for
SELDOM = {"daily_sums": 60.0}  # seconds from one to the next, of what nobody waits for

# Each does one batch and says how many rows it looked at; it is called again while there is more.
SWEEPS: dict[str, Callable[[Session, datetime], int]] = {
    "call_backs": lambda session, now: callbacks.send_due(session, now=now, limit=BATCH),
    "visits": lambda session, now: visit_reminders.send_due(session, now=now, limit=BATCH),
    "phone_calls": lambda session, now: phone_calls.post_due(session, now=now, limit=BATCH),
    "surveys": lambda session, now: surveys.expire_due(session, now=now, limit=BATCH),
    "after_talks": lambda session, now: after_talks.take_up(session, now=now, limit=BATCH),
    "idle": lambda session, now: idle.sweep(session, now=now, limit=BATCH),
    "self_check": lambda session, now: self_check.check_due(session, now=now, limit=BATCH),
    "unconfirmed": lambda session, _: delivery.show_unconfirmed(session, limit=BATCH),
    "desk": lambda session, now: desk.hand_over_due(session, now=now, limit=BATCH),
    "waiting": lambda session, now: waiting.sweep(session, now=now, limit=BATCH),
    "topic_names": lambda session, now: topic_names.rename_due(session, now=now, limit=BATCH),
    "board": lambda session, now: board.refresh_due(session, now=now, limit=BATCH),
    "clocks": lambda session, now: ladder.climb_due(session, now=now, limit=BATCH),
    "incidents": lambda session, now: incidents.ask_whether_over(session, now=now, limit=BATCH),
    "incidents_over": lambda session, now: incident_reports.tell_due(session, now=now, limit=BATCH),
    "files": lambda session, now: files.let_go(session, now=now, limit=BATCH),
    "near_misses": lambda session, now: near_misses.post_due(session, now=now, limit=BATCH),
    "daily_sums": lambda session, now: daily_sums.keep_due(session, now=now, limit=BATCH),
}


class Scheduler:
    """Wakes every sweep in turn."""

    def __init__(
        self,
        sessions: db.Sessions,
        *,
        now: Callable[[], datetime],
        every: float,
        beat: Callable[[], None] = unwatched,
    ) -> None:
        self._sessions = sessions
        self._now = now
        self._every = every
        self._beat = beat
        self._stopped = threading.Event()

    async def run(self) -> None:
        """Sweep for ever."""
        scheduler = AsyncIOScheduler(
            job_defaults={"max_instances": 1, "coalesce": True, "misfire_grace_time": None}, timezone="UTC"
        )
        for name in SWEEPS:
            seconds = max(self._every, SELDOM.get(name, 0.0))
            scheduler.add_job(self._sweep, "interval", seconds=seconds, args=[name], id=name)
        scheduler.start()
        try:
            await asyncio.Event().wait()
        finally:
            self._stopped.set()
            scheduler.shutdown(wait=False)

    async def _sweep(self, name: str) -> None:
        self._beat()
        try:
            await asyncio.to_thread(self.sweep, name)
        except SQLAlchemyError as error:
            log.warning("sweep_failed", sweep=name, error=type(error).__name__)
        except asyncio.CancelledError:  # a stop; APScheduler would call it a failure, and its thread ends the work
            log.info("sweep_left", sweep=name)

    def sweep(self, name: str) -> None:
        """Do everything that is due now, a batch a transaction, at a third of the time; a stop leaves the rest."""
        while True:
            begun = time.perf_counter()
            with db.transaction(self._sessions) as session:
                rows = SWEEPS[name](session, self._now())
            if rows < BATCH or self._stopped.wait(RESTS * (time.perf_counter() - begun)):
                return
