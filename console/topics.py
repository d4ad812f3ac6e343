"""What there is in the console: a row a topic, with its place in the menu if it has one."""

from __future__ import annotations

from collections.abc import Sequence

from console import (
    audit,
    board,
    cases,
    charts,
    files,
    follow_ups,
    knowledge,
    letters,
    live,
    models,
    phrases,
    residents,
    roster,
    shadows,
    sign_in,
    talks,
    understanding,
)
from console.doors import Door
from console.visit import Place
from service.staff import Right

TOPICS: Sequence[tuple[Sequence[Door], Place | None]] = (
    (board.DOORS, Place("/", "board.title", Right.CONSOLE)),
    (cases.DOORS, Place("/cases", "cases.title", Right.RECORDS)),
    (talks.DOORS, Place("/talks", "talks.title", Right.RECORDS)),
    ((*roster.DOORS, *residents.DOORS), Place("/residents", "residents.title", Right.RECORDS)),
    (follow_ups.DOORS, Place("/schedule", "follow_ups.title", Right.RECORDS)),
    (letters.DOORS, Place("/letters", "letters.title", Right.CONFIRM)),
    (understanding.DOORS, Place(understanding.HOME, "understanding.title", Right.TEACH)),
    ((*models.DOORS, *shadows.DOORS), Place(models.HOME, "models.title", Right.TEACH)),
    (knowledge.DOORS, Place(knowledge.HOME, "knowledge.title", Right.TEACH)),
    (phrases.DOORS, Place(phrases.HOME, "phrases.title", Right.TEACH)),
    (charts.DOORS, Place(charts.HOME, "charts.title", Right.CHARTS)),
    (audit.DOORS, Place("/audit", "audit.title", Right.AUDIT)),
    (files.DOORS, None),
    (sign_in.DOORS, None),
    (live.DOORS, None),
)

DOORS: Sequence[Door] = [door for doors, _ in TOPICS for door in doors]
MENU: Sequence[Place] = [place for _, place in TOPICS if place is not None]
