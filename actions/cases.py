"""Cases: opened from a confirmed form or in one turn, added to, reopened."""

from __future__ import annotations

from rasa_sdk.events import FollowupAction, SlotSet

from actions import already, facts, knowledge, said_back, times, urging
from actions.base import Desk, Event, action
from actions.turns import FACTS
from service import (
    amendments,
    appointments,
    binding,
    callbacks,
    cases,
    categories,
    conversations,
    incident_hints,
    legacy,
    praise,
    residents,
    texts,
    work_orders,
)

GIFTS = "no_gifts"  # the entry that is said whatever the words were taken for: 「想请师傅喝水」 is nobody's work (N15)
OPENED = {"repair": "utter_case_opened", "complaint": "utter_complaint_opened"}


@action("action_open_case")
def open_case(desk: Desk) -> list[Event]:
    """Open the case the resident has just confirmed.

    Rasa goes on to this action when the form's own call has failed; without a yes there is nothing to open.
    """
    kind, told, language = desk.last_form.removesuffix("_form"), facts.from_slots(desk.slots), desk.turn.language
    if told.already == already.QUESTION:
        return [SlotSet("already", None), *knowledge.answer(desk)]
    is_known = already.is_known(told)
    assert told.confirmed is True or is_known, "nobody has confirmed"
    visit = told.visit if kind == "repair" else None
    case_facts = cases.Facts(
        kind=kind,
        matter=str(told.matter),
        place=facts.stated(told.location),
        wanted_at=said_back.wanted_at(told, language) if kind == "repair" else None,
        wanted_from=visit.begins if visit else None,
        wanted_until=visit.ends if visit else None,
        contact=told.contact,
        phone=facts.stated(told.phone),
    )
    if is_known and already.settle(desk, case_facts, str(told.already)):
        return [SlotSet("confirmed", None), SlotSet("already", None)]
    case_facts = amendments.as_edited(desk.session, desk.conversation, case_facts, now=desk.turn.now)
    case = cases.open_case(desk.session, desk.conversation, case_facts, source=desk.turn.source, now=desk.turn.now)
    visit_line = appointments.after_opening(desk.session, case, key=desk.turn.source, now=desk.turn.now)
    incident_hints.suggest(desk.session, case, now=desk.turn.now)
    department = texts.words(f"utter_word_{case.department.key}", language=language)
    expected, notes = desk.expected(case), legacy.recognise(desk.session, case, key=desk.turn.source, now=desk.turn.now)
    if notes:
        expected = texts.words("utter_word_expected_and_notes", language=language, expected=expected, notes=notes)
    dear = residents.salutation(desk.conversation.resident, language=language)
    desk.say(OPENED[kind], number=case.number, department=department, expected=expected, salutation=dear)
    if visit_line is not None:
        desk.answer(visit_line)
    return [SlotSet("confirmed", None)]


@action("action_take_down")
def take_down(desk: Desk) -> list[Event]:
    """Take praise, a suggestion or a request for a service down in one turn."""
    if not (desk.turn.tapped or desk.turn.rest):
        desk.say("utter_anything_else")  # 「还有个事」: what it is comes next
        return []
    kind, words = desk.turn.intent, " ".join(desk.turn.found("time"))
    if knowledge.tell_if_clear(desk, only=GIFTS) and kind != "praise":
        return []
    visit = times.to_come(words, desk.turn) if kind == "request_service" else None
    case_facts = cases.Facts(
        kind=kind,
        matter=desk.turn.text,
        place=desk.conversation.resident.place,
        wanted_at=words or None,
        wanted_from=visit.begins if visit else None,
        wanted_until=visit.ends if visit else None,
        phone=desk.conversation.resident.phone,
    )
    case = cases.open_case(desk.session, desk.conversation, case_facts, source=desk.turn.source, now=desk.turn.now)
    if kind == "praise":
        praise.pass_on(desk.session, case, key=desk.turn.source)
    desk.say(f"utter_taken_down_{kind}", number=case.number)
    return []


@action("action_reopen")
def reopen(desk: Desk) -> list[Event]:
    """Put the last finished case back to work; without one it is a new repair, or one that is at work already."""
    case = cases.last_finished(desk.session, desk.conversation)
    if case is not None:
        callbacks.reopen(desk.session, case, key=desk.turn.source, now=desk.turn.now)
        desk.answered()
        return []
    at_work = cases.at_work(desk.session, desk.conversation)
    if at_work is not None and not categories.are_apart(at_work.matter, desk.turn.text):
        return urging.case_status(desk)
    return [FollowupAction("repair_form")]


@action("action_add_to_case")
def add_to_case(desk: Desk) -> list[Event]:
    """A fact nobody asked for belongs to the case at work: a time is the visit's, the rest follows or corrects it."""
    if take_visit_time(desk):
        return []
    case = cases.at_work(desk.session, desk.conversation)
    if case is None or desk.turn.tapped:
        return [FollowupAction("action_not_understood")]
    if not desk.turn.rest and not any(desk.turn.found(fact) for fact in FACTS):
        desk.say("utter_anything_else")  # 「还有个事」
        return []
    is_late = amendments.just_opened(desk.session, desk.conversation, now=desk.turn.now) is not None
    if is_late or (desk.turn.intent == "correct" and already.adds_only_facts(desk.turn)):
        already.add(desk, case)
    else:
        already.pass_on(desk, case)
    return []


@action("action_phone_shared")
def phone_shared(desk: Desk) -> list[Event]:
    """A card outside a form: of their own number all has been said already (service/binding.py).

    Somebody else's is the plumber's number, and goes along with the case at work; without one it waits for the next.
    """
    desk.answered()
    talk, source, now = desk.conversation, desk.turn.source, desk.turn.now
    message_id, language = desk.turn.metadata.get("card_message"), desk.turn.language
    if message_id is None:
        return []
    case = cases.at_work(desk.session, talk)
    if case is not None:
        work_orders.attach(desk.session, case, from_chat_id=talk.resident.chat_id, message_ids=[int(message_id)])
        amendments.add_media(desk.session, case, 1, key=f"{source}:media", now=now)
        line = texts.say("utter_case_media_added", language=language, seed=source, number=case.number)
    else:
        line = binding.with_contact_key(texts.say("utter_contact_not_own", language=language), language)
    conversations.tell(desk.session, talk, line, now=now, key=f"{source}:card")
    return []


def take_visit_time(desk: Desk) -> bool:
    """Whether the message was a time for the visit, and nothing else."""
    words = times.whole(desk.turn)
    case = appointments.case_at_hand(desk.session, desk.conversation) if words else None
    if case is None:
        return False
    wish = times.meaning(words, desk.turn, before=appointments.wished(desk.session, case))
    if wish is None:
        return False
    desk.answer(appointments.by_words(desk.session, case, wish, key=desk.turn.source, now=desk.turn.now))
    if not desk.turn.says_only_facts:
        amendments.add_words(desk.session, case, desk.turn.text, key=f"{desk.turn.source}:added", now=desk.turn.now)
    return True
