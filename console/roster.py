"""The archive from a file: what a roster would change is shown first; and invitations on paper."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy.orm import Session
from starlette.datastructures import UploadFile
from starlette.responses import Response

from console.doors import deed, page
from console.visit import Visit
from service import archive, invitation_sheet, invitations, residents, roster, roster_file
from service.errors import TableUnreadable, TooManyMovedOut
from service.invitation_sheet import Strip
from service.models.archive import Household
from service.roster import Taken
from service.staff import Right

MOST_BYTES = 20 * 1024 * 1024  # of a roster; a hundred thousand people are 6 MB
SHOWN = 200  # problems and changes of one look
MOST_STRIPS = 500  # of one sheet to print
BOT_NAME = re.compile(r"[A-Za-z]\w{3,31}", re.ASCII)
MOST_DAYS = 365


@dataclass(frozen=True)
class Look:
    """What became of a file, for the page."""

    taken: Taken | None = None
    name: str = ""
    seen: str = ""  # the file's digest: only what was looked at is taken over
    refused: str | None = None  # why nothing can be said of it
    again: bool = False  # it was to be taken over before anybody had looked at it
    shown: int = SHOWN


def ask(visit: Visit) -> Response:
    """The form for a file."""
    return visit.page("residents/import.html", look=Look())


def take_in(visit: Visit) -> Response:
    """Show what a roster would change, and take it over when this very file was looked at before."""
    file = visit.form.get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        return _show(visit, Look(refused=visit.t("roster.no_file")))
    content = file.file.read()
    look = Look(name=file.filename, seen=hashlib.sha256(content).hexdigest())
    wanted = visit.said("do") == "import"
    sure = wanted and visit.said("seen") == look.seen
    try:
        taken = _taken(visit, content, sure=sure)
    except (TableUnreadable, TooManyMovedOut) as error:
        return _show(visit, replace(look, refused=visit.t(error.response, **error.facts)))
    if sure and not taken.problems:
        return visit.back("/residents?list=households", told="roster.taken_in")
    return _show(visit, replace(look, taken=taken, again=wanted and not sure))


def _show(visit: Visit, look: Look) -> Response:
    wrong = look.refused or (look.taken and look.taken.problems)
    return visit.page("residents/import.html", status=422 if wrong else 200, look=look)


def _taken(visit: Visit, content: bytes, *, sure: bool) -> Taken:
    """What happens, or what would: then nothing of it stays."""
    step = visit.session.begin_nested()
    taken = None
    try:
        taken = roster.take_in(
            visit.session,
            visit.community,
            roster_file.open_roster(content).read(),
            now=visit.now,
            actor=f"staff:{visit.member.number}",
            complete=visit.said("complete") == "1",
            new_buildings=visit.said("new_buildings") == "1",
            many_moved_out=visit.said("many_moved_out") == "1",
        )
        return taken
    finally:
        step.commit() if sure and taken and not taken.problems else step.rollback()


# --- Invitations ----------------------------------------------------------------------------------------------------


def ask_for_invitations(visit: Visit) -> Response:
    """Which doors get a sheet."""
    return _invitations(visit, {})


def _invitations(visit: Visit, errors: dict[str, str]) -> Response:
    given = {name: visit.said(name) or visit.asked(name) for name in ("building", "unit", "room", "bot", "days")}
    return visit.page("residents/invitations.html", status=422 if errors else 200, given=given, errors=errors)


def invite(visit: Visit) -> Response:
    """The sheet to print; it is a bunch of keys, so it is shown once and kept nowhere."""
    errors = _why_not(visit)
    doors: Sequence[Household] = () if errors else _doors(visit.session, visit)
    if not errors and not 0 < len(doors) <= MOST_STRIPS:
        errors["building"] = "roster.too_many_doors" if doors else "roster.no_door"
    if errors:
        return _invitations(visit, errors)
    valid = timedelta(days=int(visit.said("days")))
    last_day = archive.today(visit.session, visit.community.id, now=visit.now + valid)
    strips = [
        Strip(
            archive.place(door, residents.HOME_LANGUAGE),
            invitation_sheet.link(
                visit.said("bot").removeprefix("@"), invitations.invite(visit.session, door, now=visit.now, valid=valid)
            ),
        )
        for door in doors
    ]
    actor = f"staff:{visit.member.number}"
    archive.log_community(
        visit.session, visit.community.id, "invited", actor=actor, now=visit.now, households=len(doors)
    )
    return visit.page(
        "residents/sheet.html",
        strips=[(strip, invitation_sheet.code(strip.link)) for strip in strips],
        words=invitation_sheet.words(visit.community.name, f"{last_day:%Y-%m-%d}"),
    )


def _why_not(visit: Visit) -> dict[str, str]:
    errors = {}
    if not visit.said("building"):
        errors["building"] = "roster.which_building"
    if not BOT_NAME.fullmatch(visit.said("bot").removeprefix("@")):
        errors["bot"] = "roster.which_bot"
    days = visit.said("days")
    if not (days.isascii() and days.isdecimal() and len(days) < 4 and 0 < int(days) <= MOST_DAYS):
        errors["days"] = "roster.which_days"
    return errors


def _doors(session: Session, visit: Visit) -> Sequence[Household]:
    wanted = {name: visit.said(name) or None for name in ("building", "unit", "room")}
    return invitations.households(session, visit.community.id, **wanted)


DOORS = (
    page("/residents/import", ask, Right.ARCHIVE),
    deed("/residents/import", take_in, Right.ARCHIVE, act="import", object="roster", most_bytes=MOST_BYTES),
    page("/residents/invitations", ask_for_invitations, Right.ARCHIVE),
    deed("/residents/invitations", invite, Right.ARCHIVE, act="invite", object="household"),
)
