"""Emergencies that only the understanding noticed; the tripwire has looked before (N11)."""

from __future__ import annotations

from actions.base import LEAVE_FORM, Desk, Event, action
from service import alarms


@action("action_emergency")
def emergency(desk: Desk) -> list[Event]:
    """Numbers and first steps at once, everybody on duty alerted."""
    alarms.raise_alarm(
        desk.session,
        desk.conversation,
        kind="other",
        caught_by="classifier",
        words=desk.turn.text,
        source=desk.turn.source,
        now=desk.turn.now,
    )
    desk.answered()
    return LEAVE_FORM
