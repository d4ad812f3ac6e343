"""`guanjia trainer`: trains what staff ask for in the console, lets candidates read along, deletes old files.

All of it at low priority. How far a training is stands in the database.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import Callable
from datetime import datetime
from threading import Event, Thread
from types import FrameType

import structlog
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from bot.clock import Clock
from bot.heart import Heart, unwatched
from cli import models, progress, shadow, site_data, understanding
from cli.models import Shelf
from service import db, language_models, model_reports, training
from service.config import Settings
from service.model_files import BadModel
from service.models.understanding import TrainingRun

log = structlog.get_logger(__name__)
LOOKS_EVERY = 1.0  # seconds
CLOCK_WITHIN = 5.0  # seconds until the demo's clock is not waited for
TRAINER_LOCK = 7_262_620  # any fixed number: one trainer a site
AFTERWARDS = ("measuring", "reading_active", "reading_new")  # steps behind those of Rasa's components

FAILURES: dict[type[Exception], str] = {
    understanding.NotHere: "not_here",
    understanding.ToolFailed: "tool_failed",
    BadModel: "bad_model",
    OSError: "machine",  # no room on the disk, no memory for another process
}


def run(settings: Settings, url: str) -> None:
    """Wait for trainings until SIGTERM; a second trainer of the same site waits until the first is gone."""
    stop = Event()

    def end(_: int, __: FrameType | None) -> None:
        stop.set()
        sys.exit(0)  # out of a training too: its programs are ended, the run is said to be interrupted

    signal.signal(signal.SIGTERM, end)
    engine = db.connect(url)
    beat = Heart(settings.data_dir, "trainer").beat
    trainer = Trainer(Shelf(settings, db.sessions(engine)), _clock(settings), beat)
    while not stop.is_set():
        beat()
        try:
            with engine.connect() as connection:
                _work_alone(trainer, connection, stop)
        except OperationalError as error:
            log.warning("database_does_not_answer", error=type(error).__name__)
        stop.wait(LOOKS_EVERY)


def _clock(settings: Settings) -> Callable[[], datetime]:
    """The machine's clock, or the demo's, which a thread follows."""
    clock, read = Clock(), Event()
    if settings.clock_url is not None:
        url = str(settings.clock_url).rstrip("/")
        Thread(target=lambda: asyncio.run(clock.follow(url, on_change=read.set)), daemon=True).start()
        read.wait(CLOCK_WITHIN)
    return clock.now


def _work_alone(trainer: Trainer, connection: Connection, stop: Event) -> None:
    """Look for work while the lock is held, which the database takes back if this process dies."""
    if not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": TRAINER_LOCK}):
        return
    connection.commit()  # the lock is the connection's, and no transaction stays open over a training
    trainer.begin()
    while not stop.is_set():
        connection.execute(text("SELECT 1"))  # a lost connection has lost the lock
        connection.commit()
        trainer.look()
        stop.wait(LOOKS_EVERY)


class Trainer:
    """Does what staff ask for; the only one of its site."""

    def __init__(self, shelf: Shelf, now: Callable[[], datetime], beat: Callable[[], None] = unwatched) -> None:
        self._shelf = shelf
        self._now = now
        self._beat = beat
        self._reads_next = 0.0  # by the machine's monotonic clock

    def begin(self) -> None:
        """End what a trainer left behind that is no more."""
        with db.transaction(self._shelf.sessions) as session:
            training.end_interrupted(session, now=self._now())

    def look(self) -> bool:
        """Train if somebody has asked for it, and say whether; if nobody has, let a candidate read along."""
        self._beat()
        with db.transaction(self._shelf.sessions) as session:
            run = training.take(session, now=self._now())
        if run is not None:
            self._train(run)
            self._prune()
        elif time.monotonic() >= self._reads_next:
            shadow.read_along(self._shelf, now=self._now())
            self._reads_next = time.monotonic() + shadow.READS_EVERY
        return run is not None

    def _prune(self) -> None:
        try:
            deleted = models.prune(self._shelf, now=self._now())
        except OSError as error:  # a folder that may only be read, say: then somebody else sees to it
            log.warning("old_models_not_deleted", error=type(error).__name__)
        else:
            if deleted:
                log.info("old_models_deleted", models=deleted)

    def _train(self, run: TrainingRun) -> None:
        try:
            model_id = carry_out(self._shelf, run, now=self._now, beat=self._beat)
        except tuple(FAILURES) as error:
            log.warning("training_failed", run=run.id, error=type(error).__name__)
            self._fail(run, next(key for kind, key in FAILURES.items() if isinstance(error, kind)))
        except SystemExit:
            self._fail(run, training.INTERRUPTED)
            raise
        else:
            with db.transaction(self._shelf.sessions) as session:
                training.finish(session, run.id, model_id=model_id, now=self._now())

    def _fail(self, run: TrainingRun, failure: str) -> None:
        with db.transaction(self._shelf.sessions) as session:
            training.fail(session, run.id, failure, now=self._now())


class Teller:
    """Writes down how far a run is: the steps of Rasa's components, then those of AFTERWARDS."""

    def __init__(self, shelf: Shelf, run_id: int, beat: Callable[[], None]) -> None:
        self._shelf = shelf
        self._run_id = run_id
        self._beat = beat
        self._components = 0

    def component(self, number: int, every: int, name: str) -> None:
        """A component of Rasa's begins to train."""
        self._components = every
        self._tell(number - 1, name)

    def afterwards(self, doing: str) -> None:
        """The model is there; something else begins."""
        self._tell(self._components + AFTERWARDS.index(doing), doing)

    def _tell(self, step: int, doing: str) -> None:
        self._beat()
        with db.transaction(self._shelf.sessions) as session:
            training.tell(session, self._run_id, step=step, steps=self._components + len(AFTERWARDS), doing=doing)


