"""The one database: by any spelling of its URL, migrated by one process at a time."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Engine, create_engine, inspect, make_url, text

from service import db
from service.models.base import Base


@pytest.mark.parametrize(
    "raw", ["postgresql://u:p@h:5/d", "postgres://u:p@h:5/d", "postgresql+psycopg://u:p@h:5/d", "postgresql+psycopg2://u:p@h:5/d"]
)  # fmt: skip
def test_however_the_operator_writes_it_the_driver_is_psycopg_3(raw):
    assert db.url_for(raw) == "postgresql+psycopg://u:p@h:5/d"


def test_the_embedded_servers_socket_survives():
    url = db.url_for("postgresql://postgres:@/postgres?host=/tmp/x/postgres")

    assert make_url(url).query == {"host": "/tmp/x/postgres"}


def test_another_database_is_refused_without_showing_the_password():
    with pytest.raises(ValueError, match="postgresql://") as refused:
        db.url_for("mysql://u:hush@h/d")

    assert "hush" not in str(refused.value)


def test_four_processes_migrate_at_once_and_one_does_the_work(server_url):
    name = f"upgraded_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{os.getpid()}"
    url = db.ensure_database(server_url, name)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(db.upgrade, [url] * 4))

    engine = create_engine(db.url_for(url))
    assert set(inspect(engine).get_table_names()) == {*Base.metadata.tables, "alembic_version"}
    engine.dispose()


def test_a_database_is_made_once(server_url):
    name = f"made_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{os.getpid()}"

    with ThreadPoolExecutor(4) as pool:
        urls = set(pool.map(lambda _: db.ensure_database(server_url, name), range(4)))

    [url] = urls
    assert make_url(url).drivername == "postgresql", "Rasa names its own driver"
    assert make_url(url).database == name


def test_the_migrations_make_the_tables_of_the_models(engine):
    """A column that only one of them has would be found by a resident."""
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), Base.metadata)

    assert differences == []


def test_a_transaction_is_all_or_nothing(sessions):
    def fail_half_way() -> None:
        with db.transaction(sessions) as session:
            session.execute(text("INSERT INTO budgets VALUES ('k', now(), now())"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_half_way()

    with db.transaction(sessions) as session:
        assert session.scalar(text("SELECT count(*) FROM budgets")) == 0


def test_the_migrations_can_be_taken_back(server_url):
    """And in an order that the foreign keys allow."""
    url = db.ensure_database(server_url, f"undone_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{os.getpid()}")
    db.upgrade(url)
    engine = create_engine(db.url_for(url))

    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(db.MIGRATIONS))
        config.attributes["connection"] = connection
        command.downgrade(config, "base")

    assert inspect(engine).get_table_names() == ["alembic_version"]
    engine.dispose()


def migrate(engine: Engine, revision: str) -> None:
    """Bring a database to a revision."""
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(db.MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def test_whom_a_butler_had_forgotten_is_looked_at_after_the_upgrade_and_thanks_are_no_question(server_url):
    """They would wait for ever, as they did; and nobody who has only thanked is told how sorry we are."""
    url = db.ensure_database(server_url, f"left_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{os.getpid()}")
    engine = create_engine(db.url_for(url))
    migrate(engine, "0030")
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))  # without the people around them
        connection.execute(
            text("""INSERT INTO conversations (community_id, resident_id, owner, epoch, misunderstood, dialogue_is_old,
                                               butler_id, active_at, answer_owed, idle_told_at)
                    VALUES (1, 1, 'butler', 1, 0, false, 1, '2026-11-01 12:00Z', true, '2026-11-01 12:30Z'),
                           (1, 2, 'butler', 1, 0, false, 1, '2026-11-01 12:00Z', true, '2026-11-01 12:30Z'),
                           (1, 3, 'butler', 1, 0, false, 1, '2026-11-01 12:00Z', false, NULL),
                           (1, 4, 'bot', 1, 0, false, NULL, '2026-11-01 12:00Z', true, NULL)""")
        )
        connection.execute(
            text("""INSERT INTO messages (conversation_id, author, kind, text, said_at)
                    SELECT id, 'resident', 'text', CASE resident_id WHEN 2 THEN '好的，谢谢您！'
                           ELSE '谢谢，几点来' END, active_at FROM conversations""")
        )
    migrate(engine, "head")

    with engine.connect() as connection:
        query = text("""SELECT to_char(owed_since AT TIME ZONE 'UTC', 'HH24:MI'),
                               to_char(look_at AT TIME ZONE 'UTC', 'HH24:MI')
                        FROM conversations ORDER BY resident_id""")
        found = [tuple(row) for row in connection.execute(query)]
    engine.dispose()
    assert found == [("12:00", "12:40"), (None, "12:40"), (None, "12:30"), (None, None)]


def test_call_backs_of_before_keep_their_answers_and_nobody_is_called_about_old_questions(server_url):
    """An upgrade must not put a month of unanswered questions on the butlers' phones."""
    url = db.ensure_database(server_url, f"old_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{os.getpid()}")
    engine = create_engine(db.url_for(url))
    [change] = (db.MIGRATIONS / "versions").glob("*_call_backs_by_phone.py")
    migrate(engine, f"{int(change.name[:4]) - 1:04}")
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))  # without the cases around them
        connection.execute(
            text("""INSERT INTO call_backs (case_id, resolution, due_at, state, held)
                    VALUES (1, 1, now(), 'answered', true), (2, 1, now(), 'answered', false),
                           (3, 1, now(), 'sent', NULL)""")
        )
    migrate(engine, "head")

    with engine.connect() as connection:
        query = text("SELECT outcome, reminded_at IS NOT NULL, due_at > now() FROM call_backs ORDER BY case_id")
        found = [tuple(row) for row in connection.execute(query)]
    engine.dispose()
    assert [row[0] for row in found] == ["held", "not_held", None]
    assert found[2][1:] == (True, True)
