"""N12: of every column that can hold words somebody has decided what forgetting a resident does to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import JSON, Column, Engine, Enum, LargeBinary, String, text
from sqlalchemy.orm import Session

from service.models.base import Base
from tests.lives import NEEDLES, lived
from tests.stage import Stage

# What a resident said or who they are: gone, with the row or out of it. Each is planted by `lived`.
FORGOTTEN: dict[str, str] = {
    "binding_requests": "words",
    "candidates": "text",
    "case_events": "data",
    "desk_messages": "words",
    "surveys": "comment",
    "cases": "matter place wanted_at contact phone",
    "fetched_files": "file_id content",
    "handovers": "note",
    "holds": "why",
    "inbox": "raw",
    "incident_reports": "matter place phone",
    "labels": "text",
    "messages": "text media earlier entities forwarded_from",
    "outbox": "payload",
    "residents": "display_name surname honorific phone place",
    "topics": "name card",
    "twins": "album",
    "unanswered_questions": "text",
}

# Could hold something of a resident's, and stays.
KEPT: dict[str, dict[str, str]] = {
    "the farewell goes to this chat, and an update that comes again is known by it": {
        "budgets": "key",
        "inbox": "lane",
        "outbox": "lane key",
    },
    "the property office's own roster": {
        "buildings": "name",
        "households": "unit room",
        "members": "name surname honorific language phone",
    },
    "what the property system holds of a household, whoever speaks for it": {
        "fees": "name period currency reference",
        "parking_spaces": "name plate",
        "visitor_codes": "name code",
    },
    "a member of staff typed it for themselves": {"saved_views": "name query"},
    "written for everybody by staff, who see what they publish": {
        "canned_phrases": "text",
        "incidents": "text_zh text_en",
        "knowledge_edits": "content",
        "knowledge_entries": "content",
    },
    "the answer to the wish itself is in it": {"residents": "language"},
}

# Our own words, keys and counts; names of staff and of the community.
NOT_PERSONAL: dict[str, str] = {
    "activations": "by reason",
    "appointments": "reason",
    "audit_entries": "actor act object",
    "archive_events": "actor act detail",  # how, why, a language, counts
    "binding_offers": "how",
    "boards": "digest",
    "calendar_days": "hours name",
    "call_backs": "reason",
    "candidates": "language source detail intent model",
    "canned_phrases": "name language",
    "case_counters": "month",
    "case_events": "event actor key",
    "cases": "number source kind category",
    "case_clocks": "clock",
    "clock_targets": "kind clock category",
    "communities": "name timezone phone facts console_url",
    "console_links": "digest",
    "console_sessions": "digest language",
    "daily_sums": "zone counts",  # keys and how many
    "departments": "key",
    "emergency_alarms": "source kind caught_by",
    "fetched_files": "type refused",
    "handovers": "reason",
    "holds": "of by released_by",
    "inbox": "error",  # type and place
    "incident_reports": "kind reason",
    "incidents": "source category trouble places entered_by",
    "invitations": "digest",
    "knowledge_edits": "by",
    "knowledge_entries": "key",
    "labels": "digest intent language labelled_by",
    "language_models": "name data_hash trained_by scores",
    "messages": "author kind",
    "model_reports": "measured report",  # messages of the site by the digest of their words
    "opinions": "by intent was",
    "outbox": "kind act reason",  # ours or Telegram's
    "saved_views": "page",
    "self_checks": "looked_at violations",  # counts, and numbers of rows
    "shadow_readings": "rows source digest language intent model guess",  # numbers and guesses; deleted all the same
    "shadows": "begun_by ended_by",
    "staff": "display_name languages",
    "surveys": "reason reasons",  # keys
    "training_runs": "asked_by doing failure",
    "twins": "kind",
    "unasked_messages": "kind",
    "wait_steps": "step told",  # staff numbers
    "waits": "reason",
    "weekday_hours": "hours",
    "unanswered_questions": "source language",
}

BYTES = ("inbox.raw", "fetched_files.content")
DECISIONS = (FORGOTTEN, *KEPT.values(), NOT_PERSONAL)


def columns(decision: dict[str, str]) -> list[str]:
    return [f"{table}.{column}" for table, names in decision.items() for column in names.split()]


def can_hold_words() -> Iterator[str]:
    """Every column of text, JSON or bytes; what only says one of an enumeration's values cannot."""
    for table in Base.metadata.sorted_tables:
        yield from (f"{table.name}.{column.name}" for column in table.columns if _holds_words(column))


def _holds_words(column: Column[object]) -> bool:
    return isinstance(column.type, String | JSON | LargeBinary) and not isinstance(column.type, Enum)


def test_every_column_that_can_hold_words_is_decided_about_once():
    """Whoever adds a column decides whether forgetting reaches it: here, and in service/forgetting.py."""
    decided = [name for decision in DECISIONS for name in columns(decision)]

    assert sorted(decided) == sorted(can_hold_words())


@pytest.fixture(scope="module")
def life(engine: Engine) -> Iterator[Session]:
    """One that every test below looks at, and none changes."""
    with Session(engine) as session:
        lived(Stage(session))
        session.flush()
        yield session
        session.rollback()


@pytest.mark.parametrize("name", columns(FORGOTTEN))
def test_what_is_said_to_be_forgotten_is_there_to_be_forgotten(life: Session, name: str):
    """Otherwise the search for what is left would find nothing because nothing ever was there."""
    table, column = name.split(".")

    words = f"convert_from({column}, 'UTF8')" if name in BYTES else f'CAST("{column}" AS text)'
    there = life.scalars(text(f'SELECT {words} FROM "{table}"')).all()
    assert any(needle in (value or "") for value in there for needle in (*NEEDLES, "ms"))
