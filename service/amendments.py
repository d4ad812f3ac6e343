"""What a resident adds to a case, or changes of it, after it was opened: the case follows, its worker is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from service import cases, phones, where, work_orders
from service.cases import AT_WORK, Event, Facts
from service.conversations import Amended
from service.models.cases import Case, CaseEvent
from service.models.talks import Conversation, Message
from service.where import Where

LATE = timedelta(minutes=3)  # a bubble that comes so soon after a case was opened still belongs to what was said
ONE_MATTER = timedelta(hours=1)  # as long before a case is opened, a line may have been about it
MOST_WORDS = 1000  # characters that are shown to the worker
READ_ANEW = "read_anew"  # marks an earlier wording: the dialogue has heard of the edit, by the update that is named


def just_opened(session: Session, conversation: Conversation, *, now: datetime) -> Case | None:
    """The case that a late bubble belongs to."""
    case = cases.at_work(session, conversation)
    return case if case is not None and now - case.opened_at < LATE else None


def amend(session: Session, case: Case, changes: Mapping[str, object], *, words: str, key: str, now: datetime) -> bool:
    """Change facts of a case at work; its log keeps what they were, the work order shows what they are.

    Args:
        session: the caller's transaction, in which the case is locked.
        case: at work.
        changes: columns of the case and their new values.
        words: what the resident said.
        key: the update; the same one again does nothing.
        now: the moment, aware UTC.

    Returns:
        False when nothing changed, or this very change was made before.
    """
    real = {name: value for name, value in changes.items() if getattr(case, name) != value}
    if not real or cases.has_event(session, case, key):
        return False
    before = {name: _plain(getattr(case, name)) for name in real}
    for name, value in real.items():
        setattr(case, name, value)
    data = {"words": words, "before": before, "after": {name: _plain(value) for name, value in real.items()}}
    cases.advance(session, case, Event.AMENDED, actor="resident", key=key, now=now, data=data)
    work_orders.note(session, case, "utter_staff_amended", key=f"case:{case.id}:{key}", words=words[:MOST_WORDS])
    return True


def add_words(session: Session, case: Case, words: str, *, key: str, now: datetime) -> None:
    """Keep what a resident adds without changing a fact, like how to ring; whoever works on the case reads it.

    Args:
        session: the caller's transaction, in which the case is locked.
        case: at work.
        words: what the resident said.
        key: the turn; the same one again does nothing.
        now: the moment, aware UTC.
    """
    if cases.add(session, case, {"words": words}, key=key, now=now):
        note_key = f"case:{case.id}:{key}"
        work_orders.note(session, case, "utter_staff_info_given", key=note_key, words=words[:MOST_WORDS])


def add_media(session: Session, case: Case, count: int, *, key: str, now: datetime) -> None:
    """Write down that pictures or the like came for a case; the department has been shown them."""
    cases.add(session, case, {"media": count}, key=key, now=now)


def edited(session: Session, conversation: Conversation, line: Message, before: str, *, key: str, now: datetime
) -> Case | None:  # fmt: skip
    """An edited line changes the case it told of; None when it told nothing of one.

    Args:
        session: the caller's transaction; the conversation is locked in it.
        conversation: whose line.
        line: as it reads now.
        before: as it read.
        key: the update.
        now: the moment, aware UTC.
    """
    for case in _at_work_since(session, conversation, line):
        changes = {
            "matter": reworded(case.matter, before, line.text),
            "place": replaced(case.place, before, line.text),
            "phone": redialled(case.phone, before, line.text),
        }
        if amend(session, case, changes, words=line.text, key=key, now=now):
            return case
    return None


def read_anew(session: Session, conversation: Conversation, amended: Amended, *, key: str, now: datetime) -> str | None:
    """What an edited line said before, if it is to be understood as it reads now.

    That is the resident's newest line, of this hour, which no case holds: an answer to it is wanted. The mark keeps it
    from being applied once more when a case is opened, and says it again to the same update after a crash.

    Args:
        session: the caller's transaction; the conversation is locked in it.
        conversation: whose line.
        amended: what the edit changed.
        key: the update.
        now: the moment, aware UTC.
    """
    line = amended.line
    *earlier, last = line.earlier or [{}]
    if READ_ANEW in last:
        return str(last["text"]) if last[READ_ANEW] == key else None
    if not amended.reworded or not _is_last_word(session, conversation, line, now=now):
        return None
    line.earlier = [*earlier, {**last, READ_ANEW: key}]
    return amended.before


def _is_last_word(session: Session, conversation: Conversation, line: Message, *, now: datetime) -> bool:
    if not line.text or line.text.startswith("/") or line.said_at < now - ONE_MATTER:
        return False
    theirs = Message.conversation_id == conversation.id, Message.author == "resident"
    newest = session.scalar(select(func.max(Message.id)).where(*theirs))
    turn = f"turn:{line.inbox_id}"
    of_case = select(CaseEvent.id).join(Case, Case.id == CaseEvent.case_id)
    of_line = or_(CaseEvent.key == turn, CaseEvent.key.startswith(f"{turn}:"))
    held = of_case.where(Case.conversation_id == conversation.id, of_line)
    return line.id == newest and session.scalar(held.limit(1)) is None


def as_edited(session: Session, conversation: Conversation, facts: Facts, *, now: datetime) -> Facts:
    """The facts of a case that is about to be opened, with what was edited while they were still being gathered."""
    changed = select(Message).where(
        Message.conversation_id == conversation.id,
        Message.author == "resident",
        Message.edited_at > now - ONE_MATTER,
        Message.said_at > now - ONE_MATTER,
    )
    for line in session.scalars(changed.order_by(Message.id)):
        for earlier in (one for one in line.earlier or () if READ_ANEW not in one):
            was = str(earlier["text"])
            facts = replace(
                facts,
                matter=reworded(facts.matter, was, line.text),
                place=replaced(facts.place, was, line.text),
                phone=redialled(facts.phone, was, line.text),
            )
    return facts


def reworded(matter: str, before: str, after: str) -> str:
    """A matter in which a line has been changed: the line may be part of it, or it the telling part of the line."""
    before, after = before.strip(), after.strip()
    if before and before in matter:
        return matter.replace(before, after) if after else matter
    if not matter or matter not in before:
        return matter
    lead, _, tail = before.partition(matter)
    is_between = after.startswith(lead) and after.endswith(tail) and len(after) > len(lead) + len(tail)
    return after[len(lead) : len(after) - len(tail)] if is_between else after or matter


def replaced(place: str | None, before: str, after: str) -> str | None:
    """A place of which an edit named another building, unit or room."""
    was, now = asdict(where.parse(before)), asdict(where.parse(after))
    changed = {part: value for part, value in now.items() if value and value != was[part]}
    if not changed:
        return place
    language = "en" if place and place.isascii() else "zh"
    return where.display(Where(**{**asdict(where.parse(place or "")), **changed}), language)


def redialled(phone: str | None, before: str, after: str) -> str | None:
    """A number that an edit put another in the place of."""
    return phones.normalise(after) or phone if phone and phones.normalise(before) == phone else phone


def _at_work_since(session: Session, conversation: Conversation, line: Message) -> Sequence[Case]:
    """Cases that were opened soon after a line was said, or were at work then; the one it opened first."""
    found = (
        select(Case)
        .where(Case.conversation_id == conversation.id, Case.state.in_(AT_WORK))
        .where(Case.opened_at < line.said_at + ONE_MATTER)
        .order_by(Case.id)
        .with_for_update(of=Case)
    )
    return sorted(session.scalars(found), key=lambda case: case.opened_at < line.said_at)


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
