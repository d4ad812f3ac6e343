"""Appointments as residents make them: a window by a tap or by words, moved, agreed to, dropped; staff read it.

A time that the resident chooses is agreed; one that staff propose (service/proposals.py) holds as well, and waits for a
yes or another time. Every step is an event of the case, and caused once by each update.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from service import appointment_words, bookings, cases, conversations, texts, visit_offers, work_orders
from service.bookings import LIVE
from service.cases import Event
from service.communities import STAFF_LANGUAGE
from service.errors import ButtonExpired, NoVisitWanted, VisitChanged, WindowFull, WindowGone
from service.models.cases import Appointment, Case, CaseState, VisitState
from service.models.communities import Community
from service.models.talks import Conversation
from service.texts import Button, Line
from service.when import When

AFTER = "after_"  # begins the word of the button for later windows


def after_opening(session: Session, case: Case, *, key: str, now: datetime) -> Line | None:
    """What a resident is told of the visit when the case is opened: the window their words meant, or a choice.

    Args:
        session: the caller's transaction.
        case: opened just now.
        key: the turn.
        now: the moment, aware UTC.

    Returns:
        None when nobody has to come to a door.
    """
    if not visit_offers.is_wanted(case):
        return None
    wish = When(case.wanted_from, case.wanted_until) if case.wanted_from else None
    if bookings.live(session, case) is None:
        found, is_meant = visit_offers.suiting(session, case, wish, now=now)
        if not (is_meant and len(found) == 1):
            phrase = "utter_visit_which" if is_meant else "utter_visit_not_then" if wish else "utter_visit_offer"
            return visit_offers.offer(session, case, phrase, found, key=key)
        _book(session, case, found[0].minute, key=f"{key}:visit", now=now)
    appointment = bookings.live(session, case)
    assert appointment is not None, "booked just now, or when this turn was handled before"
    line = texts.say("utter_visit_at_opening", language=case.resident.language)
    return replace(line, buttons=keys(appointment, case.resident.language))


def by_words(session: Session, case: Case, wish: When, *, key: str, now: datetime) -> Line:
    """Take the window that words mean, or offer those that come near.

    Args:
        session: the caller's transaction; the conversation is locked in it.
        case: of this resident, wanting a visit.
        wish: what the words mean; not necessarily ahead.
        key: the turn.
        now: the moment, aware UTC.
    """
    if wish.is_over(now):
        return visit_offers.offer(session, case, "utter_visit_gone", bookings.free(session, case, now=now), key=key)
    found, is_meant = visit_offers.suiting(session, case, wish, now=now)
    if is_meant and len(found) == 1:
        return _agree(session, case, found[0].minute, key=key, now=now)
    phrase = "utter_visit_which" if is_meant else "utter_visit_not_then"
    return visit_offers.offer(session, case, phrase, found, key=key)


def choose(session: Session, conversation: Conversation, case_id: int, word: str, *, key: str, now: datetime) -> None:
    """A resident taps a window, or asks for later ones.

    Args:
        session: the caller's transaction; the conversation is locked in it.
        conversation: the one who taps.
        case_id: as the button said.
        word: the window's minute, or `after_` and the last one that was shown.
        key: the update; the same one again, or the window they have already, does nothing.
        now: the moment, aware UTC.

    Raises:
        CaseNotFound: no such case, or not theirs.
        NoVisitWanted: somebody is there already, or the case is over.
        ButtonExpired: the word is none of ours.
    """
    case = cases.access_case(session, conversation, case_id)
    _check(case)
    minute = read_minute(word)
    if word.startswith(AFTER):
        line = _later(session, case, minute, key=key, now=now)
    elif cases.has_event(session, case, key) or _has(session, case, minute):
        return
    else:
        line = _agree(session, case, minute, key=key, now=now)
    tell(session, case, line, key=f"case:{case.id}:{key}:visit", now=now)


def answer(session: Session, conversation: Conversation, number: int, word: str, *, key: str, now: datetime) -> None:
    """A resident taps below an appointment: yes to what was proposed, another time, or none.

    Args:
        session: the caller's transaction; the conversation is locked in it.
        conversation: the one who taps.
        number: of the appointment, as the button said.
        word: yes, move or drop.
        key: the update; the same one again does nothing.
        now: the moment, aware UTC.

    Raises:
        VisitChanged: it was moved, is over, or is not theirs.
        NoVisitWanted: somebody is there already.
    """
    appointment = session.get(Appointment, number, populate_existing=True)
    if appointment is None or appointment.case.conversation_id != conversation.id or appointment.state not in LIVE:
        raise VisitChanged
    case = cases.access_case(session, conversation, appointment.case_id)
    _check(case)
    if word == "move":
        line = _offer_to_move(session, case, key=key, now=now)
    elif word == "drop":
        line = _drop(session, appointment, key=key, now=now)
    elif word == "yes" and appointment.state is VisitState.AGREED:
        return
    elif word == "yes":
        line = _say_yes(session, appointment, key=key, now=now)
    else:
        raise VisitChanged
    tell(session, case, line, key=f"case:{case.id}:{key}:visit", now=now)


def take_words(session: Session, conversation: Conversation, words: str, *, key: str, now: datetime) -> bool:
    """Do what a message about the appointment alone says: 改约, 不用来了, or yes to a proposal; else False.

    Args:
        session: the caller's transaction; the conversation is locked in it.
        conversation: who wrote.
        words: the whole message.
        key: the turn.
        now: the moment, aware UTC.
    """
    meant = appointment_words.meaning(words)
    case = case_at_hand(session, conversation) if meant else None
    if case is None:
        return False
    appointment = bookings.live(session, case)
    if meant == "another_time":
        line = _offer_to_move(session, case, key=key, now=now)
    elif appointment is not None and meant == "no_visit" and visit_offers.is_possible(case):
        line = _drop(session, appointment, key=key, now=now)
    elif appointment is not None and meant == "agreed" and appointment.state is VisitState.PROPOSED:
        line = _say_yes(session, appointment, key=key, now=now)
    else:
        return False
    tell(session, case, line, key=f"case:{case.id}:{key}:visit", now=now)
    return True


def case_at_hand(session: Session, conversation: Conversation) -> Case | None:
    """The case that words about a visit are about: the newest with an appointment, else the newest that wants one."""
    possible = [case for case in cases.of_resident(session, conversation) if visit_offers.is_possible(case)]
    wanting = filter(visit_offers.is_wanted, possible)
    found = next((case for case in possible if bookings.live(session, case) is not None), next(wanting, None))
    return cases.access_case(session, conversation, found.id) if found is not None else None


def wished(session: Session, case: Case) -> When | None:
    """What a resident has now, which says the day when they only name another hour."""
    appointment = bookings.live(session, case)
    return When(appointment.begins_at, appointment.ends_at) if appointment is not None else None


def _check(case: Case) -> None:
    if not visit_offers.is_possible(case):
        state = texts.words(f"utter_word_{case.state}", language=case.resident.language)
        raise NoVisitWanted(number=case.number, state=state)


def _has(session: Session, case: Case, minute: int) -> bool:
    """Whether this very window is theirs already, agreed by both."""
    appointment = bookings.live(session, case)
    if appointment is None or appointment.state is not VisitState.AGREED:
        return False
    return bookings.window_of(appointment).minute == minute


def _agree(session: Session, case: Case, minute: int, *, key: str, now: datetime) -> Line:
    """The window is theirs and the department reads it; or it is somebody else's by now, and the rest is offered."""
    before, was_under_way = bookings.live(session, case), case.state is CaseState.ON_THE_WAY
    if before is not None and _has(session, case, minute):
        return _agreed(session, before)
    visit_offers.put_away(session, case)
    try:
        appointment = _book(session, case, minute, key=key, now=now)
    except (WindowFull, WindowGone) as refused:
        found = bookings.free(session, case, now=now)
        return visit_offers.offer(session, case, refused.response, found, key=key)
    phrase = "utter_staff_visit_agreed" if before is None else "utter_staff_visit_moved"
    if was_under_way:
        phrase = "utter_staff_visit_moved_on_the_way"
    note(session, appointment, phrase, key=key)
    return _agreed(session, appointment)


