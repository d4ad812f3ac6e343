"""Questions: answered, or the nearest offered as buttons, or taken down, and then an answer is owed (N6, N9)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rasa_sdk.events import FollowupAction, SlotSet

from actions import already, questions, urging
from actions.base import Desk, Event, action
from actions.questions import SHELF
from actions.turns import any_of
from service import amendments, cases, incident_reports, knowledge, ledger, ledger_questions, texts, unanswered
from service.knowledge import Reader
from service.knowledge_entries import Entry
from service.texts import Button, Line

CHOICES = ("first_choice", "second_choice", "third_choice")  # intents of the buttons, in their order
NONE = "none_of_these"
SURE_OF_A_QUESTION = 0.6
ONLY_MARKS = re.compile(r"[?？!！.。…\s]+")


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
    if _tell_of_incident(desk):
        return []
    kinds = ledger_questions.asked(turn.text)
    return _tell_own(desk, kinds) if kinds else _look_up(desk)


def _look_up(desk: Desk) -> list[Event]:
    found = questions.look_up(desk.session, desk.conversation, desk.turn)
    if isinstance(found, knowledge.Match):
        return _tell(desk, found.entry)
    return _without_an_answer(desk, found)


def tell_if_clear(desk: Desk, *, only: str | None = None, word_for_word: bool = False) -> bool:
    """Answer what has one clear answer; what only sounds like idle talk may have one still: 「你是机器人吗」.

    Args:
        desk: the turn's.
        only: the key of the one entry that may be said.
        word_for_word: whether the question has to stand there just so.
    """
    found = questions.look_up(desk.session, desk.conversation, desk.turn)
    if not isinstance(found, knowledge.Match) or only not in (None, found.entry.key):
        return False
    if word_for_word and not found.word_for_word:
        return False
    _tell(desk, found.entry)
    return True


@action("action_off_topic")
def off_topic(desk: Desk) -> list[Event]:
    """Lead back to what we are here for."""
    if ONLY_MARKS.fullmatch(desk.turn.text):
        return [FollowupAction("action_not_understood")]  # 「？？？」 to what we said last
    if not tell_if_clear(desk):
        desk.say("utter_out_of_scope")
    return []


def _without_an_answer(desk: Desk, found: knowledge.Suggestions | None) -> list[Event]:
    if _asks_how_far_it_is(desk):
        return urging.case_status(desk)
    if _is_more_of_a_case(desk):
        return []
    return _offer(desk, found.entries) if found else _take_down(desk, desk.turn.text)


def _asks_how_far_it_is(desk: Desk) -> bool:
    """「还要多久」, while a case is at work and nothing else is asked, is about that case."""
    asks = any_of("how_far").search(desk.turn.text.lower()) is not None
    return asks and not desk.slots.get("requested_slot") and cases.at_work(desk.session, desk.conversation) is not None


def _is_more_of_a_case(desk: Desk) -> bool:
    """Right after a case was opened, what only sounds a little like a question is more of it: 「家里有狗」."""
    in_form = bool(desk.slots.get("requested_slot"))
    late = None if in_form else amendments.just_opened(desk.session, desk.conversation, now=desk.turn.now)
    if late is None or desk.turn.confidence >= SURE_OF_A_QUESTION:
        return False
    already.add(desk, late)
    return True


def _tell_of_incident(desk: Desk) -> bool:
    """Who asks why there is no water is told what is known, and hears of its end like whoever reports it."""
    turn, talk = desk.turn, desk.conversation
    place = " ".join(turn.found("location")) or None
    incident = incident_reports.find(desk.session, talk, turn.text, place, now=turn.now)
    if incident is None or incident.trouble is None:
        return False
    facts = cases.Facts(kind=turn.intent, matter=turn.text, place=place, phone=talk.resident.phone)
    desk.answer(incident_reports.join(desk.session, talk, incident, facts, now=turn.now))
    return True


def _reader(desk: Desk) -> Reader:
    return questions.reader(desk.session, desk.conversation, desk.turn)


def _tell(desk: Desk, entry: Entry) -> list[Event]:
    if entry.personal in ledger.KINDS:
        return _tell_own(desk, [entry.personal])
    desk.answer(knowledge.tell(desk.session, desk.conversation, _reader(desk), entry))
    return []


def _tell_own(desk: Desk, kinds: Sequence[str]) -> list[Event]:
    """What only they may know does not go through Rasa, which would keep it in its tracker."""
    key = f"{desk.turn.source}:own"
    knowledge.tell_own(desk.session, desk.conversation, SHELF, _reader(desk), kinds, key=key)
    desk.answered()
    return []


def _tell_chosen(desk: Desk, place: int) -> list[Event]:
    offered = str(desk.slots.get("offered") or "").split()
    key = offered[place] if place < len(offered) else ""
    entry = knowledge.find(desk.session, SHELF, _reader(desk), key)
    return _tell(desk, entry) if entry else [FollowupAction("inquiry_form")]


def _offer(desk: Desk, entries: tuple[Entry, ...]) -> list[Event]:
    language = desk.turn.language
    titles = [entry.wordings[language].questions[0] for entry in entries]
    buttons = [Button(title, f"/{choice}") for title, choice in zip(titles, CHOICES, strict=False)]
    none = Button(texts.words("utter_word_none_of_these", language=language), f"/{NONE}")
    desk.answer(Line(texts.words("utter_answer_suggestions", language=language), buttons=(*buttons, none)))
    return [SlotSet("offered", " ".join(entry.key for entry in entries)), SlotSet("asked", desk.turn.text)]


def _take_down(desk: Desk, question: str) -> list[Event]:
    turn, resident = desk.turn, desk.conversation.resident
    asked = cases.Facts(kind="inquiry", matter=question, place=resident.place, phone=resident.phone)
    case = cases.open_case(desk.session, desk.conversation, asked, source=turn.source, now=turn.now)
    if question:
        unanswered.note(desk.session, desk.conversation, question, case, source=turn.source, now=turn.now)
    desk.say("utter_taken_down_inquiry", number=case.number, expected=desk.expected(case))
    return []
