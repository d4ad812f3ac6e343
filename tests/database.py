"""Fixtures: a real PostgreSQL for every test; one server a run, one database a worker, one transaction a test."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from cli.postgres import Postgres
from service import db
from service.db import Sessions
from tests.stage import NOBODY_NEEDS_IT, Stage, copy_of_template, empty, server_dir, set_up, template


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The embedded server of this test run."""
    server = Postgres(server_dir(tmp_path_factory))
    set_up(server.url, *NOBODY_NEEDS_IT)
    template(server.url)
    yield server.url
    server.stop()


@pytest.fixture(scope="session")
def database_url(server_url: str) -> Iterator[str]:
    """This worker's own database, migrated and empty."""
    with copy_of_template(server_url, f"test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{os.getpid()}") as url:
        yield url


@pytest.fixture(scope="session")
def engine(database_url: str) -> Iterator[Engine]:
    """The engine of this worker's database."""
    engine = db.connect(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """A transaction that is rolled back: the service never commits."""
    with Session(engine, expire_on_commit=False) as session:
        yield session
        session.rollback()


@pytest.fixture
def stage(session: Session) -> Stage:
    """A community with builders for the rest."""
    return Stage(session)


@pytest.fixture
def sessions(engine: Engine) -> Iterator[Sessions]:
    """For what happens between transactions: everything is committed, and removed afterwards."""
    yield db.sessions(engine)
    empty(engine)
