"""Emergencies that only the understanding noticed; the tripwire has looked before (N11)."""

from __future__ import annotations

from actions import already
from actions.base import LEAVE_FORM, Desk, Event, action
from service import alarms, amendments


@action("action_emergency")
def emergency(desk: Desk) -> list[Event]:
    """Numbers and first steps at once, everybody on duty alerted.

    But a bare place right after a case was opened says where that is: "in the kitchen" alone reads like a cry for help.
    """
    late = amendments.just_opened(desk.session, desk.conversation, now=desk.turn.now)
    if late is not None and already.adds_only_facts(desk.turn):
        already.add(desk, late)
        return []
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
