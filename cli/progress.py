"""How far a training has come: a bar on a terminal, plain lines otherwise."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from typing import IO

COMPONENT = re.compile(r"component (?P<number>\d+)/(?P<every>\d+) (?P<name>.+)")  # as nlu/train.py prints it
RESULT = "model "
WIDTH = 30  # characters
CLEAR = "\r\033[K"


def show(lines: Iterable[str], target: IO[str] | None = None) -> str:
    """Show every line as it comes, but the one that names the result: that is given back.

    Args:
        lines: what the trainer prints.
        target: where to show them; standard output when left out.
    """
    out, result = target or sys.stdout, ""
    for line in map(str.strip, lines):
        if line.startswith(RESULT):
            result = line.removeprefix(RESULT)
        else:
            _show_one(line, out)
    if out.isatty():
        print(CLEAR, end="", file=out, flush=True)
    return result


def _show_one(line: str, out: IO[str]) -> None:
    if not out.isatty():
        print(line, file=out, flush=True)
        return
    step = COMPONENT.fullmatch(line)
    if step is None:
        print(f"{CLEAR}{line}", end="", file=out, flush=True)
        return
    number, every = int(step["number"]), int(step["every"])
    done = WIDTH * number // every
    print(f"{CLEAR}[{'#' * done}{'.' * (WIDTH - done)}] {number}/{every} {step['name']}", end="", file=out, flush=True)
