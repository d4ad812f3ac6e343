"""Staff hear that a resident waits and nobody has taken over: by a mention, in the resident's topic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy.orm import Session

from service import clocks, communities, conversations, duty, outbox, pointers, spans, texts, topics, waits
from service.communities import STAFF_LANGUAGE
from service.models.communities import Community
from service.models.people import Role, Staff
from service.models.queues import Priority
from service.models.talks import Conversation, Wait
from service.texts import Line

ONE_BY_ONE = 3  # that staff are told of each in its topic; more at once go in one message, for the group's budget
LINES = 10  # of such a message
MINUTE = timedelta(minutes=1)

ROLES: Mapping[str, Role] = {
    "speakers": Role.BUTLER,
    "butlers": Role.BUTLER,
    "supervisor": Role.SUPERVISOR,
    "manager": Role.MANAGER,
}


@dataclass(frozen=True)
class Call:
    """Somebody is to hear that a resident waits."""

    talk: Conversation
    wait: Wait
    step: str
    to: str  # of ROLES
    members: tuple[Staff, ...]
    waited: timedelta


def members(session: Session, talk: Conversation, to: str, *, now: datetime) -> tuple[Staff, ...]:
    """Who is told: those on duty, those who speak the resident's language first; when nobody is, all there are."""
    community = session.get_one(Community, talk.community_id)
    role = ROLES[to]
    if talk.department_id is not None and role is Role.BUTLER:
        role = Role.DEPARTMENT
    fit = [one for one in duty.on_duty_or_all(session, community, role, now=now) if _belongs(one, talk)]
    speak = [one for one in fit if talk.resident.language in (one.languages or [STAFF_LANGUAGE])]
    others = [one for one in fit if one not in speak]
    return tuple(speak if to == "speakers" and speak else [*speak, *others])


def _belongs(member: Staff, talk: Conversation) -> bool:
    return member.role is not Role.DEPARTMENT or member.department_id == talk.department_id


def tell(session: Session, calls: Iterable[Call]) -> None:
    """Each in the resident's topic; when many are due at once, in one message of General."""

    def together(call: Call) -> tuple[int, str]:
        return call.talk.community_id, call.to

    for _, those in groupby(sorted(calls, key=together), key=together):
        due = list(those)
        if len(due) <= ONE_BY_ONE:
            for call in due:
                _tell_in_topic(session, call)
        else:
            for first in range(0, len(due), LINES):
                _tell_in_general(session, due[first : first + LINES])


def _tell_in_topic(session: Session, call: Call) -> None:
    resident = call.talk.resident
    line = texts.say(
        "utter_staff_waiting_urgent" if call.wait.reason == waits.URGENT else "utter_staff_waiting",
        language=STAFF_LANGUAGE,
        who=_names(call),
        waited=spans.said(call.waited, language=STAFF_LANGUAGE),
        language_name=texts.words(f"utter_word_{resident.language}", language=STAFF_LANGUAGE),
        conversation_id=call.talk.id,
    )
    payload = line.payload() | _pointing(line.text, map(pointers.at_member, call.members))
    key = f"wait:{call.wait.id}:{call.step}"
    priority = Priority.EMERGENCY if call.wait.reason == waits.URGENT else Priority.FOLLOW_UP
    conversations.to_staff(session, call.talk, "say", payload, key=key, kind=waits.TO_STAFF, priority=priority)


def tell_left(session: Session, talk: Conversation, butler: Staff, *, key: str, now: datetime) -> Line:
    """Staff hear that a butler has not come back, the supervisor by name: who it was, and since when one waits.

    Args:
        session: the caller's transaction; the conversation is locked in it.
        talk: whose, in line again.
        butler: who had them.
        key: saying the same key again does nothing.
        now: the moment, aware UTC.

    Returns:
        What they read.
    """
    wait = waits.of(session, talk)
    assert wait is not None, "whoever is in line waits"
    community = session.get_one(Community, talk.community_id)
    call = Call(talk, wait, waits.LEFT, "supervisor", members(session, talk, "supervisor", now=now), now - wait.since)
    line = texts.say(
        "utter_staff_left",
        language=STAFF_LANGUAGE,
        who=_names(call),
        number=butler.number,
        name=butler.display_name,
        since=clocks.moment(wait.since, community, language=STAFF_LANGUAGE),
        waited=spans.said(call.waited // MINUTE * MINUTE, language=STAFF_LANGUAGE),
        conversation_id=talk.id,
    )
    payload = line.payload() | _pointing(line.text, map(pointers.at_member, call.members))
    conversations.to_staff(session, talk, "say", payload, key=key, kind=waits.TO_STAFF, priority=Priority.FOLLOW_UP)
    return line


def _tell_in_general(session: Session, calls: Sequence[Call]) -> None:
    group = communities.staff_group(session, calls[0].talk.community_id)
    if group is None:
        return
    members = {member.id: member for call in calls for member in call.members}
    line = texts.say(
        "utter_staff_waiting_many",
        language=STAFF_LANGUAGE,
        who=_names(calls[0], members.values()),
        count=len(calls),
        lines="\n".join(
            texts.words(
                "utter_word_waiting_line",
                language=STAFF_LANGUAGE,
                name=conversations.topic_name(call.talk.resident),
                waited=spans.said(call.waited, language=STAFF_LANGUAGE),
            )
            for call in calls
        ),
    )
    places = [pointers.at_member(member) for member in members.values()]
    for call in calls:
        thread = topics.thread_of(session, call.talk.topic_id)
        if thread is not None:
            name = conversations.topic_name(call.talk.resident)
            places.append(pointers.at_topic(name, group["chat_id"], thread))
    outbox.put(
        session,
        **group,
        kind=waits.TO_STAFF,
        act="say",
        payload=line.payload() | _pointing(line.text, places),
        priority=Priority.FOLLOW_UP,
        key=f"waits:{calls[0].step}:{','.join(str(call.wait.id) for call in calls)}",
    )


def _names(call: Call, members: Iterable[Staff] | None = None) -> str:
    """Whom it is for; where nobody has the role, the role."""
    named = [pointers.at_member(member).words for member in (call.members if members is None else members)]
    role = texts.words(f"utter_word_role_{ROLES[call.to]}", language=STAFF_LANGUAGE)
    return texts.words("utter_word_comma", language=STAFF_LANGUAGE).join(named) or role


def _pointing(text: str, places: Iterable[pointers.Pointer]) -> dict[str, Any]:
    found = pointers.entities(text, places)
    return {"entities": found} if found else {}
