"""`guanjia bench knowledge`: how well questions find their answers, and how fast among thousands of entries.

Quality is measured over the base, on the questions of bench_knowledge.yml. Speed is measured through the database, as
an action asks: the look whether the index is stale, the ranking, the choice; from one thread and from eight, on a
database that is thrown away. The many entries are the base's own, said of other things, so that words repeat as they do
in life.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import psutil
import yaml
from sqlalchemy import insert

from cli.postgres import DATABASE, Postgres
from service import communities, db, knowledge, knowledge_base, knowledge_entries
from service.knowledge import Match, Reader
from service.knowledge_entries import Content
from service.knowledge_shelf import Shelf
from service.models.communities import Community
from service.models.knowledge import KnowledgeEntry

QUESTIONS = Path(__file__).with_suffix(".yml")
THREADS = (1, 8)
ASKED = 2_000  # questions of each run
BAR = 50.0  # milliseconds: p99 with 5,000 entries
NOW = datetime(2026, 11, 23, 4, tzinfo=UTC)


@dataclass(frozen=True)
class Site:
    """A database with a community in it."""

    sessions: db.Sessions
    community: Community

    def answer(self, shelf: Shelf, question: str) -> Any:
        """Ask as an action does."""
        reader = Reader(self.community, "zh", NOW)
        with db.transaction(self.sessions) as session:
            return knowledge.answer(session, shelf, reader, question)


def run(*, entries: int) -> dict[str, float]:
    """Measure, print the table, and return the figures.

    Args:
        entries: how many the speed is measured with.
    """
    questions = yaml.safe_load(QUESTIONS.read_text("utf-8"))
    with _site() as site:
        figures = _quality(site, questions)
        _fill(site, entries)
        figures |= _speed(site, questions)
    for name, value in figures.items():
        print(f"{name:34} {value:8.3f}" if value < 1 else f"{name:34} {value:8.1f}")
    print(f"bar: p99 with {entries} entries at most {BAR:.0f} ms")
    return figures


def _quality(site: Site, questions: dict[str, Any]) -> dict[str, float]:
    shelf = Shelf()
    pairs = [(question, key) for key, asked in questions["asked"].items() for question in asked]
    with db.transaction(site.sessions) as session:
        index = shelf.book(session, site.community.id).index
    ranked = [([near.key for near in islice(index.rank(question), 3)], key) for question, key in pairs]
    found = [(site.answer(shelf, question), key) for question, key in pairs]
    answered = [(each.entry.key, key) for each, key in found if isinstance(each, Match)]
    foreign = [site.answer(shelf, question) for question in questions["unanswerable"]]
    return {
        "questions with an answer": float(len(pairs)),
        "top 1": _share(ranks[:1] == [key] for ranks, key in ranked),
        "top 3": _share(key in ranks for ranks, key in ranked),
        "answered rightly at once": sum(given == key for given, key in answered) / len(pairs),
        "answered wrongly": sum(given != key for given, key in answered) / len(pairs),
        "questions without an answer": float(len(foreign)),
        "answered all the same": _share(isinstance(each, Match) for each in foreign),
    }


def _speed(site: Site, questions: dict[str, Any]) -> dict[str, float]:
    asked = [question for many in questions["asked"].values() for question in many] + questions["unanswerable"]
    random.Random(1).shuffle(asked)
    shelf, memory, began = Shelf(), psutil.Process().memory_info().rss, time.perf_counter()
    site.answer(shelf, asked[0])
    figures = {
        "index made, seconds": time.perf_counter() - began,
        "index, MB": (psutil.Process().memory_info().rss - memory) / 1e6,
    }

    def timed(question: str) -> tuple[float, float]:
        before, worked = time.perf_counter(), time.thread_time()
        site.answer(shelf, question)
        return (time.perf_counter() - before) * 1000, (time.thread_time() - worked) * 1000

    for threads in THREADS:
        with ThreadPoolExecutor(threads) as pool:
            taken, worked = zip(*pool.map(timed, islice(cycle(asked), ASKED)), strict=True)
        for name, values in (("ms", taken), ("ms of work", worked)):
            figures[f"p50 {name}, {threads} at once"] = _percentile(sorted(values), 0.50)
            figures[f"p99 {name}, {threads} at once"] = _percentile(sorted(values), 0.99)
    return figures


@contextmanager
def _site() -> Iterator[Site]:
    with tempfile.TemporaryDirectory(prefix="guanjia-bench-") as folder:
        Path(folder).chmod(0o755)  # the embedded server runs as a user of its own
        server = Postgres(Path(folder))
        try:
            url = db.ensure_database(server.url, DATABASE)
            db.upgrade(url)
            engine = db.connect(url)
            sessions = db.sessions(engine)
            with db.transaction(sessions) as session:
                knowledge_base.bring_up_to_date(session, now=NOW)
                profile = communities.Profile("bench", "Asia/Shanghai", "0731-1", None)
                community = communities.settle_in(session, 1, profile)
            yield Site(sessions, community)
            engine.dispose()
        finally:
            server.stop()


def _fill(site: Site, count: int) -> None:
    """The base again and again, each time of another thing, until there are so many."""
    base = sorted(knowledge_base.shipped().items())
    rows = [
        {"key": f"{key}_{copy}", "content": _of_another_thing(content, copy), "community_id": site.community.id}
        for copy in range(1, count // len(base) + 1)
        for key, content in base
    ][: count - len(base)]
    with db.transaction(site.sessions) as session:
        session.execute(insert(KnowledgeEntry), rows)
        knowledge_entries.put(session, site.community.id, "last", base[0][1], by="bench", now=NOW)  # moves the stamp


def _of_another_thing(content: Content, copy: int) -> Content:
    told = dict(content)
    for language, words in _things().items():
        thing = f"{words[copy % len(words)]}{words[copy // len(words) % len(words)]} "
        told[language] = content[language] | {"questions": [thing + each for each in content[language]["questions"]]}
    return told


@cache
def _things() -> dict[str, list[str]]:
    things: dict[str, list[str]] = yaml.safe_load(QUESTIONS.read_text("utf-8"))["things"]
    return things


def _percentile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def _share(hits: Iterator[bool]) -> float:
    found = list(hits)
    return sum(found) / len(found)