def carry_out(
    shelf: Shelf, run: TrainingRun, *, now: Callable[[], datetime], beat: Callable[[], None] = unwatched
) -> int:
    """Train if it is wanted, measure the model and the active one, keep what each makes of the exams.

    Returns:
        The number of the model.

    Raises:
        NotHere: this machine has no Rasa.
        ToolFailed: the data or the training is at fault; the tool has said what.
        BadModel: the model's file is gone or broken.
        OSError: the machine has no room.
    """
    teller = Teller(shelf, run.id, beat)
    name = _name(shelf, run.model_id) if run.model_id else _train(shelf, teller, by=run.asked_by, now=now())
    models.check(shelf, name)
    teller.afterwards("measuring")
    active = shelf.active() or name
    models.measure(shelf, active, name)
    if active != name and shelf.file(active).is_file():
        teller.afterwards("reading_active")
        try:
            _keep_report(shelf, active, now=now())
        except understanding.ToolFailed:  # the code of today cannot load it: there is nothing to compare with
            log.warning("active_model_unreadable", model=active)
    teller.afterwards("reading_new")
    return _keep_report(shelf, name, now=now())


def _name(shelf: Shelf, model_id: int) -> str:
    with shelf.recorded() as session:
        return language_models.access_number(session, model_id).name


def _train(shelf: Shelf, teller: Teller, *, by: str, now: datetime) -> str:
    with site_data.written(shelf.sessions) as site:
        watch = understanding.Watch(by, now, lambda lines: progress.follow(lines, teller.component))
        name = understanding.train(shelf.settings, site, watch)
    with shelf.recorded() as session:
        if language_models.active(session) is None:
            language_models.activate(session, name, by=by, now=now)
    return name


def _keep_report(shelf: Shelf, name: str, *, now: datetime) -> int:
    """Keep what a model makes of the exams, as it was measured just now; give its number."""
    with site_data.written(shelf.sessions) as site:
        report = understanding.report(shelf.file(name), site.exam)
    with shelf.recorded() as session:
        model = language_models.access_model(session, name)
        model_reports.keep(session, model, report, now=now)
        return model.id
