"""Every illness the doctor knows, made for real: against the sandbox, an embedded PostgreSQL and small servers."""

import os
import secrets
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from sqlalchemy import create_engine, text

from bot import heart
from cli import checks, doctor
from cli.findings import Finding
from cli.postgres import Postgres
from service import db
from service.config import ROOT, Settings
from tests import commands
from tests.stage import copy_of_template

TOKEN = "100001:demo"
BOT = 100001
NOBODY = "http://127.0.0.1:9/"  # the discard port: nothing listens there
Examine = Callable[..., Awaitable[Finding]]
Serve = Callable[[dict[str, web.StreamResponse | dict[str, Any]]], Awaitable[str]]


@pytest.fixture(scope="module")
def telegram() -> Iterator[str]:
    """The address of a sandbox."""
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--token", TOKEN]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        yield process.stdout.readline().removeprefix("sandbox listening on ").strip()
        process.terminate()


@pytest.fixture
async def sim(telegram) -> AsyncIterator[Callable[..., Awaitable[Any]]]:
    """The control of a sandbox in which nothing has happened yet."""
    async with aiohttp.ClientSession() as http:

        async def post(path: str, **body: Any) -> Any:
            async with http.post(f"{telegram}/sim{path}", json=body) as answer:
                assert answer.status == 200, await answer.text()
                return await answer.json()

        await post("/reset")
        yield post


@pytest.fixture
def database(server_url) -> Iterator[str]:
    """A migrated database of the test's own."""
    with copy_of_template(server_url, f"doctor_{secrets.token_hex(6)}") as url:
        yield url


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Something small that answers paths with JSON or with a whole response; gives its address."""
    runners = []

    async def start(answers: dict[str, Any]) -> str:
        async def answer(request: web.Request) -> web.StreamResponse:
            found = answers.get(request.path, web.Response(status=404))
            return web.json_response(found) if isinstance(found, dict) else found

        application = web.Application()
        application.router.add_route("*", "/{tail:.*}", answer)
        runner = web.AppRunner(application)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        runners.append(runner)
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    yield start
    for runner in runners:
        await runner.cleanup()


@pytest.fixture
def examine(telegram, tmp_path) -> Examine:
    """Make one look with settings that differ from a well system's."""

    async def look(name: str, **settings: Any) -> Finding:
        given = {"bot_token": TOKEN, "bot_api_url": telegram, "data_dir": tmp_path, "rasa_token": "same-word"}
        ((told, finding),) = await doctor.examine(Settings.model_validate(given | settings), [name])
        assert told == name
        assert finding.well or finding.mend
        return finding

    return look


def ill(finding: Finding, what: str, mend: str) -> bool:
    """Whether a look found this illness and this remedy."""
    return not finding.well and what in finding.what and mend in finding.mend


def test_every_look_has_its_place_in_the_order():
    """`guanjia doctor` tells them from the token, which everything needs, to the processes."""
    assert list(checks.CHECKS) + list(doctor.ROLES) == list(doctor.NAMES)


async def test_a_well_token(examine):
    """The name shows whether it is the bot one meant."""
    finding = await examine("token")

    assert finding == Finding(True, "the bot is @guanjia_100001_bot")


async def test_no_token(examine):
    """The first thing a new operator lacks."""
    assert ill(await examine("token", bot_token=None), "no bot token", "@BotFather")


async def test_a_wrong_token_is_never_shown(examine):
    """The library puts it into its message; ours goes into logs and issues."""
    finding = await examine("token", bot_token="100001:wrongwrong")

    assert ill(finding, "does not know this token", "GUANJIA_BOT_TOKEN")
    assert "wrongwrong" not in f"{finding}"


async def test_telegram_out_of_reach(examine):
    """A firewall, or a typing error in the address."""
    assert ill(await examine("token", bot_api_url=NOBODY), "Telegram: ", "GUANJIA_BOT_API_URL")


async def test_telegram_that_hangs(examine, sim, monkeypatch):
    """A health check waits eight seconds, so no look may take longer."""
    monkeypatch.setattr(doctor, "ANSWER_WITHIN", 0.5)
    await sim("/faults", kind="hang", method="getMe", seconds=20)

    assert ill(await examine("token"), "no answer within", "network")


