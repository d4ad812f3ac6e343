"""GET /model: the active model's file, as Rasa asks for it every two seconds (docs/adr/0008-models-by-polling.md).

Asking costs one indexed query; the file is read only by who does not have it yet.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from sanic import HTTPResponse, Request, Sanic, response
from sqlalchemy.exc import SQLAlchemyError

from actions.base import sessions
from service import config, db, language_models

log = structlog.get_logger(__name__)
PROCESS = "actions"  # who activates the first model
_missed: set[str] = set()  # files that are gone, each logged once and not every two seconds


def add_route(app: Sanic[Any, Any]) -> None:
    """Serve the model beside the actions, and record what lies in the folder at the start."""
    app.add_route(give_model, "/model", methods=["GET"])
    app.before_server_start(_record)


async def give_model(request: Request) -> HTTPResponse:
    """Answer 200 with the file, 304 to who has it, 204 when there is none, 503 when nobody knows."""
    try:
        name = await asyncio.to_thread(active_name)
    except SQLAlchemyError:  # every action says so too, and louder
        return response.empty(503)
    if name is None:
        return response.empty(204)
    tag = {"ETag": f'"{name}"'}
    if tag["ETag"] in request.headers.get("if-none-match", ""):
        return response.empty(304, tag)
    return await _file(language_models.file_of(_folder(), name), tag)


async def _file(file: Path, headers: dict[str, str]) -> HTTPResponse:
    try:
        return await response.file(file, mime_type="application/gzip", headers=headers | {"filename": file.name})
    except OSError as error:
        if file.name not in _missed:
            _missed.add(file.name)
            log.warning("model_file_unreadable", file=file.name, error=type(error).__name__)
        return response.empty(404)


def active_name() -> str | None:
    """The name of the active model; where none is active, the newest of the folder is activated."""
    with db.transaction(sessions()) as session:
        active = language_models.active(session)
        if active is None:
            language_models.record(session, _folder())
            for newest in language_models.every(session)[:1]:
                active = language_models.activate(session, newest.name, by=PROCESS, now=datetime.now(UTC))
        return active.name if active else None


async def _record(_: object) -> None:
    """Record the models that lie in the folder; a database that is away must not stop the start."""
    try:
        await asyncio.to_thread(_record_now)
    except SQLAlchemyError as error:
        log.warning("models_not_recorded", error=type(error).__name__)


def _record_now() -> None:
    with db.transaction(sessions()) as session:
        language_models.record(session, _folder())


def _folder() -> Path:
    return config.load().models_dir
