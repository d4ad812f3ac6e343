"""Which database a command uses: the operator's by URL, otherwise the embedded one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cli.postgres import DATABASE, Postgres
from service import db
from service.config import Settings

RASA_DATABASE = "guanjia_rasa"


@contextmanager
def opened(settings: Settings) -> Iterator[str]:
    """The URL of a migrated database; an embedded server is started for as long as it is needed."""
    if settings.database_url is not None:
        url = settings.database_url.get_secret_value()
        db.upgrade(url)
        yield url
        return
    server = Postgres(settings.data_dir)
    try:
        url = db.ensure_database(server.url, DATABASE)
        db.upgrade(url)
        yield url
    finally:
        server.stop()


def rasa_url(url: str) -> str:
    """Rasa's tracker: a database of its own on the same server."""
    return db.ensure_database(url, RASA_DATABASE)
