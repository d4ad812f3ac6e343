"""Bursts: text lines of one resident that wait together go to staff as one message, because a group takes few.

They are joined when the sender takes the first of them, in the transaction that says so: from then on they are one row,
and whatever becomes of it becomes of all of them. Each line keeps its own twin, and all twins of the row are the one
message. What refers to a line is fitted to that message at the same late moment, when nothing can be joined any more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

from sqlalchemy import bindparam, func, select, text
from sqlalchemy.orm import Session

from service.models.queues import OutboxRow, OutboxState
from service.models.talks import Twin
from service.pages import MOST_TEXT, units

ACT = "lines"  # of a row that carries several; it carries their words, a copy could carry only one
MOST_LINES = 20  # of one message
JOINED = "went along with the line before it"
BREAK = "\n"  # between two lines

Words = dict[str, Any]  # a text and its entities

# What waits behind a row in its lane, in order. A row that has to wait for its time ends the burst.
_BEHIND = text("""
    SELECT behind.id FROM outbox AS behind JOIN outbox AS row ON row.lane = behind.lane
    WHERE row.id = :id AND behind.state = 'pending' AND behind.not_before <= clock_timestamp()
      AND (behind.priority, behind.id) > (row.priority, row.id)
    ORDER BY behind.priority, behind.id LIMIT :most
""")

_ADOPT = text("""
    UPDATE twins SET outbox_id = :row, place = (SELECT count(*) FROM twins AS own WHERE own.outbox_id = :row)
    WHERE outbox_id = :joined
""")

_LINES = select(OutboxRow).join(Twin, Twin.outbox_id == OutboxRow.id).where(OutboxRow.act == ACT)


def mark(words: Words) -> dict[str, Any]:
    """What the payload of a row says when its message is a line that may be joined with others."""
    return {**words, "joins": True}


def join(session: Session, row_id: int) -> None:
    """Let the text lines that wait right behind this one go along with it.

    Args:
        session: the sender's transaction, in which the row is about to be taken.
        row_id: the head of its lane, a line that may be joined.
    """
    behind = session.scalars(_BEHIND, {"id": row_id, "most": MOST_LINES - 1}).all()
    if not behind:
        return
    # A row that somebody is just changing is not waited for: the burst ends before it.
    mine = select(OutboxRow).where(OutboxRow.id.in_([row_id, *behind]), OutboxRow.state == OutboxState.PENDING)
    locked = mine.with_for_update(skip_locked=True).execution_options(populate_existing=True)
    rows = {row.id: row for row in session.scalars(locked)}
    if row_id not in rows:
        return
    head = rows[row_id]
    for joined in _burst(head, [rows.get(number) for number in behind]):
        session.execute(_ADOPT, {"row": head.id, "joined": joined.id})
        joined.state, joined.reason, joined.settled_at = OutboxState.DROPPED, JOINED, func.clock_timestamp()
        joined.payload = {"joined": head.id}
    session.flush()


def _burst(head: OutboxRow, behind: Sequence[OutboxRow | None]) -> list[OutboxRow]:
    """Those that go along; the head carries their words afterwards."""
    along: list[OutboxRow] = []
    lines, ids = _lines(head.payload), list(head.payload["message_ids"])
    for row in behind:
        if row is None or not _goes_along(head, row):
            break
        more = [*lines, *_lines(row.payload)]
        if len(more) > MOST_LINES or units(whole(more)["text"]) > MOST_TEXT:
            break
        lines, ids = more, [*ids, *row.payload["message_ids"]]
        along.append(row)
    if along:
        head.act, head.payload = ACT, head.payload | {"message_ids": ids, "lines": lines} | _plain(whole(lines))
    return along


def _goes_along(head: OutboxRow, row: OutboxRow) -> bool:
    """Whether it is a line of the same resident's that answers nothing: an answer would lose what it answers."""
    return "joins" in row.payload and "reply" not in row.payload and row.conversation_id == head.conversation_id


def _lines(payload: Mapping[str, Any]) -> list[Words]:
    lines: list[Words] = payload.get("lines") or [_plain(payload)]
    return lines


def _plain(words: Mapping[str, Any]) -> Words:
    return {"text": words["text"], "entities": words.get("entities") or []}


