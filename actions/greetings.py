"""The first words."""

from __future__ import annotations

from actions import cases, times
from actions.base import Desk, Event, action
from service import amendments, greetings


@action("action_greet")
def greet(desk: Desk) -> list[Event]:
    """Greet by the time of day, with the big keys; "afternoon" right after a case was opened is when a visit suits."""
    if times.is_all(desk.turn) and _has_just_opened(desk) and cases.take_visit_time(desk):
        return []
    desk.answer(greetings.greet(desk.session, desk.conversation, now=desk.turn.now))
    return []


def _has_just_opened(desk: Desk) -> bool:
    return amendments.just_opened(desk.session, desk.conversation, now=desk.turn.now) is not None
