"""What nobody asked for is rationed: at most one such message a day and one survey a fortnight, whatever sends it.

Answers, progress of one's own cases, reminders of one's own appointments (service/visit_reminders.py) and a butler's
words are no such messages. A household is the resident's own chat until homes are verified: anybody can name a room,
and nobody may silence a neighbour with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import yaml
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service import conversations, texts
from service.models import Community, Conversation, Resident, UnaskedMessage

WORDS = Path(__file__).with_suffix(".yml")
SURVEY = "survey"
MARKS = " .,!。，！"


@dataclass(frozen=True)
class Refusal:
    """Why a message may not be sent, and from when on it may; never, when that is empty."""

    reason: str
    until: datetime | None = None


def why_not(session: Session, resident: Resident, kind: str, *, now: datetime, urgent: bool = False) -> Refusal | None:
    """Why this resident is not to be written to unasked, or None.

    A survey follows on the resident's own answer, so it counts by its own measure only.

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
    if kind == SURVEY:
        every = timedelta(days=community.survey_every_days)
        surveys = UnaskedMessage.resident_id == resident.id, UnaskedMessage.kind == SURVEY
        last = session.scalar(select(func.max(UnaskedMessage.sent_at)).where(*surveys))
        return Refusal("too soon after the last survey", last + every) if last and now < last + every else None
    begins = _day_begins(now, community)
    today = select(func.count()).where(
        UnaskedMessage.resident_id == resident.id,
        UnaskedMessage.kind != SURVEY,
        UnaskedMessage.sent_at >= begins,
        ~UnaskedMessage.urgent,
    )
    if (session.scalar(today) or 0) < community.unasked_per_day:
        return None
    return Refusal("enough unasked-for messages today", _day_begins(begins + timedelta(hours=36), community))


def spend(session: Session, resident: Resident, kind: str, *, now: datetime, urgent: bool = False) -> None:
    """Write down that the resident is written to unasked; what is urgent is written down and does not count."""
    session.add(
        UnaskedMessage(
            community_id=resident.community_id, resident_id=resident.id, kind=kind, sent_at=now, urgent=urgent
        )
    )
    session.flush()


def give_back(session: Session, resident: Resident, kind: str) -> None:
    """The last message of this kind did not go out after all."""
    found = select(UnaskedMessage).where(UnaskedMessage.resident_id == resident.id, UnaskedMessage.kind == kind)
    last = session.scalars(found.order_by(UnaskedMessage.id.desc()).limit(1)).one_or_none()
    if last is not None:
        session.delete(last)
        session.flush()


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
    line = texts.say(f"utter_questions_{wish}", language=resident.language)
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
