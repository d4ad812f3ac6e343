"""Message text: from markup to plain text and entities, lengths as Telegram counts them."""

from __future__ import annotations

from typing import Any

from sandbox.errors import bad_request
from sandbox.text.find import find_entities
from sandbox.text.html import parse_html
from sandbox.text.markdown import parse_markdown
from sandbox.text.spans import Entities, units

TEXT_MAX = 4096  # characters
CAPTION_MAX = 1024  # characters

PARSERS = {"html": parse_html, "markdownv2": parse_markdown}


def format_text(text: str, parse_mode: str | None, entities: list[dict[str, Any]] | None) -> tuple[str, Entities]:
    """Read the markup, trim the text, and find commands and links nobody marked.

    Raises:
        ApiError: the markup is malformed or names an unknown mode.
    """
    if parse_mode:
        parser = PARSERS.get(parse_mode.lower())
        if parser is None:
            raise bad_request("unsupported parse_mode")
        text, found = parser(text)
    else:
        found = [dict(entity) for entity in entities or ()]
    text, found = _trim(text, found)
    return text, _sorted(found + find_entities(text, found))


def _trim(text: str, entities: Entities) -> tuple[str, Entities]:
    """Drop the white space around a text; entities move along or shrink."""
    lead = len(text) - len(text.lstrip())
    trimmed = text.strip()
    if not entities or trimmed == text:
        return trimmed, entities
    shift, end = units(text[:lead]), units(trimmed)
    kept: Entities = []
    for entity in entities:
        start = max(0, entity["offset"] - shift)
        stop = min(end, entity["offset"] + entity["length"] - shift)
        if stop > start:
            kept.append({**entity, "offset": start, "length": stop - start})
    return trimmed, kept


def _sorted(entities: Entities) -> Entities:
    return sorted(entities, key=lambda entity: (entity["offset"], -entity["length"]))


def check_text(text: str) -> None:
    """Refuse a message text that is empty or too long."""
    if not text:
        raise bad_request("message text is empty")
    if len(text) > TEXT_MAX:
        raise bad_request("message is too long")


def check_caption(caption: str) -> None:
    """Refuse a caption that is too long."""
    if len(caption) > CAPTION_MAX:
        raise bad_request("message caption is too long")
