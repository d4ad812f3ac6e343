"""Questions that have an answer here, also when the understanding took them for something else."""

from __future__ import annotations

from sqlalchemy.orm import Session

from actions.turns import Turn, any_of
from service import knowledge, ledger_questions
from service.knowledge import Match, Reader, Suggestions
from service.knowledge_shelf import Shelf
from service.models.communities import Community
from service.models.talks import Conversation

SHELF = Shelf()
SURE_OF_A_TROUBLE = 0.7  # from which words are the report that they were understood as


def reader(session: Session, talk: Conversation, turn: Turn) -> Reader:
    """For whom an answer is looked up."""
    return Reader(session.get_one(Community, talk.community_id), turn.language, turn.now)


def look_up(session: Session, talk: Conversation, turn: Turn) -> Match | Suggestions | None:
    """What the knowledge base holds to the words."""
    return knowledge.answer(session, SHELF, reader(session, talk, turn), turn.text) if turn.text else None


def is_one(session: Session, talk: Conversation, turn: Turn) -> bool:
    """Whether what was taken, half-heartedly, for a trouble is plainly a question: 「我要查物业费」."""
    if turn.tapped or turn.confidence >= SURE_OF_A_TROUBLE:
        return False
    if ledger_questions.asked(turn.text):
        return True
    asks = any_of("asks").search(turn.text.lower()) is not None
    return asks and isinstance(look_up(session, talk, turn), Match)
