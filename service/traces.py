"""Where words of a resident, or about them, stand beside their own rows: in calls to Telegram, updates, candidates.

These rows belong to the machinery, so they are found by what ties them to the resident: the conversation, its topic,
and keys, in which the number of the update or the case that caused a row stands (`turn:<inbox row>:…`, `case:<id>:…`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from service.models.communities import Community
from service.models.talks import Conversation

EVER = 2**63 - 1  # no row of the inbox comes later


@dataclass(frozen=True)
class Whose:
    """What ties rows to a resident."""

    bot: int
    community: int
    conversation: int
    resident: int
    chat: int
    topic: int | None
    lane: str
    before: int  # the last row of their lane that is theirs; whoever writes after a deletion is a new acquaintance


def of(session: Session, conversation: Conversation, *, before: int = EVER) -> Whose:
    """What ties rows to the resident of a conversation.

    Args:
        session: the caller's transaction.
        conversation: whose.
        before: the last row of the inbox that counts.
    """
    chat_id = conversation.resident.chat_id
    return Whose(
        bot=session.get_one(Community, conversation.community_id).bot_id,
        community=conversation.community_id,
        conversation=conversation.id,
        resident=conversation.resident_id,
        chat=chat_id,
        topic=conversation.topic_id,
        lane=f"chat:{chat_id}",
        before=before,
    )


_TURNS = "SELECT CAST(id AS text) FROM inbox WHERE bot_id = :bot AND lane = :lane AND id <= :before"
_CASES = "SELECT CAST(id AS text) FROM cases WHERE resident_id = :resident"
_REQUESTS = "SELECT CAST(id AS text) FROM binding_requests WHERE resident_id = :resident"

_WAITS = "SELECT CAST(id AS text) FROM waits WHERE conversation_id = :conversation"

_CALL_BACKS = f"SELECT CAST(id AS text) FROM call_backs WHERE CAST(case_id AS text) IN ({_CASES})"  # noqa: S608

_CANDIDATES_ARE = f"""
    community_id = :community AND (
      split_part(source, ':', 1) = 'turn' AND split_part(source, ':', 2) IN ({_TURNS})
      OR split_part(source, ':', 1) = 'case' AND split_part(source, ':', 2) IN ({_CASES}))
"""
_CANDIDATES = text(f"SELECT id FROM candidates WHERE {_CANDIDATES_ARE}")  # noqa: S608

# Beside what is said to them and in their topic: alerts, work orders, requests and tasks to call, what edits one of
# these or asks staff about it, and the lists of near misses, of the morning, of late cases and of who waits, the board
# too: they stand there among others.
_CALLS = text(f"""
    WITH said AS (
      SELECT id FROM outbox WHERE bot_id = :bot AND (
        conversation_id = :conversation OR topic_id = CAST(:topic AS bigint)
        OR split_part(key, ':', 1) = 'turn' AND split_part(key, ':', 2) IN ({_TURNS})
        OR split_part(key, ':', 1) = 'case' AND split_part(key, ':', 2) IN ({_CASES})
        OR split_part(key, ':', 1) = 'binding' AND split_part(key, ':', 2) IN ({_REQUESTS})
        OR split_part(key, ':', 1) = 'phone' AND split_part(key, ':', 2) IN ({_CALL_BACKS})))
    SELECT id FROM said
    UNION SELECT id FROM outbox WHERE edits_id IN (SELECT id FROM said)
    UNION SELECT id FROM outbox WHERE split_part(key, ':', 1) = 'unconfirmed'
          AND split_part(key, ':', 2) IN (SELECT CAST(id AS text) FROM said)
    UNION SELECT id FROM outbox WHERE community_id = :community AND split_part(key, ':', 1) = 'near_misses'
          AND EXISTS (SELECT 1 FROM candidates WHERE why = 'near_miss' AND {_CANDIDATES_ARE})
    UNION SELECT id FROM outbox WHERE community_id = :community AND split_part(key, ':', 1) = 'desk_opens'
          AND EXISTS (SELECT 1 FROM desk_messages WHERE conversation_id = :conversation)
    UNION SELECT id FROM outbox WHERE community_id = :community AND split_part(key, ':', 1) = 'waits'
          AND string_to_array(split_part(key, ':', 3), ',') && ARRAY({_WAITS})
    UNION SELECT id FROM outbox WHERE community_id = :community AND kind = 'board' AND EXISTS ({_WAITS})
    UNION SELECT outbox.id FROM outbox JOIN cases ON position(cases.number IN outbox.payload ->> 'text') > 0
          WHERE cases.resident_id = :resident AND outbox.community_id = :community AND outbox.kind = 'note'
""")  # noqa: S608

# An update of staff repeats what it answers or taps on: the work order, the relayed line, the topic and its name. It
# came from the group, or from the private chat in which a butler has talked with them.
# Its numbers are looked for in the text as it came, because nothing else is certain of what Telegram sends.
_UPDATES = text("""
    WITH theirs AS (
      SELECT chat_id, message_id FROM outbox WHERE id = ANY(:calls) AND chat_id <> :chat
      UNION SELECT chat_id, message_id FROM messages WHERE conversation_id = :conversation AND chat_id <> :chat
      UNION SELECT chat_id, message_id FROM twins WHERE conversation_id = :conversation AND chat_id <> :chat
      UNION SELECT said_chat_id, said_message_id FROM twins
            WHERE conversation_id = :conversation AND said_chat_id <> :chat
      UNION SELECT -1, thread_id FROM topics WHERE id = CAST(:topic AS bigint)),
    seen AS (
      SELECT id, lane, regexp_matches(encode(raw, 'escape'), '"message_(thread_)?id":\\s*(\\d+)', 'g') AS found
      FROM inbox WHERE bot_id = :bot AND (done_at IS NOT NULL OR dead_at IS NOT NULL)
        AND id > (SELECT min(id) FROM inbox WHERE bot_id = :bot AND lane = :lane)
        AND (split_part(lane, ':', 1) = 'group' AND split_part(lane, ':', 2) IN (
               SELECT CAST(unnest(ARRAY[staff_chat_id, moved_from]) AS text) FROM communities WHERE id = :community)
             OR lane IN (SELECT 'chat:' || user_id FROM staff WHERE community_id = :community)))
    SELECT id FROM inbox WHERE bot_id = :bot AND lane = :lane AND id <= :before
    UNION SELECT seen.id FROM seen JOIN theirs ON seen.found[2] = CAST(theirs.message_id AS text)
          AND (theirs.chat_id < 0 AND seen.lane LIKE 'group:%' OR seen.lane = 'chat:' || theirs.chat_id)
""")


def candidates(session: Session, whose: Whose) -> Sequence[int]:
    """Messages of theirs that are worth a look, and what corrected cases say."""
    return _ids(session, _CANDIDATES, whose)


def calls(session: Session, whose: Whose) -> Sequence[int]:
    """Rows of the outbox: to them, and to staff about them."""
    return _ids(session, _CALLS, whose)


def updates(session: Session, whose: Whose, calls: Sequence[int]) -> Sequence[int]:
    """Rows of the inbox: from them, and from staff about them.

    Args:
        session: the caller's transaction.
        whose: what ties rows to them.
        calls: what `calls` gave, which staff may have tapped on or answered.
    """
    return _ids(session, _UPDATES, whose, calls=list(calls))


def _ids(session: Session, question: TextClause, whose: Whose, **more: object) -> Sequence[int]:
    session.flush()
    return session.scalars(question, asdict(whose) | more).all()
