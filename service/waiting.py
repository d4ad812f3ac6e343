"""Nobody waits unheard (N5): how long by now and how many are before them, by editing one line; and staff hear of it.

What happens when stands in `waiting.yml`. While the desk is closed nothing of it does: whoever waits reads when they
will be read (`service/desk.py`), and the wait goes on when the desk opens. Emergencies know no hours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import select
from sqlalchemy.orm import Session

from service import (
    calendars,
    communities,
    conversations,
    desk,
    duty,
    outbox,
    pointers,
    spans,
    texts,
    topics,
    waits,
)
from service.business_time import Calendar, around_the_clock
from service.communities import STAFF_LANGUAGE
from service.errors import NotEnoughServiceTime
from service.held import COURTESY
from service.models import (
    Community,
    Conversation,
    Delivery,
    Message,
    Owner,
    Priority,
    Role,
    Staff,
    Wait,
    WaitStep,
)

TABLE = Path(__file__).with_suffix(".yml")
COURTESY_EVERY = timedelta(seconds=30)
LATER_EVERY = timedelta(minutes=5)  # once all steps are taken: the line is still true, and costs little
QUIET = ("rating",)  # nobody sits and waits after a rating: staff are told, the resident is left in peace
ONE_BY_ONE = 3  # that staff are told of each in its topic; more at once go in one message, for the group's budget
LINES = 10  # of such a message

ROLES: Mapping[str, Role] = {
    "speakers": Role.BUTLER,
    "butlers": Role.BUTLER,
    "supervisor": Role.SUPERVISOR,
    "manager": Role.MANAGER,
}


@dataclass(frozen=True)
class Step:
    """One row of the table."""

    step: str
    after: timedelta  # of desk time
    to: str
    says: str | None = None


@dataclass(frozen=True)
class Call:
    """Somebody is to hear that a resident waits."""

    talk: Conversation
    wait: Wait
    step: Step
    members: tuple[Staff, ...]
    waited: timedelta


@cache
def table() -> Mapping[str, Sequence[Step]]:
    """What waiting.yml says: the steps of a usual wait and of an urgent one, in the order of time."""
    rows = yaml.safe_load(TABLE.read_text("utf-8"))
    return {
        kind: tuple(Step(**row | {"after": timedelta(minutes=row["after"])}) for row in steps)
        for kind, steps in rows.items()
    }


def sweep(session: Session, *, now: datetime, limit: int = 50) -> int:
    """Do what is due for those who wait; any number of processes may do so at once.

    Args:
        session: the caller's transaction.
        now: the moment, aware UTC.
        limit: waits of one transaction.

    Returns:
        How many rows were looked at; 0 means nothing is due.
    """
    due = select(Wait.id, Wait.conversation_id).where(Wait.wake_at <= now).order_by(Wait.wake_at).limit(limit)
    rows = session.execute(due).all()
    calls: list[Call] = []
    for row in conversations.in_order(rows):
        talk = conversations.lock(session, row.conversation_id)
        wait = session.get_one(Wait, row.id, populate_existing=True)
        if wait.wake_at is not None and wait.wake_at <= now:
            calls += _look(session, talk, wait, now=now)
    _tell_staff(session, calls)
    return len(rows)


def _look(session: Session, talk: Conversation, wait: Wait, *, now: datetime) -> list[Call]:
    hours = _hours(session, wait, now=now)
    opens = hours.next_opening(now)
    if opens > now:
        _break_off(session, talk, wait, now=now)
        wait.wake_at = opens
        return []
    begun = hours.next_opening(wait.since)
    calls = _climb(session, talk, wait, hours, waited=now - begun, now=now)
    if _is_kept_company(talk, wait):
        _keep_company(session, talk, wait, waited=now - begun)
    wait.wake_at = _next(session, talk, wait, hours, begun=begun, now=now)
    return calls


def _hours(session: Session, wait: Wait, *, now: datetime) -> Calendar:
    """What counts: the desk's hours, or every minute where there is danger, or where nobody knows when it opens."""
    if wait.reason == waits.URGENT:
        return around_the_clock()
    hours = calendars.of_id(session, wait.community_id)
    try:
        hours.next_opening(max(wait.since, now))
    except NotEnoughServiceTime:
        return around_the_clock()
    return hours


def _break_off(session: Session, talk: Conversation, wait: Wait, *, now: datetime) -> None:
    """The desk has closed while they waited: they hear when it opens, once, and nothing counts until then."""
    waits.quieten(session, talk, wait, reason="the desk is closed")
    if _is_kept_company(talk, wait):
        said = select(Message.text).where(Message.conversation_id == talk.id, Message.author == "resident")
        last = session.scalar(said.order_by(Message.id.desc()).limit(1))
        desk.take_message(session, talk, last or "", now=now)


# --- The ladder -----------------------------------------------------------------------------------------------------


def steps_ahead(session: Session, wait: Wait) -> list[Step]:
    """The steps that nobody has taken yet."""
    taken = set(session.scalars(select(WaitStep.step).where(WaitStep.wait_id == wait.id)))
    kind = "urgent" if wait.reason == waits.URGENT else "usual"
    return [step for step in table()[kind] if step.step not in taken]


