"""The standard phrases, as residents and staff read them; they stand in domain.yml and change with a version."""

from __future__ import annotations

from starlette.responses import Response

from console.doors import page
from console.visit import Visit
from service import texts
from service.staff import Right

HOME = "/phrases"
MOST = 20  # phrases of one page


def listing(visit: Visit) -> Response:
    """The phrases with the words somebody looks for, in both languages."""
    words = visit.asked("words").lower()
    start = visit.asked_number("from") or 0
    found = [key for key in texts.names() if _has(key, words)]
    return visit.page(
        "phrases/list.html",
        phrases=[
            (key, {language: texts.variants(key, language=language) for language in texts.LANGUAGES})
            for key in found[start : start + MOST]
        ],
        words=visit.asked("words"),
        count=len(found),
        start=start,
        more=start + MOST if start + MOST < len(found) else None,
    )


def _has(key: str, words: str) -> bool:
    lines = (line for language in texts.LANGUAGES for line in texts.variants(key, language=language))
    said = (key, *(part for line in lines for part in (line.text, *(button.title for button in line.buttons))))
    return any(words in part.lower() for part in said)


DOORS = (page(HOME, listing, Right.TEACH),)
