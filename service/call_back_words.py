"""Whether a fix holds, said in words to the question that asks it: 「还行吧但门有点响」 is half a yes (W4)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path

import yaml
from sqlalchemy.orm import Session

from service import callbacks, cases, conversations, spelling
from service.models.follow_ups import CallBack, Outcome
from service.models.queues import OutboxRow
from service.models.talks import Conversation

TABLE = Path(__file__).with_suffix(".yml")
FIRST = (Outcome.PARTLY, Outcome.NOT_HELD, Outcome.HELD)  # in this order they are looked for
LONGEST = 60  # characters; who tells a story tells more than whether it holds
MARKS = " ,.!~，。！～"


def take(session: Session, conversation: Conversation, words: str, *, key: str, now: datetime) -> bool:
    """Take words for the answer to the call-back that was asked last; False when they are none.

    Args:
        session: the caller's transaction; the conversation is locked in it.
        conversation: who wrote.
        words: the whole message.
        key: the turn; the same one again does nothing.
        now: the moment, aware UTC.
    """
    outcome = meaning(words)
    call_back = _asked(session, conversation) if outcome is not None else None
    if outcome is None or call_back is None:
        return False
    cases.access_case(session, conversation, call_back.case_id)
    left = None if _any("bare").search(_plain(words)) else words
    callbacks.settle(session, call_back, outcome, actor="resident", key=key, now=now, words=left)
    return True


def meaning(words: str) -> Outcome | None:
    """What the words say of a fix; None when they say nothing of it."""
    plain = _plain(words)
    if len(plain) > LONGEST or plain.endswith("?") or _any("another").search(plain):
        return None
    return next((outcome for outcome in FIRST if _any(outcome).search(plain)), None)


def _plain(words: str) -> str:
    return words.translate(spelling.FOLDED).lower().strip(MARKS)


def _asked(session: Session, conversation: Conversation) -> CallBack | None:
    """The call-back that the last line asks or reminds of, if it is still open; nobody else has spoken since."""
    lines = conversations.newest_lines(session, conversation)
    ours = (row for author, row in lines if author != "resident")
    asked: OutboxRow | None = next(ours, None)
    if asked is None or asked.kind not in callbacks.PHRASES or not callbacks.is_still_open(session, asked):
        return None
    return callbacks.asked_in(session, asked)


@cache
def _any(group: str) -> re.Pattern[str]:
    """Any of the patterns of a group of the table."""
    return re.compile("|".join(_table()[group]))


@cache
def _table() -> Mapping[str, list[str]]:
    table: Mapping[str, list[str]] = yaml.safe_load(TABLE.read_text("utf-8"))
    return table