async def test_long_polling_without_a_webhook_is_well(examine, sim):
    """How most begin."""
    finding = await examine("webhook")

    assert finding.well
    assert finding.what.startswith("long polling")


async def test_a_forgotten_webhook(examine, telegram, sim):
    """Telegram answers every poll with a conflict until it is gone."""
    await call(telegram, "setWebhook", url="https://other.example/telegram")

    assert ill(await examine("webhook"), "https://other.example/telegram, wanted is long polling", "guanjia serve")


async def test_a_webhook_that_was_never_set(examine, sim):
    """The setting is there, but ingress has not run with it."""
    finding = await examine("webhook", webhook_url="https://bot.example/telegram")

    assert ill(finding, "not set, wanted is https://bot.example/telegram", "guanjia ingress")


async def test_a_webhook_that_cannot_be_delivered_to(examine, serve):
    """Telegram's own words, and only while something waits: it remembers old errors for ever."""
    hook = {"url": "https://bot.example/telegram", "has_custom_certificate": False, "last_error_date": 1}
    error = {"last_error_message": "SSL error"}
    telegram = await serve(as_bot(getWebhookInfo=hook | error | {"pending_update_count": 7}))
    quiet = await serve(as_bot(getWebhookInfo=hook | error | {"pending_update_count": 0}))

    finding = await examine("webhook", bot_api_url=telegram, webhook_url="https://bot.example/telegram")

    assert ill(finding, "7 updates: SSL error", "certificate")
    assert (await examine("webhook", bot_api_url=quiet, webhook_url="https://bot.example/telegram")).well


async def test_a_well_group(examine, sim):
    """Topics on, the bot an administrator who may manage them."""
    group = await sim("/groups", title="阳光花园")

    finding = await examine("group", staff_chat_id=group["id"])

    assert finding == Finding(True, "阳光花园, topics on, rights given")


async def test_no_group_is_set(examine):
    """The bot says the number itself."""
    assert ill(await examine("group"), "no staff group", "it says the number")


async def test_a_group_the_bot_does_not_see(examine, sim):
    """A typing error in the number, or a group it was never in."""
    assert ill(await examine("group", staff_chat_id=-1009999), "Telegram: ", "GUANJIA_STAFF_CHAT_ID")


async def test_a_group_that_showed_the_bot_out(examine, sim):
    """Somebody tidied up the members."""
    group = await sim("/groups", title="阳光花园")
    await sim(f"/groups/{group['id']}/members", user_id=BOT, status="kicked")

    finding = await examine("group", staff_chat_id=group["id"])

    assert not finding.well
    assert "Add the bot" in finding.mend


async def test_a_group_that_moved_names_its_new_number(examine, sim):
    """Telegram gives a group a new id when it becomes a supergroup."""
    group = await sim("/groups", title="阳光花园", is_forum=False, id=-4001)
    moved = await sim(f"/groups/{group['id']}/migrate")

    finding = await examine("group", staff_chat_id=group["id"])

    assert ill(finding, str(moved["id"]), "GUANJIA_STAFF_CHAT_ID")


async def test_a_group_without_topics(examine, sim):
    """Only a person can switch them on."""
    group = await sim("/groups", title="阳光花园", is_forum=False)

    assert ill(await examine("group", staff_chat_id=group["id"]), "has no topics", "Switch topics on")


async def test_a_bot_without_rights_in_the_group(examine, sim):
    """Added as a plain member, which is Telegram's default."""
    group = await sim("/groups", title="阳光花园")
    await sim(f"/groups/{group['id']}/members", user_id=BOT, status="member")

    assert ill(await examine("group", staff_chat_id=group["id"]), "no administrator", "manage topics")


@pytest.mark.parametrize(
    ("rights", "missing"),
    [({}, "manage topics"), ({"can_manage_topics": True}, "pin messages")],
    ids=["topics", "pins"],
)
async def test_an_administrator_without_a_right_the_bot_needs(examine, serve, rights, missing):
    """Topics for residents, a pinned board: both rights are off by default."""
    chat = {"id": -100, "type": "supergroup", "title": "阳光花园", "is_forum": True}
    telegram = await serve(
        as_bot(
            getChat=chat | {"accent_color_id": 0, "max_reaction_count": 11, "accepted_gift_types": GIFTS},
            getChatMember={"status": "administrator", "user": as_user(), **dict.fromkeys(RIGHTS, False), **rights},
        )
    )

    finding = await examine("group", bot_api_url=telegram, staff_chat_id=-100)

    assert ill(finding, f"may not {missing}", f"'{missing}'")


