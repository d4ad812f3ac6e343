"""The one database: engine, sessions, notifications, migrations under a lock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, event, make_url, text
from sqlalchemy.orm import Session, sessionmaker

MIGRATION_LOCK = 7_262_614  # any fixed number: the advisory lock that lets one process migrate at a time
PREPARED = 300  # statements a connection keeps ready; of the driver's hundred, half were made ready again and again
MIGRATIONS = Path(__file__).with_name("migrations")

Sessions = sessionmaker[Session]


def url_for(raw: str) -> str:
    """Name psycopg 3 as the driver of a PostgreSQL URL, however the operator wrote it.

    Raises:
        ValueError: the URL is not PostgreSQL's.
    """
    url = make_url(raw)
    if not url.drivername.startswith("postgres"):
        raise ValueError(f"GUANJIA_DATABASE_URL must start with postgresql://, not {url.drivername}://")
    return url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def connect(raw: str, *, pool: int = 10) -> Engine:
    """Make the process's engine; a failed statement says what it was, never with which of a resident's words."""
    facts = {"pool_size": pool, "max_overflow": pool, "pool_timeout": 10, "pool_recycle": 1800}
    engine = create_engine(url_for(raw), hide_parameters=True, **facts)
    event.listen(engine, "connect", lambda connection, _: setattr(connection, "prepared_max", PREPARED))
    return engine


def sessions(engine: Engine) -> Sessions:
    """The session factory; objects stay readable after the commit."""
    return sessionmaker(engine, expire_on_commit=False)


def outside_transactions(factory: Sessions) -> Sessions:
    """Sessions for single questions: each is one way there and back instead of three."""
    engine: Engine = factory.kw["bind"]
    return sessionmaker(engine.execution_options(isolation_level="AUTOCOMMIT"))


def upgrade(raw: str) -> None:
    """Bring the schema up to date; any number of processes may call it at once, one does the work."""
    engine = create_engine(url_for(raw))
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    engine.dispose()


def ensure_database(raw: str, name: str) -> str:
    """Create the database `name` on the same server if it is missing, and return its URL (driverless).

    Rasa's tracker lives there; its SQLAlchemy is older than ours, so it gets a database of its own.
    """
    url = make_url(url_for(raw))
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": MIGRATION_LOCK})
        exists = connection.scalar(text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name})
        if not exists:
            connection.execute(text(f'CREATE DATABASE "{name}"'))
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": MIGRATION_LOCK})
    engine.dispose()
    return url.set(drivername="postgresql", database=name).render_as_string(hide_password=False)


def notify(session: Session, channel: str) -> None:
    """Wake whoever listens on `channel` when this transaction commits."""
    session.execute(text("SELECT pg_notify(:channel, '')"), {"channel": channel})


@contextmanager
def transaction(factory: Sessions) -> Iterator[Session]:
    """One transaction: committed at the end, rolled back on any error."""
    with factory.begin() as session:
        yield session
