"""A candidate model reads along: after residents were answered it guesses too, and nobody hears a word of it.

The bot notes what the served model has guessed (`readings.note`), the trainer lets the candidate read it, a little at a
time and behind everything else (`cli/shadow.py`). One candidate does at a time, for so many days and so many messages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session

from service import db, language_models, training
from service.errors import ModelServedAlready
from service.models.understanding import LanguageModel, Reading, Shadow, ShadowEnd

LASTS = timedelta(days=7)
MOST = 20_000  # readings of one shadow
KEPT_FOR = timedelta(days=30)  # readings, after the end; how many they were and agreed is kept with the shadow
LOCK = 7_262_621  # any fixed number: two who begin one at once do so one after the other


def begin(session: Session, model: LanguageModel, *, by: str, now: datetime) -> Shadow:
    """Have a candidate read along from now on; another one that does so ends, and what it has read is kept.

    Args:
        session: the caller's transaction.
        model: the candidate; if it reads along already, nothing changes.
        by: who wants it.
        now: the moment, aware UTC.

    Raises:
        ModelServedAlready: it answers residents already.
    """
    if model is language_models.active(session):
        raise ModelServedAlready(name=model.name)
    session.execute(select(func.pg_advisory_xact_lock(LOCK)))
    running = current(session)
    if running is not None and running.model_id == model.id:
        return running
    if running is not None:
        end(session, running.id, ShadowEnd.REPLACED, by=by, now=now)
    begins = session.scalar(text("SELECT nextval('shadow_readings_id_seq')"))
    assert begins is not None
    begun = Shadow(model=model, begun_by=by, begun_at=now, ends_at=now + LASTS, last_reading=begins + MOST)
    session.add(begun)
    session.flush()
    db.notify(session, training.CHANNEL)
    return begun


def current(session: Session) -> Shadow | None:
    """The shadow that has not ended, as it is now."""
    found = select(Shadow).where(Shadow.ended_at.is_(None)).execution_options(populate_existing=True)
    return session.scalars(found).one_or_none()


def of_model(session: Session, model: LanguageModel) -> Sequence[Shadow]:
    """Whenever a model has read along, the newest first."""
    return session.scalars(select(Shadow).where(Shadow.model_id == model.id).order_by(Shadow.id.desc())).all()


def end(session: Session, shadow_id: int, why: ShadowEnd, *, by: str | None = None, now: datetime) -> None:
    """End a shadow and keep what it came to; what it has not read it never will.

    Args:
        session: the caller's transaction.
        shadow_id: which; one that has ended stays as it is.
        why: the reason.
        by: who, if anybody did.
        now: the moment, aware UTC.
    """
    shadow = session.get_one(Shadow, shadow_id, with_for_update={"of": Shadow}, populate_existing=True)
    if shadow.ended_at is not None:
        return
    shadow.ended_at, shadow.ended_by, shadow.why = now, by, why
    found = tally(session, shadow)
    shadow.messages, shadow.agreed = found.read, found.agreed
    session.execute(delete(Reading).where(Reading.shadow_id == shadow.id, Reading.guess.is_(None)))
    db.notify(session, training.CHANNEL)


@dataclass(frozen=True)
class Tally:
    """How many messages both models have read, of how many they guessed the same, how many only one has read."""

    read: int
    agreed: int
    waiting: int
    since: datetime | None = None  # when the first of those was said that wait


def tally(session: Session, shadow: Shadow) -> Tally:
    """What a shadow has come to; of one that has ended, what it had come to then."""
    if shadow.messages is not None and shadow.agreed is not None:
        return Tally(shadow.messages, shadow.agreed, 0)
    waits = Reading.guess.is_(None)
    figures = select(
        func.count(Reading.guess),
        func.count().filter(Reading.guess == Reading.intent),
        func.count().filter(waits),
        func.min(Reading.heard_at).filter(waits),
    )
    return Tally(*session.execute(figures.where(Reading.shadow_id == shadow.id)).one())


def why_over(session: Session, shadow: Shadow, *, now: datetime) -> ShadowEnd | None:
    """Why a shadow ends by itself; None while it goes on."""
    if now >= shadow.ends_at:
        return ShadowEnd.OVER
    active = language_models.active(session)
    if active is not None and active.id == shadow.model_id:
        return ShadowEnd.SERVED
    newest = session.scalar(select(func.max(Reading.id)).where(Reading.shadow_id == shadow.id))
    waits = session.scalar(select(Reading.id).where(Reading.guess.is_(None)).limit(1))
    return ShadowEnd.ENOUGH if (newest or 0) >= shadow.last_reading and waits is None else None


def drop_old(session: Session, *, now: datetime) -> None:
    """Delete the readings of shadows that ended long ago."""
    old = select(Shadow.id).where(Shadow.ended_at < now - KEPT_FOR)
    session.execute(delete(Reading).where(Reading.shadow_id.in_(old)))
