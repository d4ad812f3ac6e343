"""Trainings that staff ask for in the console: one at a time for the site, done by the trainer, never by the web.

A run is a row. Whoever asks while one is under way is told so; the index `training_runs_one_at_a_time` sees to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service import db
from service.models.understanding import TrainingRun, TrainingState

CHANNEL = "guanjia_training"
SHOWN = 20  # runs of the history
CANCELLED, INTERRUPTED = "cancelled", "interrupted"  # failures, as the console words them


def ask(
    session: Session, *, community_id: int, by: str, now: datetime, model_id: int | None = None
) -> TrainingRun | None:
    """Ask for a training; the trainer takes it within a second.

    Args:
        session: the caller's transaction.
        community_id: whose staff ask.
        by: who.
        now: the moment, aware UTC.
        model_id: train nothing, only measure this one and the active one.

    Returns:
        The run, None when another one is under way.
    """
    values = {
        "community_id": community_id,
        "asked_by": by,
        "asked_at": now,
        "state": TrainingState.QUEUED,
        "step": 0,
        "steps": 0,
        "doing": "",
        "model_id": model_id,
    }
    made = session.scalar(insert(TrainingRun).values(values).on_conflict_do_nothing().returning(TrainingRun.id))
    db.notify(session, CHANNEL)
    return session.get_one(TrainingRun, made) if made else None


def cancel(session: Session, run_id: int, *, now: datetime) -> bool:
    """Take a run back that nobody has begun; say whether that was so."""
    return _end(session, run_id, TrainingState.FAILED, was=TrainingState.QUEUED, failure=CANCELLED, ended_at=now)


def recent(session: Session) -> Sequence[TrainingRun]:
    """The runs, the newest first."""
    return session.scalars(select(TrainingRun).order_by(TrainingRun.id.desc()).limit(SHOWN)).all()


def take(session: Session, *, now: datetime) -> TrainingRun | None:
    """Begin what somebody asked for."""
    waiting = select(TrainingRun).where(TrainingRun.state == TrainingState.QUEUED).with_for_update(skip_locked=True)
    run = session.scalars(waiting).one_or_none()
    if run is not None:
        run.state, run.started_at = TrainingState.RUNNING, now
        db.notify(session, CHANNEL)
    return run


def tell(session: Session, run_id: int, *, step: int, steps: int, doing: str) -> None:
    """Say how far a run is.

    Args:
        session: a transaction of its own, so that everybody sees it.
        run_id: which.
        step: of how many.
        steps: how many there are.
        doing: a component of Rasa's, or what else is done.
    """
    session.execute(update(TrainingRun).where(TrainingRun.id == run_id).values(step=step, steps=steps, doing=doing))
    db.notify(session, CHANNEL)


def finish(session: Session, run_id: int, *, model_id: int, now: datetime) -> None:
    """The model is made, and measured."""
    _end(session, run_id, TrainingState.DONE, was=TrainingState.RUNNING, model_id=model_id, ended_at=now)


def fail(session: Session, run_id: int, failure: str, *, now: datetime) -> None:
    """It did not come to that; the failure is a key of the console's words."""
    _end(session, run_id, TrainingState.FAILED, was=TrainingState.RUNNING, failure=failure, ended_at=now)


def end_interrupted(session: Session, *, now: datetime) -> None:
    """End what a trainer left behind that is no more; the caller is the only trainer there is."""
    for run_id in session.scalars(select(TrainingRun.id).where(TrainingRun.state == TrainingState.RUNNING)).all():
        fail(session, run_id, INTERRUPTED, now=now)


def _end(session: Session, run_id: int, state: TrainingState, *, was: TrainingState, **facts: object) -> bool:
    ours = update(TrainingRun).where(TrainingRun.id == run_id, TrainingRun.state == was)
    ended = session.scalar(ours.values(state=state, **facts).returning(TrainingRun.id))
    db.notify(session, CHANNEL)
    return ended is not None
