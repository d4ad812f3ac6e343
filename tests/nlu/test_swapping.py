"""Another model while people talk: fetched from the model server, put in place without anybody noticing."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.nlu.conftest import DATA, Rasa, train

SWAPS = 3
LATE = 1.0  # seconds
EVERY = 0.2  # seconds between two messages
FOLLOWS_WITHIN = 20.0  # seconds, of which 2 are the pause between two polls; the machine may be busy


class ModelServer:
    """What the action server does for Rasa: hands out the active model, 304 when it is known."""

    def __init__(self) -> None:
        self.active: Path | None = None
        self.is_away = False
        self.sent: list[str] = []
        self.asked = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}/model"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked += 1
                if server.is_away:
                    return  # the connection is closed without an answer
                active = server.active
                tag = f'"{active.name}"' if active else ""
                known = bool(tag) and tag in self.headers.get("if-none-match", "")
                self.send_response(204 if active is None else 304 if known else 200)
                if active is None or known:
                    self.end_headers()
                    return
                server.sent.append(active.name)
                self.send_header("etag", tag)
                self.send_header("filename", active.name)
                self.end_headers()
                self.wfile.write(active.read_bytes())

            def log_message(self, *_: object) -> None:
                """Keep the test output readable."""

        return Handler

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module")
def other(pytestconfig: pytest.Config) -> Path:
    """A second model, which greets in other words."""
    folder = pytestconfig.cache.mkdir("nlu-models")
    domain = folder / "other-domain.yml"
    domain.write_text((DATA / "domain.yml").read_text("utf-8").replace("您好{name}", "欢迎{name}"), "utf-8")
    return train(folder, domain)


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    server = ModelServer()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def following(tracker_url, action_server, server, tmp_path_factory) -> Iterator[Rasa]:
    """A Rasa that was started while nobody had a model for it."""
    log = tmp_path_factory.mktemp("following") / "rasa.log"
    rasa = Rasa(None, tracker_url, action_server.url, log, model_url=server.url)
    yield rasa
    rasa.process.terminate()
    rasa.process.wait(20)


@pytest.fixture
def polled(following, server):
    """Wait until Rasa has asked again, twice to be sure that the first question was not on its way already."""

    def twice() -> None:
        before = server.asked
        following.until(lambda: server.asked >= before + 2, "Rasa does not ask", within=FOLLOWS_WITHIN)

    return twice


@pytest.fixture
def swap(following, server, model, other):
    """Make a model the active one and wait until Rasa serves it."""
    words = {model: "您好", other: "欢迎"}

    def to(active: Path) -> None:
        server.active, server.is_away = active, False
        following.until(lambda: greeting(following) == words[active], "Rasa does not follow", within=FOLLOWS_WITHIN)

    return to


def greeting(rasa: Rasa) -> str | None:
    """What the assistant says to a greeting; None while it has no model."""
    status, answer = rasa.say("/greet", sender="greeter", payload=True)
    return str(answer["replies"][0]["text"]) if status == 200 else None


def test_without_a_model_rasa_says_that_it_is_not_ready(following, server):
    """The action server may come up later, and the supervisor must not take a server without a model for well."""
    server.active = None
    following.kill()
    following.start()

    status, answer = following.say("你好", sender="early")

    assert following.readiness() == 503
    assert (status, answer["error"]) == (503, "no_model")


def test_a_model_is_served_as_soon_as_there_is_one(following, server, swap, model):
    """Nobody need start Rasa again."""
    swap(model)

    assert following.readiness() == 200


def test_nobody_waits_or_goes_unanswered_while_models_are_swapped(following, actions, swap, model, other):
    """Rasa alone would answer nobody for as long as it unpacks and builds."""
    swap(model)
    done = threading.Event()
    taken: list[float] = []

    def talk() -> list[int]:
        statuses: list[int] = []
        while not done.wait(EVERY):
            began = time.monotonic()
            statuses.append(following.say("3栋灯不亮了", sender=f"talker {len(statuses)}")[0])
            taken.append(time.monotonic() - began)
        return statuses

    with ThreadPoolExecutor(1) as pool:
        talking = pool.submit(talk)
        try:
            for number in range(SWAPS):
                swap(model if number % 2 else other)
        finally:
            done.set()

    assert set(talking.result()) == {200}
    assert max(taken) < LATE


def test_a_model_that_is_known_is_not_sent_again(server, swap, polled, model):
    """Every two seconds some megabytes would go over the network."""
    swap(model)
    server.sent.clear()

    polled()

    assert server.sent == []


def test_a_broken_file_leaves_the_old_model_in_place_and_is_said_once(following, server, swap, polled, model, tmp_path):
    """Half a file, say, from a disk that was full."""
    swap(model)
    half = tmp_path / "half.tar.gz"
    half.write_bytes(model.read_bytes()[: model.stat().st_size // 2])
    server.sent.clear()

    server.active = half
    following.until(lambda: half.name in following.log(), "the log does not tell", within=FOLLOWS_WITHIN)
    polled()

    assert greeting(following) == "您好"
    assert following.log().count("cannot be loaded") == 1
    assert server.sent == [half.name]


def test_the_model_serves_on_while_nobody_can_be_asked_for_another(following, server, swap, polled, model):
    """The action server is started again, or its database is away."""
    swap(model)

    server.is_away = True
    polled()

    assert greeting(following) == "您好"