def _book(session: Session, case: Case, minute: int, *, key: str, now: datetime) -> Appointment:
    appointment = bookings.book(session, case, minute, state=VisitState.AGREED, now=now)
    log(session, appointment, actor="resident", key=key, now=now)
    return appointment


def log(session: Session, appointment: Appointment, *, actor: str, key: str, now: datetime) -> None:
    """The clocks of the visit wait until it begins (service/clocks.yml)."""
    data = {"until": appointment.begins_at.isoformat(), "ends": appointment.ends_at.isoformat()}
    cases.advance(session, appointment.case, Event.APPOINTED, actor=actor, key=key, now=now, data=data)


def _say_yes(session: Session, appointment: Appointment, *, key: str, now: datetime) -> Line:
    appointment.state = VisitState.AGREED
    session.flush()
    cases.advance(session, appointment.case, Event.VISIT_AGREED, actor="resident", key=key, now=now)
    note(session, appointment, "utter_staff_visit_agreed", key=key)
    return _agreed(session, appointment)


def _drop(session: Session, appointment: Appointment, *, key: str, now: datetime) -> Line:
    """Nobody comes then, and no other time is chosen: the case goes on, its clocks too, and the department reads it."""
    case, language = appointment.case, appointment.case.resident.language
    on_the_way = case.state is CaseState.ON_THE_WAY
    phrase = "utter_staff_visit_dropped_on_the_way" if on_the_way else "utter_staff_visit_dropped"
    cases.advance(session, case, Event.VISIT_DROPPED, actor="resident", key=key, now=now)
    note(session, appointment, phrase, key=key)
    facts = {"number": case.number, "matter": case.title, "when": words_of(session, appointment, language)}
    return texts.say("utter_visit_dropped", language=language, **facts)


