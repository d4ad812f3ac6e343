"""The commands that run as processes of their own, and what each is given."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from service.config import PREFIX, ROOT, Settings

RASA_PYTHON = ROOT / "nlu" / ".venv" / "bin" / "python"
LAUNCHER = ROOT / "nlu" / "launcher.py"


@dataclass(frozen=True)
class Child:
    """A process: what it is called, how it is started, and the address that answers when it is up."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    health: str | None = None


def children(settings: Settings, *, database_url: str, rasa_database_url: str, model: Path) -> list[Child]:
    """The children of `guanjia serve`: Rasa, the action server and the bot."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        f"{PREFIX}DATABASE_URL": database_url,
        f"{PREFIX}RASA_DB_URL": rasa_database_url,
        f"{PREFIX}RASA_TOKEN": settings.rasa_token.get_secret_value(),
        f"{PREFIX}ACTIONS_URL": f"http://127.0.0.1:{settings.actions_port}/webhook",
        "GUANJIA_PARENT_PID": str(os.getpid()),
    }
    rasa = str(settings.rasa_url).rstrip("/")
    return [
        Child("actions", itself("actions"), environment, f"http://127.0.0.1:{settings.actions_port}/health"),
        Child("rasa", rasa_command(model, settings.rasa_url.port or 5005), environment, f"{rasa}/"),
        Child("bot", itself("bot"), environment),
    ]


def itself(*arguments: str) -> list[str]:
    """This very command with other arguments."""
    return [sys.executable, "-m", "cli", *arguments]


def rasa_command(model: Path, port: int) -> list[str]:
    """Rasa's server with a model."""
    return [str(RASA_PYTHON), str(LAUNCHER), "run", "--model", str(model), "--port", str(port)]
