"""Somebody asks how far their cases are."""

from __future__ import annotations

from actions.base import Desk, Event, action
from service import case_meant, cases, greetings


@action("action_case_status")
def case_status(desk: Desk) -> list[Event]:
    """Show the resident's cases; who asks in words how far it is has the department of one of them urged.

    The one they mean needs no list beside it, nor does the one that they urged a while ago; while it may be any of
    several, the newest is urged, and the list shows what else could be meant.
    """
    case = None
    if not desk.turn.tapped:
        meant = case_meant.urged(desk.session, desk.conversation, desk.turn.text, now=desk.turn.now)
        case = meant or cases.at_work(desk.session, desk.conversation)
        if case is not None:
            cases.urge(desk.session, case, key=desk.turn.source, now=desk.turn.now)
            desk.say("utter_urged", number=case.number, expected=desk.expected(case) if meant else None)
        if meant:
            return []
    desk.answer(greetings.my_cases(desk.session, desk.conversation, now=desk.turn.now))
    return []
