"""What there is in the console: a row a topic, with its place in the menu if it has one."""

from __future__ import annotations

from collections.abc import Sequence

from console import audit, board, charts, live, sign_in
from console.doors import Door
from console.visit import Place
from service.staff import Right

TOPICS: Sequence[tuple[Sequence[Door], Place | None]] = (
    (board.DOORS, Place("/", "board.title", Right.CONSOLE)),
    (charts.DOORS, Place(charts.HOME, "charts.title", Right.CHARTS)),
    (audit.DOORS, Place("/audit", "audit.title", Right.AUDIT)),
    (sign_in.DOORS, None),
    (live.DOORS, None),
)

DOORS: Sequence[Door] = [door for doors, _ in TOPICS for door in doors]
MENU: Sequence[Place] = [place for _, place in TOPICS if place is not None]