def _climb(
    session: Session, talk: Conversation, wait: Wait, hours: Calendar, *, waited: timedelta, now: datetime
) -> list[Call]:
    """Write down the steps that have come; the last one is told."""
    reached = [one for one in steps_ahead(session, wait) if hours.between(wait.since, now) >= one.after]
    if not reached:
        return []
    last = reached[-1]
    members = _members(session, talk, last.to, now=now)
    for one in reached:
        told = [member.number for member in members] if one is last else None
        session.add(WaitStep(wait_id=wait.id, step=one.step, at=now, told=told))
    session.flush()
    says = next((one.says for one in reversed(reached) if one.says), None)
    if says is not None and _is_kept_company(talk, wait):
        _say(session, talk, wait, says, step=last.step, waited=waited, now=now)
    return [Call(talk, wait, last, members, waited)]


def _members(session: Session, talk: Conversation, to: str, *, now: datetime) -> tuple[Staff, ...]:
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


def _tell_staff(session: Session, calls: Iterable[Call]) -> None:
    """Each in the resident's topic; when many are due at once, in one message of General."""

    def together(call: Call) -> tuple[int, str]:
        return call.talk.community_id, call.step.to

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
    key = f"wait:{call.wait.id}:{call.step.step}"
    priority = Priority.EMERGENCY if call.wait.reason == waits.URGENT else Priority.FOLLOW_UP
    conversations.to_staff(session, call.talk, "say", payload, key=key, kind=waits.TO_STAFF, priority=priority)


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
        key=f"waits:{calls[0].step.step}:{','.join(str(call.wait.id) for call in calls)}",
    )


def _names(call: Call, members: Iterable[Staff] | None = None) -> str:
    """Whom it is for; where nobody has the role, the role."""
    named = [pointers.at_member(member).words for member in (call.members if members is None else members)]
    role = texts.words(f"utter_word_role_{ROLES[call.step.to]}", language=STAFF_LANGUAGE)
    return texts.words("utter_word_comma", language=STAFF_LANGUAGE).join(named) or role


def _pointing(text: str, places: Iterable[pointers.Pointer]) -> dict[str, Any]:
    found = pointers.entities(text, places)
    return {"entities": found} if found else {}


# --- The resident ---------------------------------------------------------------------------------------------------


def _is_kept_company(talk: Conversation, wait: Wait) -> bool:
    """Whether the resident hears of the waiting: not while a department is to answer, for then the bot is silent."""
    waits_here = talk.owner is Owner.WAITING and wait.reason not in QUIET
    return waits_here and talk.resident.unreachable_since is None


def _keep_company(session: Session, talk: Conversation, wait: Wait, *, waited: timedelta) -> None:
    """The one line that counts, sent once and edited from then on; what has not gone out is overtaken."""
    payload: dict[str, Any] = {"text": _courtesy(session, talk, wait, waited=waited)}
    if wait.courtesy_id is not None and outbox.reword(session, wait.courtesy_id, payload) is not None:
        return
    community = session.get_one(Community, talk.community_id)
    is_first = wait.courtesy_id is None
    row_id = outbox.put(
        session,
        bot_id=community.bot_id,
        community_id=community.id,
        chat_id=talk.resident.chat_id,
        conversation_id=talk.id,
        epoch=talk.epoch,
        kind=COURTESY,
        act="say" if is_first else "edit",
        payload=payload | ({"silent": True} if is_first else {}),
        edits_id=wait.courtesy_id,
        priority=Priority.NOTICE if is_first else Priority.CARD,
        delivery=Delivery.RETRY,
    )
    if is_first:
        wait.courtesy_id = row_id


def _courtesy(session: Session, talk: Conversation, wait: Wait, *, waited: timedelta) -> str:
    language, whole = talk.resident.language, waited // COURTESY_EVERY * COURTESY_EVERY
    kind = "courtesy" if whole else "begins"
    if wait.reason == waits.URGENT:
        return texts.words(
            f"utter_waiting_urgent_{kind}", language=language, waited=spans.said(whole, language=language)
        )
    before = waits.ahead(session, wait)
    line = "some" if before > 1 else ("next", "one")[before]
    place = texts.words(f"utter_word_line_{line}", language=language, count=before)
    return texts.words(
        f"utter_waiting_{kind}", language=language, waited=spans.said(whole, language=language), place=place
    )


def _say(
    session: Session, talk: Conversation, wait: Wait, says: str, *, step: str, waited: timedelta, now: datetime
) -> None:
    """A message of its own: something has changed, and the resident should know."""
    community, language = session.get_one(Community, talk.community_id), talk.resident.language
    minutes = waited // timedelta(minutes=1) * timedelta(minutes=1)
    line = texts.say(
        f"utter_waiting_{says}",
        language=language,
        waited=spans.said(minutes, language=language),
        phone=community.phone,
    )
    conversations.tell(session, talk, line, now=now, key=f"wait:{wait.id}:{step}:said", kind=COURTESY)


def _next(
    session: Session, talk: Conversation, wait: Wait, hours: Calendar, *, begun: datetime, now: datetime
) -> datetime | None:
    """When the wait is to be looked at again: at its next step, or when the line is to be edited."""
    ahead = steps_ahead(session, wait)
    due = [max(hours.due(wait.since, one.after), now) for one in ahead[:1]]
    if _is_kept_company(talk, wait):
        every = COURTESY_EVERY if ahead else LATER_EVERY
        due.append(begun + (max(now - begun, timedelta()) // every + 1) * every)
    return min(due, default=None)
