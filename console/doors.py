"""Every way in is a row: path, function, right, and what the audit log calls it. What all of them need is done here."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message, Receive

from console.troubles import Kind, Trouble
from console.visit import House, Visit
from service import audit, db, held, sign_in, staff
from service.errors import ServiceError
from service.held import LineInFlight
from service.models.communities import Community
from service.staff import Right

log = structlog.get_logger(__name__)
CLAIM_AGAIN = 0.1  # seconds until a claim asks again whether the bot's last line has arrived
CLAIM_TRIES = 40
MOST_BYTES = 256 * 1024  # of a form; a door for files has its own measure


@dataclass(frozen=True)
class Door:
    """A way in."""

    method: str
    path: str
    answer: Callable[[Visit], Response]
    right: Right | None  # None: also for who is not signed in
    act: str | None = None  # in the audit log; None: nothing is changed, and nothing of a person shown
    object: str | None = None
    most_bytes: int = MOST_BYTES
    by_a_person: bool = True  # else it keeps no session alive


def page(path: str, answer: Callable[[Visit], Response], right: Right, *, shows: str | None = None) -> Door:
    """A page to read; `shows` names what of people is on it, for the audit log."""
    return Door("GET", path, answer, right, audit.SHOWN if shows else None, shows)


def deed(
    path: str,
    answer: Callable[[Visit], Response],
    right: Right,
    *,
    act: str,
    object: str,  # noqa: A002 - the column's name
    most_bytes: int = MOST_BYTES,
) -> Door:
    """A form that changes something; it is always written down."""
    return Door("POST", path, answer, right, act, object, most_bytes)


def route(house: House, door: Door) -> Route:
    """The door in Starlette's terms."""

    async def endpoint(request: Request) -> Response:
        try:
            form = await _form(request, door)
        except Trouble as trouble:
            return await run_in_threadpool(_visit(house, request, FormData()).trouble, trouble)
        try:
            return await run_in_threadpool(enter, house, door, request, form)
        finally:
            await form.close()

    return Route(door.path, endpoint, methods=[door.method])


def enter(house: House, door: Door, request: Request, form: FormData) -> Response:
    """Answer, and try again while a line of the bot's is on its way to a resident who is to be taken over."""
    for _ in range(CLAIM_TRIES):
        try:
            return _enter(house, door, request, form)
        except LineInFlight as claim:
            with db.transaction(house.sessions) as session:
                held.hold(session, claim.conversation_id)
            time.sleep(CLAIM_AGAIN)
    return _visit(house, request, form).trouble(Trouble(Kind.BUSY))


def _enter(house: House, door: Door, request: Request, form: FormData) -> Response:
    """Answer in one transaction, which is committed before the answer goes out; say what went wrong otherwise."""
    visit = _visit(house, request, form)
    try:
        with db.transaction(house.sessions) as session:
            visit.session = session
            return _answer(visit, door)
    except (Trouble, ServiceError) as trouble:
        return visit.trouble(trouble)
    except (OperationalError, PoolTimeout) as error:
        log.warning("database_does_not_answer", error=type(error).__name__)
        return visit.trouble(Trouble(Kind.AWAY))


def _visit(house: House, request: Request, form: FormData) -> Visit:
    return Visit(house, request, form, now=house.now(), heard=house.news.heard)


def _answer(visit: Visit, door: Door) -> Response:
    if door.method == "POST":
        _check_origin(visit)
    if door.right is not None:
        _sign_in(visit, by_a_person=door.by_a_person and "x-live" not in visit.request.headers)
        if door.method == "POST":
            _check_csrf(visit)
        if not staff.may(visit.member, door.right):
            raise Trouble(Kind.NOT_ALLOWED)
    response = door.answer(visit)
    if door.act is not None and response.status_code < 400:
        _write_down(visit, door.act, door.object or "")
    return response


def _sign_in(visit: Visit, *, by_a_person: bool) -> None:
    held = sign_in.access(visit.session, visit.key, now=visit.now, by_a_person=by_a_person)
    if held is None:
        raise Trouble(Kind.SIGNED_OUT)
    visit.member, visit.language = held.member, held.language
    visit.community = visit.session.get_one(Community, held.member.community_id)


def _check_origin(visit: Visit) -> None:
    """A form comes from a page of ours: browsers say where from, and no page can make them lie."""
    origin = urlsplit(visit.request.headers.get("origin", "")).netloc
    if not origin or origin != visit.request.headers.get("host"):
        raise Trouble(Kind.FORGED)


def _check_csrf(visit: Visit) -> None:
    given = visit.said("csrf") or visit.request.headers.get("x-csrf-token", "")
    if not hmac.compare_digest(given.encode(), visit.csrf.encode()):
        raise Trouble(Kind.FORGED)


def _write_down(visit: Visit, act: str, what: str) -> None:
    object_id = visit.about if visit.about is not None else visit.request.path_params.get("id")
    audit.write(
        visit.session,
        visit.community.id,
        actor=f"staff:{visit.member.number}",
        act=act,
        object=what,
        object_id=object_id,
        now=visit.now,
    )


async def _form(request: Request, door: Door) -> FormData:
    """What was sent, cut off as soon as it is more than the door takes.

    Raises:
        Trouble: it is too large, or no form.
    """
    if door.method != "POST":
        return FormData()
    try:
        return await Request(request.scope, _capped(request.receive, door.most_bytes)).form()
    except (HTTPException, MultiPartException) as error:
        reason = error.detail if isinstance(error, HTTPException) else error.message
        raise Trouble(Kind.TOO_LARGE if reason == Kind.TOO_LARGE else Kind.UNREADABLE) from None


def _capped(receive: Receive, most: int) -> Receive:
    taken = 0

    async def capped() -> Message:
        nonlocal taken
        message: dict[str, Any] = dict(await receive())
        taken += len(message.get("body", b""))
        if taken > most:
            raise MultiPartException(Kind.TOO_LARGE)  # the parser closes the files it has begun
        return message

    return capped