async def test_a_well_database(examine, database):
    """The version of the server and of the tables."""
    finding = await examine("database", database_url=database)

    assert finding.well
    assert finding.what.startswith("PostgreSQL 18")


async def test_no_embedded_database_yet(examine):
    """A look makes nothing."""
    assert ill(await examine("database"), "no database", "guanjia db upgrade")


async def test_an_embedded_database_is_started_for_the_look(examine, tmp_path):
    """Somebody asks the doctor before starting anything."""
    server = Postgres(tmp_path)
    db.upgrade(db.ensure_database(server.url, "guanjia"))
    server.stop()

    assert (await examine("database")).well


async def test_a_database_that_does_not_answer(examine):
    """The server is down, or the address wrong."""
    finding = await examine("database", database_url="postgresql://guanjia:word@127.0.0.1:9/guanjia")

    assert ill(finding, "does not answer", "GUANJIA_DATABASE_URL")
    assert "word" not in finding.what


async def test_a_database_without_tables(examine, server_url):
    """`guanjia db upgrade` was forgotten."""
    assert ill(await examine("database", database_url=server_url), "missing", "guanjia db upgrade")


async def test_tables_of_another_version(examine, database):
    """The code was updated and the database was not."""
    run(database, "UPDATE alembic_version SET version_num = '0000'")

    assert ill(await examine("database", database_url=database), "version 0000", "guanjia db upgrade")


async def test_topics_are_counted(examine, database):
    """Before the first work order none is made, which is well."""
    assert (await examine("topics", database_url=database)).what.startswith("0 of 0")


async def test_topics_without_a_database(examine):
    """It says what to mend first."""
    assert ill(await examine("topics"), "no database", "guanjia db upgrade")


async def test_a_well_rasa(examine, serve):
    """It says which model it serves."""
    rasa = await serve({"/status": {"model_file": "guanjia-1.tar.gz"}})

    assert await examine("rasa", rasa_url=rasa) == Finding(True, "serves guanjia-1.tar.gz")


async def test_no_rasa(examine):
    """Not started, or another port."""
    assert ill(await examine("rasa", rasa_url=NOBODY), "no Rasa answers", "guanjia rasa")


@pytest.mark.parametrize(
    ("status", "what", "mend"),
    [(401, "refuses our token", "GUANJIA_RASA_TOKEN"), (409, "no model", "--only model"), (404, "is not Rasa", "URL")],
)
async def test_a_rasa_that_refuses(examine, serve, status, what, mend):
    """Each refusal has another remedy."""
    rasa = await serve({"/status": web.Response(status=status)})

    assert ill(await examine("rasa", rasa_url=rasa), what, mend)


async def test_a_page_where_rasa_should_be(examine, serve):
    """Another program's port, which answers everything with 200."""
    rasa = await serve({"/status": web.Response(text="<html>")})

    assert ill(await examine("rasa", rasa_url=rasa), "no Rasa answers", "GUANJIA_RASA_URL")


async def test_a_well_action_server(examine, serve):
    """Rasa's actions are a process of their own."""
    port = int((await serve({"/health": {"status": "ok"}})).rpartition(":")[2])

    assert (await examine("actions", actions_port=port)).well


async def test_no_action_server(examine):
    """Without it Rasa answers with silence."""
    assert ill(await examine("actions", actions_port=9), "no action server", "guanjia actions")


async def test_something_else_on_the_action_servers_port(examine, serve):
    """Two programs were given one port."""
    port = int((await serve({})).rpartition(":")[2])

    assert ill(await examine("actions", actions_port=port), "is not the action server", "GUANJIA_ACTIONS_PORT")


async def test_a_well_console(examine, serve):
    """Staff's web pages are a process of their own."""
    port = int((await serve({"/healthz": web.Response(text="ok")})).rpartition(":")[2])

    assert (await examine("console", console_port=port)).well


