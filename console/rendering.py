"""Templates, and what every one of them may use."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from console import texts

HERE = Path(__file__).parent
STATIC = HERE / "static"
HTMX = "htmx-2.0.11.min.js"  # pinned, from the package htmx.org; its licence (0BSD) lies beside it


@cache
def asset(name: str) -> str:
    """The address of a static file; it changes with the file, so browsers may keep it for ever."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


def span(length: timedelta, *, language: str) -> str:
    """How long something has lasted: in minutes, then in hours, then in days."""
    minutes = max(int(length.total_seconds()) // 60, 0)
    if minutes < 60:
        return texts.text("shell.minutes", language=language, n=minutes)
    if minutes < 24 * 60:
        return texts.text("shell.hours", language=language, n=minutes // 60, minutes=minutes % 60)
    return texts.text("shell.days", language=language, n=minutes // (24 * 60))


def moment(at: datetime, *, timezone: str, now: datetime) -> str:
    """A moment on the community's clock, with its year when that is not the present one."""
    there, here = (one.astimezone(ZoneInfo(timezone)) for one in (at, now))
    return f"{there:%m-%d %H:%M}" if there.year == here.year else f"{there:%Y-%m-%d %H:%M}"


@cache
def environment() -> Environment:
    """Everything is escaped, and a name that nobody gave is an error."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {"asset": asset, "HTMX": HTMX, "LANGUAGES": texts.LANGUAGES}
    return made
