"""What the served model and a candidate guessed of the same words (`service/shadows.py`).

The words stay where they were said: a reading names the rows of its turn, and a digest says whether they are still the
words that were read. What has been deleted or changed meanwhile is neither read nor shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, literal_column, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from service import candidates, conversations, db, learning, paging, training
from service.candidates import Guess, Heard
from service.errors import CandidateNotFound
from service.inbox import Turn
from service.likeness import digest
from service.models.talks import Conversation, Message
from service.models.understanding import DIFFERS, Candidate, CandidateReason, Label, Reading, Shadow
from service.paging import Page

# Where nothing reads along this finds no row of a table that is all but empty.
_NOTE = text("""
    INSERT INTO shadow_readings (shadow_id, community_id, turn_id, rows, source, begins, ends, digest, language,
                                 intent, confidence, margin, model, heard_at)
    SELECT shadows.id, :community_id, :turn_id, :rows, :source, :begins, :ends, :digest, :language,
           :intent, :confidence, :margin, CAST(:model AS varchar), :now
    FROM shadows JOIN language_models ON language_models.id = model_id
    WHERE ended_at IS NULL AND ends_at > :now AND language_models.name <> CAST(:model AS varchar)
      AND coalesce((SELECT max(id) FROM shadow_readings), 0) < last_reading
    ON CONFLICT DO NOTHING
""").bindparams(bindparam("rows", type_=JSONB))


def note(
    session: Session, conversation: Conversation, turn: Turn, words: str, heard: Heard, *, source: str, now: datetime
) -> None:
    """Note what the served model made of words, if a candidate reads along.

    Args:
        session: the caller's transaction, the one that answers.
        conversation: whose.
        turn: the rows of the inbox they came in.
        words: all that was said in the turn.
        heard: how they were taken, or a matter among them.
        source: the turn, with the place of a further matter in it.
        now: the moment, aware UTC.
    """
    begins, guess = words.find(heard.text), heard.guess
    if begins < 0 or not heard.text.strip() or guess.intent is None or guess.model is None:
        return
    facts = {
        "community_id": conversation.community_id,
        "turn_id": turn.id,
        "rows": [row_id for row_id, _ in turn.rows],
        "source": source,
        "begins": begins,
        "ends": begins + len(heard.text),
        "digest": digest(heard.text),
        "language": conversation.resident.language,
        "now": now,
    }
    session.execute(_NOTE, facts | vars(guess))


def unread(session: Session, shadow: Shadow, *, limit: int) -> list[tuple[int, str]]:
    """What the candidate has still to read, oldest first, by number; what was deleted or changed is struck off."""
    waiting = select(Reading).where(Reading.shadow_id == shadow.id, Reading.guess.is_(None))
    found = session.scalars(waiting.order_by(Reading.id).limit(limit)).all()
    said = words(session, found)
    for reading in found:
        if reading.id not in said:
            session.delete(reading)
    return list(said.items())


_SETTLE = text("UPDATE shadow_readings SET guess = :intent, guess_confidence = :confidence WHERE id = :id")


def settle(session: Session, guesses: Mapping[int, tuple[str, float]]) -> None:
    """Keep the candidate's guesses with their confidence, by the number of the reading; some may be gone by now."""
    facts = [{"id": number, "intent": intent, "confidence": sure} for number, (intent, sure) in guesses.items()]
    if facts:
        session.execute(_SETTLE, facts)
        db.notify(session, training.CHANNEL)


def words(session: Session, found: Iterable[Reading]) -> dict[int, str]:
    """The words of readings, by their number; without those that were deleted or changed since they were heard."""
    found = list(found)
    rows = {row for reading in found for row in reading.rows}
    lines = select(Message.inbox_id, Message.text).where(Message.inbox_id.in_(rows), Message.author == "resident")
    said: dict[int, str] = dict(session.execute(lines).all())  # type: ignore[arg-type]
    turns = ((reading, conversations.as_one(said.get(row, "") for row in reading.rows)) for reading in found)
    slices = ((reading, whole[reading.begins : reading.ends]) for reading, whole in turns)
    return {reading.id: part for reading, part in slices if digest(part) == reading.digest}


@dataclass(frozen=True)
class Difference:
    """A message of which two models make two things."""

    reading: Reading
    words: str | None  # None: deleted or changed since
    label: Label | None  # what a person has said of these words


def differences(session: Session, shadow: Shadow, community_id: int, *, before: int | None) -> Page[Difference]:
    """Where a community's messages are read otherwise by the candidate, the newest first.

    Args:
        session: a transaction; it is only read.
        shadow: which.
        community_id: whose messages.
        before: where this page begins.
    """
    ours = select(Reading).where(Reading.shadow_id == shadow.id, Reading.community_id == community_id)
    page = paging.page(session, ours.where(literal_column(DIFFERS)), Reading.id, before=before)
    said, labels = words(session, page.rows), _labels(session, page.rows)
    rows = [Difference(reading, said.get(reading.id), labels.get(reading.digest)) for reading in page.rows]
    return Page(rows, page.before)


def _labels(session: Session, found: Sequence[Reading]) -> Mapping[str, Label]:
    known = select(Label).where(Label.digest.in_({reading.digest for reading in found}))
    return {label.digest: label for label in session.scalars(known)}


def access_candidate(session: Session, reading_id: int, *, community_id: int, now: datetime) -> Candidate:
    """The message of a reading as one to be labelled, made if there was none; locked as candidates are.

    Args:
        session: the caller's transaction.
        reading_id: which.
        community_id: whose it has to be.
        now: the moment, aware UTC.

    Raises:
        CandidateNotFound: there is none, it is another community's, or its words are gone.
    """
    reading = session.get(Reading, reading_id)
    said = words(session, [reading]).get(reading_id) if reading and reading.community_id == community_id else None
    if reading is None or said is None:
        raise CandidateNotFound(number=reading_id)
    guess = Guess(reading.intent, reading.confidence, reading.margin, reading.model)
    why, source = CandidateReason.SHADOW, reading.source
    facts: dict[str, Any] = {"language": reading.language, "guess": guess, "detail": reading.guess}
    candidates.notice(session, community_id, said, why=why, source=source, now=now, **facts)
    known = select(Candidate.id).filter_by(community_id=community_id, source=source, why=why)
    return learning.access_candidate(session, session.scalars(known).one(), community_id=community_id)
