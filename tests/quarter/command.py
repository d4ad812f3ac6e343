"""`make quarter`: quarters of communities, a process an estate; ends with 1 when a promise was broken."""

from __future__ import annotations

import itertools
import os
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import datetime
from multiprocessing import Manager, get_context
from queue import Queue
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from service.shares import Share
from tests.quarter.machine import settle_down
from tests.quarter.people import QUARTER, Scale
from tests.quarter.story import Result, tell
from tests.quarter.world import World
from tests.stage import a_server, copy_of_template

LOOK_EVERY = 0.5  # seconds
A_LINE_EVERY = 20.0  # seconds, where a log is written and nobody sees a bar
SHOWN = 20  # violations an estate
ESTATES = 2  # that share the households of a quarter: each story happens in turn, and a machine has two cores


@dataclass(frozen=True)
class Stand:
    """How far a quarter is, and what was broken in it so far."""

    moment: datetime
    cases: int
    violations: tuple[str, ...]


def main(
    *,
    seeds: Annotated[int, typer.Option(help="How many quarters.")] = 1,
    first: Annotated[int, typer.Option(help="The first seed.")] = 1,
    processes: Annotated[int, typer.Option(help="How many estates at once; each takes a core.")] = ESTATES,
    households: int = QUARTER.households,
    cases: int = QUARTER.cases,
    days: int = QUARTER.days,
) -> None:
    """Play quarters and count what was broken."""
    scale = replace(QUARTER, households=households, cases=cases, days=days).part(ESTATES)
    screen, since = Screen(Console(), scale), time.monotonic()
    results = play_all(range(ESTATES * first, ESTATES * (first + seeds)), scale, processes, screen)
    screen.sum_up(seeds, results, seconds=time.monotonic() - since)
    raise typer.Exit(1 if any(result.violations for result in results) else 0)


def play_all(seeds: range, scale: Scale, processes: int, screen: Screen) -> list[Result]:
    """Every estate in a process and a server of its own; each is reported when it ends."""
    results = []
    with Manager() as manager, screen.bar:
        cores: Queue[int] = manager.Queue()
        for _, core in zip(range(processes), itertools.cycle(os.sched_getaffinity(0)), strict=False):
            cores.put(core)
        pool = ProcessPoolExecutor(processes, get_context("spawn"), initializer=settle_on, initargs=(cores,))
        stands: dict[int, Stand] = manager.dict()  # type: ignore[assignment]
        running = {pool.submit(play_one, seed, scale, stands): seed for seed in seeds}
        while running:
            ended = wait(running, timeout=LOOK_EVERY, return_when=FIRST_COMPLETED).done
            screen.show(dict(stands))
            for future in ended:
                results.append(_result(future))
                screen.report(running.pop(future), results[-1])
        pool.shutdown()
    return results


def settle_on(cores: Queue[int]) -> None:
    """Stay on one core, and what is started from here too: who asks a database and who answers never work at once."""
    os.sched_setaffinity(0, {cores.get()})
    settle_down()


def _result(future: Future[Result]) -> Result:
    """What came of an estate; one that broke down has broken a promise too."""
    error = future.exception()
    return future.result() if error is None else Result(0, 0, Counter(), Share(0, 0), [f"it broke down: {error!r}"])


class Screen:
    """Shows how far quarters are: a bar each on a terminal, a line now and then in a log; violations at once."""

    def __init__(self, console: Console, scale: Scale, *, a_line_every: float = A_LINE_EVERY) -> None:
        columns = (TextColumn("seed {task.description}"), BarColumn(), TextColumn("{task.fields[day]}"))
        self.bar = Progress(*columns, TimeElapsedColumn(), console=console, disable=not console.is_terminal)
        self._console, self._scale = console, scale
        self._tasks: dict[int, TaskID] = {}
        self._said: Counter[int] = Counter()  # violations, by seed
        self._a_line_every = a_line_every
        self._next_line = time.monotonic() + a_line_every

    def show(self, stands: Mapping[int, Stand]) -> None:
        """What is new."""
        is_time = time.monotonic() >= self._next_line
        for seed, stand in stands.items():
            self._move(seed, stand)
            for violation in stand.violations[self._said[seed] :]:
                self._say(f"seed {seed}: broken: {violation}")
            self._said[seed] = len(stand.violations)
            if is_time and not self._console.is_terminal:
                self._say(f"seed {seed}: {stand.moment:%m-%d}, {stand.cases} cases, {len(stand.violations)} violations")
        self._next_line += self._a_line_every if is_time else 0

    def report(self, seed: int, result: Result) -> None:
        """An estate in a line, and what was broken in it."""
        self._say(
            f"seed {seed}: {result.seconds:.0f} s, {result.python:.0f} s of them Python; {_counted(result.seen)}; "
            f"fixed the first time {result.fixed.count} of {result.fixed.of}; {len(result.violations)} violations"
        )
        for violation in result.violations[:SHOWN]:
            self._say(f"    {violation}")

    def sum_up(self, quarters: int, results: Sequence[Result], *, seconds: float) -> None:
        """All of them in a line."""
        seen = sum((result.seen for result in results), Counter[str]())
        broken = sum(len(result.violations) for result in results)
        self._say(f"quarters: {quarters} in {seconds:.0f} s; {_counted(seen)}; {broken} violations")

    def _move(self, seed: int, stand: Stand) -> None:
        if seed not in self._tasks:
            self._tasks[seed] = self.bar.add_task(str(seed), total=float(self._scale.days), day="")
        days = (stand.moment - self._scale.begins).total_seconds() / 86_400
        self.bar.update(self._tasks[seed], completed=days, day=f"{stand.moment:%m-%d}")

    def _say(self, line: str) -> None:
        self._console.out(line, highlight=False)


def _counted(seen: Counter[str]) -> str:
    return ", ".join(f"{seen[name]} {name}" for name in ("cases opened", "cases reopened", "moments", "ratings"))


def play_one(seed: int, scale: Scale, stands: dict[int, Stand]) -> Result:
    """One estate, in a process of its own."""
    last = time.monotonic()

    def progress(world: World) -> None:
        nonlocal last
        if time.monotonic() > last + LOOK_EVERY:
            last = time.monotonic()
            stands[seed] = Stand(world.now, world.seen["cases opened"], tuple(world.violations))

    try:
        with a_server("guanjia-quarter-") as url, copy_of_template(url, f"quarter_{seed}") as own:
            return tell(own, seed=seed, scale=scale, progress=progress)
    finally:
        stands.pop(seed, None)


if __name__ == "__main__":
    typer.run(main)
