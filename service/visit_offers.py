"""Windows as a person is offered them: which cases are visited by appointment, and lines with a button a window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from service import bookings, categories, clocks, keyboards, residents, texts, visits, where, windows, work_orders
from service.models.cases import Case, CaseState
from service.models.communities import Community
from service.texts import Button, Line
from service.when import When
from service.windows import Window

VISITED = ("repair", "request_service")  # kinds of which somebody comes home
AT_ONCE = 6  # windows below one message
RESIDENTS, STAFF = "a", "wv"  # what begins a window's button: theirs, and the department's


def is_possible(case: Case) -> bool:
    """Whether the resident may choose a time that was offered: the case is at work, and nobody is there yet."""
    return case.state not in (*clocks.ENDED, CaseState.ON_SITE)


def is_wanted(case: Case) -> bool:
    """Whether a time is offered by itself: somebody is to come to a door, which has to be opened."""
    if not is_possible(case) or case.kind not in VISITED:
        return False
    return categories.category(case.category).by_appointment and where.parse(case.place or "").room is not None


def suiting(session: Session, case: Case, wish: When | None, *, now: datetime) -> tuple[Sequence[Window], bool]:
    """The free windows that a wish means, or all when there are none; and whether they are what was wished for."""
    found = bookings.free(session, case, now=now)
    zone = session.get_one(Community, case.community_id).timezone
    fitting = windows.fitting(found, wish, timezone=zone) if wish is not None else ()
    is_any = wish is not None and wish.ends is None  # "any time", said in the evening, means tomorrow too
    return (fitting or found, bool(fitting) or (is_any and bool(found)))


def offer(session: Session, case: Case, phrase: str, found: Sequence[Window], *, key: str, **slots: object) -> Line:
    """A line to the resident with a button a window; where there is none they hear so, and the department too.

    Args:
        session: the caller's transaction.
        case: whose.
        phrase: what is said above the windows.
        found: windows with a free place.
        key: the update that caused it.
        slots: what else the phrase needs.
    """
    language = case.resident.language
    facts = {"number": case.number, "matter": case.title, "salutation": residents.salutation(case.resident)}
    if not found:
        work_orders.note(session, case, "utter_staff_visit_none", key=f"case:{case.id}:{key}:none")
        return texts.say("utter_visit_none", language=language, number=case.number)
    line = texts.say(phrase, language=language, **facts, **slots)
    return replace(line, buttons=buttons(session, case, found, whose=RESIDENTS, language=language))


def put_away(session: Session, case: Case) -> None:
    """A window is being taken: the buttons of all windows that the resident was offered before come off."""
    keyboards.put_away(session, case.conversation, f"{RESIDENTS}:{case.id}:")


def buttons(session: Session, case: Case, found: Sequence[Window], *, whose: str, language: str) -> tuple[Button, ...]:
    """One button a window, and one for what comes after them."""
    zone = session.get_one(Community, case.community_id).timezone
    first = found[:AT_ONCE]
    keys = [Button(_title(window, zone, language), f"{whose}:{case.id}:{window.minute}") for window in first]
    if len(found) > len(first):
        more = texts.words("utter_word_key_later_windows", language=language)
        keys.append(Button(more, f"{whose}:{case.id}:after_{first[-1].minute}"))
    return tuple(keys)


def _title(window: Window, zone: str, language: str) -> str:
    return visits.display(When(window.begins, window.ends), timezone=zone, language=language)
