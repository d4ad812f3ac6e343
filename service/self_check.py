"""Every night the stored conversations are read again: did the bot speak over a butler, was a line lost or doubled?

The rows themselves are the witnesses, not the code that wrote them: who answered when (`handovers`), when a call to
Telegram began and ended (`outbox`), what people said (`messages`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service import conversations, texts
from service.communities import STAFF_LANGUAGE
from service.models.communities import Community
from service.models.figures import SelfCheck
from service.models.queues import Priority

CHECKED_AT = time(3, 30)  # in the community's time zone
EVER = datetime(2000, 1, 1, tzinfo=UTC)  # before the first check everything counts
LISTED = 10  # violations that staff read; all are kept

# Each names the conversation and the row that breaks the promise. Only what has happened since the last check is looked
# at: rows settled since then (`:since`, database time), lines heard since then (`:after`, the last one looked at).
CHECKS: Mapping[str, str] = {
    "spoken_over": """
        SELECT line.conversation_id, line.id FROM outbox AS line
        JOIN handovers AS taken ON taken.conversation_id = line.conversation_id AND taken.owner = 'butler'
        LEFT JOIN handovers AS given ON given.conversation_id = taken.conversation_id
                                    AND given.epoch = taken.epoch + 1
        WHERE line.community_id = :community_id AND line.epoch IS NOT NULL AND line.state = 'sent'
          AND line.settled_at > taken.since AND line.sending_at < coalesce(given.since, 'infinity')
          AND line.settled_at >= :since
    """,
    "resident_not_passed_on": """
        SELECT said.conversation_id, said.id FROM messages AS said
        JOIN conversations AS talk ON talk.id = said.conversation_id AND talk.community_id = :community_id
        JOIN residents AS resident ON resident.id = talk.resident_id
        JOIN handovers AS had ON had.conversation_id = talk.id AND had.owner <> 'bot' AND had.at < said.said_at
        LEFT JOIN handovers AS later ON later.conversation_id = talk.id AND later.epoch = had.epoch + 1
        WHERE said.id > :after AND said.author = 'resident' AND said.inbox_id IS NOT NULL AND talk.topic_id IS NOT NULL
          AND said.said_at < coalesce(later.at, 'infinity')
          AND NOT EXISTS (SELECT 1 FROM outbox AS copy
                          WHERE copy.conversation_id = talk.id AND copy.chat_id <> resident.chat_id
                          AND (copy.payload -> 'message_ids' @> to_jsonb(said.message_id)
                               OR copy.key = 'turn:' || said.inbox_id || '\\:edited'))
    """,
    "butler_not_passed_on": """
        SELECT said.conversation_id, said.id FROM messages AS said
        JOIN conversations AS talk ON talk.id = said.conversation_id AND talk.community_id = :community_id
        JOIN residents AS resident ON resident.id = talk.resident_id
        WHERE said.id > :after AND said.author = 'butler' AND said.inbox_id IS NOT NULL
          AND resident.unreachable_since IS NULL
          AND NOT EXISTS (SELECT 1 FROM outbox AS copy WHERE copy.conversation_id = talk.id
                          AND copy.chat_id = resident.chat_id AND copy.state NOT IN ('dead', 'held')
                          AND copy.payload -> 'message_ids' @> to_jsonb(said.message_id))
    """,
    "passed_on_twice": """
        SELECT min(copy.conversation_id), max(copy.id) FROM outbox AS copy,
               jsonb_array_elements(copy.payload -> 'message_ids') AS number
        WHERE copy.act IN ('copy', 'lines') AND copy.conversation_id IN (
            SELECT conversation_id FROM outbox
            WHERE community_id = :community_id AND settled_at >= :since AND act IN ('copy', 'lines'))
        GROUP BY copy.chat_id, copy.topic_id, copy.payload -> 'from_chat_id', number
        HAVING count(*) > 1 AND max(copy.settled_at) >= :since
    """,
    # A line that waited because no sender was up is late; it is stuck when others overtook it an hour ago. The newest
    # of these is looked up once, whatever waits: now() stands still, so the index finds it.
    "stuck": """
        SELECT line.conversation_id, line.id FROM outbox AS line
        WHERE line.community_id = :community_id AND line.conversation_id IS NOT NULL
          AND (line.state = 'pending' OR line.state = 'sending')
          AND greatest(line.created_at, line.not_before) + interval '1 minute' < (
              SELECT other.settled_at FROM outbox AS other
              WHERE other.community_id = :community_id AND other.state = 'sent'
                AND other.settled_at < now() - interval '1 hour'
              ORDER BY other.settled_at DESC LIMIT 1)
    """,
    "log_has_a_gap": """
        SELECT talk.id, max(log.id) FROM conversations AS talk JOIN handovers AS log ON log.conversation_id = talk.id
        WHERE talk.community_id = :community_id GROUP BY talk.id
        HAVING max(log.epoch) <> talk.epoch OR max(log.epoch) - min(log.epoch) + 1 <> count(*)
            OR (array_agg(log.owner ORDER BY log.epoch DESC))[1] <> talk.owner
    """,
}

_LOOKED_AT = text("""
    SELECT (SELECT count(*) FROM handovers AS h JOIN conversations AS c ON c.id = h.conversation_id
            WHERE c.community_id = :community_id AND h.owner = 'butler' AND h.since >= :since) AS takeovers,
           (SELECT count(*) FROM outbox WHERE community_id = :community_id AND conversation_id IS NOT NULL
            AND state = 'sent' AND settled_at >= :since) AS lines,
           (SELECT count(*) FROM outbox WHERE community_id = :community_id AND kind = 'emergency'
            AND state = 'sent' AND settled_at >= :since) AS emergencies,
           (SELECT coalesce(max(id), :after) FROM messages) AS last_message
