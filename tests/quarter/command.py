"""`make quarter`: quarters of a community, a process a seed; ends with 1 when a promise was broken."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from concurrent.futures import Future, ProcessPoolExecutor, wait
from dataclasses import replace
from datetime import datetime
from multiprocessing import Manager, get_context
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from tests.quarter.machine import settle_down
from tests.quarter.people import QUARTER, Scale
from tests.quarter.story import Result, tell
from tests.stage import a_server, copy_of_template

LOOK_EVERY = 0.5  # seconds
SHOWN = 20  # violations a seed


def main(
    *,
    seeds: Annotated[int, typer.Option(help="How many quarters.")] = 1,
    first: Annotated[int, typer.Option(help="The first seed.")] = 1,
    processes: Annotated[int, typer.Option(help="How many at once; each takes two cores.")] = 1,
    households: int = QUARTER.households,
    cases: int = QUARTER.cases,
    days: int = QUARTER.days,
) -> None:
    """Play quarters and count what was broken."""
    scale = replace(QUARTER, households=households, cases=cases, days=days)
    with a_server("guanjia-quarter-") as url:
        results = play_all(url, range(first, first + seeds), scale, processes)
    report(results)
    raise typer.Exit(1 if any(result.violations for result in results) else 0)


def play_all(url: str, seeds: range, scale: Scale, processes: int) -> list[Result]:
    """Every seed in a process and a database of its own, with a bar."""
    columns = (
        TextColumn("seed {task.description}"),
        BarColumn(),
        TextColumn("{task.fields[day]}"),
        TimeElapsedColumn(),
    )
    with Manager() as manager, ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        days: dict[int, datetime] = manager.dict()  # type: ignore[assignment]
        running = {seed: pool.submit(play_one, url, seed, scale, days) for seed in seeds}
        with Progress(*columns) as bar:
            tasks = {seed: bar.add_task(str(seed), total=float(scale.days), day="") for seed in seeds}
            while wait(running.values(), timeout=LOOK_EVERY).not_done:
                show(bar, tasks, dict(days), scale)
            show(bar, tasks, dict(days), scale)
        return [_result(seed, future) for seed, future in running.items()]


def _result(seed: int, future: Future[Result]) -> Result:
    """What came of a seed; one that broke down has broken a promise too."""
    error = future.exception()
    return future.result() if error is None else Result(seed, 0, 0, Counter(), "-", [f"it broke down: {error!r}"])


def show(bar: Progress, tasks: dict[int, Any], days: dict[int, datetime], scale: Scale) -> None:
    """How far each quarter is."""
    for seed, moment in days.items():
        bar.update(tasks[seed], completed=(moment - scale.begins).total_seconds() / 86_400, day=f"{moment:%m-%d}")


def play_one(url: str, seed: int, scale: Scale, days: dict[int, datetime]) -> Result:
    """One quarter, in a process of its own."""
    settle_down()
    last = time.monotonic()

    def progress(moment: datetime) -> None:
        nonlocal last
        if time.monotonic() > last + LOOK_EVERY:
            last, days[seed] = time.monotonic(), moment

    with copy_of_template(url, f"quarter_{seed}_{os.getpid()}") as own:
        return tell(own, seed=seed, scale=scale, progress=progress)


def report(results: list[Result]) -> None:
    """A line a seed, and what was broken."""
    for result in results:
        line = f"seed {result.seed}: {result.seconds:.0f} s, {result.cpu:.0f} s of Python; " + ", ".join(
            f"{result.seen[name]} {name}" for name in ("cases opened", "cases reopened", "moments", "ratings")
        )
        sys.stdout.write(f"{line}; fixed the first time {result.fixed}; {len(result.violations)} violations\n")
        sys.stdout.writelines(f"    {violation}\n" for violation in result.violations[:SHOWN])


if __name__ == "__main__":
    typer.run(main)
