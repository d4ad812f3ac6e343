"""The board: one pinned message in General says who waits, what is at work and late, and who is on duty.

It is looked at every few minutes, edited when it would say something else, after everything else that waits for the
group, and written anew when somebody has deleted it. A community's first one comes with its first matter.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import clocks, communities, conversations, duty, outbox, pointers, spans, texts, today, topics, waits
from service.communities import STAFF_LANGUAGE, Address
from service.models.communities import Community
from service.models.queues import Delivery, OutboxRow, OutboxState, Priority
from service.models.talks import Board
from service.pointers import Pointer

LOOK_EVERY = timedelta(minutes=3)
MINUTE = timedelta(minutes=1)
MOST = 15  # lines of a section; what is more is counted
REFUSED = "BadRequest"  # how the reason of an edit begins whose message Telegram does not know any more
KIND = "board"


@dataclass
class Overview:
    """What the board says, without the moment at which it says so, and what its words lead to."""

    lines: list[str] = field(default_factory=list)
    places: list[Pointer] = field(default_factory=list)
    is_empty: bool = True

    def add(self, key: str, count: int, lines: Iterable[str]) -> None:
        """A section with its heading, if there is anything in it."""
        if count:
            self.lines += [_words(key, count=count), *lines]
            self.is_empty = False

    @property
    def digest(self) -> str:
        """Tells one content from another."""
        said = json.dumps([self.lines, [place.entity for place in self.places]], sort_keys=True)
        return hashlib.blake2s(said.encode()).hexdigest()


def refresh_due(session: Session, *, now: datetime, limit: int = 50) -> int:
    """Look at the boards whose time has come; any number of processes may do so at once.

    Args:
        session: the caller's transaction.
        now: the moment, aware UTC.
        limit: communities of one transaction.

    Returns:
        How many were looked at.
    """
    due = select(Board).where(Board.look_at <= now).order_by(Board.look_at).limit(limit)
    found = session.scalars(due.with_for_update(skip_locked=True).execution_options(populate_existing=True)).all()
    for board in found:
        board.look_at = now + LOOK_EVERY
        _refresh(session, board, session.get_one(Community, board.community_id), now=now)
    return len(found)


def _refresh(session: Session, board: Board, community: Community, *, now: datetime) -> None:
    group = communities.staff_group(session, community.id)
    if group is None:
        return
    overview = _overview(session, community, group, now=now)
    if board.outbox_id is None and overview.is_empty:
        return
    payload = _payload(overview, at=now.astimezone(ZoneInfo(community.timezone)))
    edit = session.get(OutboxRow, board.edit_id, populate_existing=True) if board.edit_id else None
    was_lost = edit is not None and edit.state is OutboxState.DROPPED
    if board.outbox_id is None or (was_lost and edit is not None and (edit.reason or "").startswith(REFUSED)):
        _post(session, board, group, payload)
    elif was_lost or overview.digest != board.digest:
        _edit(session, board, group, payload)
    board.digest = overview.digest


def _post(session: Session, board: Board, group: Address, payload: dict[str, Any]) -> None:
    """Write it and pin it, without a sound."""
    board.edit_id = None
    board.outbox_id = outbox.put(
        session, **group, kind=KIND, act="say", payload=payload | {"silent": True}, priority=Priority.BOARD
    )
    outbox.put(
        session,
        **group,
        kind=KIND,
        act="pin",
        payload={},
        edits_id=board.outbox_id,
        priority=Priority.BOARD,
        delivery=Delivery.RETRY,
    )


def _edit(session: Session, board: Board, group: Address, payload: dict[str, Any]) -> None:
    """Let it say this; an edit that has not gone out is overtaken."""
    assert board.outbox_id is not None
    if outbox.reword(session, board.outbox_id, payload) is not None:
        return
    board.edit_id = outbox.put(
        session,
        **group,
        kind=KIND,
        act="edit",
        payload=payload,
        edits_id=board.outbox_id,
        priority=Priority.BOARD,
        delivery=Delivery.RETRY,
    )


def _payload(overview: Overview, *, at: datetime) -> dict[str, Any]:
    text = _words("utter_staff_board", at=f"{at:%m-%d %H:%M}", lines="\n".join(overview.lines))
    return {"text": text, "entities": pointers.entities(text, overview.places)}


def _overview(session: Session, community: Community, group: Address, *, now: datetime) -> Overview:
    overview = Overview()
    _waiting(session, community, group, overview, now=now)
    _late(session, community, overview, now=now)
    _at_work(session, community, overview)
    present = duty.on_duty(session, community, now=now)
    names = [f"{member.number} {member.display_name}" for member in present]
    comma = _words("utter_word_comma")
    overview.lines.append(_words("utter_word_board_duty", names=comma.join(names) or _words("utter_word_board_nobody")))
    return overview


def _waiting(session: Session, community: Community, group: Address, overview: Overview, *, now: datetime) -> None:
    """Who waits for a person, in the order in which they are to be answered, each leading to the topic."""
    shown, count = waits.line(session, community.id, limit=MOST)

    def lines() -> Iterator[str]:
        for wait in shown:
            name = conversations.topic_name(wait.conversation.resident)
            thread = topics.thread_of(session, wait.conversation.topic_id)
            if thread is not None:
                overview.places.append(pointers.at_topic(name, group["chat_id"], thread))
            kind = "urgent" if wait.reason == waits.URGENT else "usual"
            waited = spans.said((now - wait.since) // MINUTE * MINUTE, language=STAFF_LANGUAGE)
            yield _words(f"utter_word_board_waits_{kind}", name=name, waited=waited)
        yield from _more(count - len(shown))

    overview.add("utter_word_board_waiting", count, lines())


def _late(session: Session, community: Community, overview: Overview, *, now: datetime) -> None:
    """Cases of which something has not been done in time, the longest overdue first; without what they are about."""
    shown, count = today.late(session, community.id, now=now, limit=MOST)
    lines = [
        _words(
            "utter_word_board_case",
            number=case.number,
            department=_words(f"utter_word_{case.department}"),
            due=clocks.moment(case.due_at, community, language=STAFF_LANGUAGE),
        )
        for case in shown
    ]
    overview.add("utter_word_board_late", count, [*lines, *_more(count - len(lines))])


def _at_work(session: Session, community: Community, overview: Overview) -> None:
    """How many cases each department has at work, the busiest first."""
    found = [(key, cases) for key, cases in today.open_cases(session, community.id) if cases]
    found.sort(key=lambda department: (-department[1], department[0]))
    lines = [
        _words("utter_word_board_department", department=_words(f"utter_word_{key}"), count=cases)
        for key, cases in found
    ]
    overview.add("utter_word_board_open", sum(cases for _, cases in found), lines)


def _more(count: int) -> list[str]:
    return [_words("utter_word_board_more", count=count)] if count > 0 else []


def _words(key: str, **slots: object) -> str:
    return texts.words(key, language=STAFF_LANGUAGE, **slots)
