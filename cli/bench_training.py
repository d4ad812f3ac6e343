"""`guanjia bench training`: from "train" to "active" while residents write, and none of them may notice.

The whole house runs on the look-alike, its trainer too, as in `guanjia serve`. A model is trained from the base data
and some labels, measured beside the active one, compared, activated, past the gate if need be; all the while residents
write at a steady pace, and after a quiet time without a training, so that one can be held against the other.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from statistics import quantiles
from typing import Any

import yaml
from sqlalchemy import func, select

from cli import bench, bench_swaps, understanding
from cli.bench import House, Turn
from cli.site_data import SiteData
from service import config, db, language_models, learning, model_reports, training
from service.config import Settings
from service.errors import ModelRefused
from service.learning import Labelled
from service.models.communities import Community
from service.models.queues import InboxRow, OutboxRow
from service.models.understanding import LabelUse, LanguageModel, TrainingRun

LATE = 1.0  # seconds
QUIET = 30.0  # seconds of talk without a training
AFTERWARDS = 15.0  # seconds of talk with the new model
LOOKS_EVERY = 0.5  # seconds
BY = "bench"
LESSONS = Path(__file__).with_suffix(".yml")


@dataclass
class Load:
    """What residents saw: seconds until an answer, by when they wrote; and what went wrong."""

    answers: list[tuple[float, float]] = field(default_factory=list)  # when, how long
    unanswered: int = 0
    strayed: int = 0  # talks that ended early, because an answer was not the one of the script

    def between(self, since: float, until: float) -> list[float]:
        """How long answers took to what was written then."""
        return [taken for at, taken in self.answers if since <= at < until]


async def run(settings: Settings, *, rate: float) -> dict[str, float]:
    """Train, compare and activate under load, and print what it cost.

    Args:
        settings: where trained models are.
        rate: messages a second.
    """
    folder = await asyncio.to_thread(folder_with_model, settings)
    limits = {**bench.OUT_OF_THE_WAY, "MODELS_DIR": str(folder)}
    async with bench.house_on_look_alike(limits, name="bench-training") as house:
        engine = db.connect(house.database_url)
        sessions, load = db.sessions(engine), Load()
        await asyncio.to_thread(_teach, sessions)
        async with _residents(house, load, rate):
            began = time.perf_counter()
            await asyncio.sleep(QUIET)
            asked = time.perf_counter()
            model = await _trained(sessions)
            trained = time.perf_counter()
            passed = await asyncio.to_thread(_activated, sessions, model)
            await asyncio.wait_for(bench_swaps.until_served(config.load(), model), bench_swaps.SWAPPED_WITHIN)
            active = time.perf_counter()
            await asyncio.sleep(AFTERWARDS)
        failed = await asyncio.to_thread(_failed, sessions)
        engine.dispose()
    quiet, busy = load.between(began, asked), load.between(asked, time.perf_counter())
    found = {
        "rate": rate,
        "train_to_active_s": active - asked,
        "train_s": trained - asked,
        "through_the_gate": float(passed),
        "messages": float(len(busy) + load.unanswered),
        "failed": float(failed),
        "unanswered": float(load.unanswered),
        "late": float(sum(taken > LATE for taken in busy)),
        "strayed": float(load.strayed),
        **_percentiles("", busy),
        "quiet_messages": float(len(quiet)),
        "quiet_late": float(sum(taken > LATE for taken in quiet)),
        **_percentiles("quiet_", quiet),
    }
    print(REPORT.format(late_s=LATE, load=os.getloadavg()[0], **found))
    return found


def folder_with_model(settings: Settings, *, folder: str = "bench-training-models") -> Path:
    """A folder of the run's own under `var/`, with the model of this version."""
    path = bench.fresh(folder)
    name = understanding.train(settings, SiteData((), ()))
    for file in (language_models.file_of(settings.models_dir, name), settings.models_dir / f"{name}.json"):
        shutil.copy(file, path)
    return path


def _teach(sessions: db.Sessions) -> None:
    with db.transaction(sessions) as session:
        for label in yaml.safe_load(LESSONS.read_text("utf-8")):
            use = LabelUse(label.pop("use"))
            learning.add(session, Labelled(**label), use=use, by=BY, at=datetime.now(UTC))


