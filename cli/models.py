"""The models of this machine, and what people do with them: train, compare, activate, roll back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from cli import database, site_data, starting, understanding
from service import db, language_models, shadows
from service.config import Settings
from service.model_files import check_file
from service.model_gate import Reason, why_not_activate
from service.models.understanding import LanguageModel


class DatabaseAway(Exception):
    """The database does not answer."""


@dataclass(frozen=True)
class Shelf:
    """The models of this machine: the folder with their files, and the database that knows about them."""

    settings: Settings
    sessions: db.Sessions

    @property
    def folder(self) -> Path:
        """Where the files lie."""
        return self.settings.models_dir

    def file(self, name: str) -> Path:
        """A model's file, whether it is there or not."""
        return language_models.file_of(self.folder, name)

    @contextmanager
    def recorded(self) -> Iterator[Session]:
        """A transaction in which every file of the folder is known."""
        with db.transaction(self.sessions) as session:
            language_models.record(session, self.folder)
            yield session

    def active(self) -> str | None:
        """The name of the model that is served."""
        with self.recorded() as session:
            found = language_models.active(session)
            return found.name if found else None


@contextmanager
def shelf(settings: Settings) -> Iterator[Shelf]:
    """Open the database behind the models.

    Raises:
        DatabaseAway: it does not answer.
    """
    try:
        with database.opened(settings) as url:
            engine = db.connect(url)
            yield Shelf(settings, db.sessions(engine))
            engine.dispose()
    except OperationalError as error:
        raise DatabaseAway(type(error.orig).__name__) from error


def who() -> str:
    """The person at this terminal, as the log of models names them."""
    return starting.operator(unnamed="unknown")


def train(shelf: Shelf) -> str:
    """Train on the base data and this site's labels, and give the model's name; the first of a site is activated.

    Raises:
        ToolFailed: what is at fault stands on standard error.
    """
    with site_data.written(shelf.sessions) as site:
        name = understanding.train(shelf.settings, site)
    with shelf.recorded() as session:
        if language_models.active(session) is None:
            language_models.activate(session, name, by=who(), now=datetime.now(UTC))
    return name


def evaluate(settings: Settings, name: str | None, files: Sequence[Path], options: Sequence[str]) -> None:
    """Have a model read labelled messages; the report goes to standard output.

    Args:
        settings: where models and database are; the database is asked only for what is not given.
        name: the active model when left out.
        files: JSON Lines; when there are none, all messages that models are measured on.
        options: for nlu/evaluate.py.

    Raises:
        BadModel: its file is gone or broken.
        NoModel: none is active.
        ToolFailed: there is nothing to evaluate.
    """
    if name and files:
        file = language_models.file_of(settings.models_dir, name)
        check_file(file)
        understanding.evaluate("--model", file, *options, *files)
        return
    with shelf(settings) as ours, site_data.written(ours.sessions) as site:
        chosen = name or ours.active()
        if chosen is None:
            raise understanding.NoModel
        check_file(ours.file(chosen))
        understanding.evaluate("--model", ours.file(chosen), *options, *(files or site.exam))


def compare(shelf: Shelf, name: str, other: str) -> tuple[dict[str, Any], dict[str, Any], list[Reason]]:
    """Two models' reports on the messages nobody trains on, and what the gate would say to the second.

    Raises:
        BadModel: a file is gone or broken.
        ModelNotFound: there is none of this name.
        ToolFailed: a model cannot be loaded.
    """
    for one in (name, other):
        check(shelf, one)
    measure(shelf, name, other)
    with site_data.written(shelf.sessions) as site:
        before, after = (understanding.report(shelf.file(one), site.exam) for one in (name, other))
    return before, after, why_not_activate(check(shelf, other), check(shelf, name))


def activate(shelf: Shelf, name: str, *, reason: str | None) -> None:
    """Have a model served, past the gate if there is a reason.

    Raises:
        BadModel: its file is gone or broken.
        ModelNotFound: there is none of this name.
        ModelRefused: it understands less than the active one.
        ReasonMissing: the reason is empty.
    """
    check(shelf, name)
    if reason is None:
        measure(shelf, name, shelf.active())
    with shelf.recorded() as session:
        now, force = datetime.now(UTC), reason is not None
        language_models.activate(session, name, by=who(), now=now, reason=reason, force=force)
        check_file(shelf.file(name))  # once more, since nothing deletes it from now on


def rollback(shelf: Shelf) -> str:
    """Have the model served again that was active before, and give its name.

    Raises:
        BadModel: its file is gone or broken.
        NoEarlierModel: there is none.
    """
    with shelf.recorded() as session:
        name = language_models.rollback(session, by=who(), now=datetime.now(UTC)).name
        check_file(shelf.file(name))
    return name


def measure(shelf: Shelf, *names: str | None) -> None:
    """Bring the scores of models up to date, so that they can be compared; without Rasa they stay as they are."""
    files = [shelf.file(name) for name in names if name and shelf.file(name).is_file()]
    if files and understanding.is_here():
        with site_data.written(shelf.sessions) as site:
            understanding.measure(files, site)


def check(shelf: Shelf, name: str) -> LanguageModel:
    """The model, if it is known and its file is whole.

    Raises:
        BadModel: the file is gone or broken.
        ModelNotFound: there is none of this name.
    """
    with shelf.recorded() as session:
        model = language_models.access_model(session, name)
    check_file(shelf.file(name))
    return model


def prune(shelf: Shelf, *, now: datetime) -> list[str]:
    """Delete files of old models that nobody needs, and give their names; what was known of them stays.

    Args:
        shelf: with the settings that say which are old.
        now: the moment, aware UTC.
    """
    settings = shelf.settings
    with shelf.recorded() as session:
        reads = shadows.current(session)
        old = language_models.dispensable(
            session,
            newest=settings.models_kept,
            older_than=timedelta(days=settings.model_days),
            now=now,
            but=[reads.model_id] if reads else [],
        )
        names = [model.name for model in old if shelf.file(model.name).is_file()]
        for name in names:
            for file in (shelf.file(name), shelf.folder / f"{name}.json"):
                file.unlink(missing_ok=True)
    return names
