"""One request: who asks, in which transaction, and the ways to answer."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from console import rendering, texts
from console.troubles import Kind, Trouble, status_of
from service import schedule, staff
from service import texts as service_texts
from service.db import Sessions
from service.errors import ChangedMeanwhile, ServiceError
from service.models.communities import Community
from service.models.people import Staff
from service.staff import Right

INSIDE = re.compile(r"/(?!/)[\x21-\x5b\x5d-\x7e]*")  # a path of ours: no host, no backslash, no control characters
LARGEST_ID = 2**63 - 1
TOLD, NEXT = "told", "next"  # cookies: what the last deed did; where somebody wanted to go before they signed in


def number(word: str) -> int | None:
    """What a browser sends as a number; None when it is none, or more than a row can have."""
    return int(word) if word.isascii() and word.isdecimal() and len(word) < 19 else None


@dataclass(frozen=True)
class Place:
    """A row of the menu."""

    path: str
    title: str
    right: Right


class News(Protocol):
    """Says when something has happened (console/live.py)."""

    heard: int  # how often so far

    def stream(self, since: int | None, /) -> Any:
        """Server-sent events, for ever or until the browser is to ask again."""


@dataclass(frozen=True)
class House:
    """What every request is given: the database, the clock, the address people know us by."""

    sessions: Sessions
    url: str  # without a slash at the end
    now: Callable[[], datetime]
    news: News
    menu: Sequence[Place]
    models_dir: Path  # where the files of models lie

    @property
    def is_secure(self) -> bool:
        """Whether browsers come by https."""
        return self.url.startswith("https://")

    @property
    def cookie(self) -> str:
        """What the session's cookie is called; the prefix has browsers take it from nobody but this host."""
        return "__Host-guanjia" if self.is_secure else "guanjia"