def whole(lines: Sequence[Words]) -> Words:
    """The lines as one text, one below the other, each with its formatting."""
    begins = _begins(lines)
    return {
        "text": BREAK.join(line["text"] for line in lines),
        "entities": [
            entity | {"offset": entity["offset"] + begin}
            for begin, line in zip(begins, lines, strict=True)
            for entity in line["entities"]
        ],
    }


def _begins(lines: Sequence[Words]) -> list[int]:
    """Where in the whole each line begins, in UTF-16 units."""
    return list(accumulate((units(line["text"] + BREAK) for line in lines[:-1]), initial=0))


def reword(session: Session, twin: Twin, words: Words) -> bool:
    """Change a line that has not gone out yet, so that it never says anything else.

    Returns:
        False when it has gone out, or is just going: then the message is to be edited.
    """
    waiting = select(OutboxRow).where(OutboxRow.id == twin.outbox_id, OutboxRow.state == OutboxState.PENDING)
    locked = waiting.with_for_update(skip_locked=True).execution_options(populate_existing=True)
    row = session.scalars(locked).one_or_none()
    if row is None or "joins" not in row.payload:
        return False
    return _put_in(session, row, twin.said_message_id, words)


def _put_in(session: Session, row: OutboxRow, message_id: int, words: Words) -> bool:
    """Give one of the row's lines other words; False when they would not all fit any more."""
    place = row.payload["message_ids"].index(message_id)
    lines = _lines(row.payload)
    lines = [*lines[:place], _plain(words), *lines[place + 1 :]]
    if units(whole(lines)["text"]) > MOST_TEXT:
        return False
    row.payload = row.payload | _plain(whole(lines)) | ({"lines": lines} if "lines" in row.payload else {})
    session.flush()
    return True


_REFERS = (
    select(OutboxRow)
    .where(OutboxRow.id == bindparam("row_id"), OutboxRow.state == OutboxState.PENDING)
    .with_for_update(skip_locked=True)
    .execution_options(populate_existing=True)
)


def fit(session: Session, row_id: int) -> None:
    """Fit a row that edits a line, or quotes one, to the message in which the line went along with others.

    Args:
        session: the sender's transaction, in which the row is about to be taken.
        row_id: a row with a twin that it edits or quotes.
    """
    row = session.scalars(_REFERS, {"row_id": row_id}).one_or_none()
    if row is None:
        return
    twin = session.get(Twin, (row.payload.get("on") or row.payload["reply"]).get("twin", 0))
    carrier = session.scalars(_LINES.where(Twin.id == twin.id).with_for_update(of=OutboxRow)).first() if twin else None
    if twin is None or carrier is None or "lines" not in carrier.payload:
        return
    if "on" not in row.payload:
        row.payload = row.payload | {"reply": _moved(carrier, twin, row.payload["reply"])}
    elif _put_in(session, carrier, twin.said_message_id, row.payload):
        row.payload = row.payload | _plain(carrier.payload)
    else:  # the others leave it no room: its new words answer the message
        row.act, row.payload = "say", _plain(row.payload) | {"reply": row.payload["on"]}
    session.flush()


def _moved(carrier: OutboxRow, twin: Twin, reply: Mapping[str, Any]) -> dict[str, Any]:
    """The quote, from where its line begins in the whole."""
    begin = _begins(carrier.payload["lines"])[carrier.payload["message_ids"].index(twin.said_message_id)]
    quote = reply["quote"]
    return {**reply, "quote": quote | {"position": quote["position"] + begin}}


def quoted(session: Session, twin: Twin, quote: Mapping[str, Any]) -> tuple[int, Words] | None:
    """Which line of a joined message a quote is taken from, and the quote as it stands in that line.

    Returns:
        The line's own message id and the quote; None when the message is a single line, or when the quote goes over
        the end of one.
    """
    carrier = session.scalars(_LINES.where(Twin.id == twin.id)).first()
    if carrier is None or "lines" not in carrier.payload:
        return None
    begins = _begins(carrier.payload["lines"])
    place = max(number for number, begin in enumerate(begins) if begin <= quote["position"])
    within = quote["position"] - begins[place]
    if within + units(quote["text"]) > units(carrier.payload["lines"][place]["text"]):
        return None
    message_id: int = carrier.payload["message_ids"][place]
    return message_id, {**quote, "position": within}
