"""Questions that nobody has written an answer to: counted, and made into entries from what a butler answered.

They are personal text: they stand in the database alone, never in a log.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service import knowledge_entries, knowledge_words, texts
from service.errors import NoAnswerYet, QuestionNotFound
from service.knowledge_entries import LONGEST_ANSWER, LONGEST_QUESTION, Content
from service.likeness import Crowd
from service.models.cases import Case
from service.models.knowledge import KnowledgeEdit, QuestionState, UnansweredQuestion
from service.models.talks import Conversation, Message
from service.texts import LANGUAGES

MOST = 2_000  # open questions that are looked at, the newest
ALIKE = 0.45  # of the bigrams of two questions in common: they are short, and a person looks at what was joined
SOMEBODYS = re.compile(r"\d{3,}")  # a room, a plate, a phone: no question for everybody


@dataclass(frozen=True)
class Asked:
    """Questions that are alike; the first asked speaks for them."""

    members: tuple[UnansweredQuestion, ...]

    @property
    def question(self) -> UnansweredQuestion:
        """The one to look at."""
        return self.members[0]

    @property
    def count(self) -> int:
        """How many residents asked it."""
        return len({member.conversation_id for member in self.members})


def note(
    session: Session, conversation: Conversation, question: str, case: Case, *, source: str, now: datetime
) -> None:
    """Keep a question that was handed over; the same turn again changes nothing.

    Args:
        session: the caller's transaction, the one that hands over.
        conversation: whose.
        question: their words.
        case: where an answer is owed.
        source: the turn.
        now: the moment, aware UTC.
    """
    values = {
        "community_id": conversation.community_id,
        "conversation_id": conversation.id,
        "case_id": case.id,
        "source": source,
        "text": question,
        "language": conversation.resident.language,
        "asked_at": now,
        "state": QuestionState.OPEN,
    }
    session.execute(insert(UnansweredQuestion).values(values).on_conflict_do_nothing())


def review(session: Session, community_id: int) -> list[Asked]:
    """The open questions of a community, alike ones together, what most residents ask first."""
    found = _open(session, community_id)
    groups = Crowd([knowledge_words.gist(question.text) for question in found]).groups(
        may_join=lambda leader, place: found[leader].language == found[place].language, above=ALIKE
    )
    asked = [Asked(tuple(found[place] for place in group)) for group in groups]
    return sorted(asked, key=lambda each: each.count, reverse=True)


def access_question(session: Session, community_id: int, number: int) -> Asked:
    """A question by its number, with those alike to it.

    Raises:
        QuestionNotFound: there is none, it is settled, or it is another community's.
    """
    for asked in review(session, community_id):
        if any(member.id == number for member in asked.members):
            return asked
    raise QuestionNotFound(number=number)


def answered_by_a_butler(session: Session, asked: Asked) -> str:
    """What a butler wrote to one of those who asked, after the question; the newest such answer.

    Raises:
        NoAnswerYet: nobody has answered.
    """
    for member in reversed(asked.members):
        said = select(Message.text).where(
            Message.conversation_id == member.conversation_id,
            Message.author == "butler",
            Message.inbox_id.is_not(None),  # typed by a person, not the greeting of a claim
            Message.said_at >= member.asked_at,
            Message.text != "",
        )
        found = session.scalar(said.order_by(Message.id).limit(1))
        if found:
            return found
    raise NoAnswerYet(number=asked.question.id)


def as_entry(asked: Asked, answer: str, *, question: str | None = None, now: datetime) -> Content:
    """Questions and their answer as an entry, in the language they were asked in.

    Questions that hold somebody's room, plate or phone are left out, unless nothing else is left.

    Args:
        asked: what `access_question` gave.
        answer: what is to be said; what is longer than `LONGEST_ANSWER` is cut.
        question: how it is offered; None means as it was asked first.
        now: the moment, aware UTC.
    """
    language = asked.question.language
    told = [question or "", *(member.text for member in asked.members)]
    questions = list(filter(None, dict.fromkeys(each[:LONGEST_QUESTION].strip() for each in told)))
    for_everybody = [each for each in questions if not SOMEBODYS.search(each)]
    plain = answer.strip()[:LONGEST_ANSWER].replace("{", "{{").replace("}", "}}")
    desk = {each: texts.words("utter_word_answered_by_desk", language=each) for each in LANGUAGES}
    source = {"kind": "estate", **desk, "date": now.date().isoformat()}
    return {"source": source, language: {"questions": for_everybody or questions, "answer": plain}}


def learn(
    session: Session, asked: Asked, key: str, content: Content, *, by: str, now: datetime
) -> KnowledgeEdit | None:
    """Make an entry of the community, and settle the questions it answers.

    Args:
        session: the caller's transaction.
        asked: what `access_question` gave.
        key: names the entry; one that is there already is replaced.
        content: as `as_entry` made it, or a person has changed it.
        by: who says so.
        now: the moment, aware UTC.
    """
    community_id = asked.question.community_id
    edit = knowledge_entries.put(session, community_id, key, content, by=by, now=now)
    row = knowledge_entries.find(session, community_id, key)
    for member in asked.members:
        member.state, member.entry_id = QuestionState.LEARNT, row.id if row else None
    session.flush()
    return edit


def ignore(session: Session, asked: Asked) -> None:
    """Put a question aside with those alike to it: it is for no one else."""
    for member in asked.members:
        member.state = QuestionState.IGNORED
    session.flush()


def _open(session: Session, community_id: int) -> Sequence[UnansweredQuestion]:
    """Open questions, the first asked first."""
    ours = select(UnansweredQuestion).where(
        UnansweredQuestion.community_id == community_id, UnansweredQuestion.state == QuestionState.OPEN
    )
    newest = session.scalars(ours.order_by(UnansweredQuestion.id.desc()).limit(MOST)).all()
    return newest[::-1]
