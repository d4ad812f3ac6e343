"""Something is called off: the form that is open, or a case that is at work; and the yes or no to what was asked."""

from __future__ import annotations

from rasa_sdk.events import ActiveLoop, FollowupAction, SlotSet

from actions import answers, facts
from actions.base import Desk, Event, action
from actions.cases import reopen
from actions.turns import any_of
from service import withdrawals


@action("action_call_off")
def call_off(desk: Desk) -> list[Event]:
    """Leave the form; without one, or when a case is meant, ask about what is at work, and the form goes on."""
    turn, is_asked = desk.turn, bool(desk.slots.get("requested_slot"))
    if turn.tapped or (is_asked and not _means_a_case(desk)):
        desk.say("utter_cancelled")
        return [ActiveLoop(None), SlotSet("requested_slot", None), SlotSet("confirmed", False)]
    if not is_asked and _is_taken_up_again(desk):
        return [FollowupAction(desk.last_form)]
    if withdrawals.call_off(desk.session, desk.conversation, turn.text, key=turn.source, now=turn.now):
        desk.answered()
    else:
        desk.say("utter_anything_else")
    return [FollowupAction(desk.last_form)] if is_asked else []


def _is_taken_up_again(desk: Desk) -> bool:
    return bool(desk.last_form) and answers.is_taken_up_again(facts.from_slots(desk.slots), desk.turn)


def _means_a_case(desk: Desk) -> bool:
    told = str(desk.slots.get("matter") or "")
    return withdrawals.means_a_case(desk.session, desk.conversation, desk.turn.text, beside=told)


@action("action_yes_or_no")
def yes_or_no(desk: Desk) -> list[Event]:
    """Take it for the answer to what the service asked last; else ask what they need."""
    is_yes = desk.turn.intent == "affirm"
    if withdrawals.settle(desk.session, desk.conversation, is_yes=is_yes, key=desk.turn.source, now=desk.turn.now):
        desk.answered()
        return []
    if not is_yes and not desk.turn.tapped and any_of("still").search(desk.turn.text.lower()):
        return reopen(desk)  # 「没有，还是漏」 to what was said of a case
    if _is_taken_up_again(desk):
        return [FollowupAction(desk.last_form)]
    desk.say("utter_anything_else")
    return []
