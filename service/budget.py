"""What nobody asked for is rationed: at most one such message a day and one survey a fortnight, whatever sends it.

Answers, progress of one's own cases, reminders of one's own appointments (service/visit_reminders.py) and a butler's
words are no such messages. Accounts that are bound to one household of the archive share its budget; an account that is
not has one of its own, because anybody can name a room, and nobody may silence a neighbour with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import yaml
from sqlalchemy import ColumnElement, delete, func, insert, select, update
from sqlalchemy.orm import Session

from service import archive, conversations, texts
from service.models.archive import Household, Member
from service.models.base import table
from service.models.communities import Community
from service.models.follow_ups import UnaskedMessage
from service.models.people import Resident
from service.models.talks import Conversation

WORDS = Path(__file__).with_suffix(".yml")
SURVEY = "survey"
MARKS = " .,!。，！"
ANOTHER_MOMENT = timedelta(minutes=1)  # while a neighbour of the same household is being written to


@dataclass(frozen=True)
class Refusal:
    """Why a message may not be sent, and from when on it may; never, when that is empty."""

    reason: str
    until: datetime | None = None


def why_not(session: Session, resident: Resident, kind: str, *, now: datetime, urgent: bool = False) -> Refusal | None:
    """Why this resident is not to be written to unasked, or None.

    A survey follows on the resident's own answer, so it counts by its own measure only. After a None the household is
    the caller's until the transaction ends, so that two schedulers do not each write to one of its members.

    Args:
        session: the caller's transaction; the resident's conversation is locked in it.
        resident: who would be written to.
        kind: what it is: call_back, reminder, survey, notice …
        now: the moment, aware UTC.
        urgent: exempt: a danger, a cut of water or power.
    """
    if urgent:
        return None
    if resident.questions_off_since is not None:
        return Refusal("the resident does not want to be asked")
    community = session.get_one(Community, resident.community_id)
    member = archive.member_of(session, resident)
    if member is not None and not _take_household(session, member.household_id, waits=kind == SURVEY):
        return Refusal("the household is being written to", now + ANOTHER_MOMENT)
    theirs = _of_household(resident, member)
    limit = _survey_limit if kind == SURVEY else _daily_limit
    return limit(session, community, theirs, now=now)


def _take_household(session: Session, household_id: int, *, waits: bool) -> bool:
    """Lock the household, or say that somebody else has it.

    A sweep has many households in one transaction: two that waited for each other's would wait for ever. A survey is
    asked now or never, and in a transaction of its own.
    """
    door = select(Household.id).where(Household.id == household_id)
    return session.scalar(door.with_for_update(key_share=True, skip_locked=not waits)) is not None


def _of_household(resident: Resident, member: Member | None) -> ColumnElement[bool]:
    """Whose messages count: those to every account bound to the household, or only the resident's own."""
    if member is None:
        return UnaskedMessage.resident_id == resident.id
    accounts = select(Resident.id).join(Member, Member.id == Resident.member_id)
    return UnaskedMessage.resident_id.in_(accounts.where(Member.household_id == member.household_id))


def _survey_limit(
    session: Session, community: Community, theirs: ColumnElement[bool], *, now: datetime
) -> Refusal | None:
    every = timedelta(days=community.survey_every_days)
    last = session.scalar(select(func.max(UnaskedMessage.sent_at)).where(theirs, UnaskedMessage.kind == SURVEY))
    return Refusal("too soon after the last survey", last + every) if last and now < last + every else None


def _daily_limit(
    session: Session, community: Community, theirs: ColumnElement[bool], *, now: datetime
) -> Refusal | None:
    begins = _day_begins(now, community)
    today = select(func.count()).where(
        theirs, UnaskedMessage.kind != SURVEY, UnaskedMessage.sent_at >= begins, ~UnaskedMessage.urgent
    )
    if (session.scalar(today) or 0) < community.unasked_per_day:
        return None
    return Refusal("enough unasked-for messages today", _day_begins(begins + timedelta(hours=36), community))


def spend(
    session: Session, resident: Resident, kind: str, *, now: datetime, urgent: bool = False, row_id: int | None = None
) -> None:
    """Write down that the resident is written to unasked; what is urgent is written down and does not count.

    Args:
        session: the caller's transaction.
        resident: who is written to.
        kind: what it is.
        now: the moment, aware UTC.
        urgent: exempt.
        row_id: the outbox row, which may be kept back after all.
    """
    whose = {"community_id": resident.community_id, "resident_id": resident.id, "outbox_id": row_id}
    session.execute(_SPENT, whose | {"kind": kind, "sent_at": now, "urgent": urgent})


_SPENT = insert(table(UnaskedMessage))


def give_back(session: Session, row_id: int) -> None:
    """This message did not go out after all; others to the same resident did."""
    session.execute(delete(UnaskedMessage).where(UnaskedMessage.outbox_id == row_id))


def postpone(session: Session, row_id: int, *, until: datetime) -> None:
    """This message was kept back and goes out only now: the days to the next count from here."""
    later = update(UnaskedMessage).where(UnaskedMessage.outbox_id == row_id)
    session.execute(later.values(sent_at=until))


def obey(session: Session, conversation: Conversation, words: str, *, key: str, now: datetime) -> bool:
    """Do what 退订 or 恢复 says and confirm it; False when the words are no such wish.

    Args:
        session: the caller's transaction; the conversation is locked in it.
        conversation: who wrote.
        words: the whole message.
        key: the turn.
        now: the moment, aware UTC.
    """
    wish = _wishes().get(words.strip(MARKS).lower())
    if wish is None:
        return False
    resident = conversation.resident
    resident.questions_off_since = (resident.questions_off_since or now) if wish == "stop" else None
    last = conversations.said_last(session, conversation)
    line = texts.say(f"utter_questions_{wish}", language=resident.language, unlike=last)
    conversations.tell(session, conversation, line, now=now, key=f"{key}:{wish}")
    return True


def _day_begins(moment: datetime, community: Community) -> datetime:
    """The midnight before, on the community's clock."""
    zone = ZoneInfo(community.timezone)
    return datetime.combine(moment.astimezone(zone).date(), time(), zone).astimezone(moment.tzinfo)


@cache
def _wishes() -> Mapping[str, str]:
    table = yaml.safe_load(WORDS.read_text("utf-8"))
    return {word: wish for wish, words in table.items() for word in words}