@asynccontextmanager
async def _residents(house: House, load: Load, rate: float) -> AsyncIterator[None]:
    """Newcomers begin to talk at a steady pace, so that `rate` messages a second come on the whole; at last all end."""
    turns: list[Turn] = yaml.safe_load(bench.SCRIPT.read_text("utf-8"))["turns"]
    await house.ask(0, turns[0])  # somebody warms everything up
    over = asyncio.Event()

    async def talk(person: int) -> None:
        for turn in turns:
            began = time.perf_counter()
            try:
                await house.ask(person, turn)
            except TimeoutError:
                load.unanswered += 1
                return
            except (KeyError, StopIteration):
                load.strayed += 1
                return
            load.answers.append((began, time.perf_counter() - began))
            await asyncio.sleep(max(began + 1.0 - time.perf_counter(), 0.0))

    async with asyncio.TaskGroup() as talks:

        async def come() -> None:
            for person in count(1):
                if over.is_set():
                    return
                talks.create_task(talk(person))
                await asyncio.sleep(len(turns) / rate)  # one newcomer brings so many messages

        talks.create_task(come())
        yield
        over.set()


async def _trained(sessions: db.Sessions) -> str:
    """Ask as the console does, wait for the trainer, and give the model's name."""
    run_id = await asyncio.to_thread(_ask, sessions)
    while True:
        run, name = await asyncio.to_thread(_look, sessions, run_id)
        if run.ended_at is not None:
            return name or sys.exit(f"the training did not end well: {run.failure}")
        await asyncio.sleep(LOOKS_EVERY)


def _ask(sessions: db.Sessions) -> int:
    with db.transaction(sessions) as session:
        community = session.scalars(select(Community)).one()
        asked = training.ask(session, community_id=community.id, by=BY, now=datetime.now(UTC))
        assert asked is not None
        return asked.id


def _look(sessions: db.Sessions, run_id: int) -> tuple[TrainingRun, str | None]:
    with db.transaction(sessions) as session:
        run = session.get_one(TrainingRun, run_id)
        made = session.get(LanguageModel, run.model_id) if run.model_id else None
        return run, made.name if made else None


def _activated(sessions: db.Sessions, name: str) -> bool:
    """Compare and activate as the console does; say whether the gate let it pass."""
    with db.transaction(sessions) as session:
        model, active = language_models.access_model(session, name), language_models.active(session)
        community = session.scalars(select(Community)).one()
        assert active is not None
        assert model_reports.compare(session, community.id, active, model) is not None, "there is nothing to compare"
        facts: dict[str, Any] = {"by": BY, "now": datetime.now(UTC)}
        try:
            language_models.activate(session, name, **facts)
        except ModelRefused:
            language_models.activate(session, name, force=True, reason=BY, **facts)
            return False
        return True


def _failed(sessions: db.Sessions) -> int:
    """Messages after which the machinery had to apologise, or that became dead letters."""
    with db.transaction(sessions) as session:
        apologies = select(func.count()).where(OutboxRow.key.endswith(":try_later"))
        dead = select(func.count()).where(InboxRow.dead_at.is_not(None))
        return (session.scalar(apologies) or 0) + (session.scalar(dead) or 0)


def _percentiles(prefix: str, taken: list[float]) -> dict[str, float]:
    cuts = quantiles(taken, n=100)
    return {
        f"{prefix}p50_ms": 1000 * cuts[49],
        f"{prefix}p99_ms": 1000 * cuts[98],
        f"{prefix}longest_ms": 1000 * max(taken),
    }


REPORT = """
a training while residents write {rate:g} messages a second; {load:.1f} processes want a core
from "train" to "active" {train_to_active_s:.0f} s (bar: 180), of it until it could be compared {train_s:.0f} s
messages {messages:.0f}: failed {failed:.0f}, unanswered {unanswered:.0f} (bar: 0), over {late_s:.0f} s {late:.0f}
an answer: p50 {p50_ms:.0f} ms, p99 {p99_ms:.0f} ms, longest {longest_ms:.0f} ms
before, without a training, {quiet_messages:.0f} messages: longer than {late_s:.0f} s {quiet_late:.0f}, \
p50 {quiet_p50_ms:.0f} ms, p99 {quiet_p99_ms:.0f} ms, longest {quiet_longest_ms:.0f} ms
talks that left the script {strayed:.0f}; through the gate: {through_the_gate:.0f}"""
