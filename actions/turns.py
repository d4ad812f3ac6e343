"""What one message of a resident's says, as Rasa understood it: plain values, no rasa_sdk."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

WORDS = Path(__file__).with_name("words.yml")
LONGEST = 1000  # characters of a message; what Rasa reads too
FACTS = frozenset({"location", "time", "phone", "name"})  # labels that fill a fact of a case
LEAD = 12  # characters before a fact in which it is said not to be one
MARKS = " ,.;:!?，。；：！？、\n"
CLAUSE = re.compile(r"[^,.;，。；\n]+[,.;，。；\n]*")
NOTHING_SAID = re.compile(r"[\W_]*")  # punctuation, spaces and smileys


@dataclass(frozen=True)
class Entity:
    """A piece of a message that means something, and where it stands."""

    label: str
    value: str
    start: int = 0
    end: int = 0
    holds: bool = True  # False: the message takes it back itself, 「45栋，不对，46栋」


@dataclass(frozen=True)
class Clause:
    """A part of a message between two marks, the second included."""

    start: int
    text: str

    def of(self, turn: Turn) -> Turn:
        """The turn as if it had been this clause alone."""
        end = self.start + len(self.text)
        inside = tuple(
            replace(entity, start=entity.start - self.start, end=entity.end - self.start)
            for entity in turn.entities
            if self.start <= entity.start and entity.end <= end
        )
        return replace(turn, text=self.text, entities=inside)


@dataclass(frozen=True)
class Turn:
    """One message: its words, what they were understood as, and what the bot knows of who wrote it."""

    text: str
    intent: str = ""
    confidence: float = 0.0
    entities: tuple[Entity, ...] = ()
    instead: tuple[tuple[str, str], ...] = ()  # facts that it takes back itself, each with the one that holds
    tapped: bool = False  # a button of ours: only the intent counts
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def language(self) -> str:
        """The language to answer in."""
        return str(self.metadata.get("language") or "zh")

    @property
    def source(self) -> str:
        """What every change of this turn is keyed by, so that doing it again changes nothing."""
        return f"turn:{self.metadata['turn']}"

    @property
    def conversation_id(self) -> int:
        """Whose turn it is."""
        return int(self.metadata["conversation_id"])

    @property
    def now(self) -> datetime:
        """When the turn is handled, aware UTC."""
        return datetime.fromisoformat(self.metadata["now"])

    @property
    def timezone(self) -> str:
        """The community's time zone, by its IANA name."""
        return str(self.metadata["timezone"])

    @property
    def is_part(self) -> bool:
        """One of several requests in a message (nlu/agenda.py): what it wants is plain."""
        return bool(self.metadata.get("part"))

    @property
    def is_put_off(self) -> bool:
        """Heard, and to be taken up when the form is done."""
        return bool(self.metadata.get("put_off"))

    @property
    def was(self) -> str | None:
        """What the line said before it was edited; None for a line that is new."""
        return self.metadata.get("was")

    def known(self, fact: str) -> str | None:
        """What is known from earlier: phone, place or surname of the resident, the visit of their other request."""
        value = self.metadata.get(fact)
        return str(value) if value else None

    def found(self, label: str) -> list[str]:
        """The values of one label that hold, in the order of the text."""
        return [entity.value for entity in self.entities if entity.label == label and entity.holds]

    @property
    def shared_phone(self) -> list[str]:
        """The number of a card, when this message is nothing but that: their own, or whom they want called."""
        return [str(self.metadata["phone"])] if self.intent == "share_phone" else []

    @property
    def contact(self) -> str | None:
        """Who is named last, with the title they are named with, and is not one of the staff; else whose card it is."""
        called = [self._called(entity) for entity in self.entities if entity.label == "name"]
        return next((name for name in reversed(called) if name), self.known("card"))

    def _called(self, entity: Entity) -> str | None:
        before, after = self.text[: entity.start].split()[-1:], self.text[entity.end :]
        title = before[0].rstrip(".") if before else ""
        if any_of("staff").match(after.lower()) or any_of("staff").fullmatch(title.lower()):
            return None
        if any_of("titles").fullmatch(title.lower()):
            return f"{title} {entity.value}"
        honorific = any_of("titles").match(after.lower())
        return entity.value + (after[: honorific.end()] if honorific else "")

    @property
    def unrecognised(self) -> str:
        """The words without the pieces that were recognised as a place, a time, a phone or a name."""
        text = self.text
        for entity in sorted(self.entities, key=lambda entity: -entity.start):
            if entity.label in FACTS:
                text = f"{text[: entity.start]} {text[entity.end :]}"
        return text.strip(MARKS)

    @property
    def rest(self) -> str:
        """What is left when words that say nothing are left out too; empty when that is all."""
        left = any_of("bare").sub(" ", self.unrecognised.lower())
        return "" if NOTHING_SAID.fullmatch(left) else left.strip()

    @property
    def clauses(self) -> list[Clause]:
        """The text from mark to mark."""
        return [Clause(found.start(), found[0]) for found in CLAUSE.finditer(self.text)]

    @property
    def afterthoughts(self) -> list[Turn]:
        """The clauses that hold nothing but facts and come after one that says more."""
        said = [clause.of(self) for clause in self.clauses]
        first = next((place for place, clause in enumerate(said) if not clause.says_only_facts), len(said))
        return [clause for clause in said[first:] if clause.says_only_facts]

    @property
    def matter(self) -> str:
        """The text without the clauses that hold nothing but facts, which stand in slots of their own."""
        said = [(clause, clause.of(self)) for clause in self.clauses]
        telling = [clause for clause, turn in said if not turn.says_only_facts or turn.says_one_word]
        return "".join(clause.text for clause in telling).strip(MARKS) or self.text

    @property
    def says_only_facts(self) -> bool:
        """Whether nothing is left beside the facts but the wish that somebody comes."""
        return len(self._beside_the_facts) <= 1

    @property
    def says_one_word(self) -> bool:
        """Whether there is one character, and no fact that it could belong to: 「我家那个灯」."""
        return len(self._beside_the_facts) == 1 and not any(entity.label in FACTS for entity in self.entities)

    @property
    def _beside_the_facts(self) -> str:
        return any_of("visit").sub("", self.rest).strip(MARKS)

    @property
    def says_nothing_new(self) -> bool:
        """A tap, a smiley, or only "I want to report something"."""
        return self.tapped or not self.rest

    @property
    def asks_what_is_meant(self) -> bool:
        """Whether they only say that they have not understood us: 「什么意思」."""
        asked, found = any_of("puzzled").subn(" ", self.text.lower().replace("’", "'"))
        return found > 0 and not any(map(str.isalnum, any_of("bare").sub(" ", asked)))

    @property
    def keeps_number(self) -> bool:
        """Whether they say that they leave no number, or have none."""
        return _any_like("keeps_number").search(self.text) is not None

    @property
    def changes_their_mind(self) -> bool:
        """Whether they begin by taking back what they have told."""
        return not self.tapped and _any_like("changes_their_mind").match(self.text) is not None

    @property
    def speaks_of_a_visit(self) -> bool:
        """Whether a time in it is when somebody may come."""
        return any_of("visit").search(self.text.lower()) is not None


