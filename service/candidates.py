"""Messages worth a look by a person, written down beside the event that shows it (docs/learning.md).

They are personal text: they stand in the database alone, never in a log, and lead back to their conversation by their
source: `turn:<inbox row>`, with the place of a further matter in it behind a colon, or `case:<id>`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service import emergency, kinds, likeness
from service.models.cases import Case
from service.models.talks import Conversation, Message
from service.models.understanding import Candidate, CandidateReason, CandidateState, Label

LONGEST = 1_000  # characters that are kept, as many as Rasa reads
LOW_MARGIN = 0.25  # of nlu/exams/chat.jsonl 9 % lie below, and four in ten of the messages that are sorted wrongly
NEAR_DANGER = 0.15  # confidence of an emergency that was not the decision; 1 % of the same messages
FACTS = frozenset({"inform", "affirm", "deny", "correct"})  # said to a question, they are answers …
MATTERS = (None, "matter", "matter_and_place")  # … unless nothing, or what the matter is, was asked
PUT_ASIDE = (CandidateState.IGNORED, CandidateState.NOISE)
OPENING = 30  # messages before a case in which the one that opened it is looked for
IN_COMMON = 0.8  # of the matter's bigrams, for a message to be the one that told it


@dataclass(frozen=True)
class Guess:
    """What the model made of a message."""

    intent: str | None = None
    confidence: float | None = None
    margin: float | None = None  # confidence of the first guess less that of the second; None: nothing to compare
    model: str | None = None


NO_GUESS = Guess()


@dataclass(frozen=True)
class Heard:
    """How the dialogue took a message, or one of the matters in it."""

    text: str
    guess: Guess  # the model's best, whether it was believed or not
    understood: bool = True  # False: the bot asked to say it again, offered choices or called a butler
    asked: str | None = None  # what the bot was asking for, if anything
    danger: float = 0.0  # confidence of an emergency that was not the decision


def notice(
    session: Session,
    community_id: int,
    text: str,
    *,
    why: CandidateReason,
    source: str,
    language: str,
    now: datetime,
    guess: Guess = NO_GUESS,
    detail: str | None = None,
) -> None:
    """Write a candidate down; the same source for the same reason again does nothing.

    A text that was labelled or ignored before stays so, except where a butler says that it was sorted wrongly.

    Args:
        session: the caller's transaction, the one of the event.
        community_id: whose resident said it.
        text: the message; what is longer than `LONGEST` is cut.
        why: what makes it worth a look.
        source: the turn, or the case whose kind was corrected.
        language: zh or en.
        now: the moment, aware UTC.
        guess: what the model made of it.
        detail: what else is known: the kind a butler chose, the rule and filter of the tripwire.
    """
    words = text[:LONGEST].strip()
    if not words:
        return
    values = {
        "community_id": community_id,
        "text": words,
        "language": language,
        "why": why,
        "source": source,
        "detail": detail,
        "noticed_at": now,
        **asdict(guess),
        **_settled(session, words, kind=detail if why is CandidateReason.CORRECTED else None),
    }
    session.execute(insert(Candidate).values(values).on_conflict_do_nothing())


def notice_answer(session: Session, conversation: Conversation, heard: Heard, *, source: str, now: datetime) -> None:
    """Look at how a resident's words were taken; in the transaction that answers them.

    Args:
        session: the caller's transaction.
        conversation: whose.
        heard: the words, no tap and no command, and how they were taken.
        source: the turn.
        now: the moment, aware UTC.
    """
    community_id, language, guess = conversation.community_id, conversation.resident.language, heard.guess
    # The tripwire may have noticed the message before anybody had guessed.
    ours = update(Candidate).where(Candidate.community_id == community_id, Candidate.source == source)
    session.execute(ours.where(Candidate.intent.is_(None)).values(**asdict(guess)))
    for why, holds in REASONS.items():
        if holds(heard):
            detail = f"classifier {heard.danger:.2f}" if why is CandidateReason.NEAR_MISS else None
            facts: dict[str, Any] = {"source": source, "language": language, "guess": guess, "detail": detail}
            notice(session, community_id, heard.text, why=why, now=now, **facts)


def is_close(heard: Heard) -> bool:
    """Whether the model hesitated between two intents where that matters: a fact told to a question is an answer."""
    margin = heard.guess.margin
    is_fact = heard.asked not in MATTERS and heard.guess.intent in FACTS
    return margin is not None and margin < LOW_MARGIN and not is_fact


REASONS: Mapping[CandidateReason, Callable[[Heard], bool]] = {
    CandidateReason.NEAR_MISS: lambda heard: heard.danger >= NEAR_DANGER,
    CandidateReason.REPHRASE: lambda heard: not heard.understood,
    CandidateReason.LOW_MARGIN: lambda heard: heard.understood and is_close(heard),
}


def notice_near_miss(session: Session, conversation: Conversation, text: str, *, source: str, now: datetime) -> None:
    """Note a message that the tripwire almost rang for: a rule saw it and a filter took it back, or a weak one saw it.

    Args:
        session: the caller's transaction.
        conversation: whose.
        text: the words, for which `emergency.check` has not rung.
        source: the turn.
        now: the moment, aware UTC.
    """
    found = emergency.near_miss(text)
    if found is None:
        return
    notice(
        session,
        conversation.community_id,
        text,
        why=CandidateReason.NEAR_MISS,
        source=source,
        language=conversation.resident.language,
        detail=" / ".join(filter(None, (found.rule, found.filter))),
        now=now,
    )


def notice_correction(session: Session, case: Case, was: str, *, now: datetime) -> None:
    """Note the message that opened a case whose kind a butler has just corrected; corrected back, it is forgotten.

    Args:
        session: the caller's transaction, the one of the correction.
        case: with the kind it has now.
        was: the kind it had.
        now: the moment, aware UTC.
    """
    source = f"case:{case.id}"
    ours = select(Candidate).where(Candidate.community_id == case.community_id, Candidate.source == source)
    known = session.scalars(ours).one_or_none()
    if known is None:
        text, guess = _opening(session, case, was)
        language = case.resident.language
        facts: dict[str, Any] = {"source": source, "language": language, "guess": guess, "detail": case.kind}
        notice(session, case.community_id, text, why=CandidateReason.CORRECTED, now=now, **facts)
    elif known.intent == case.kind and known.state is CandidateState.OPEN:
        session.delete(known)
    else:
        known.detail = case.kind


def _settled(session: Session, words: str, *, kind: str | None) -> dict[str, Any]:
    """Where the same words stand already, said by whomever; a kind that a butler chose is weighed against it."""
    label = session.scalars(select(Label).where(Label.digest == likeness.digest(words))).one_or_none()
    if label is not None and kind in (None, kinds.kind_of(label.intent)):
        return {"state": CandidateState.LABELLED, "label_id": label.id}
    aside = select(Candidate.state).where(Candidate.text == words, Candidate.state.in_(PUT_ASIDE)).limit(1)
    return {"state": (session.scalar(aside) if kind is None else None) or CandidateState.OPEN}


def _opening(session: Session, case: Case, was: str) -> tuple[str, Guess]:
    """The message that told the matter, with what was guessed then; the matter itself where none is found.

    The matter is what a resident told without the facts that have places of their own, so it is not their message.
    """
    matter = likeness.bigrams(case.matter.split("\n")[0])
    before = select(Message).where(
        Message.conversation_id == case.conversation_id,
        Message.author == "resident",
        Message.said_at <= case.opened_at,
    )
    messages = session.scalars(before.order_by(Message.id.desc()).limit(OPENING)).all()
    common = [(len(matter & likeness.bigrams(message.text)) / len(matter), message) for message in messages]
    best, message = max(common, key=lambda pair: pair[0], default=(0.0, None))
    if message is None or best < IN_COMMON:
        return case.matter, Guess(intent=was)
    turn = select(Candidate).where(
        Candidate.community_id == case.community_id, Candidate.source == f"turn:{message.inbox_id}"
    )
    noticed = session.scalars(turn.limit(1)).one_or_none()
    if noticed is None or noticed.intent != was:
        return message.text, Guess(intent=was)
    return message.text, Guess(was, noticed.confidence, noticed.margin, noticed.model)
