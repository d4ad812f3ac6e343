"""What many tests need: a database of their own, a community in it, and builders that hide what does not matter."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.orm import Session

from cli.postgres import Postgres
from service import cases, communities, conversations, db, residents, sending, takeover
from service.conversations import Said
from service.models.base import Base
from service.models.cases import Case
from service.models.communities import Community
from service.models.people import Role, Staff
from service.models.queues import OutboxRow
from service.models.talks import Conversation
from service.sending import Rates
from service.staff import access_staff

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)  # 12:00 in Shanghai
BOT_ID = 100001
STAFF_CHAT = -1001000000001
TEMPLATE = "guanjia_template"

PLENTY = Rates(bot_per_second=10_000, private_per_second=10_000, private_burst=10_000, group_per_minute=600_000)

NOBODY_NEEDS_IT = ("fsync = off", "synchronous_commit = off", "full_page_writes = off")  # after a power cut
GROWS_IN_MINUTES = ("max_wal_size = '4GB'", "autovacuum_naptime = '5s'")  # as others do in months

_numbers = itertools.count(1)


def template(server_url: str) -> str:
    """A migrated database that others are copied from; made once by whoever comes first."""
    url = db.ensure_database(server_url, TEMPLATE)
    db.upgrade(url)
    return url


@contextmanager
def copy_of_template(server_url: str, name: str) -> Iterator[str]:
    """A fresh migrated database, gone afterwards."""
    url = make_url(db.url_for(server_url))
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(42)"))  # a template is copied by one at a time
        connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE {TEMPLATE}'))
        connection.execute(text("SELECT pg_advisory_unlock(42)"))
    try:
        yield url.set(database=name).render_as_string(hide_password=False)
    finally:
        with admin.connect() as connection:
            connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
        admin.dispose()


@contextmanager
def a_server(prefix: str) -> Iterator[str]:
    """An embedded PostgreSQL with the template in it, thrown away afterwards.

    Args:
        prefix: how its folder is called, for whoever finds it after a crash.
    """
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    folder.chmod(0o755)
    server = Postgres(folder)
    try:
        template(server.url)
        set_up(server.url, *NOBODY_NEEDS_IT, *GROWS_IN_MINUTES)
        yield server.url
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def set_up(url: str, *settings: str) -> None:
    """Have a server keep to settings from now on."""
    engine = create_engine(db.url_for(url), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for setting in settings:
            connection.execute(text(f"ALTER SYSTEM SET {setting}"))
        connection.execute(text("SELECT pg_reload_conf()"))
    engine.dispose()


def empty(engine: Engine) -> None:
    """Remove every row and count from one again, as TRUNCATE would: that makes every file of every table anew."""
    tables = [f'"{table}"' for table in Base.metadata.tables]
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL lock_timeout = '10s'"))  # a session left open fails the test, not the run
        connection.execute(text(f"LOCK TABLE {', '.join(tables)}"))
        connection.execute(text("SET LOCAL session_replication_role = replica"))  # in any order
        connection.execute(text("; ".join(f"DELETE FROM {table}" for table in tables)))
        connection.execute(text("SELECT setval(sequencename::regclass, start_value, false) FROM pg_sequences"))


class Stage:
    """A community with staff and residents, inside one transaction of a test."""

    def __init__(self, session: Session) -> None:
        self.session = session
        profile = communities.Profile("阳光花园", "Asia/Shanghai", "0731-1", STAFF_CHAT)
        self.community = communities.settle_in(session, BOT_ID, profile)

    def another_community(self) -> Community:
        """The neighbours, with a bot of their own: nothing of theirs is to be seen here."""
        profile = communities.Profile("月亮湾", "Asia/Shanghai", "0731-2", STAFF_CHAT - 1)
        return communities.settle_in(self.session, BOT_ID + 1, profile)

    def resident(self, **facts: Any) -> Conversation:
        """Somebody who has written to the bot."""
        chat_id = facts.pop("chat_id", 5000 + next(_numbers))
        known = {"display_name": "王芳", "language": "zh"} | {
            key: facts.pop(key) for key in ("display_name", "language") if key in facts
        }
        conversation = residents.access_conversation(self.session, self.community.id, chat_id, **known)
        for name, value in facts.items():
            setattr(conversation.resident, name, value)
        return conversation

    def member(self, role: Role = Role.BUTLER) -> Staff:
        """Somebody in the staff group."""
        number = next(_numbers)
        member = access_staff(self.session, self.community.id, 9000 + number, display_name=f"管家{number}")
        member.role = role
        return member

    def hears(self, conversation: Conversation, words: str, *, now: datetime = NOON, by: Staff | None = None) -> None:
        """A person says something."""
        number = next(_numbers)
        said = Said("text", words, conversation.resident.chat_id, number, inbox_id=3_000_000 + number)
        conversations.hear(self.session, conversation, said, now=now, by=by)

    def case(self, conversation: Conversation | None = None, *, state: str = "open", **facts: Any) -> Case:
        """A repair in the given state, brought there by the real steps."""
        talk = conversation or self.resident()
        told = cases.Facts(**({"kind": "repair", "matter": "厨房水管漏水", "place": "3栋2单元1201"} | facts))
        case = cases.open_case(self.session, talk, told, source=f"turn:{next(_numbers)}", now=NOON)
        for event in STEPS_TO[state]:
            cases.advance(self.session, case, event, actor="staff:101", key=f"step:{next(_numbers)}", now=NOON)
        return case

    def outbox(self, kind: str | None = None) -> list[OutboxRow]:
        """What has been written to be sent, oldest first."""
        self.session.flush()
        rows = self.session.query(OutboxRow).order_by(OutboxRow.id).all()
        return [row for row in rows if kind is None or row.kind == kind]

    def lines_to(self, conversation: Conversation) -> list[str]:
        """What the resident will read."""
        return [
            str(row.payload.get("text", ""))
            for row in self.outbox()
            if row.chat_id == conversation.resident.chat_id and row.state in ("pending", "sent")
        ]

    def take_over(self, conversation: Conversation, member: Staff | None = None) -> Staff:
        """Have a butler answer."""
        butler = member or self.member()
        takeover.claim(self.session, conversation, butler, source=f"turn:{next(_numbers)}", now=NOON)
        return butler


def sent_to_residents(stage: Stage) -> list[str]:
    """What really goes out to residents now, past the epoch check."""
    told = []
    for _ in range(100):
        stage.session.flush()
        parcels = sending.take(stage.session, BOT_ID, sender=1, limit=50, rates=PLENTY)
        for parcel in parcels:
            sending.sent(stage.session, parcel, message_id=parcel.id)
        told += [str(parcel.payload.get("text")) for parcel in parcels if parcel.chat_id > 0]
        if not parcels and sending.seconds_to_next(stage.session, BOT_ID, PLENTY) != 0:
            break
    return told


STEPS_TO: dict[str, tuple[cases.Event, ...]] = {
    "open": (),
    "accepted": (cases.Event.ACCEPTED,),
    "on_the_way": (cases.Event.DEPARTED,),
    "withdrawn": (cases.Event.WITHDRAWN,),
    "finished": (cases.Event.ACCEPTED, cases.Event.FINISHED),
    "needs_info": (cases.Event.INFO_ASKED,),
    "closed": (cases.Event.FINISHED, cases.Event.CLOSED),
}


def server_dir(_: Any = None) -> Path:
    """One embedded server for all workers of a test run: the folder they share (tests/conftest.py makes it)."""
    return Path(os.environ["GUANJIA_TESTS_DIR"])