@dataclass
class Visit:
    """A request at work. `member`, `community` and `language` are set before a page that needs a sign-in is called."""

    house: House
    request: Request
    form: FormData
    now: datetime
    heard: int  # how much news there had been before anything was read
    session: Session = field(init=False)
    member: Staff = field(init=False)
    community: Community = field(init=False)
    language: str | None = None  # None: not signed in, so both are shown
    about: int | None = None  # what the audit log is to name; the path's {id} unless a page says otherwise

    # --- What was asked ---------------------------------------------------------------------------------------------

    @property
    def key(self) -> str:
        """What the session's cookie holds."""
        return self.request.cookies.get(self.house.cookie, "")

    @property
    def address(self) -> str:
        """Where the request came from."""
        return self.request.client.host if self.request.client else ""

    @property
    def csrf(self) -> str:
        """What our forms carry: only who can read our pages knows it, and it changes with the session."""
        return hmac.new(self.key.encode(), b"csrf", hashlib.sha256).hexdigest()

    @property
    def by_htmx(self) -> bool:
        """Whether a part of a page is asked for by script, and not a page."""
        return "hx-request" in self.request.headers

    def id(self, name: str = "id") -> int:
        """A number of the path.

        Raises:
            Trouble: no row has it.
        """
        number = int(self.request.path_params[name])
        if number > LARGEST_ID:
            raise Trouble(Kind.NOT_FOUND)
        return number

    def asked(self, name: str) -> str:
        """A field of the filter, as it stands in the address; nothing when it is missing."""
        return self.request.query_params.get(name, "").replace("\x00", "").strip()

    def asked_number(self, name: str) -> int | None:
        """The same as a number; None when it is none."""
        return number(self.asked(name))

    def asked_day(self, name: str, *, later: int = 0) -> datetime | None:
        """When the day of a field begins in the community, or one some days later; None when nothing is asked.

        Raises:
            ValueError: it is no day.
        """
        word = self.asked(name)
        if not word:
            return None
        try:
            day = date.fromisoformat(word) + timedelta(days=later)
            return datetime.combine(day, time(), ZoneInfo(self.community.timezone)).astimezone(UTC)
        except OverflowError:
            raise ValueError(word) from None

    def asked_period(self, *also: str) -> tuple[dict[str, datetime | None], dict[str, str]]:
        """The days of `since`, `until`, the latter to its end, and further fields; and what of them is no day."""
        days: dict[str, datetime | None] = {}
        errors: dict[str, str] = {}
        for name, later in (("since", 0), ("until", 1), *((name, 0) for name in also)):
            try:
                days[name] = self.asked_day(name, later=later)
            except ValueError:
                errors[name] = "shell.not_a_day"
        return days, errors

    def is_odd(self, name: str) -> bool:
        """Whether a field is to be a number and is none."""
        return bool(self.asked(name)) and self.asked_number(name) is None

    def said(self, name: str) -> str:
        """A field of the form that was sent; nothing when it is missing, or is a file."""
        value = self.form.get(name, "")
        return value.replace("\x00", "").strip() if isinstance(value, str) else ""

    def check_version(self, now_is: int) -> None:
        """Refuse what was written upon an older version than the one that is there (`ui.version` put it in the form).

        Raises:
            ChangedMeanwhile: somebody else was faster.
        """
        if self.said("version") != str(now_is):
            raise ChangedMeanwhile

    def may(self, right: Right) -> bool:
        """Whether the visitor's role allows it."""
        return staff.may(self.member, right)

    # --- What is answered -------------------------------------------------------------------------------------------

    def t(self, key: str, **slots: object) -> str:
        """A text in the visitor's language."""
        return texts.text(key, language=self.language or texts.LANGUAGES[0], **slots)

    def page(self, template: str, *, status: int = HTTPStatus.OK, **facts: object) -> Response:
        """A page of a topic for who is signed in."""
        told, language = self.request.cookies.get(TOLD, ""), self.language or texts.LANGUAGES[0]
        shown = {
            "t": self.t,
            "visit": self,
            "menu": [place for place in self.house.menu if self.may(place.right)],
            "told": told if told in texts.catalogue() else None,
            "moment": partial(rendering.moment, timezone=self.community.timezone, now=self.now),
            "kind_name": partial(service_texts.kind_name, language=language),
            "since": lambda at: rendering.span(self.now - at, language=language),
            "why": partial(schedule.words, language=language),  # a stored reason, in words
        }
        response = HTMLResponse(rendering.environment().get_template(template).render(shown | facts), status)
        if told:
            response.delete_cookie(TOLD)
        return response

    def plain(self, template: str, *, status: int = HTTPStatus.OK, **facts: object) -> Response:
        """A page that stands alone, for whoever it is: in their language, or in both."""
        shown = {"languages": [self.language] if self.language else texts.LANGUAGES, "text": texts.text}
        return HTMLResponse(rendering.environment().get_template(template).render(shown | facts), status)

    def trouble(self, trouble: Trouble | ServiceError) -> Response:
        """Say what went wrong: as a page, or above the page that asked for a part."""
        status = status_of(trouble)
        if isinstance(trouble, Trouble):
            said = {"phrase": f"errors.{trouble.kind}", "slots": {}}
        else:
            said = {"phrase": trouble.response, "slots": trouble.facts}
        signed_out = isinstance(trouble, Trouble) and trouble.kind is Kind.SIGNED_OUT
        if not self.by_htmx:
            response = self.plain("trouble.html", status=status, **said)
            if signed_out and self.request.method == "GET":
                response.set_cookie(NEXT, self.here, max_age=600, httponly=True, samesite="lax", secure=self.secure)
            return response
        if signed_out:
            return Response(status_code=status, headers={"HX-Refresh": "true"})
        response = self.plain("toast.html", status=status, **said)
        response.headers.update({"HX-Retarget": "#toasts", "HX-Reswap": "beforeend"})
        return response

    def back(self, path: str, *, told: str | None = None) -> Response:
        """End a deed: go to one of our pages, and say there what was done.

        Args:
            path: of ours; anything else leads to the board.
            told: the key of a text.
        """
        response = RedirectResponse(inside(path), HTTPStatus.SEE_OTHER)
        if told is not None:
            response.set_cookie(TOLD, told, max_age=60, httponly=True, samesite="lax", secure=self.secure)
        return response

    def is_below(self, path: str) -> bool:
        """Whether this page is one of those that a place of the menu leads to."""
        return path != "/" and self.request.url.path.startswith(f"{path}/")

    @property
    def secure(self) -> bool:
        """Whether cookies go by https only."""
        return self.house.is_secure

    @property
    def here(self) -> str:
        """The address of this page, filter included."""
        url = self.request.url
        return inside(f"{url.path}?{url.query}" if url.query else url.path)

    def link(self, **changes: object) -> str:
        """This page's address with other values in its filter; None takes one out."""
        kept = dict(self.request.query_params) | changes
        query = urlencode({name: value for name, value in kept.items() if value not in (None, "")})
        path = self.request.url.path
        return f"{path}?{query}" if query else path


def inside(path: str | None) -> str:
    """A path of ours, or the board: whatever a link or a form asks for, nobody is sent elsewhere."""
    return path if path and INSIDE.fullmatch(path) and not path.startswith("/enter/") else "/"