def _agreed(session: Session, appointment: Appointment) -> Line:
    case, language = appointment.case, appointment.case.resident.language
    facts = {"number": case.number, "matter": case.title, "when": words_of(session, appointment, language)}
    return replace(texts.say("utter_visit_agreed", language=language, **facts), buttons=keys(appointment, language))


def _offer_to_move(session: Session, case: Case, *, key: str, now: datetime) -> Line:
    """Other windows than the one they have."""
    found = bookings.free(session, case, now=now)
    appointment = bookings.live(session, case)
    if appointment is None:
        return visit_offers.offer(session, case, "utter_visit_choose", found, key=key)
    others = [window for window in found if window.begins != appointment.begins_at]
    phrase = "utter_visit_move_on_the_way" if case.state is CaseState.ON_THE_WAY else "utter_visit_move"
    when = words_of(session, appointment, case.resident.language)
    return visit_offers.offer(session, case, phrase, others, key=key, when=when)


def _later(session: Session, case: Case, minute: int, *, key: str, now: datetime) -> Line:
    found = bookings.free(session, case, now=now)
    later = [window for window in found if window.minute > minute]
    return visit_offers.offer(session, case, "utter_visit_choose", later or found, key=key)


def tell_cancelled(session: Session, case: Case, *, key: str, now: datetime) -> None:
    """The case went to another department, and the appointment with it: the resident chooses among its windows."""
    found = bookings.free(session, case, now=now)
    line = visit_offers.offer(session, case, "utter_visit_cancelled", found, key=key)
    tell(session, case, line, key=f"case:{case.id}:{key}:visit", now=now)


def read_minute(word: str) -> int:
    """The minute on a window's button.

    Raises:
        ButtonExpired: it names none.
    """
    digits = word.removeprefix(AFTER)
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= 12):
        raise ButtonExpired
    return int(digits)


def keys_of(session: Session, case: Case) -> tuple[Button, ...]:
    """What a resident can tap below a line about the case's appointment; nothing when it has none."""
    appointment = bookings.live(session, case)
    return keys(appointment, case.resident.language) if appointment is not None else ()


def words_of(session: Session, appointment: Appointment, language: str) -> str:
    """The window in words."""
    zone = session.get_one(Community, appointment.case.community_id).timezone
    return bookings.words(appointment, timezone=zone, language=language)


def keys(appointment: Appointment, language: str) -> tuple[Button, ...]:
    """What a resident can tap below it: another time, and yes to what was proposed."""
    phrase = f"utter_visit_keys_{appointment.state}"
    return texts.say(phrase, language=language, appointment_id=appointment.id).buttons


def note(session: Session, appointment: Appointment, phrase: str, *, key: str) -> None:
    """Tell the department of it."""
    when = words_of(session, appointment, STAFF_LANGUAGE)
    case = appointment.case
    work_orders.note(session, case, phrase, key=f"case:{case.id}:{key}:visit_note", when=when)


def tell(session: Session, case: Case, line: Line, *, key: str, now: datetime) -> None:
    """Tell the resident; while a butler talks it is held."""
    conversations.tell(session, case.conversation, line, now=now, key=key, kind="visit", case_id=case.id)
