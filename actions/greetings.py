"""The first words."""

from __future__ import annotations

from actions.base import Desk, Event, action
from service import greetings


@action("action_greet")
def greet(desk: Desk) -> list[Event]:
    """Greet by the time of day, with the big keys."""
    desk.answer(greetings.greet(desk.session, desk.conversation, now=desk.turn.now))
    return []
