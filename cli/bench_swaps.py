"""`guanjia bench swaps`: the model is swapped while residents talk, and nobody may notice.

Rasa, action server and PostgreSQL run as they do in production; residents speak through the bot's own client of Rasa's
channel. Two models take turns: the one of this version, and one with a single example more.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from statistics import median, quantiles

import aiohttp
import psutil
import yaml

from bot.rasa import Ask, Rasa, RasaDown
from cli import bench, children, database, demo, understanding
from cli.site_data import SiteData
from cli.supervisor import Supervisor
from service import db, language_models
from service.config import Settings

RATE = 4.0  # messages a second
PEOPLE = 40  # who take turns; each says the script of bench.yml, then a newcomer takes their place
LATE = 1.0  # seconds
WARM_UP = 5.0  # seconds of talk that do not count: first queries, first connections
PAUSE = 2.5  # seconds before memory is read, so that Rasa has asked once more and given back what the old model held
SWAPPED_WITHIN = 60.0  # seconds
WARM_AFTER = 3  # swaps; by then every allocation that is made once has been made
MORE = "nlu:\n- intent: repair\n  examples: |\n    - the extractor fan in the basement rattles like a tram\n"


@dataclass
class Figures:
    """What was seen."""

    latencies: list[float] = field(default_factory=list)  # seconds
    failures: list[str] = field(default_factory=list)
    swaps: list[float] = field(default_factory=list)  # seconds from the activation to the first answer of the new model
    memory: list[float] = field(default_factory=list)  # MB of Rasa, after each swap


async def run(settings: Settings, *, swaps: int) -> dict[str, float]:
    """Swap under load, and print what it cost.

    Args:
        settings: where trained models are.
        swaps: how many; the bar asks for 20.
    """
    data_dir = bench.fresh("bench-swaps")
    names = await asyncio.to_thread(_two_models, settings, data_dir)
    with (
        bench.settings_of_children({"MODELS_DIR": str(data_dir)}),
        demo.demo_settings(port=1, group=-1, data_dir=data_dir) as ours,
        database.opened(ours) as url,
    ):
        sessions = db.sessions(db.connect(url))
        talks = await asyncio.to_thread(bench.make_residents, url, ours, PEOPLE)
        await asyncio.to_thread(_activate, sessions, data_dir, names[0])
        family = children.children(ours, database_url=url, rasa_database_url=database.rasa_url(url))
        async with bench.running([child for child in family if child.name != "bot"]) as supervisor:
            figures = await _under_load(ours, talks, sessions, supervisor, cycle([names[1], names[0]]), swaps)
    return _print(figures, swaps)


def _two_models(settings: Settings, folder: Path) -> list[str]:
    """Two models in a folder of their own."""
    more = folder / "more.yml"
    more.write_text(MORE, "utf-8")
    names = [understanding.train(settings, SiteData(training, ())) for training in ((), (more,))]
    for name in names:
        shutil.copy(language_models.file_of(settings.models_dir, name), folder)
    return names


def _activate(sessions: db.Sessions, folder: Path, name: str) -> None:
    with db.transaction(sessions) as session:
        language_models.record(session, folder)
        language_models.activate(session, name, by="bench", now=datetime.now(UTC), force=True, reason="bench")


async def _under_load(
    settings: Settings,
    talks: Sequence[int],
    sessions: db.Sessions,
    supervisor: Supervisor,
    names: Iterator[str],
    swaps: int,
) -> Figures:
    figures = Figures()
    rasa = Rasa(str(settings.rasa_url), settings.rasa_token.get_secret_value(), timeout=settings.rasa_timeout)
    await rasa.open()
    load = asyncio.create_task(_talk(rasa, talks, figures))
    process = psutil.Process(supervisor.running["rasa"].pid)
    try:
        await asyncio.sleep(WARM_UP)
        figures.latencies.clear()
        for _ in range(swaps):
            name, began = next(names), time.perf_counter()
            await asyncio.to_thread(_activate, sessions, settings.data_dir, name)
            await asyncio.wait_for(until_served(settings, name), SWAPPED_WITHIN)
            figures.swaps.append(time.perf_counter() - began)
            await asyncio.sleep(PAUSE)
            figures.memory.append(process.memory_info().rss / 1e6)
    finally:
        load.cancel()
        with suppress(asyncio.CancelledError):
            await load
        await rasa.close()
    return figures


async def _talk(rasa: Rasa, talks: Sequence[int], figures: Figures) -> None:
    """Send a message every `1 / RATE` seconds, whether the one before was answered or not."""
    script = yaml.safe_load(bench.SCRIPT.read_text("utf-8"))["turns"]
    async with asyncio.TaskGroup() as group:
        for number in range(10**6):
            turn = script[number // len(talks) % len(script)]
            group.create_task(_timed(rasa, _ask(number, talks[number % len(talks)], turn), figures))
            await asyncio.sleep(1 / RATE)


def _ask(number: int, conversation: int, turn: bench.Turn) -> Ask:
    words = f"/{turn['payload']}" if "payload" in turn else turn["text"]
    metadata = bench.metadata_of(number, conversation, words)
    return Ask(conversation, 0, f"turn:{number}", words, payload="payload" in turn, metadata=metadata)


async def _timed(rasa: Rasa, ask: Ask, figures: Figures) -> None:
    began = time.perf_counter()
    try:
        await rasa.ask(ask)
    except RasaDown as error:
        figures.failures.append(str(error))
    figures.latencies.append(time.perf_counter() - began)


async def until_served(settings: Settings, name: str) -> None:
    """Wait until Rasa says that it serves this model."""
    url = f"{str(settings.rasa_url).rstrip('/')}/status"
    token = {"token": settings.rasa_token.get_secret_value()}
    served = ""
    async with aiohttp.ClientSession() as http:
        while served != f"{name}{language_models.SUFFIX}":
            await asyncio.sleep(0.05)
            async with http.get(url, params=token) as answer:
                served = (await answer.json())["model_file"]


def _print(figures: Figures, swaps: int) -> dict[str, float]:
    latencies, warm = figures.latencies, figures.memory[min(WARM_AFTER, swaps) - 1]
    percentiles = quantiles(latencies, n=100)
    found = {
        "swaps": swaps,
        "messages": len(latencies),
        "failed": len(figures.failures),
        "late": sum(latency > LATE for latency in latencies),
        "p50_ms": 1000 * percentiles[49],
        "p99_ms": 1000 * percentiles[98],
        "longest_ms": 1000 * max(latencies),
        "swap_median_s": median(figures.swaps),
        "swap_longest_s": max(figures.swaps),
        "memory_warm_mb": warm,
        "memory_end_mb": figures.memory[-1],
        "memory_growth": figures.memory[-1] / warm - 1,
    }
    print(REPORT.format(rate=RATE, late_s=LATE, warm=WARM_AFTER, trail=_trail(figures.memory), **found))
    return found


def _trail(memory: Sequence[float]) -> str:
    return " ".join(f"{megabytes:.0f}" for megabytes in memory)


REPORT = """
{swaps} swaps under {rate:.0f} messages a second
messages {messages}: failed {failed} (bar: 0), longer than {late_s:.0f} s {late} (bar: 0)
an answer: p50 {p50_ms:.0f} ms, p99 {p99_ms:.0f} ms, longest {longest_ms:.0f} ms
from activation to served: median {swap_median_s:.1f} s, longest {swap_longest_s:.1f} s
memory of Rasa: {memory_warm_mb:.0f} MB after swap {warm}, {memory_end_mb:.0f} MB after the last: {memory_growth:+.1%}
(bar: ±5 %); after each swap: {trail} MB"""
