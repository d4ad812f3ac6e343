"""What was said and done between a resident and the service, as it stands in the record; and where words were said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, String, and_, cast, or_, select, union
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from service import word_search
from service.errors import TranscriptNotFound
from service.models.cases import Case, CaseEvent
from service.models.people import Resident, Staff
from service.models.queues import OutboxRow
from service.models.talks import MESSAGE_WORDS, Conversation, Handover, Message, Twin, Wait, WaitStep
from service.paging import Page

MOST_FOUND = 200  # lines of one search
LINES = 50  # of one page of a talk


@dataclass(frozen=True)
class Entry:
    """One line, or one step of a case, with all that is known of it."""

    at: datetime
    by: str  # resident, bot, butler, note; system for a step of a case or of waiting, or a change of who answers
    kind: str  # text, a kind of media, the step, or why somebody else answers
    text: str  # what it says now; of a step, the case's number, or the numbers of staff who were told, or a note
    staff_no: int | None = None
    edits: Sequence[Mapping[str, Any]] = ()  # earlier wordings and files, each until when
    edited_at: datetime | None = None
    media: Mapping[str, Any] | None = None  # Telegram's own description, with the file's id
    entities: Sequence[Any] = ()
    reply_to: int | None = None
    message_id: int | None = None
    forwarded_from: str | None = None
    withdrawn_at: datetime | None = None
    withdrawn_by: int | None = None  # staff number
    delivery: str | None = None  # what became of it on its way to the other side
    reason: str | None = None  # why it did not get there
    delivered_at: datetime | None = None
    row: int | None = None  # of the line


@dataclass(frozen=True)
class Found:
    """A line that holds the words, and whose talk it is."""

    conversation_id: int
    chat_id: int
    name: str
    entry: Entry
    line: int  # its row: behind it the next page of a search begins


def access_conversation(session: Session, community_id: int, name: str) -> Conversation:
    """The talk an operator of the community means: by a case's number, a resident's telephone or Telegram number.

    Raises:
        TranscriptNotFound: none of this community's is called so, or several are.
    """
    meant: list[ColumnElement[bool]] = [Resident.phone == name]
    if name.isdecimal() and len(name) <= 18:
        meant.append(Resident.chat_id == int(name))
    case = select(Case.conversation_id).where(Case.community_id == community_id, Case.number == name.upper())
    found = select(Conversation).join(Conversation.resident).where(Conversation.community_id == community_id)
    talks = session.scalars(found.where(or_(Conversation.id.in_(case), *meant))).all()
    if len(talks) != 1:
        raise TranscriptNotFound(name=name)
    return talks[0]


def read(session: Session, conversation: Conversation) -> list[Entry]:
    """The whole talk in order: every line of resident, bot and butlers, every step, and who answered when."""
    lines = _lines(session, Message.conversation_id == conversation.id)
    return sorted([*(entry for _, entry in lines), *_steps(session, conversation)], key=lambda entry: entry.at)


def latest(
    session: Session, conversation: Conversation, *, before: int | None = None, rows: int = LINES
) -> Page[Entry]:
    """The end of a talk, or the part before a line; oldest first, with the steps of cases that were taken meanwhile.

    Args:
        session: a transaction; it is only read.
        conversation: whose.
        before: the row of the line behind which an earlier page ended.
        rows: how many lines.
    """
    mine = Message.conversation_id == conversation.id
    taken = _lines(session, mine if before is None else and_(mine, Message.id < before), newest=rows + 1)
    lines, more = taken[-rows:], len(taken) > rows
    entries = [entry for _, entry in lines]
    since = entries[0].at if more else None
    until = session.scalar(select(Message.said_at).where(mine, Message.id == before)) if before is not None else None
    steps = _steps(session, conversation, since=since, until=until)
    return Page(sorted([*entries, *steps], key=lambda entry: entry.at), lines[0][0].id if more else None)


def search(
    session: Session, community_id: int, words: str, *, limit: int = MOST_FOUND, before: int | None = None
) -> list[Found]:
    """The newest lines of a community that hold every one of the words, now or before an edit; newest first.

    Args:
        session: the caller's transaction.
        community_id: nobody searches in another's.
        words: separated by blanks; signs have no meaning of their own.
        limit: lines at the most.
        before: only lines older than this row.
    """
    if not words.split():
        return []
    talk = select(Conversation.id).where(Conversation.community_id == community_id)
    ours = [Message.conversation_id.in_(talk), *([] if before is None else [Message.id < before])]
    newest = [
        select(Message.id).where(*ours, said).order_by(Message.id.desc()).limit(limit).subquery().select()
        for said in (word_search.holds(MESSAGE_WORDS, words), _held_before(words))
    ]
    lines = _lines(session, Message.id.in_(union(*newest)), newest=limit)
    ids = {message.conversation_id for message, _ in lines}
    talks = {one.id: one for one in session.scalars(select(Conversation).where(Conversation.id.in_(ids)))}
    return [
        Found(talk.id, talk.resident.chat_id, talk.resident.display_name, entry, message.id)
        for message, entry in reversed(lines)
        for talk in (talks[message.conversation_id],)
    ]


def _held_before(words: str) -> ColumnElement[bool]:
    """Whether a line that was changed holds each of the words, in what it says or has said; there are few of those."""
    said = Message.text + cast(Message.earlier, String)
    return and_(Message.earlier.is_not(None), *(said.icontains(word, autoescape=True) for word in words.split()))


def _lines(session: Session, which: ColumnElement[bool], *, newest: int | None = None) -> list[tuple[Message, Entry]]:
    """Lines in the order in which they were said."""
    by, withdrawer = aliased(Staff), aliased(Staff)
    found = (
        select(Message, by.number, withdrawer.number, OutboxRow)
        .outerjoin(by, by.id == Message.staff_id)
        .outerjoin(withdrawer, withdrawer.id == Message.withdrawn_by_id)
        .outerjoin(Twin, _first_copy())
        .outerjoin(OutboxRow, or_(OutboxRow.id == Message.outbox_id, OutboxRow.id == Twin.outbox_id))
        .where(which)
        .order_by(Message.id.desc())
        .limit(newest)
    )
    rows = session.execute(found).all()
    return [(message, _entry(message, staff_no, taker, row)) for message, staff_no, taker, row in reversed(rows)]


def _first_copy() -> ColumnElement[bool]:
    """The copy of a line on the other side; a caption that went apart is not counted again."""
    return and_(
        Twin.conversation_id == Message.conversation_id,
        Twin.said_chat_id == Message.chat_id,
        Twin.said_message_id == Message.message_id,
        Twin.kind != "caption",
    )


def _entry(message: Message, staff_no: int | None, withdrawn_by: int | None, row: OutboxRow | None) -> Entry:
    return Entry(
        at=message.said_at,
        by=message.author,
        kind=message.kind,
        text=message.text,
        staff_no=staff_no,
        edits=message.earlier or (),
        edited_at=message.edited_at,
        media=message.media,
        entities=message.entities or (),
        reply_to=message.reply_to,
        message_id=message.message_id,
        forwarded_from=message.forwarded_from,
        withdrawn_at=message.withdrawn_at,
        withdrawn_by=withdrawn_by,
        delivery=row.state if row else None,
        reason=row.reason if row and row.state not in ("sent", "pending", "sending") else None,
        delivered_at=row.settled_at if row and row.state == "sent" else None,
        row=message.id,
    )


def _steps(
    session: Session, conversation: Conversation, *, since: datetime | None = None, until: datetime | None = None
) -> list[Entry]:
    """What was done from one moment to before another, both aware UTC; without them, all of it."""

    def then(at: InstrumentedAttribute[datetime]) -> list[ColumnElement[bool]]:
        return [*([at >= since] if since else []), *([at < until] if until else [])]

    return [
        *_case_steps(session, conversation, *then(CaseEvent.at)),
        *_wait_steps(session, conversation, *then(WaitStep.at)),
        *_handovers(session, conversation, *then(Handover.at)),
    ]


def _handovers(session: Session, conversation: Conversation, *then: ColumnElement[bool]) -> list[Entry]:
    """Who answered from then on, named by the reason; with what a butler noted who handed on."""
    found = (
        select(Handover, Staff.number)
        .outerjoin(Staff, Staff.id == Handover.butler_id)
        .where(Handover.conversation_id == conversation.id, *then)
        .order_by(Handover.epoch)
    )
    return [
        Entry(at=step.at, by="system", kind=f"handover_{step.reason}", text=step.note or "", staff_no=number)
        for step, number in session.execute(found)
    ]


def _wait_steps(session: Session, conversation: Conversation, *then: ColumnElement[bool]) -> list[Entry]:
    """Who was told when that the resident waits: the names of the steps stand in waiting.yml."""
    mine = select(WaitStep).join(Wait, Wait.id == WaitStep.wait_id).where(Wait.conversation_id == conversation.id)
    found = mine.where(*then)
    return [
        Entry(at=step.at, by="system", kind=f"waiting_{step.step}", text=", ".join(map(str, step.told or ())))
        for step in session.scalars(found.order_by(WaitStep.id))
    ]


def _case_steps(session: Session, conversation: Conversation, *then: ColumnElement[bool]) -> list[Entry]:
    found = (
        select(CaseEvent, Case.number)
        .join(Case, Case.id == CaseEvent.case_id)
        .where(Case.conversation_id == conversation.id, *then)
        .order_by(CaseEvent.id)
    )
    return [
        Entry(at=step.at, by="system", kind=step.event, text=number, staff_no=_staff_no(step.actor))
        for step, number in session.execute(found)
    ]


def _staff_no(actor: str) -> int | None:
    who, _, number = actor.partition(":")
    return int(number) if who == "staff" and number.isdecimal() else None
