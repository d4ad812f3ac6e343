"""Rasa as it runs in production: its own Python, its own process, a PostgreSQL and an action server beside it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib import request
from urllib.error import HTTPError, URLError

import pytest
from sqlalchemy import create_engine, make_url, text

from service import db

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / "nlu/.venv/bin/python"
DATA = Path(__file__).with_name("data")
TOKEN = "a token of the tests"
START_WITHIN = 60.0  # seconds; it takes 8 on an idle machine


def run_tool(name: str, *arguments: str | Path, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run nlu/<name>.py to its end."""
    return subprocess.run([PYTHON, ROOT / f"nlu/{name}.py", *arguments], input=given, capture_output=True, check=False)


@pytest.fixture(scope="session")
def model(pytestconfig: pytest.Config) -> Path:
    """A small model, trained when what it is made of has changed."""
    return train(pytestconfig.cache.mkdir("nlu-models"), DATA / "domain.yml")


def train(out: Path, domain: Path, *more: str | Path) -> Path:
    """Train a small model into a folder, unless it lies there."""
    files = [DATA / "nlu.yml", DATA / "rules.yml"]
    done = run_tool("train", "--domain", domain, "--data", *files, "--out", out, "--exam", *more)
    assert done.returncode == 0, done.stderr.decode()
    return Path(done.stdout.decode().split("model ")[-1].removesuffix("\n").removesuffix(" (up to date)"))


@pytest.fixture(scope="session")
def community_model() -> Path:
    """The model of nlu/data that `make setup` has trained; trained here only when the data has changed since."""
    done = run_tool("train", "--out", ROOT / "models")
    assert done.returncode == 0, done.stderr.decode()
    return Path(done.stdout.decode().split("model ")[-1].removesuffix("\n").removesuffix(" (up to date)"))


class ActionServer:
    """An action server that echoes, and does what a test tells it to."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self.is_failing = False
        self.may_answer = threading.Event()
        self.may_answer.set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}/webhook"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                call = json.loads(self.rfile.read(int(self.headers["content-length"])))
                server.calls.append(call)
                server.may_answer.wait(20)
                self.send_response(500 if server.is_failing else 200)
                self.send_header("content-type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(server.answer(call)).encode())

            def log_message(self, *_: Any) -> None:
                """Keep the test output readable."""

        return Handler

    def answer(self, call: dict[str, Any]) -> dict[str, Any]:
        """Say what was heard, with a button and data of our own."""
        heard = call["tracker"]["latest_message"]["text"]
        echo = {"text": f"{call['next_action']}: {heard}", "buttons": [{"title": "是", "payload": "/affirm"}]}
        return {"events": [], "responses": [echo, {"custom": {"card": 7}}, {"response": "utter_greet", "name": "王"}]}

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Rasa:
    """The server process, and a client of its channel."""

    def __init__(
        self, model: Path | None, database_url: str, actions_url: str, log: Path, *, model_url: str = ""
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        given = ("--model", model) if model else ()
        start = (PYTHON, ROOT / "nlu/launcher.py", "run", *given, "--port", self.port)
        self._command = [str(word) for word in start]
        self._environment = os.environ | {
            "GUANJIA_RASA_TOKEN": TOKEN,
            "GUANJIA_RASA_DB_URL": database_url,
            "GUANJIA_ACTIONS_URL": actions_url,
            "GUANJIA_MODEL_URL": model_url,
        }
        self._log = log
        self._numbers = iter(range(1, 10**6))
        self._up = {200, 503} if model_url else {200}
        self.start()

    def start(self) -> None:
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(self._command, env=self._environment, stdout=log, stderr=log)
        self.until(lambda: self.process.poll() is not None or self.readiness() in self._up, "Rasa does not start")
        assert self.process.poll() is None, self._log.read_text()[-2000:]

    def until(self, look: Callable[[], bool], otherwise: str, *, within: float = START_WITHIN) -> None:
        pause = threading.Event()
        for _ in range(int(within / 0.2)):
            if look():
                return
            pause.wait(0.2)
        pytest.fail(f"{otherwise}: {self._log.read_text()[-2000:]}")

    def readiness(self) -> int | None:
        """Ask as the supervisor does: 200 with a model, 503 without, None while nobody answers."""
        url = f"http://127.0.0.1:{self.port}/webhooks/guanjia/ready"
        try:
            with request.build_opener(request.ProxyHandler({})).open(url, timeout=5) as answer:
                return int(answer.status)
        except HTTPError as error:
            with error:
                return error.code
        except (URLError, OSError):
            return None

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def post(self, route: str, body: bytes, token: str = TOKEN) -> tuple[int, dict[str, Any]]:
        """Send raw bytes; return status and JSON."""
        url = f"http://127.0.0.1:{self.port}/webhooks/guanjia/{route}"
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        opener = request.build_opener(request.ProxyHandler({}))
        try:
            with opener.open(request.Request(url, body, headers), timeout=30) as answer:
                return answer.status, json.load(answer)
        except HTTPError as error:
            with error:
                return error.code, json.load(error)

    def say(self, words: str, *, sender: str, **fields: Any) -> tuple[int, dict[str, Any]]:
        """Send one message, with a new message id unless the test gives one."""
        body = {"sender": sender, "message_id": next(self._numbers), "text": words} | fields
        return self.post("webhook", json.dumps(body).encode())

    def log(self) -> str:
        return self._log.read_text()


@pytest.fixture(scope="session")
def tracker_url(server_url: str) -> str:
    """A database for dialogues, on the server that all tests of the run share."""
    return db.ensure_database(server_url, f"rasa_{os.getpid()}")


@pytest.fixture(scope="session")
def action_server() -> Iterator[ActionServer]:
    server = ActionServer()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def rasa(model, tracker_url, action_server, tmp_path_factory) -> Iterator[Rasa]:
    rasa = Rasa(model, tracker_url, action_server.url, tmp_path_factory.mktemp("rasa") / "rasa.log")
    yield rasa
    rasa.process.terminate()
    rasa.process.wait(20)


@pytest.fixture
def actions(action_server: ActionServer) -> Iterator[ActionServer]:
    """The action server, behaving well and with an empty memory."""
    action_server.calls.clear()
    yield action_server
    action_server.is_failing = False
    action_server.may_answer.set()


@pytest.fixture
def outage(tracker_url: str) -> Iterator[Callable[..., None]]:
    """Closes and opens the database of the dialogues."""
    url = make_url(db.url_for(tracker_url))
    engine = create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")

    def switch(*, down: bool) -> None:
        with engine.connect() as connection:
            connection.execute(text(f'ALTER DATABASE "{url.database}" ALLOW_CONNECTIONS {str(not down).lower()}'))
            query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"
            connection.execute(text(query), {"name": url.database})

    yield switch
    switch(down=False)
    engine.dispose()
