"""`make takeover`: random histories of takeovers; ends with 1 when one of them broke a promise."""

from __future__ import annotations

import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from typing import Annotated

import structlog
import typer
from rich.progress import track
from sqlalchemy import Engine, create_engine

from service import db
from service.db import url_for
from tests.stage import a_server, copy_of_template
from tests.takeover.histories import History, shortened, written
from tests.takeover.promises import play
from tests.takeover.world import beginning

BLOCK = 50  # histories that are played in one database
# All histories say the same few hundred statements: they are planned once.
PREPARED = {"prepare_threshold": 2, "options": "-c plan_cache_mode=force_generic_plan -c jit=off"}


@dataclass
class Played:
    """What was seen in some histories, and those that broke a promise: the seed, the shortest form, what broke."""

    seen: Counter[str] = field(default_factory=Counter)
    broken: list[tuple[int, History, str]] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, other: Played) -> None:
        """Count what was seen elsewhere, too."""
        self.seen += other.seen
        self.broken += other.broken
        self.seconds += other.seconds


def main(
    *,
    runs: Annotated[int, typer.Option(help="How many histories.")] = 10_000,
    first: Annotated[int, typer.Option(help="The first seed; a seed always tells the same history.")] = 1,
    processes: Annotated[int, typer.Option(help="How many at once.")] = 2,
    minutes: Annotated[float, typer.Option(help="Begin no more after so long.")] = 24 * 60.0,
) -> None:
    """Play histories, and shorten those that break a promise to what breaks it."""
    blocks = [range(begin, min(begin + BLOCK, first + runs)) for begin in range(first, first + runs, BLOCK)]
    until = time.time() + 60 * minutes
    whole = Played()
    with a_server("guanjia-takeover-") as url, ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        play = partial(play_block, url, until)
        for played in track(pool.map(play, blocks), total=len(blocks), description="histories"):
            whole.add(played)
    report(whole, first)
    raise typer.Exit(1 if whole.broken else 0)


def play_block(url: str, until: float, seeds: range) -> Played:
    """Some histories, in a database of their own; none when it is too late."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    played, began = Played(), time.time()
    if began > until:
        return played
    with copy_of_template(url, f"takeover_{seeds[0]}") as own:
        engine = create_engine(url_for(own), connect_args=PREPARED)
        with db.sessions(engine).begin() as session:
            beginning(session)
        for seed in seeds:
            if what := broken_by(engine, written(seed), played.seen):
                shortest = shortened(written(seed), lambda one: bool(broken_by(engine, one, Counter())))
                played.broken.append((seed, shortest, what))
        engine.dispose()
    played.seconds = time.time() - began
    return played


def broken_by(engine: Engine, history: History, seen: Counter[str]) -> str:
    """What the history broke; empty when it kept every promise."""
    try:
        play(engine, history, seen)
    except Exception as error:  # noqa: BLE001 - whatever a handler raises here, a resident would have suffered from
        return f"{type(error).__name__}: {error}"
    return ""


def report(whole: Played, first: int) -> None:
    """What was seen, and every broken history as a test would play it."""
    sys.stdout.writelines(f"{count:>9,} {what}\n" for what, count in sorted(whole.seen.items()))
    count = whole.seen["histories"]
    each = whole.seconds / max(count, 1)
    sys.stdout.write(f"from seed {first} on: {count:,} histories, {each:.2f} s each, {len(whole.broken)} broken\n")
    for seed, history, what in whole.broken:
        sys.stdout.write(f"\nseed {seed}: {what}\n  shortest: {history}\n")


if __name__ == "__main__":
    typer.run(main)
