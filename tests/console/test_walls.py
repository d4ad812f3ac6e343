"""The walls between communities, pages and strangers, at every door there is: a new door is walked by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import select

from console.doors import Door
from console.topics import DOORS
from service import sign_in
from service.models.console import AuditEntry
from service.models.people import Role
from tests.console import town
from tests.console.conftest import Browser
from tests.stage import Stage

HOSTILE = '"><img src=x onerror=alert(1)><script>alert(1)</script>'
THEIRS = "隔壁小区的事"
FORM = {  # something sensible for every deed
    "verb": "accept", "version": "0", "words": "您好", "phrase": "looking_into", "to": "101", "kind": "call_back",
    "why": "x", "verdict": "again", "sure": "yes", "intent": "repair", "key": "x", "question": "x", "answer": "x",
}  # fmt: skip
FORGED: tuple[dict[str, str | None], ...] = ({"csrf": ""}, {"origin": "https://evil.example"}, {"origin": None})
WITH_A_NUMBER = [door for door in DOORS if "{id:int}" in door.path and not door.path.startswith(town.SITES)]
LISTS = (  # what a page shows only when it is asked for
    "/letters?box=dead",
    "/letters?box=unread",
    "/residents?list=households",
    "/schedule?list=not_sent",
    "/talks?q=alert",
    "/charts/cases?of=kind&is=repair",
    "/charts/messages?hour=12",
)
# Where residents' words are read; a page that is missing here proves nothing below.
SHOWN = {
    "/", "/cases", "/cases/{id:int}", "/talks", "/talks/{id:int}", "/residents", "/residents/{id:int}",
    "/households/{id:int}", "/letters", "/understanding", "/understanding/deck", "/understanding/conflicts",
    "/understanding/{id:int}", "/knowledge/questions", "/knowledge/questions/{id:int}", "/files/{id:int}",
    "/letters?box=dead", "/letters?box=unread", "/talks?q=alert",
    "/charts/cases?of=kind&is=repair", "/charts/messages?hour=12", "/charts/unclear",
}  # fmt: skip


@pytest.fixture
def resident_of(committed, browser: Browser, clock) -> Any:
    """A manager signed in here, with one of everything here or at the neighbours'."""

    async def enter(words: str, *, elsewhere: bool = False) -> tuple[Browser, Mapping[str, int]]:
        def filled(stage: Stage) -> tuple[str, Mapping[str, int]]:
            who = stage.member(Role.MANAGER)
            token = sign_in.make_link(stage.session, who, now=clock.at)
            if elsewhere:
                stage.community = stage.another_community()
                who = stage.member()
            return token, town.everything(stage, words, who=who)

        token, numbers = committed(filled)
        await browser.send_form(f"/enter/{token}")
        browser.csrf = (await browser.get("/")).text.partition('name="csrf" value="')[2].partition('"')[0]
        return browser, numbers

    return enter


async def open_door(browser: Browser, door: Door, numbers: Mapping[str, int], **forged: Any) -> Any:
    """Knock as a page of ours would, or forge that."""
    path = town.address(door.path, numbers)
    return await (browser.get(path) if door.method == "GET" else browser.send_form(path, **forged, **FORM))


async def test_no_number_leads_to_another_communitys_thing(resident_of):
    """IDOR: whatever is asked for or sent, it is answered as a number that nobody has."""
    browser, numbers = await resident_of(THEIRS, elsewhere=True)

    statuses = {
        (door.method, door.path): (await open_door(browser, door, numbers)).status_code for door in WITH_A_NUMBER
    }

    assert statuses == dict.fromkeys(statuses, 404)


async def test_the_same_numbers_open_every_door_at_home(resident_of):
    """Or the walk above would find nothing anywhere, and prove nothing."""
    browser, numbers = await resident_of("漏水")

    closed = {
        door.path for door in WITH_A_NUMBER if (await open_door(browser, door, numbers)).status_code in (403, 404, 500)
    }

    assert closed == {"/knowledge/questions/{id:int}/ignore"}  # it was made an answer at the door before


async def test_no_page_shows_anything_of_another_community(resident_of):
    """Lists, counts behind charts, boards and searches."""
    browser, _ = await resident_of(THEIRS, elsewhere=True)

    pages = {path: await browser.get(path) for path in (*lists(), *LISTS)}

    assert {path for path, page in pages.items() if page.status_code != 200} == set()
    assert {path for path, page in pages.items() if THEIRS in page.text} == set()


def lists() -> list[str]:
    """Every page without a number, but the stream, which never ends."""
    paths = [door.path for door in DOORS if door.method == "GET" and "{" not in door.path]
    return [path for path in paths if path not in ("/live", "/knowledge/entry", "/charts/messages")]


async def test_what_residents_write_is_text_on_every_page(resident_of):
    """XSS: names, messages, captions, names of files, comments, addresses, whatever stands in an update."""
    browser, numbers = await resident_of(HOSTILE)
    paths = [door.path for door in DOORS if door.method == "GET" and door.right and door.path != "/live"]

    pages = {path: (await browser.get(town.address(path, numbers))).text for path in (*paths, *LISTS)}

    broken = {path for path, page in pages.items() if "<script>alert" in page or "<img src=x" in page}
    assert broken == set()
    assert SHOWN - {path for path, page in pages.items() if "alert(1)" in page} == set()


async def test_no_form_of_another_page_does_anything(resident_of, sessions):
    """CSRF: at every door that changes something, with the right numbers and fields."""
    browser, numbers = await resident_of("漏水")
    deeds = [door for door in DOORS if door.method == "POST" and door.right]

    statuses = {
        (door.path, *forged.items()): (await open_door(browser, door, numbers, **forged)).status_code
        for door in deeds
        for forged in FORGED
    }

    assert statuses == dict.fromkeys(statuses, 403)
    with sessions() as session:
        assert set(session.scalars(select(AuditEntry.act))) == {"sign_in", "shown"}
