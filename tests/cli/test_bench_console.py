"""The benchmark of the console's pages: it measures what there is, and what it measures is a page."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from urllib.parse import urlsplit

from cli import bench_console
from console.app import make_app
from console.topics import DOORS

READ = {door.path for door in DOORS if door.method == "GET"}


async def test_every_page_is_asked_for_and_answers(sessions, engine):
    """A page that nobody measures gets slow, and one that refuses is quick; the seed keeps up with the tables."""
    key = bench_console.fill(sessions, messages=1000, cases=200, households=50)
    assert bench_console.keep_sums(sessions) > 700
    asked = list(bench_console.addresses(engine))
    app = make_app(sessions, url=bench_console.URL, now=lambda: datetime.now(UTC), news=bench_console.Quiet())

    by_door = {path: [one for one in asked if _is_at(path, one)] for path in READ - bench_console.LEFT_OUT.keys()}
    async with bench_console.opened(app, key) as browser:
        answers = {path: (await browser.get(found[0])).status_code for path, found in by_door.items() if found}

    assert answers == dict.fromkeys(by_door, 200)


def _is_at(path: str, address: str) -> bool:
    return bool(re.fullmatch(path.replace("{id:int}", r"\d+"), urlsplit(address).path))


def test_what_is_left_out_has_a_reason_and_what_is_asked_for_a_door():
    """A door that is gone takes its row with it."""
    named = {*bench_console.LEFT_OUT, *bench_console.NUMBERS, *bench_console.queries(), *bench_console.NEED_ONE}

    assert named <= READ
    assert all(bench_console.LEFT_OUT.values())
    assert {path for path in READ if "{id:int}" in path} == set(bench_console.NUMBERS)
