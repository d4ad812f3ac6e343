"""Delete what is kept of a resident, at their wish (N12).

What they said and who they are goes: talk, files, numbers, names, the rows Telegram sent, and, in Rasa's room, the
dialogue. What the property office must be able to show stays without them: that a case of this kind was opened, worked
on and closed in this building, and that somebody asked to be forgotten. The roster is the office's own and stays.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from service import (
    archive,
    callbacks,
    conversations,
    inbox,
    outbox,
    phone_cards,
    surveys,
    texts,
    topic_names,
    traces,
    where,
    work_orders,
)
from service.communities import STAFF_LANGUAGE
from service.inbox import Arrival
from service.models.cases import Case, CaseState
from service.models.communities import Community, Topic
from service.models.people import Resident
from service.models.queues import Priority
from service.models.talks import Conversation, Owner
from service.texts import Line
from service.where import Where

ENDED = (CaseState.FINISHED, CaseState.CLOSED, CaseState.WITHDRAWN)
NOBODY = ""  # what stands where a name stood


def ask(session: Session, conversation: Conversation) -> Line:
    """Say what would go and what would stay, and ask for a yes; or say what has to end before."""
    language = conversation.resident.language
    reason = why_not_now(session, conversation)
    if reason is not None:
        return reason
    return texts.say("utter_forget_ask", language=language, conversation_id=conversation.id)


def why_not_now(session: Session, conversation: Conversation) -> Line | None:
    """What has to end first: somebody needs the address for a case, or a butler is answering."""
    language = conversation.resident.language
    if conversation.owner is not Owner.BOT:
        return texts.say("utter_forget_after_talk", language=language)
    at_work = [case.number for case in _cases(session, conversation) if case.state not in ENDED]
    if at_work:
        return texts.say("utter_forget_after_cases", language=language, numbers=", ".join(at_work))
    return None


WISH = "forget"  # the only key of an order; no update of Telegram's has it


def order(session: Session, conversation: Conversation) -> None:
    """Have a resident forgotten who has asked staff for it.

    It goes the way their own word goes: behind what they have said already, and through Rasa's room first.
    """
    bot_id = session.get_one(Community, conversation.community_id).bot_id
    raw = json.dumps({WISH: conversation.id}).encode()
    inbox.put(session, bot_id, [Arrival(None, f"chat:{conversation.resident.chat_id}", raw)])


def ordered(session: Session, community: Community, raw: bytes) -> Conversation | None:
    """Whom an order in the inbox is about, locked; None when the row is no order, or is about nobody of this bot's."""
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    number = found.get(WISH) if isinstance(found, dict) and len(found) == 1 else None
    mine = select(Conversation.id).where(Conversation.id == number, Conversation.community_id == community.id)
    conversation_id = session.scalar(mine) if isinstance(number, int) else None
    return None if conversation_id is None else conversations.lock(session, conversation_id)


def forget(session: Session, conversation: Conversation, *, before: int, key: str, now: datetime) -> None:
    """Delete it all, in this transaction; the dialogue in Rasa's room is gone already.

    Args:
        session: the caller's transaction; the conversation is locked in it.
        conversation: whose.
        before: the inbox row with the wish; what came later is a new acquaintance's.
        key: the update that caused it.
        now: the moment, aware UTC.
    """
    resident = conversation.resident
    chat_id, language, topic_id = resident.chat_id, resident.language, conversation.topic_id
    found = _cases(session, conversation)
    for case in found:
        callbacks.cancel(session, case, reason=outbox.FORGOTTEN)
        surveys.withdraw(session, case, reason=outbox.FORGOTTEN)
    _delete_words(session, conversation, before=before)
    _let_go(session, resident, now=now)
    _anonymise_cases(session, found)
    if topic_id is not None:
        note = texts.say("utter_staff_forgotten", language=STAFF_LANGUAGE)
        conversations.to_staff(session, conversation, "say", note.payload(), key=f"{key}:forgotten_note", kind="note")
        topic = session.get_one(Topic, topic_id)
        topic.card = topic.rename_at = None
        topic_names.rename(session, topic, f"№{conversation.id}")
    conversation.topic_id = conversation.awaiting_case_id = conversation.keyboard_turn = None
    _say_farewell(session, conversation, chat_id, texts.say("utter_forgotten", language=language), key=key)


def _cases(session: Session, conversation: Conversation) -> Sequence[Case]:
    found = select(Case).where(Case.resident_id == conversation.resident_id).order_by(Case.id)
    return session.scalars(found.with_for_update(of=Case)).all()


