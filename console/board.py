"""The first page: how the day goes."""

from __future__ import annotations

from starlette.responses import Response

from console.doors import page
from console.visit import Visit
from service import self_check
from service import today as todays
from service.staff import Right


def today(visit: Visit) -> Response:
    """Who waits, what is late, what is open, who is on duty, how satisfied residents were, what the night found."""
    nights = self_check.kept(visit.session, visit.community.id, limit=1)
    return visit.page(
        "board/today.html",
        board=todays.board(visit.session, visit.community, now=visit.now),
        night=nights[0] if nights else None,
        most=self_check.LISTED,
    )


DOORS = (page("/", today, Right.CONSOLE, shows="board"),)
