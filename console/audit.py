"""Who was shown or changed what."""

from __future__ import annotations

from starlette.responses import Response

from console import texts
from console.doors import page
from console.visit import Visit
from service import audit
from service.audit import Wanted
from service.staff import Right

FIELDS = ("who", "act", "object", "number", "since", "until")


def search(visit: Visit) -> Response:
    """The log, newest first; the filter stands in the address, so a search can be passed on."""
    wanted, errors = _wanted(visit)
    found = audit.find(visit.session, visit.community.id, wanted, before=visit.asked("before"))
    return visit.page(
        "audit/search.html",
        found=found,
        asked={name: visit.asked(name) for name in FIELDS},
        errors=errors,
        acts=_named(visit, "act_"),
        objects=_named(visit, "object_"),
    )


def _wanted(visit: Visit) -> tuple[Wanted, dict[str, str]]:
    """What is looked for, and what of it cannot be read; that is left out of the search."""
    days, errors = visit.asked_period()
    errors |= {name: "shell.not_a_number" for name in ("who", "number") if visit.is_odd(name)}
    who = visit.asked_number("who")
    wanted = Wanted(
        actor=None if who is None else f"staff:{who}",
        act=visit.asked("act") or None,
        object=visit.asked("object") or None,
        object_id=visit.asked_number("number"),
        **days,
    )
    return wanted, errors


def _named(visit: Visit, prefix: str) -> list[tuple[str, str]]:
    """The acts or objects there are, with their names."""
    begin = f"audit.{prefix}"
    return [(key.removeprefix(begin), visit.t(key)) for key in texts.catalogue() if key.startswith(begin)]


DOORS = (page("/audit", search, Right.AUDIT, shows="audit"),)