# What is deleted or emptied beside the cases. A call on its way is needed until it is settled, which empties it.
_WORDS = {
    "labels": """
        WITH theirs AS (DELETE FROM candidates WHERE id = ANY(:candidates) RETURNING text),
        gone AS (
          DELETE FROM labels WHERE text IN (SELECT text FROM theirs) AND NOT EXISTS (
            SELECT 1 FROM candidates WHERE text = labels.text AND id <> ALL(:candidates))
          RETURNING id)
        UPDATE candidates SET state = 'open', label_id = NULL
        WHERE label_id IN (SELECT id FROM gone) AND id <> ALL(:candidates)
    """,
    "calls": """
        UPDATE outbox SET
          payload = CASE state WHEN 'sending' THEN payload ELSE '{}' END,
          settled_at = CASE state WHEN 'sending' THEN settled_at ELSE coalesce(settled_at, clock_timestamp()) END,
          reason = CASE WHEN state IN ('sent', 'dropped') THEN reason ELSE :forgotten END,
          state = CASE WHEN state IN ('sent', 'sending') THEN state ELSE 'dropped' END
        WHERE id = ANY(:calls)
    """,
    "updates": "UPDATE inbox SET raw = '{}' WHERE id = ANY(:updates)",
    "files": """
        DELETE FROM fetched_files USING messages
        WHERE messages.id = fetched_files.message_id AND messages.conversation_id = :conversation
    """,
    "what models guessed of them": "DELETE FROM shadow_readings WHERE turn_id = ANY(:updates)",
    "lines": "DELETE FROM messages WHERE conversation_id = :conversation",
    "copies": "DELETE FROM twins WHERE conversation_id = :conversation",
    "reports of an incident": "DELETE FROM incident_reports WHERE conversation_id = :conversation",
    "questions": "DELETE FROM unanswered_questions WHERE conversation_id = :conversation",
    "messages to a closed desk": "DELETE FROM desk_messages WHERE conversation_id = :conversation",
    "comments": """
        UPDATE surveys SET comment = NULL FROM cases
        WHERE cases.id = case_id AND cases.conversation_id = :conversation
    """,
    "why something was held back": "UPDATE holds SET why = '' WHERE conversation_id = :conversation",
    "notes of who handed on": "UPDATE handovers SET note = NULL WHERE conversation_id = :conversation",
}


def _delete_words(session: Session, conversation: Conversation, *, before: int) -> None:
    whose = traces.of(session, conversation, before=before)
    candidates, calls = traces.candidates(session, whose), traces.calls(session, whose)
    facts = {
        "conversation": conversation.id,
        "forgotten": outbox.FORGOTTEN,
        "candidates": list(candidates),
        "calls": list(calls),
        "updates": list(traces.updates(session, whose, calls)),
    }
    for statement in _WORDS.values():
        session.execute(text(statement), facts)


# Whatever leads from the account to a person of the roster, and so from its cases to a name.
_TIES = {
    "offers": "DELETE FROM binding_offers WHERE resident_id = :resident",
    "requests": """
        UPDATE binding_requests SET words = '', household_id = NULL, member_id = NULL,
               state = CASE state WHEN 'open' THEN 'declined' ELSE state END WHERE resident_id = :resident
    """,
    "invitations": "UPDATE invitations SET used_by_id = NULL WHERE used_by_id = :resident",
    "log": "UPDATE archive_events SET resident_id = NULL WHERE resident_id = :resident AND member_id IS NOT NULL",
}


# Of the steps of a case: what the clocks and the figures go by; everything else may be somebody's words.
KEPT_FACTS = (
    "from", "to", "stars", "until", "ends", "urgency", "rung", "told", "outcome", "resolution", "tries", "reminder",
    "not_sent",
)  # fmt: skip
_KEEP_FACTS = text("""
    UPDATE case_events SET data = (
      SELECT jsonb_object_agg(fact.key, fact.value) FROM jsonb_each(data) AS fact
      WHERE fact.key = ANY(:kept))
    WHERE case_id = ANY(:cases) AND jsonb_typeof(data) = 'object'
""")


def _anonymise_cases(session: Session, found: Sequence[Case]) -> None:
    """Kind, category, building and every step stay; the matter in their words, the door, name and number go."""
    for case in found:
        building = where.parse(case.place or "").building
        case.matter = texts.words(f"utter_word_category_{case.category}", language=STAFF_LANGUAGE)
        case.place = where.display(Where(building), STAFF_LANGUAGE) or None
        case.wanted_at = case.contact = case.phone = None
        work_orders.rewrite(session, case)
        for call_back in callbacks.of_case(session, case):
            phone_cards.show(session, call_back)
    session.execute(_KEEP_FACTS, {"cases": [case.id for case in found], "kept": list(KEPT_FACTS)})


def _let_go(session: Session, resident: Resident, *, now: datetime) -> None:
    """The account is nobody's: no chat has a number like the one it gets."""
    member = archive.member_of(session, resident)
    if member is not None:
        archive.unbind(session, resident, why="forgotten", actor="resident", now=now)
        if not archive.accounts(session, member):
            member.consented_at = None
    archive.log(session, resident, "forgotten", actor="resident", now=now)
    gone: dict[str, Any] = dict.fromkeys(("surname", "honorific", "phone", "place"))
    for name, value in (gone | {"display_name": NOBODY, "chat_id": -resident.id}).items():
        setattr(resident, name, value)
    session.flush()
    for statement in _TIES.values():
        session.execute(text(statement), {"resident": resident.id})


def _say_farewell(session: Session, conversation: Conversation, chat_id: int, line: Line, *, key: str) -> None:
    """The last line; it stands in no transcript."""
    community = session.get_one(Community, conversation.community_id)
    outbox.put(
        session,
        bot_id=community.bot_id,
        community_id=community.id,
        chat_id=chat_id,
        kind="reply",
        act="say",
        payload=line.payload(),
        priority=Priority.TALK,
        key=f"{key}:forgotten",
    )
