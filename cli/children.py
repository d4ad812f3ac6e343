"""The commands that run as processes of their own, and what each is given."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from service.config import PREFIX, ROOT, Settings

POLITELY = ("nice", "-n", "10")  # residents go first
RASA_PYTHON = ROOT / "nlu" / ".venv" / "bin" / "python"
LOOPBACK = "127.0.0.1"
LAUNCHER = ROOT / "nlu" / "launcher.py"


@dataclass(frozen=True)
class Child:
    """A process: what it is called, how it is started, and the address that answers when it is up."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    health: str | None = None


def children(settings: Settings, *, database_url: str, rasa_database_url: str) -> list[Child]:
    """The children of `guanjia serve`: the action server, Rasa, which asks it for its model, and our own doors."""
    actions = f"http://{LOOPBACK}:{settings.actions_port}"
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        f"{PREFIX}DATABASE_URL": database_url,
        f"{PREFIX}RASA_DB_URL": rasa_database_url,
        f"{PREFIX}RASA_TOKEN": settings.rasa_token.get_secret_value(),
        f"{PREFIX}MODELS_DIR": str(settings.models_dir),
        f"{PREFIX}ACTIONS_URL": f"{actions}/webhook",
        f"{PREFIX}MODEL_URL": f"{actions}/model",
        "GUANJIA_PARENT_PID": str(os.getpid()),
    }
    rasa = str(settings.rasa_url).rstrip("/")
    return [
        Child("actions", itself("actions"), environment, f"{actions}/health"),
        Child("rasa", rasa_command(settings.rasa_url.port or 5005), environment, f"{rasa}/webhooks/guanjia/ready"),
        Child("bot", itself("bot"), environment),
        Child("scheduler", [*POLITELY, *itself("scheduler")], environment),
        Child("trainer", itself("trainer"), environment),
        Child("console", itself("console"), environment, f"http://{LOOPBACK}:{settings.console_port}/healthz"),
    ]


def itself(*arguments: str) -> list[str]:
    """This very command with other arguments."""
    return [sys.executable, "-m", "cli", *arguments]


def rasa_command(port: int) -> list[str]:
    """Rasa's server."""
    return [str(RASA_PYTHON), str(LAUNCHER), "run", "--port", str(port)]
