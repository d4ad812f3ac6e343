"""What is known already of a matter that is being reported: an incident, or an open case of theirs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from sqlalchemy.orm import Session

from actions import places, questions, times
from actions.base import Desk, sessions
from actions.facts import DECLINED, Facts, called, stated
from actions.turns import FACTS, Turn
from service import amendments, cases, clocks, db, incident_reports, incidents, same_thing, texts
from service.errors import IncidentNotFound
from service.models.cases import Case
from service.models.talks import Conversation

INCIDENT, SAME, LATE = "incident", "case", "late"  # of a mark `<what>:<id>`, which the slot keeps
QUESTION = "question"  # a mark by itself: no trouble at all, there is an answer to it


def look(told: Facts, turn: Turn, *, begins: bool) -> tuple[Facts, str | None]:
    """Mark the facts with what is known of them, and say the case that is shown; asked once the place is known.

    Args:
        told: so far.
        turn: the message.
        begins: whether it opens the form; a bubble that only adds to a case opens none.
    """
    if told.already == DECLINED or told.confirmed or not (told.matter or adds_only_facts(turn)):
        return told, None
    with db.transaction(sessions()) as session:
        talk = session.get_one(Conversation, turn.conversation_id)
        return found(session, talk, told, turn, begins=begins)


def found(session: Session, talk: Conversation, told: Facts, turn: Turn, *, begins: bool) -> tuple[Facts, str | None]:
    """The same, within a transaction."""
    late = amendments.just_opened(session, talk, now=turn.now) if begins and adds_only_facts(turn) else None
    if late is not None:
        return replace(told, already=f"{LATE}:{late.id}"), None
    if begins and questions.is_one(session, talk, turn):
        return replace(told, already=QUESTION), None
    matter, place = told.matter or "", stated(told.location)
    incident = incident_reports.find(session, talk, matter, place, now=turn.now)
    if incident is not None:
        return replace(told, already=f"{INCIDENT}:{incident.id}"), None
    case = same_thing.find(session, talk, matter, place) if place else None
    if case is None:
        return replace(told, already=None), None
    return replace(told, already=f"{SAME}:{case.id}"), _shown(session, case, turn)


def adds_only_facts(turn: Turn) -> bool:
    """Whether a message names a place, a time, a number or a person, and nothing that happened."""
    return turn.says_only_facts and any(entity.label in FACTS for entity in turn.entities)


def _shown(session: Session, case: Case, turn: Turn) -> str:
    """The case, where it stands and what was promised."""
    return texts.words(
        "utter_case_line",
        language=turn.language,
        number=case.number,
        matter=case.title,
        state=texts.words(f"utter_word_{case.state}", language=turn.language),
        expected=clocks.expected(session, case, now=turn.now, language=turn.language),
    )


def is_known(told: Facts) -> bool:
    """Whether there is anything that stands for it, and the resident has not said that theirs is another thing."""
    return told.already not in (None, DECLINED)


def settle(desk: Desk, facts: cases.Facts, already: str) -> bool:
    """Do what follows for a report of something known; False when it is over meanwhile, so that it is a case."""
    what, _, number = already.partition(":")
    return _SETTLE[what](desk, facts, int(number))


def _join(desk: Desk, facts: cases.Facts, number: int) -> bool:
    try:
        incident = incidents.access_incident(desk.session, desk.conversation.community_id, number)
    except IncidentNotFound:
        return False
    desk.answer(incident_reports.join(desk.session, desk.conversation, incident, facts, now=desk.turn.now))
    return True


def _urge(desk: Desk, facts: cases.Facts, number: int) -> bool:
    case = cases.access_case(desk.session, desk.conversation, number)
    if case.state not in cases.AT_WORK:
        return False
    cases.urge(desk.session, case, key=desk.turn.source, now=desk.turn.now)
    amendments.add_words(desk.session, case, facts.matter, key=f"{desk.turn.source}:again", now=desk.turn.now)
    desk.say("utter_urged", number=case.number, expected=desk.expected(case))
    return True


def _add(desk: Desk, _: cases.Facts, number: int) -> bool:
    add(desk, cases.access_case(desk.session, desk.conversation, number))
    return True


_SETTLE: Mapping[str, Callable[[Desk, cases.Facts, int], bool]] = {INCIDENT: _join, SAME: _urge, LATE: _add}


def add(desk: Desk, case: Case) -> None:
    """Put what a message adds into a case, and say so; without facts it is more of the matter."""
    turn = desk.turn
    changes = _facts_of(turn, case) or {"matter": f"{case.matter}\n{turn.text}"}
    if amendments.amend(desk.session, case, changes, words=turn.text, key=f"{turn.source}:amended", now=turn.now):
        desk.say("utter_amended", number=case.number)
    else:
        pass_on(desk, case)


def pass_on(desk: Desk, case: Case) -> None:
    """Keep what the resident adds beside the facts of the case, and say so."""
    amendments.add_words(desk.session, case, desk.turn.text, key=f"{desk.turn.source}:added", now=desk.turn.now)
    desk.say("utter_info_passed_on", number=case.number)


def _facts_of(turn: Turn, case: Case) -> dict[str, object]:
    """The columns that a message changes: a spot is added to an address, another address takes its place."""
    changes: dict[str, object] = {}
    if said := " ".join(turn.found("location")):
        changes["place"] = places.correct(case.place or turn.known("place") or "", said, language=turn.language)
    if phones := turn.found("phone"):
        changes["phone"] = phones[-1]
    if turn.contact:
        changes["contact"] = called(turn.contact, turn.language)
    if words := " ".join(turn.found("time")):
        visit = times.to_come(words, turn)
        begins, ends = (visit.begins, visit.ends) if visit else (None, None)
        changes |= {"wanted_at": words, "wanted_from": begins, "wanted_until": ends}
    return changes