async def test_a_console_that_is_away_ill_or_somebody_else(examine, serve):
    """Each has its own remedy."""
    other = int((await serve({})).rpartition(":")[2])
    ill_one = int((await serve({"/healthz": web.Response(status=503)})).rpartition(":")[2])

    assert ill(await examine("console", console_port=9), "no console", "guanjia console")
    assert ill(await examine("console", console_port=other), "is not the console", "GUANJIA_CONSOLE_PORT")
    assert ill(await examine("console", console_port=ill_one), "has no database", "--only database")


def activated(url: str, name: str) -> None:
    """Make a model the active one, whether there is a file or not."""
    columns = "name, data_hash, trained_at, trained_by"
    run(url, f"INSERT INTO language_models ({columns}) VALUES ('{name}', 'd', now(), 'li')")
    run(url, "INSERT INTO activations (model_id, at, by) SELECT id, now(), 'li' FROM language_models")


async def test_the_active_model_is_named(examine, database, tmp_path):
    """Rasa follows the database, not the folder."""
    activated(database, "guanjia-1")
    (tmp_path / "guanjia-1.tar.gz").touch()
    (tmp_path / "guanjia-2.tar.gz").touch()

    finding = await examine("model", database_url=database, models_dir=tmp_path, rasa_url=NOBODY)

    assert finding == Finding(True, "guanjia-1 is active")


async def test_a_model_that_rasa_serves(examine, database, serve, tmp_path):
    """Both ends were asked."""
    activated(database, "guanjia-1")
    (tmp_path / "guanjia-1.tar.gz").touch()
    rasa = await serve({"/status": {"model_file": "guanjia-1.tar.gz"}})

    finding = await examine("model", database_url=database, models_dir=tmp_path, rasa_url=rasa)

    assert finding == Finding(True, "guanjia-1 is active and served")


async def test_a_model_that_rasa_does_not_follow(examine, database, serve, tmp_path):
    """The file may be broken; Rasa keeps what it has and says so once, in its log."""
    activated(database, "guanjia-2")
    (tmp_path / "guanjia-2.tar.gz").touch()
    rasa = await serve({"/status": {"model_file": "guanjia-1.tar.gz"}})

    finding = await examine("model", database_url=database, models_dir=tmp_path, rasa_url=rasa)

    assert ill(finding, "guanjia-2 is active, but Rasa serves guanjia-1", "guanjia rollback")


async def test_no_model(examine, database, tmp_path):
    """Nothing is understood without one."""
    finding = await examine("model", database_url=database, models_dir=tmp_path)

    assert ill(finding, "no model is active", "guanjia train")


async def test_a_model_whose_file_is_gone(examine, database, tmp_path):
    """A restart would find nothing to serve."""
    activated(database, "guanjia-1")

    finding = await examine("model", database_url=database, models_dir=tmp_path, rasa_url=NOBODY)

    assert ill(finding, "is gone", "guanjia rollback")


async def test_a_model_elsewhere_is_not_looked_for(examine, database, tmp_path):
    """In containers only the action server has the folder."""
    activated(database, "guanjia-1")

    assert (
        await examine("model", database_url=database, models_dir=tmp_path, rasa_url="http://rasa.invalid:5005")
    ).well


async def test_a_clock_that_is_right(examine, serve):
    """Call-backs and desk hours depend on it."""
    telegram = await serve({"/": web.Response(headers={"Date": formatdate(usegmt=True)})})

    assert (await examine("clock", bot_api_url=telegram)).well


async def test_a_clock_that_is_wrong(examine, serve):
    """A machine that slept, or a battery that died."""
    telegram = await serve({"/": web.Response(headers={"Date": formatdate(time.time() - 3600, usegmt=True)})})

    assert ill(await examine("clock", bot_api_url=telegram), "360", "timedatectl")


async def test_a_clock_nobody_can_be_asked_about(examine):
    """That Telegram is out of reach is another look's business."""
    assert (await examine("clock", bot_api_url=NOBODY)).well


@pytest.mark.parametrize("role", doctor.ROLES)
async def test_a_role_that_never_ran(examine, role):
    """Before the first start."""
    assert ill(await examine(role), "never run", f"guanjia {role}")


