"""The first page: how the day goes."""

from __future__ import annotations

from starlette.responses import Response

from console.doors import page
from console.visit import Visit
from service import today as todays
from service.staff import Right


def today(visit: Visit) -> Response:
    """Who waits, what is late, what is open, who is on duty, how satisfied residents were."""
    return visit.page("board/today.html", board=todays.board(visit.session, visit.community, now=visit.now))


DOORS = (page("/", today, Right.CONSOLE, shows="board"),)
