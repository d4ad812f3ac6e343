"""The lines of a transcript: as people read them, and as JSON for other programs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from service import texts
from service.communities import STAFF_LANGUAGE
from service.transcripts import Entry, Found

# Handovers that have no reason to be told: the sign of the topic says who answers.
SIGNS = {"claimed": "butler", **dict.fromkeys(("handed_back", "idle", "settled"), "bot")}


def as_json(lines: Sequence[Entry | Found]) -> str:
    """One list; what is not known of a line is left out, times are UTC."""
    return json.dumps([_plain(asdict(line)) for line in lines], ensure_ascii=False, indent=2)


def as_text(lines: Sequence[Entry | Found], zone: ZoneInfo) -> str:
    """A line each: when in the community's time, who, what; below it what it said before and what became of it."""
    return "\n".join(_written(line, zone) for line in lines)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items() if item not in (None, (), [])}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, datetime) else value


def _written(line: Entry | Found, zone: ZoneInfo) -> str:
    entry = line.entry if isinstance(line, Found) else line
    whose = f"{line.chat_id} {line.name}  " if isinstance(line, Found) else ""
    number = f" ({entry.staff_no})" if entry.staff_no is not None else ""
    said = _words(f"utter_word_by_{entry.by}", text=_content(entry).strip())
    first = f"{whose}{_clock(entry.at, zone)}{number} {said}"
    return "\n    ".join([first, *_below(entry, zone)])


def _content(entry: Entry) -> str:
    """What was said; of a file its kind and name before its caption."""
    if entry.kind.startswith("waiting_"):
        return _words(f"utter_word_{entry.kind}", told=entry.text)
    if entry.kind.startswith("handover_"):
        reason = entry.kind.removeprefix("handover_")
        key = f"topic_{SIGNS[reason]}" if reason in SIGNS else f"because_{reason}"
        return f"{_words(f'utter_word_{key}')} {entry.text}"
    if entry.by == "system":
        return _words("utter_word_step", number=entry.text, step=_words(f"utter_word_step_{entry.kind}"))
    if entry.kind == "text":
        return entry.text
    file = (entry.media or {}).get(entry.kind) or {}
    named = [texts.kind_name(entry.kind, language=STAFF_LANGUAGE), file.get("file_name", "")]
    return f"[{' '.join(filter(None, named))}] {entry.text}"


def _below(entry: Entry, zone: ZoneInfo) -> Iterator[str]:
    for edit in entry.edits:
        until = _clock(datetime.fromisoformat(edit["until"]), zone)
        yield _words("utter_word_line_was", until=until, text=edit["text"])
    if entry.forwarded_from:
        yield _words("utter_word_line_forwarded", name=entry.forwarded_from)
    if entry.withdrawn_at is not None:
        at = _clock(entry.withdrawn_at, zone)
        yield _words("utter_word_line_withdrawn", at=at, number=entry.withdrawn_by)
    if entry.reason is not None:
        yield _words("utter_word_line_undelivered", reason=entry.reason)


def _clock(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S}"


def _words(key: str, **slots: object) -> str:
    return texts.words(key, language=STAFF_LANGUAGE, **slots)
