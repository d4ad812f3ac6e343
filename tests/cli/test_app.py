"""The commands as an operator types them."""

from __future__ import annotations

import subprocess

from service import inbox, sending
from service.db import Sessions
from service.inbox import Arrival
from service.models.queues import OutboxRow, OutboxState
from tests.service.test_outbox import take, write
from tests.stage import BOT_ID, Stage

TOKEN = f"{BOT_ID}:TEST"


def check_refused(result: subprocess.CompletedProcess[str], *names: str) -> None:
    """One line per problem with its name and an example; no stack trace."""
    lines = [line for line in result.stderr.splitlines() if line.startswith("GUANJIA_")]
    assert result.returncode == 1
    assert sorted(line.partition(":")[0] for line in lines) == sorted(f"GUANJIA_{name}" for name in names)
    assert all("example: GUANJIA_" in line for line in lines)
    assert "Traceback" not in result.stderr


def test_wrong_settings_are_all_named_at_once(guanjia):
    check_refused(guanjia("bot", BOT_TOKEN=TOKEN, WORKERS="0", TIMEZONE="Mars"), "WORKERS", "TIMEZONE")


def test_a_wrong_database_is_a_wrong_setting(guanjia):
    check_refused(guanjia("db", "upgrade", DATABASE_URL="mysql://u:hush@db/x"), "DATABASE_URL")


def test_without_a_token_there_is_nothing_to_serve(guanjia):
    check_refused(guanjia("bot"), "BOT_TOKEN")


def test_a_webhook_without_a_secret_is_refused(guanjia):
    """Anybody could post updates to it."""
    check_refused(guanjia("bot", BOT_TOKEN=TOKEN, WEBHOOK_URL="https://bot.example.org/telegram"), "WEBHOOK_SECRET")


def test_dead_letters_are_listed_without_what_people_wrote_and_handled_again(guanjia, sessions: Sessions, database_url):
    settings = {"BOT_TOKEN": TOKEN, "DATABASE_URL": database_url}
    with sessions.begin() as session:
        stage = Stage(session)
        inbox.put(session, BOT_ID, [Arrival(1, "chat:5", b'{"text": "hush"}', dead="unreadable: unknown kind")])
        sent = write(stage, "hush")
        [parcel] = take(session)
        sending.dead(session, parcel, reason="BadRequest: Message text is empty")

    listed = guanjia("dead", "list", **settings)
    again = guanjia("dead", "retry", "out", str(sent), **settings)

    assert "unreadable: unknown kind" in listed.stdout
    assert "BadRequest: Message text is empty" in listed.stdout
    assert "hush" not in listed.stdout + listed.stderr
    assert again.returncode == 0, again.stderr
    with sessions.begin() as session:
        assert session.get_one(OutboxRow, sent).state is OutboxState.PENDING


def test_a_number_that_is_no_dead_letter_is_said_to_be_none(guanjia, database_url):
    result = guanjia("dead", "retry", "in", "999", BOT_TOKEN=TOKEN, DATABASE_URL=database_url)

    assert (result.returncode, "in 999" in result.stderr) == (1, True)
