"""Questions: what cannot be answered at once is taken down, and an answer is owed (N6, N9)."""

from __future__ import annotations

from rasa_sdk.events import FollowupAction

from actions.base import Desk, Event, action
from service import cases


@action("action_answer")
def answer(desk: Desk) -> list[Event]:
    """Take the question down for the service desk; a bare "I have a question" is asked what it is."""
    turn, resident = desk.turn, desk.conversation.resident
    if turn.says_nothing_new and not turn.text:
        return [FollowupAction("inquiry_form")]
    asked = cases.Facts(kind="inquiry", matter=turn.text, place=resident.place, phone=resident.phone)
    case = cases.open_case(desk.session, desk.conversation, asked, source=turn.source, now=turn.now)
    desk.say("utter_taken_down_inquiry", number=case.number)
    return []
