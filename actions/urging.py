"""Somebody asks how far their cases are."""

from __future__ import annotations

from rasa_sdk.events import FollowupAction

from actions.base import Desk, Event, action
from service import case_meant, cases, greetings

SURE_OF_AN_URGE = 0.6  # below it who has no case asks for none: 「我快递丢了」


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
        if _has_none(desk) and desk.turn.confidence < SURE_OF_AN_URGE and not desk.slots.get("requested_slot"):
            return [FollowupAction("action_not_understood")]
    desk.answer(greetings.my_cases(desk.session, desk.conversation, now=desk.turn.now))
    return []


def _has_none(desk: Desk) -> bool:
    return not cases.of_resident(desk.session, desk.conversation, limit=1)
