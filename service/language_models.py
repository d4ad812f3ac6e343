"""The models of the understanding: which there are, which is served, and how one comes to be served.

A model is a file in the models folder; what is known of it stands in the certificate beside it (`nlu/certificate.py`),
and the database mirrors that. The newest row of the log of activations says which model is active.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import exists, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service.errors import ModelNotFound, ModelRefused, NoEarlierModel, ReasonMissing
from service.model_gate import why_not_activate
from service.models.understanding import Activation, LanguageModel

SUFFIX = ".tar.gz"
UNKNOWN = "unknown"  # of a model without a certificate
SWITCH_LOCK = 7_262_622  # any fixed number: models are switched, and their files deleted, one after the other


def file_of(folder: Path, name: str) -> Path:
    """Where a model's file lies."""
    return folder / f"{name}{SUFFIX}"


def certificate_of(folder: Path, name: str) -> dict[str, Any]:
    """What is known of a model; nothing when its certificate is missing or broken."""
    try:
        found = json.loads((folder / f"{name}.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def record(session: Session, folder: Path) -> None:
    """Record every model of the folder that is not known yet, and scores that were measured since.

    Args:
        session: the caller's transaction.
        folder: where training puts models, and operators may have put some.
    """
    for file in sorted(folder.glob(f"*{SUFFIX}")):
        facts = _facts(file, certificate_of(folder, file.name.removesuffix(SUFFIX)))
        statement = insert(LanguageModel).values(facts)
        measured = func.coalesce(statement.excluded.scores, LanguageModel.scores)
        is_news = LanguageModel.scores.is_distinct_from(measured)
        statement = statement.on_conflict_do_update(index_elements=["name"], set_={"scores": measured}, where=is_news)
        session.execute(statement)
    session.expire_all()


def _facts(file: Path, certificate: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": file.name.removesuffix(SUFFIX),
        "data_hash": certificate.get("data_hash", UNKNOWN),
        "trained_at": _moment(certificate) or datetime.fromtimestamp(file.stat().st_mtime, UTC),
        "trained_by": certificate.get("trained_by", UNKNOWN),
        "scores": certificate.get("scores"),
    }


def _moment(certificate: dict[str, Any]) -> datetime | None:
    try:
        return datetime.fromisoformat(certificate["trained_at"])
    except (KeyError, TypeError, ValueError):
        return None


def every(session: Session) -> Sequence[LanguageModel]:
    """All models, the newest first."""
    return session.scalars(select(LanguageModel).order_by(LanguageModel.trained_at.desc(), LanguageModel.id)).all()


def access_model(session: Session, name: str) -> LanguageModel:
    """A model by its name.

    Raises:
        ModelNotFound: there is none of this name.
    """
    found = session.scalars(select(LanguageModel).where(LanguageModel.name == name)).one_or_none()
    if found is None:
        raise ModelNotFound(name=name)
    return found


def access_number(session: Session, number: int) -> LanguageModel:
    """A model by its number.

    Raises:
        ModelNotFound: there is none.
    """
    found = session.get(LanguageModel, number)
    if found is None:
        raise ModelNotFound(name=str(number))
    return found


def macro_f1(model: LanguageModel, language: str) -> float | None:
    """How well a model understands a language, of 1; None when it was not measured there."""
    found: float | None = (model.scores or {}).get("languages", {}).get(language, {}).get("macro_f1")
    return found


def active(session: Session) -> LanguageModel | None:
    """The model that is served."""
    newest = session.scalars(select(Activation).order_by(Activation.id.desc()).limit(1)).one_or_none()
    return newest.model if newest else None


def switches(session: Session, *, limit: int = 50) -> Sequence[Activation]:
    """The log of what was served when and why, the newest first."""
    return session.scalars(select(Activation).order_by(Activation.id.desc()).limit(limit)).all()


def activate(
    session: Session, name: str, *, by: str, now: datetime, reason: str | None = None, force: bool = False
) -> LanguageModel:
    """Serve a model from now on, if it passes the gate; activating the active one changes nothing.

    Args:
        session: the caller's transaction.
        name: a recorded model.
        by: who wants it.
        now: the moment, aware UTC.
        reason: kept in the log.
        force: pass the gate by, which needs a reason.

    Raises:
        ModelNotFound: there is none of this name.
        ModelRefused: it loses more than the gate allows; `losses` are the reasons.
        ReasonMissing: forced, and nobody said why.
    """
    _one_at_a_time(session)
    model, current = access_model(session, name), active(session)
    if force and not (reason or "").strip():
        raise ReasonMissing(name=name)
    if losses := [] if force or model is current else why_not_activate(model, current):
        raise ModelRefused(name=name, losses=losses)
    if model is not current:
        session.add(Activation(model=model, at=now, by=by, reason=reason))
        session.flush()
    return model


def rollback(session: Session, *, by: str, now: datetime) -> LanguageModel:
    """Serve the model again that was active before; a second rollback goes one further back.

    Raises:
        NoEarlierModel: there was none before.
    """
    _one_at_a_time(session)
    line = _line_of_models(session)
    if len(line) < 2:
        raise NoEarlierModel
    session.add(Activation(model=line[-2], at=now, by=by, undoes=line[-1]))
    session.flush()
    return line[-2]


def dispensable(
    session: Session, *, newest: int, older_than: timedelta, now: datetime, but: Collection[int] = ()
) -> list[LanguageModel]:
    """Models whose files may be deleted; until the transaction ends nobody can have one of them served.

    The active one and the one a rollback leads to are never among them.

    Args:
        session: the caller's transaction.
        newest: so many stay in any case.
        older_than: younger ones stay too.
        now: the moment, aware UTC.
        but: numbers of further models that stay.
    """
    _one_at_a_time(session)
    needed = {model.id for model in _line_of_models(session)[-2:]} | set(but)
    old = [model for model in every(session)[newest:] if model.trained_at < now - older_than]
    return [model for model in old if model.id not in needed]


def _one_at_a_time(session: Session) -> None:
    """Nobody else switches, and no file is deleted, until the transaction ends."""
    session.execute(select(func.pg_advisory_xact_lock(SWITCH_LOCK)))


def _line_of_models(session: Session) -> list[LanguageModel]:
    """The models that led to the active one, less those that were rolled back."""
    line: list[LanguageModel] = []
    for step in session.scalars(select(Activation).order_by(Activation.id)):
        if step.undoes_id is not None:
            line.pop()
        elif step.model not in line[-1:]:  # two processes may find the first model at once
            line.append(step.model)
    return line


def promote(session: Session, name: str, *, folder: Path, by: str, now: datetime) -> LanguageModel | None:
    """Serve what a new version of the base data brought: the first model at once, a later one through the gate.

    One that was active before was rolled back or replaced by a person, and one made from the same base data is an
    experiment of theirs: both are left alone.

    Args:
        session: the caller's transaction.
        name: a recorded model.
        folder: where the certificates lie.
        by: which process asks.
        now: the moment, aware UTC.

    Returns:
        The model when it is active now, None when it is left alone.

    Raises:
        ModelRefused: the gate does not let it pass.
    """
    model, current = access_model(session, name), active(session)
    if current is not None:
        was_active = session.scalar(select(exists().where(Activation.model_id == model.id)))
        base, older = (certificate_of(folder, one.name).get("base") for one in (model, current))
        if was_active or base == older:
            return None
    return activate(session, name, by=by, now=now)