@pytest.mark.parametrize("role", doctor.ROLES)
async def test_a_role_that_turns(examine, tmp_path, role):
    """The loop has left its sign."""
    heart.Heart(tmp_path, role).beat()

    assert await examine(role) == Finding(True, "turned 0 s ago")


async def test_a_role_that_hangs(examine, tmp_path):
    """The process may be there; its loop is not."""
    heart.Heart(tmp_path, "worker").beat()
    long_ago = time.time() - heart.LATE - 10
    os.utime(next((tmp_path / "run").iterdir()), (long_ago, long_ago))

    assert ill(await examine("worker"), "last turned", "its log says")


async def test_a_trainer_at_work_is_no_trainer_that_hangs(examine, tmp_path):
    """A step of a training takes minutes where residents come first."""
    heart.Heart(tmp_path, "trainer").beat()
    minutes_ago = time.time() - heart.LATE - 10
    os.utime(next((tmp_path / "run").iterdir()), (minutes_ago, minutes_ago))

    assert (await examine("trainer")).well


def test_a_heart_beats_seldom(tmp_path):
    """A busy loop turns thousands of times a second."""
    steady = heart.Heart(tmp_path, "worker")
    steady.beat()
    next((tmp_path / "run").iterdir()).unlink()

    steady.beat()

    assert heart.seconds_since(tmp_path, "worker") is None


def test_a_heart_survives_a_folder_it_cannot_write_to(tmp_path):
    """A full disk must stop the sign, not the loop."""
    (tmp_path / "run").touch()

    heart.Heart(tmp_path, "worker").beat()

    assert heart.seconds_since(tmp_path, "worker") is None


def test_the_command_ends_with_the_worst_finding(tmp_path):
    """Compose and systemd only read the exit code."""
    before = guanjia(tmp_path, "worker")
    heart.Heart(tmp_path, "worker").beat()

    after = guanjia(tmp_path, "worker")

    assert (before.returncode, after.returncode) == (1, 0)
    assert "→ Start `guanjia serve`" in before.stdout


def test_the_command_knows_what_it_can_look_at(tmp_path):
    """A typing error in a health check must not pass for health."""
    done = guanjia(tmp_path, "werker")

    assert done.returncode == 1
    assert "there are: token, webhook" in done.stderr


@pytest.mark.parametrize("module", ["cli.app", "cli.doctor"])
def test_help_and_health_checks_import_nothing_heavy(module):
    """The one is typed by somebody in a hurry, the other runs every ten seconds in every container."""
    program = f"import sys, {module}; print(*{{'telegram', 'sqlalchemy', 'aiohttp', 'alembic'}} & set(sys.modules))"

    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == ""


def guanjia(data_dir: Path, only: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a health check does."""
    return commands.run(["doctor", "--only", only], folder=data_dir, settings={"DATA_DIR": str(data_dir)})


async def call(telegram: str, method: str, **parameters: Any) -> None:
    """Make a Bot API call as our bot."""
    async with aiohttp.ClientSession() as http, http.post(f"{telegram}/bot{TOKEN}/{method}", json=parameters) as answer:
        assert (await answer.json())["ok"]


def as_bot(**results: Any) -> dict[str, Any]:
    """What a Telegram that says just this answers."""
    return {
        f"/bot{TOKEN}/{name}": {"ok": True, "result": result}
        for name, result in ({"getMe": as_user()} | results).items()
    }


def as_user() -> dict[str, Any]:
    """Our bot, as Telegram describes it."""
    return {"id": BOT, "is_bot": True, "first_name": "小管家", "username": "guanjia_bot"}


RIGHTS = (
    *("can_be_edited", "is_anonymous", "can_manage_chat", "can_delete_messages", "can_manage_video_chats"),
    *("can_restrict_members", "can_promote_members", "can_change_info", "can_invite_users", "can_post_stories"),
    *("can_edit_stories", "can_delete_stories", "can_manage_topics"),
)
GIFT_KINDS = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels")
GIFTS = dict.fromkeys(GIFT_KINDS, False)


def run(url: str, statement: str) -> None:
    """Change something in a database."""
    engine = create_engine(db.url_for(url))
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()
