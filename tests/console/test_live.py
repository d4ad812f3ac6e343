"""News for pages that renew themselves: nothing that happens beside the opening of a stream is missed."""

from __future__ import annotations

import re

import pytest

from console.live import Live
from tests.console.conftest import Quiet

NEWS = re.compile(r"id: (\d+)\ndata: news\n\n")


@pytest.fixture
def live():
    """Hears only what a test tells it."""
    return Live("postgresql+psycopg://nobody@localhost/nowhere")


async def _first(live: Live, since: int | None) -> str:
    """What a stream says after its greeting; a stream that is over says nothing more."""
    stream = live.stream(since)
    assert await anext(stream) == "retry: 2000\n\n"
    return await anext(stream)


async def test_what_happens_between_a_page_and_its_stream_is_news(live):
    """A page is made, a resident writes, and only then the browser opens the stream: the page shows it all the same."""
    made = live.heard
    live.tell()

    [number] = NEWS.findall(await _first(live, made))

    assert int(number) == live.heard


async def test_a_stream_that_has_missed_nothing_waits(live, monkeypatch):
    """Otherwise every page would ask for itself again as soon as it is shown."""
    monkeypatch.setattr("console.live.SIGN_OF_LIFE", 0.01)

    assert await _first(live, live.heard) == ": still here\n\n"
    assert await _first(live, None) == ": still here\n\n"


async def test_a_page_of_an_earlier_process_renews_itself(live):
    """A console that has begun anew knows nothing of what happened before, so its numbers are not those of the last."""
    assert live.heard != Live("postgresql+psycopg://nobody@localhost/nowhere").heard


async def test_a_page_says_what_was_known_before_it_was_read(signed_in):
    """The number is taken before the transaction, so that what is committed while the page is made is news too."""
    browser = await signed_in()

    assert f'data-live="/live?since={Quiet.heard}"' in (await browser.get("/")).text


async def test_a_number_that_is_none_opens_the_stream_all_the_same(signed_in):
    """Headers and addresses are anybody's to write."""
    browser = await signed_in()

    for said in ("9" * 5000, "-1", "abc"):
        answer = await browser.get(f"/live?since={said[:20]}", headers={"last-event-id": said})
        assert answer.status_code == 200
