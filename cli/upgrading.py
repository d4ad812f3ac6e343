"""What a start does about a new version: serve its model, if that is no worse; write its answers."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import structlog

from cli import site_data, understanding
from cli.model_words import explain
from cli.models import Shelf, measure
from service import db, knowledge_base, language_models
from service.config import Settings
from service.errors import ModelRefused
from service.model_gate import Loss

UNKNOWN = (Loss.UNMEASURED, Loss.INCOMPARABLE)  # losses that measuring may settle
log = structlog.get_logger(__name__)


def prepare(settings: Settings, url: str, *, by: str = "serve") -> Path:
    """Have a model to serve: train one when this version of the base data has none, and ask the gate about it.

    A new version that fails to train, or understands less, leaves the active model in place; the log says so.

    Args:
        settings: where the models lie.
        url: the database, migrated.
        by: which process asks; kept in the log of activations.

    Returns:
        The active model's file.

    Raises:
        SystemExit: there is no model, and none could be made; standard error says why.
    """
    engine = db.connect(url)
    try:
        shelf = Shelf(settings, db.sessions(engine))
        promote(shelf, _of_this_version(shelf), by=by)
        return shelf.file(shelf.active() or "")
    finally:
        engine.dispose()


def write_base(url: str) -> None:
    """Write the answers that come with this version into the database; at most starts there is nothing to write."""
    engine = db.connect(url)
    with db.transaction(db.sessions(engine)) as session:
        changed = knowledge_base.bring_up_to_date(session, now=datetime.now(UTC))
    engine.dispose()
    if changed:
        log.info("knowledge_base_written", entries=changed)


def _of_this_version(shelf: Shelf) -> str:
    """The newest model made of the base data in the tree, trained now if there is none."""
    active = shelf.active()
    try:
        return _newest(shelf, understanding.base_hash()) or _trained(shelf)
    except understanding.NotHere:
        sys.exit("Rasa is not installed here; run: make setup")
    except understanding.ToolFailed as failed:
        if active is None or not shelf.file(active).is_file():
            sys.exit(failed.code)
        log.error("new_version_not_trained", served=active)  # noqa: TRY400 - the tool has said what is wrong
        return active


def _newest(shelf: Shelf, base: str) -> str | None:
    with shelf.recorded() as session:
        for model in language_models.every(session):
            made_of = language_models.certificate_of(shelf.folder, model.name).get("base")
            if made_of == base and shelf.file(model.name).is_file():
                return model.name
    return None


def _trained(shelf: Shelf) -> str:
    with site_data.written(shelf.sessions) as site:
        return understanding.train(shelf.settings, site)


def promote(shelf: Shelf, name: str, *, by: str) -> bool:
    """Activate what an upgrade brought, unless the gate or a person stands against it; say whether it is active now."""
    try:
        try:
            return _promote(shelf, name, by=by)
        except ModelRefused as refused:
            if not any(reason.loss in UNKNOWN for reason in refused.losses):
                raise
            measure(
                shelf, name, shelf.active()
            )  # a new version measures otherwise, so the old model was never compared
            return _promote(shelf, name, by=by)
    except ModelRefused as refused:
        losses = [explain(reason) for reason in refused.losses]
        log.warning("new_version_understands_less", model=name, losses=losses)
        return False


def _promote(shelf: Shelf, name: str, *, by: str) -> bool:
    with shelf.recorded() as session:
        now, active = datetime.now(UTC), language_models.active(session)
        if active is None or shelf.file(active.name).is_file():
            return language_models.promote(session, name, folder=shelf.folder, by=by, now=now) is not None
        reason = f"the file of {active.name} is gone"
        language_models.activate(session, name, by=by, now=now, force=True, reason=reason)
        return True
