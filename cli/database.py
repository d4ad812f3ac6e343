"""Which database a command uses: the operator's by URL, otherwise the embedded one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from sqlalchemy.exc import OperationalError

from cli.postgres import DATABASE, Postgres
from service import db
from service.config import Settings

log = structlog.get_logger(__name__)
RASA_DATABASE = "guanjia_rasa"
ANSWERS_WITHIN = 20.0  # seconds
LOOK_EVERY = 0.5  # seconds


@contextmanager
def opened(settings: Settings) -> Iterator[str]:
    """The URL of a migrated database; an embedded server is started for as long as it is needed."""
    if settings.database_url is not None:
        url = settings.database_url.get_secret_value()
        _upgrade(url)
        yield url
        return
    server = Postgres(settings.data_dir)
    try:
        url = db.ensure_database(server.url, DATABASE)
        db.upgrade(url)
        yield url
    finally:
        server.stop()


@contextmanager
def sessions(settings: Settings) -> Iterator[db.Sessions]:
    """Sessions on the database, for commands that keep each step at once."""
    with opened(settings) as url:
        engine = db.connect(url)
        yield db.sessions(engine)
        engine.dispose()


def _upgrade(url: str) -> None:
    """Bring the schema up to date as soon as the server answers: it may be starting, or recovering from a crash."""
    give_up = time.monotonic() + ANSWERS_WITHIN
    while True:
        try:
            db.upgrade(url)
        except OperationalError as error:
            if time.monotonic() > give_up:
                raise
            log.warning("database_does_not_answer_yet", error=type(error.orig).__name__)
            time.sleep(LOOK_EVERY)
        else:
            return


def rasa_url(url: str) -> str:
    """Rasa's tracker: a database of its own on the same server."""
    return db.ensure_database(url, RASA_DATABASE)
