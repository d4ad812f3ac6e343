"""A candidate model reads along (`service/shadows.py`): some messages at a time, long after residents were answered."""

from __future__ import annotations

import subprocess
from datetime import datetime

import structlog

from cli import understanding
from cli.models import Shelf
from service import db, readings, shadows
from service.model_files import BadModel, check_file
from service.models.understanding import ShadowEnd

log = structlog.get_logger(__name__)
READS_EVERY = 30.0  # seconds; each time a process is started that loads the model, reads what waits, and is gone
AT_ONCE = 500  # messages that one process reads
WITHIN = 300.0  # seconds; a process that takes longer does not come to an end

ENDS: dict[type[Exception], ShadowEnd] = {
    BadModel: ShadowEnd.GONE,
    understanding.NotHere: ShadowEnd.UNREADABLE,
    understanding.ToolFailed: ShadowEnd.UNREADABLE,
    subprocess.TimeoutExpired: ShadowEnd.UNREADABLE,
}


def read_along(shelf: Shelf, *, now: datetime) -> int:
    """Let the candidate read what it has not read yet, and end the shadow when it is time; say how many it read.

    Nobody waits for it, and no transaction is open meanwhile. What a process that dies has not read, the next one does.

    Args:
        shelf: where models and messages are.
        now: the moment, aware UTC.
    """
    with db.transaction(shelf.sessions) as session:
        shadows.drop_old(session, now=now)
        shadow = shadows.current(session)
        why = shadows.why_over(session, shadow, now=now) if shadow else None
        if shadow is not None and why is not None:
            shadows.end(session, shadow.id, why, now=now)
        if shadow is None or why is not None:
            return 0
        name, waiting = shadow.model.name, readings.unread(session, shadow, limit=AT_ONCE)
    try:
        check_file(shelf.file(name))
        found = understanding.read(shelf.file(name), [words for _, words in waiting], within=WITHIN) if waiting else []
    except tuple(ENDS) as error:
        log.warning("candidate_does_not_read", model=name, error=type(error).__name__)
        with db.transaction(shelf.sessions) as session:
            shadows.end(session, shadow.id, ENDS[type(error)], now=now)
        return 0
    except OSError as error:  # no memory for another process, say: later it may do better
        log.warning("candidate_waits", model=name, error=type(error).__name__)
        return 0
    with db.transaction(shelf.sessions) as session:
        guesses = zip(waiting, found, strict=True)
        readings.settle(session, {number: (one["intent"], one["confidence"]) for (number, _), one in guesses})
    return len(waiting)