""")


def check_due(session: Session, *, now: datetime, limit: int = 50) -> int:
    """Check every community whose night it is and tell its staff; any number of processes may do so at once.

    Args:
        session: the caller's transaction.
        now: the moment, aware UTC.
        limit: communities of one transaction.

    Returns:
        How many were checked.
    """
    checked = 0
    for community in session.scalars(select(Community).order_by(Community.id)).all():
        day = last_night(now.astimezone(ZoneInfo(community.timezone)))
        if checked < limit and _begin(session, community, day, now=now):
            _check(session, community, day)
            checked += 1
    return checked


def last_night(local: datetime) -> date:
    """The day whose check is the newest that is due.

    Args:
        local: the moment, in the community's time zone.
    """
    return local.date() if local.time() >= CHECKED_AT else local.date() - timedelta(days=1)


def violations(session: Session, community: Community, *, since: datetime, after: int) -> list[dict[str, Any]]:
    """Everything that breaks a promise: which one, in which conversation, by which row.

    Args:
        session: the caller's transaction.
        community: whose conversations.
        since: database time; what was settled before has been looked at.
        after: the last message that has been looked at.
    """
    facts = {"community_id": community.id, "since": since, "after": after}
    return [
        {"what": what, "conversation": conversation_id, "row": row_id}
        for what, question in CHECKS.items()
        for conversation_id, row_id in session.execute(text(question), facts).all()
    ]


def _begin(session: Session, community: Community, day: date, *, now: datetime) -> bool:
    values = {"community_id": community.id, "day": day, "checked_at": now, "looked_at": {}, "violations": []}
    begun = insert(SelfCheck).values(values | {"until": func.clock_timestamp()}).on_conflict_do_nothing()
    return session.scalar(begun.returning(SelfCheck.id)) is not None


def _check(session: Session, community: Community, day: date) -> None:
    # By when they were made: where a clock went back, the night that is checked now is not the latest day.
    newest = select(SelfCheck).where(SelfCheck.community_id == community.id).order_by(SelfCheck.id.desc()).limit(2)
    this, *before = session.scalars(newest).all()
    since = before[0].until if before else EVER
    after = before[0].looked_at["last_message"] if before else 0
    facts = {"community_id": community.id, "since": since, "after": after}
    this.looked_at = dict(session.execute(_LOOKED_AT, facts).mappings().one())
    this.violations = violations(session, community, since=since, after=after)
    if this.violations or this.looked_at["takeovers"]:
        _tell(session, community, this, day)


def _tell(session: Session, community: Community, check: SelfCheck, day: date) -> None:
    phrase = "utter_staff_self_check_failed" if check.violations else "utter_staff_self_check"
    line = texts.say(
        phrase,
        language=STAFF_LANGUAGE,
        day=day.isoformat(),
        takeovers=check.looked_at["takeovers"],
        lines=check.looked_at["lines"],
        emergencies=check.looked_at["emergencies"],
        count=len(check.violations),
        found="\n".join(map(_words, check.violations[:LISTED])),
    )
    priority = Priority.WORK_ORDER if check.violations else Priority.NOTICE
    conversations.alert_staff(session, community.id, line, key=f"self_check:{check.id}", priority=priority)


def _words(violation: Mapping[str, Any]) -> str:
    return texts.words(
        "utter_word_violation",
        language=STAFF_LANGUAGE,
        what=texts.words(f"utter_word_violation_{violation['what']}", language=STAFF_LANGUAGE),
        conversation=violation["conversation"],
        row=violation["row"],
    )


def kept(session: Session, community_id: int, *, limit: int = 30) -> Sequence[SelfCheck]:
    """The results of the last nights, newest first."""
    found = select(SelfCheck).where(SelfCheck.community_id == community_id).order_by(SelfCheck.day.desc())
    return session.scalars(found.limit(limit)).all()
