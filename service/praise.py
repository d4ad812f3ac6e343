"""Praise in a resident's own words reaches the colleague it names: by number, by name, or by surname and trade."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import yaml
from sqlalchemy.orm import Session

from service import conversations, pointers, staff, texts
from service.communities import STAFF_LANGUAGE
from service.models.cases import Case
from service.models.people import Staff

WORDS = Path(__file__).with_suffix(".yml")


def pass_on(session: Session, case: Case, *, key: str) -> Staff | None:
    """Let the one who is praised read it in the resident's topic, by name; nobody when it names nobody, or several.

    Args:
        session: the caller's transaction; the conversation is locked in it.
        case: the praise as it was taken down.
        key: the turn; the same one again does nothing.
    """
    member = whom(staff.present(session, case.community_id), case.matter)
    if member is not None:
        named = pointers.at_member(member)
        slots = {"who": named.words, "number": case.number, "words": case.matter}
        line = texts.say("utter_staff_praised_in_words", language=STAFF_LANGUAGE, **slots)
        payload = line.payload() | {"entities": pointers.entities(line.text, [named])}
        place = conversations.IN_TOPIC
        conversations.to_staff(
            session, case.conversation, "say", payload, key=f"{key}:praise", kind="note", where=place
        )
    return member


def whom(members: Sequence[Staff], words: str) -> Staff | None:
    """The one member whom the words name; by the surest sign that fits anybody."""
    for fits in (_by_number, _by_name, _by_surname):
        found = [member for member in members if fits(member, words.lower())]
        if found:
            return found[0] if len(found) == 1 else None
    return None


def _by_number(member: Staff, words: str) -> bool:
    numbers = (match for pattern in _table()["number"] for match in re.findall(pattern, words))
    return str(member.number) in numbers


def _by_name(member: Staff, words: str) -> bool:
    name = member.display_name.strip().lower()
    return len(name) > 1 and bool(re.search(rf"\b{re.escape(name)}\b" if name.isascii() else re.escape(name), words))


def _by_surname(member: Staff, words: str) -> bool:
    surname = member.display_name.strip().lower()[:1]
    return bool(surname) and not surname.isascii() and any(f"{surname}{trade}" in words for trade in _table()["trades"])


@cache
def _table() -> Mapping[str, Sequence[str]]:
    table: Mapping[str, Sequence[str]] = yaml.safe_load(WORDS.read_text("utf-8"))
    return table
