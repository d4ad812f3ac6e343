"""`guanjia trainer`: trains what staff ask for in the console, at low priority, and writes down how far it is."""

from __future__ import annotations

import signal
import sys
from datetime import UTC, datetime
from threading import Event
from types import FrameType

import structlog
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from cli import models, progress, site_data, understanding
from cli.models import Shelf
from service import db, language_models, model_reports, training
from service.config import Settings
from service.model_files import BadModel
from service.models import TrainingRun

log = structlog.get_logger(__name__)
LOOKS_EVERY = 1.0  # seconds
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
    shelf = Shelf(settings, db.sessions(engine))
    while not stop.is_set():
        try:
            with engine.connect() as connection:
                _train_alone(shelf, connection, stop)
        except OperationalError as error:
            log.warning("database_does_not_answer", error=type(error).__name__)
        stop.wait(LOOKS_EVERY)


def _train_alone(shelf: Shelf, connection: Connection, stop: Event) -> None:
    """Look for trainings while the lock is held, which the database takes back if this process dies."""
    if not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": TRAINER_LOCK}):
        return
    connection.commit()  # the lock is the connection's, and no transaction stays open over a training
    with db.transaction(shelf.sessions) as session:
        training.end_interrupted(session, now=_now())
    while not stop.is_set():
        connection.execute(text("SELECT 1"))  # a lost connection has lost the lock
        connection.commit()
        look(shelf)
        stop.wait(LOOKS_EVERY)


def look(shelf: Shelf) -> bool:
    """Do what somebody has asked for, if anybody has; say whether."""
    with db.transaction(shelf.sessions) as session:
        run = training.take(session, now=_now())
    if run is None:
        return False
    try:
        model_id = carry_out(shelf, run)
    except tuple(FAILURES) as error:
        log.warning("training_failed", run=run.id, error=type(error).__name__)
        failure = next(key for kind, key in FAILURES.items() if isinstance(error, kind))
        with db.transaction(shelf.sessions) as session:
            training.fail(session, run.id, failure, now=_now())
    except SystemExit:
        with db.transaction(shelf.sessions) as session:
            training.fail(session, run.id, training.INTERRUPTED, now=_now())
        raise
    else:
        with db.transaction(shelf.sessions) as session:
            training.finish(session, run.id, model_id=model_id, now=_now())
    return True


class Teller:
    """Writes down how far a run is: the steps of Rasa's components, then those of AFTERWARDS."""

    def __init__(self, shelf: Shelf, run_id: int) -> None:
        self._shelf = shelf
        self._run_id = run_id
        self._components = 0

    def component(self, number: int, every: int, name: str) -> None:
        """A component of Rasa's begins to train."""
        self._components = every
        self._tell(number - 1, name)

    def afterwards(self, doing: str) -> None:
        """The model is there; something else begins."""
        self._tell(self._components + AFTERWARDS.index(doing), doing)

    def _tell(self, step: int, doing: str) -> None:
        with db.transaction(self._shelf.sessions) as session:
            training.tell(session, self._run_id, step=step, steps=self._components + len(AFTERWARDS), doing=doing)


def carry_out(shelf: Shelf, run: TrainingRun) -> int:
    """Train if it is wanted, measure the model and the active one, keep what each makes of the exams.

    Returns:
        The number of the model.

    Raises:
        NotHere: this machine has no Rasa.
        ToolFailed: the data or the training is at fault; the tool has said what.
        BadModel: the model's file is gone or broken.
        OSError: the machine has no room.
    """
    teller = Teller(shelf, run.id)
    name = _train(shelf, teller, by=run.asked_by) if run.model_id is None else _name(shelf, run.model_id)
    models.check(shelf, name)
    teller.afterwards("measuring")
    active = shelf.active() or name
    models.measure(shelf, active, name)
    if active != name and shelf.file(active).is_file():
        teller.afterwards("reading_active")
        try:
            _keep_report(shelf, active)
        except understanding.ToolFailed:  # the code of today cannot load it: there is nothing to compare with
            log.warning("active_model_unreadable", model=active)
    teller.afterwards("reading_new")
    return _keep_report(shelf, name)


def _name(shelf: Shelf, model_id: int) -> str:
    with shelf.recorded() as session:
        return language_models.access_number(session, model_id).name


def _train(shelf: Shelf, teller: Teller, *, by: str) -> str:
    with site_data.written(shelf.sessions) as site:
        name = understanding.train(shelf.settings, site, watch=lambda lines: progress.follow(lines, teller.component))
    with shelf.recorded() as session:
        if language_models.active(session) is None:
            language_models.activate(session, name, by=by, now=_now())
    return name


def _keep_report(shelf: Shelf, name: str) -> int:
    """Keep what a model makes of the exams, as it was measured just now; give its number."""
    with site_data.written(shelf.sessions) as site:
        report = understanding.report(shelf.file(name), site.exam)
    with shelf.recorded() as session:
        model = language_models.access_model(session, name)
        model_reports.keep(session, model, report, now=_now())
        return model.id


def _now() -> datetime:
    return datetime.now(UTC)
