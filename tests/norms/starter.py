"""Starts pytest again and again in one second instead of three: what no copy changes is imported once, then it forks.

    python -P tests/norms/starter.py

A line of its input is one run, in JSON: `at`, the folder it runs in, `arguments` for pytest, `says`, the file for what
it prints, and `longest`, after how many seconds it is ended. It answers each with a line: the exit code.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

# The large ones; pytest's plugins are left to pytest, which wants to be the first to import them.
BEFOREHAND = (
    "alembic.command", "numpy", "phonenumbers", "psycopg", "pydantic_settings", "pypinyin", "rasa_sdk",
    "sqlalchemy.orm", "sqlalchemy.dialects.postgresql.psycopg", "structlog", "telegram", "yaml",
)  # fmt: skip


def run(order: dict[str, Any]) -> int:
    """Fork a run of pytest and wait for its end."""
    child = os.fork()
    if child == 0:
        begin(order)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def begin(order: dict[str, Any]) -> None:
    """Be the run: in its folder, with its own output, and not for ever."""
    os.chdir(order["at"])
    with Path(order["says"]).open("wb") as said:
        for stream in (1, 2):
            os.dup2(said.fileno(), stream)
    signal.alarm(order["longest"])
    sys.exit(pytest.main(order["arguments"]))


if __name__ == "__main__":
    for name in BEFOREHAND:
        importlib.import_module(name)
    for line in sys.stdin:
        sys.stdout.write(f"{run(json.loads(line))}\n")
        sys.stdout.flush()
