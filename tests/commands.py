"""`guanjia` as an operator runs it: a process of its own, but without the second it takes to import everything."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from cli.app import main

# A server that has imported what commands import, and forks for each of them.
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["cli.app", "bot.process", "cli.database", "service.knowledge", "openpyxl", "alembic"])


def run(arguments: Sequence[str], *, folder: Path, settings: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder, with just these settings of ours (their names without `GUANJIA_`).

    Raises:
        subprocess.TimeoutExpired: it is not done after two minutes.
    """
    with TemporaryDirectory() as streams:
        outs = [Path(streams, name) for name in ("out", "err")]
        process = _FORKS.Process(target=_command, args=(arguments, folder, dict(settings), *outs))
        process.start()
        process.join(timeout=120)
        if process.exitcode is None:
            process.kill()
            raise subprocess.TimeoutExpired(arguments, 120)
        return subprocess.CompletedProcess(arguments, process.exitcode, *(out.read_text("utf-8") for out in outs))


def bare_environment() -> dict[str, str]:
    """The environment without any setting of ours."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GUANJIA_")}


def _command(arguments: Sequence[str], folder: Path, settings: Mapping[str, str], out: Path, err: Path) -> None:
    """In the new process: become the command."""
    for stream, path in ((sys.stdout, out), (sys.stderr, err)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), stream.fileno())
    os.chdir(folder)
    environment = bare_environment() | {f"GUANJIA_{name}": value for name, value in settings.items()}
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["guanjia", *arguments]
    main()
