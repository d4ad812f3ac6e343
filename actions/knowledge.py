"""Questions: answered, or the nearest offered as buttons, or taken down, and then an answer is owed (N6, N9)."""

from __future__ import annotations

from rasa_sdk.events import FollowupAction, SlotSet

from actions.base import Desk, Event, action
from service import cases, knowledge, texts
from service import desk as opening
from service.models import Community
from service.texts import Button, Line

CHOICES = ("first_choice", "second_choice", "third_choice")  # intents of the buttons, in their order
NONE = "none_of_these"


@action("action_answer")
def answer(desk: Desk) -> list[Event]:
    """Answer a question, or a tap on one that was offered; a bare "I have a question" is asked what it is."""
    turn = desk.turn
    if turn.intent in CHOICES:
        return _tell_chosen(desk, CHOICES.index(turn.intent))
    if turn.intent == NONE:
        return _take_down(desk, str(desk.slots.get("asked") or ""))
    if not turn.text:
        return [FollowupAction("inquiry_form")]
    found = knowledge.answer(turn.text, language=turn.language)
    if isinstance(found, knowledge.Match):
        return _tell(desk, found.entry)
    return _offer(desk, found.entries) if found else _take_down(desk, turn.text)


def _tell(desk: Desk, entry: knowledge.Entry) -> list[Event]:
    community = desk.session.get_one(Community, desk.conversation.community_id)
    hours = opening.hours(desk.session, community, language=desk.turn.language)
    facts = {"community": community.name, "phone": community.phone, "desk_hours": hours}
    desk.answer(Line(entry.answer.format(**facts)))
    return []


def _tell_chosen(desk: Desk, place: int) -> list[Event]:
    offered = str(desk.slots.get("offered") or "").split()
    entry = knowledge.entries(desk.turn.language).get(offered[place]) if place < len(offered) else None
    return _tell(desk, entry) if entry else [FollowupAction("inquiry_form")]


def _offer(desk: Desk, entries: tuple[knowledge.Entry, ...]) -> list[Event]:
    language = desk.turn.language
    buttons = [Button(entry.question, f"/{choice}") for entry, choice in zip(entries, CHOICES, strict=False)]
    none = Button(texts.words("utter_word_none_of_these", language=language), f"/{NONE}")
    desk.answer(Line(texts.words("utter_answer_suggestions", language=language), buttons=(*buttons, none)))
    return [SlotSet("offered", " ".join(entry.key for entry in entries)), SlotSet("asked", desk.turn.text)]


def _take_down(desk: Desk, question: str) -> list[Event]:
    turn, resident = desk.turn, desk.conversation.resident
    asked = cases.Facts(kind="inquiry", matter=question, place=resident.place, phone=resident.phone)
    case = cases.open_case(desk.session, desk.conversation, asked, source=turn.source, now=turn.now)
    desk.say("utter_taken_down_inquiry", number=case.number, expected=desk.expected(case))
    return []
