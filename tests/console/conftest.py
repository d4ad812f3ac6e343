"""The real application over ASGI, on a real database; a browser is an HTTP client with a cookie jar."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from console.app import make_app
from service import db, sign_in
from service.db import Sessions
from service.models.people import Role
from tests.stage import NOON, Stage

URL = "https://console.example.org"


class Quiet:
    """Nothing ever happens."""

    heard = 7

    async def stream(self, _: int | None) -> AsyncIterator[str]:
        yield "data: news\n\n"


@dataclass
class Clock:
    """A clock that stands until it is moved."""

    at: datetime = NOON

    def now(self) -> datetime:
        return self.at

    def advance(self, by: timedelta) -> None:
        self.at += by


class Browser(httpx.AsyncClient):
    """Sends forms as a page of ours does, unless a test says otherwise."""

    def __init__(self, app: Any) -> None:
        super().__init__(transport=httpx.ASGITransport(app), base_url=URL)
        self.csrf = ""

    async def send_form(self, path: str, *, origin: str | None = URL, csrf: str | None = None, **fields: str) -> Any:
        """Post a form."""
        headers = {"origin": origin} if origin is not None else {}
        return await self.post(path, data=fields | {"csrf": self.csrf if csrf is None else csrf}, headers=headers)


@pytest.fixture
def clock() -> Clock:
    """The console's clock."""
    return Clock()


@pytest.fixture
def committed(sessions: Sessions) -> Callable[..., Any]:
    """Do something on the stage of the community, and commit it."""

    def act(deed: Callable[[Stage], Any]) -> Any:
        with db.transaction(sessions) as session:
            return deed(Stage(session))

    return act


@pytest.fixture
def app(sessions: Sessions, clock: Clock) -> Any:
    """The application."""
    return make_app(sessions, url=URL, now=clock.now, news=Quiet())


@pytest.fixture
async def browser(app: Any) -> AsyncIterator[Browser]:
    """Somebody's browser, not signed in."""
    async with Browser(app) as opened:
        yield opened


@pytest.fixture
def link(committed, clock: Clock) -> Callable[..., str]:
    """Make a link for a new member of staff; gives its path."""

    def make(role: Role = Role.BUTLER) -> str:
        return f"/enter/{committed(lambda stage: sign_in.make_link(stage.session, stage.member(role), now=clock.at))}"

    return make


@pytest.fixture
def signed_in(browser: Browser, link) -> Callable[..., Any]:
    """Sign the browser in as somebody of this role."""

    async def enter(role: Role = Role.BUTLER) -> Browser:
        await browser.send_form(link(role))
        page = await browser.get("/")
        assert page.status_code == 200, page.text
        browser.csrf = page.text.partition('name="csrf" value="')[2].partition('"')[0]
        return browser

    return enter