def read(message: Mapping[str, Any]) -> Turn:
    """Read Rasa's latest message.

    Args:
        message: `latest_message` of a tracker, with the metadata the bot sent along.
    """
    text = str(message.get("text") or "")[:LONGEST]
    intent = message.get("intent") or {}
    tapped = text.startswith("/")
    entities = _entities(message, lead=len(text) - len(text.lstrip()))
    instead = dict(_taken_back("" if tapped else text.strip(), entities))
    return Turn(
        text="" if tapped else text.strip(),
        intent=str(intent.get("name") or ""),
        confidence=float(intent.get("confidence") or 0.0),
        entities=tuple(replace(entity, holds=entity not in instead) for entity in entities),
        instead=tuple((was.value, now.value) for was, now in instead.items()),
        tapped=tapped,
        metadata=message.get("metadata") or {},
    )


def _taken_back(text: str, entities: Sequence[Entity]) -> Iterator[tuple[Entity, Entity]]:
    """The facts that the message itself takes back, each with what was said instead of it."""
    for was, now in pairwise(entities):
        between = text[was.end : now.start].strip(MARKS).lower()
        before = text[: was.start].rstrip(MARKS).lower()
        is_kind = was.label == now.label and was.label in FACTS
        if is_kind and (any_of("takes_back").match(between) or any_of("not_this").search(before[-LEAD:])):
            yield was, now


def _entities(message: Mapping[str, Any], *, lead: int) -> list[Entity]:
    return [
        Entity(_label(e), str(e["value"]), int(e.get("start") or 0) - lead, int(e.get("end") or 0) - lead)
        for e in message.get("entities") or ()
    ]


def _label(entity: Mapping[str, Any]) -> str:
    """What a piece is to us: a time that only says how long is none that somebody could come at."""
    lasts = entity["entity"] == "time" and _any_like("how_long").fullmatch(str(entity["value"]))
    return "how_long" if lasts else str(entity["entity"])


def no_building(text: str) -> str | None:
    """The words of a building with a number that no community has: 9999栋."""
    found = _any_like("no_building").search(text)
    return found[0].strip() if found else None


@cache
def any_of(group: str) -> re.Pattern[str]:
    """Any word of a group of words.yml, the longest first."""
    words = sorted(_words()[group], key=len, reverse=True)
    whole = (rf"(?<![a-z']){re.escape(word)}(?![a-z'])" if word.isascii() else re.escape(word) for word in words)
    return re.compile("|".join(whole))


@cache
def _any_like(group: str) -> re.Pattern[str]:
    """Any of the regular expressions of a group of words.yml."""
    return re.compile("|".join(_words()[group]), re.IGNORECASE)


@cache
def _words() -> dict[str, list[str]]:
    words: dict[str, list[str]] = yaml.safe_load(WORDS.read_text("utf-8"))
    return words
