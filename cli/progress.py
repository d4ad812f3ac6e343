"""How far a training or an import has come: a bar on a terminal, plain lines otherwise."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import IO, Self, TypeVar

COMPONENT = re.compile(r"component (?P<number>\d+)/(?P<every>\d+) (?P<name>.+)")  # as nlu/train.py prints it
RESULT = "model "
WIDTH = 30  # characters
CLEAR = "\r\033[K"
SHOWN_EVERY = 0.1  # seconds on a terminal
SAID_EVERY = 5.0  # seconds elsewhere

Item = TypeVar("Item")


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


def follow(lines: Iterable[str], tell: Callable[[int, int, str], None]) -> str:
    """Tell of every component that trains, which of how many it is, and give the result back as `show` does."""
    result = ""
    for line in map(str.strip, lines):
        step = COMPONENT.fullmatch(line)
        if step is not None:
            tell(int(step["number"]), int(step["every"]), step["name"])
        elif line.startswith(RESULT):
            result = line.removeprefix(RESULT)
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


class Steps:
    """How far an import is: its rows, counted, and the steps after them."""

    def __init__(self, total: int, target: IO[str] | None = None) -> None:
        self._total = total
        self._out = target or sys.stdout
        self._next = 0.0
        self._since = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self._out.isatty():
            print(CLEAR, end="", file=self._out, flush=True)

    def counted(self, items: Iterable[Item]) -> Iterator[Item]:
        """The items as they are, counted on their way; a total of 0 is one that nobody knows."""
        number = 0
        for number, item in enumerate(items, 1):
            self._count(number)
            yield item
        self._count(number, at_last=True)

    def step(self, name: str) -> None:
        """Say what is done now."""
        self._say(f"{time.monotonic() - self._since:5.1f} s  {name}")

    def _count(self, number: int, *, at_last: bool = False) -> None:
        now = time.monotonic()
        if now < self._next and not at_last:
            return
        self._next = now + (SHOWN_EVERY if self._out.isatty() else SAID_EVERY)
        total = max(self._total, number)
        done = WIDTH * number // max(total, 1)
        bar = f"[{'#' * done}{'.' * (WIDTH - done)}] " if self._total else ""
        self._say(f"{bar}{number}/{total if self._total else '?'} rows")

    def _say(self, line: str) -> None:
        if self._out.isatty():
            print(f"{CLEAR}{line}", end="", file=self._out, flush=True)
        else:
            print(line, file=self._out, flush=True)
