"""In by a link from the bot, out again, and the language of the pages."""

from __future__ import annotations

from starlette.responses import Response

from console.doors import Door
from console.texts import LANGUAGES
from console.visit import NEXT, Visit, inside
from service import audit, sign_in
from service.errors import LinkNotValid
from service.staff import Right


def ask(visit: Visit) -> Response:
    """The page behind a link: a button, because whoever makes previews of links opens them, but presses no button.

    It is the same for every token, so it says nothing about one.
    """
    return visit.plain("sign_in/ask.html", token=visit.request.path_params["token"])


def use(visit: Visit) -> Response:
    """Use the link up and begin a session under a new key; what the browser had before ends."""
    sign_in.count_try(visit.session, visit.address, now=visit.now)
    try:
        member, key = sign_in.redeem(visit.session, visit.request.path_params["token"], now=visit.now)
    except LinkNotValid as error:  # an answer and no failure: the try stays counted
        return visit.trouble(error)
    sign_in.forget_tries(visit.session, visit.address)
    sign_in.sign_out(visit.session, visit.key, now=visit.now)
    actor = f"staff:{member.number}"
    audit.write(visit.session, member.community_id, actor=actor, act="sign_in", object="session", now=visit.now)
    response = visit.back(visit.request.cookies.get(NEXT, "/"))
    response.delete_cookie(NEXT)
    response.set_cookie(visit.house.cookie, key, httponly=True, samesite="lax", secure=visit.secure, path="/")
    return response


def leave(visit: Visit) -> Response:
    """Sign out."""
    sign_in.sign_out(visit.session, visit.key, now=visit.now)
    response = visit.plain("sign_in/left.html")
    response.delete_cookie(visit.house.cookie, httponly=True, samesite="lax", secure=visit.secure, path="/")
    return response


def choose_language(visit: Visit) -> Response:
    """Read the pages in another language, in this session."""
    language = visit.said("language")
    if language in LANGUAGES:
        sign_in.choose_language(visit.session, visit.key, language)
    return visit.back(inside(visit.said("next")))


DOORS = (
    Door("GET", "/enter/{token}", ask, None),
    Door("POST", "/enter/{token}", use, None),
    Door("POST", "/leave", leave, Right.CONSOLE, "sign_out", "session"),
    Door("POST", "/language", choose_language, Right.CONSOLE),
)
