"""The active model by HTTP, in Rasa's own protocol for polling."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from sanic import Sanic
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from actions.server import make_app
from service import language_models
from tests.stage import NOON

CONTENT = b"a model, as far as this door is concerned"


@pytest.fixture
def folder(tmp_path, monkeypatch, sessions, database_url) -> Path:
    """The models folder of an action server with an empty database."""
    monkeypatch.setenv("GUANJIA_DATABASE_URL", database_url)
    monkeypatch.setenv("GUANJIA_MODELS_DIR", str(tmp_path))
    monkeypatch.setattr("actions.model.sessions", lambda: sessions)
    folder: Path = tmp_path
    return folder


@pytest_asyncio.fixture
async def url(folder, monkeypatch) -> AsyncIterator[str]:
    """The address of the running server."""
    monkeypatch.setattr(Sanic, "_app_registry", {})
    with socket.create_server(("127.0.0.1", 0)) as door:
        app = make_app()
        app.config.TOUCHUP = False  # Sanic rewrites its own methods, which it can do once in a process
        server = await app.create_server(sock=door, return_asyncio_server=True)
        await server.startup()
        await server.before_start()
        yield f"http://127.0.0.1:{door.getsockname()[1]}/model"
        server.close()
        await server.wait_closed()


@pytest_asyncio.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as http:
        yield http


@pytest.fixture
def put(folder):
    """Put a model into the folder."""

    def put(name: str, **certificate: str) -> None:
        language_models.file_of(folder, name).write_bytes(CONTENT + name.encode())
        (folder / f"{name}.json").write_text(json.dumps(certificate), "utf-8")

    return put


@pytest.fixture
def activate(folder, sessions):
    """Make a model of the folder the active one."""

    def activate(name: str) -> None:
        with sessions.begin() as session:
            language_models.record(session, folder)
            language_models.activate(session, name, by="li", now=NOON, force=True, reason="a test")

    return activate


async def test_the_active_model_comes_with_its_name_and_tag(url, http, put, activate):
    """Rasa writes the file under its name and asks with the tag from then on."""
    put("guanjia-1")
    put("guanjia-2")
    activate("guanjia-1")

    async with http.get(url) as answer:
        assert (answer.status, answer.headers["ETag"], answer.headers["filename"]) == (
            200,
            '"guanjia-1"',
            "guanjia-1.tar.gz",
        )
        assert await answer.read() == CONTENT + b"guanjia-1"


@pytest.mark.parametrize("known", ['"guanjia-1"', '"guanjia-0", "guanjia-1"'])
async def test_who_has_the_model_gets_304_and_no_file(url, http, put, activate, known):
    """Also when it names one beside it that it could not load."""
    put("guanjia-1")
    activate("guanjia-1")

    async with http.get(url, headers={"If-None-Match": known}) as answer:
        assert (answer.status, await answer.read()) == (304, b"")


async def test_another_model_is_sent_once_it_is_active(url, http, put, activate):
    put("guanjia-1")
    put("guanjia-2")
    activate("guanjia-1")
    activate("guanjia-2")

    async with http.get(url, headers={"If-None-Match": '"guanjia-1"'}) as answer:
        assert (answer.status, answer.headers["ETag"]) == (200, '"guanjia-2"')


async def test_without_any_model_there_is_nothing_to_send(url, http):
    async with http.get(url) as answer:
        assert answer.status == 204


async def test_the_newest_file_becomes_the_first_active_model(url, http, put):
    """In containers a one-shot has trained it; this process is the first that sees both file and database."""
    put("guanjia-9", trained_at="2026-11-01T00:00:00+00:00")
    put("guanjia-1", trained_at="2026-11-02T00:00:00+00:00")

    async with http.get(url) as answer:
        assert (answer.status, answer.headers["ETag"]) == (200, '"guanjia-1"')


async def test_a_file_that_is_gone_is_404_and_logged_once(url, http, put, activate, folder, capsys):
    """Rasa serves on with what it has; the log says why it does not change."""
    put("guanjia-gone")
    activate("guanjia-gone")
    language_models.file_of(folder, "guanjia-gone").unlink()

    for _ in range(2):
        async with http.get(url) as answer:
            assert answer.status == 404
    assert capsys.readouterr().out.count("model_file_unreadable") == 1


async def test_a_database_that_is_away_is_503(url, http, monkeypatch):
    """Rasa asks again in two seconds."""

    def away() -> str:
        raise OperationalError("SELECT", {}, Exception("away"))

    monkeypatch.setattr("actions.model.active_name", away)

    async with http.get(url) as answer:
        assert answer.status == 503


async def test_asking_again_costs_one_query(url, http, put, activate, engine):
    """Every Rasa asks every two seconds."""
    put("guanjia-1")
    activate("guanjia-1")
    queries: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *given: queries.append(given[2]))

    async with http.get(url, headers={"If-None-Match": '"guanjia-1"'}) as answer:
        assert answer.status == 304

    assert len(queries) == 1


async def test_the_actions_are_served_as_before(url, http):
    async with http.get(url.replace("/model", "/health")) as answer:
        assert answer.status == 200
