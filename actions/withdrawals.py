"""Something is called off: the form that is open, or a case that is at work; and the yes or no to what was asked."""

from __future__ import annotations

from actions.base import Desk, Event, action
from service import withdrawals


@action("action_call_off")
def call_off(desk: Desk) -> list[Event]:
    """Say that the form is left; without one, or when a case is named, ask about what is at work."""
    turn = desk.turn
    leaves_form = turn.tapped or bool(desk.slots.get("requested_slot"))
    if leaves_form and not withdrawals.names_a_case(turn.text):
        desk.say("utter_cancelled")
    elif withdrawals.call_off(desk.session, desk.conversation, turn.text, key=turn.source, now=turn.now):
        desk.answered()
    else:
        desk.say("utter_anything_else")
    return []


@action("action_yes_or_no")
def yes_or_no(desk: Desk) -> list[Event]:
    """Take it for the answer to what the service asked last; else ask what they need."""
    is_yes = desk.turn.intent == "affirm"
    if withdrawals.settle(desk.session, desk.conversation, is_yes=is_yes, key=desk.turn.source, now=desk.turn.now):
        desk.answered()
    else:
        desk.say("utter_anything_else")
    return []
