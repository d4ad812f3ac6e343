"""The tripwire: danger to life or home in a resident's words, found before and without Rasa (N11).

How much the words sound like danger (service/danger.py) and what the rules make of them add up. Rules, filters, figures
of speech and thresholds are in emergency.yml. In doubt it rings: a person looks at every alarm.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import yaml

from service import danger, spelling, wording
from service.wording import Frame, Reading, Span, Words


class EmergencyKind(StrEnum):
    """What is happening; `other` is a cry for help that does not say."""

    FIRE = "fire"
    GAS = "gas"
    LIFT = "lift"
    ELECTRIC_SHOCK = "electric_shock"
    FLOOD = "flood"
    MEDICAL = "medical"
    VIOLENCE = "violence"
    FALL_HAZARD = "fall_hazard"
    VULNERABLE = "vulnerable"
    OTHER = "other"


@dataclass(frozen=True)
class Alarm:
    """An emergency, the rule that noticed it, and the words it noticed, as the rule saw them."""

    kind: EmergencyKind
    rule: str
    matched: str


@dataclass(frozen=True)
class NearMiss:
    """What almost rang: the filter that took a rule's words back, or no filter and words that sound too harmless."""

    kind: EmergencyKind
    rule: str
    filter: str | None
    matched: str


@dataclass(frozen=True)
class Weighed:
    """What a text is worth in the scale of danger, and what a rule found in it, taken back or not."""

    beyond: float  # what is enough to ring
    loudest: str  # the stretch that sounds most like danger
    found: NearMiss | None

    @property
    def rings(self) -> bool:
        """Whether somebody has to look at once."""
        return self.beyond >= 0


@dataclass(frozen=True)
class Rule:
    """The ways to say that something is happening."""

    kind: EmergencyKind
    name: str
    frames: tuple[Frame, ...]


@dataclass(frozen=True)
class Filter:
    """Why a hit does not ring after all: words in its sentence, or words that lead up to one of its parts."""

    name: str
    near: Words | None
    anywhere: Words | None
    before: Words | None
    unless: Words | None
    spares: tuple[str, ...]
    only: tuple[str, ...]

    def minds(self, rule: str) -> bool:
        """Whether it may take back a hit of a rule."""
        return rule not in self.spares and (not self.only or rule in self.only)

    def excuses(self, sentence: str, text: str, leads: list[str]) -> bool:
        """Whether it speaks in the sentence, the text or what leads up to parts of a hit, and nothing overrules it."""
        if self.unless and self.unless.search(sentence):
            return False
        return bool(
            (self.near and self.near.search(sentence))
            or (self.anywhere and self.anywhere.search(text))
            or (self.before and any(map(self.before.search, leads)))
        )


TABLE: dict[str, Any] = yaml.safe_load(Path(__file__).with_suffix(".yml").read_text("utf-8"))
LONGEST = 4_096  # characters, Telegram's own limit
EDGE = 1_000  # characters of anything longer that are read, at its beginning and at its end
LEAD = 24  # characters before a part of a hit that may take it back
SENTENCE = 120  # characters of its sentence on either side of a hit
HITS = 20  # that are taken back before a rule gives up on a text


def _filter(name: str, row: dict[str, Any]) -> Filter:
    near, anywhere, before, unless = (
        wording.words(row[place]) if place in row else None for place in ("near", "anywhere", "before", "unless")
    )
    spares, only = tuple(row.get("spares", ())), tuple(row.get("only", ()))
    return Filter(name, near, anywhere, before, unless, spares=spares, only=only)


def _rules(table: dict[str, dict[str, list[str]]]) -> tuple[Rule, ...]:
    return tuple(
        Rule(EmergencyKind(kind), name, tuple(map(wording.frame, lines)))
        for kind, rules in table.items()
        for name, lines in rules.items()
    )


ALMOST = _rules(TABLE["almost"])
URGENT = tuple(Rule(rule.kind, rule.name, tuple(wording.with_plea(each) for each in rule.frames)) for rule in ALMOST)
RULES = _rules(TABLE["rules"]) + URGENT
FILTERS = tuple(_filter(name, row) for name, row in TABLE["filters"].items())
MASKS = wording.words(TABLE["masks"])
BARE_ANSWER = re.compile(TABLE["bare_answer"])
SOUND = "sound"  # the rule of words that no line of the rules names
SCALE: dict[str, dict[str, float]] = TABLE["scale"]
SIGNS: dict[str, dict[str, int]] = TABLE["signs"]
SENTENCE_END = re.compile(r"[.?;\n](?!\d)")


def check(text: str) -> Alarm | None:
    """Say whether a resident's words mean danger right now.

    Args:
        text: anything a resident can send, of any length; never raises.
    """
    weighed = _weigh(text)
    if not weighed.rings or (weighed.found is None and BARE_ANSWER.fullmatch(spelling.plain(_enough_of(text)).strip())):
        return None
    found = weighed.found or _sound(weighed.loudest)
    return Alarm(found.kind, found.rule, found.matched)


def get_ready() -> None:
    """Compile every word of the rules, before the first message has to wait for it."""
    for rule in RULES:
        for frame in rule.frames:
            for part in frame.parts:
                wording.opened(part)
    for words in wording.CLASSES.values():
        wording.opened(words)


def near_miss(text: str) -> NearMiss | None:
    """Say what almost rang, None for what rang and for what has nothing to do with danger.

    Args:
        text: as for `check`.
    """
    weighed = _weigh(text)
    if weighed.rings:
        return None
    almost = SCALE["almost"]["taken_back" if weighed.found else "no_rule"]
    return weighed.found or _sound(weighed.loudest) if weighed.beyond >= -almost else None


def bonus(text: str) -> float:
    """What the rules add to how much a text sounds like danger; negative when a filter took back what they found."""
    return _bonus(_found(_read(text)))


@lru_cache(maxsize=1)  # whoever has asked whether a message rings asks next whether it almost did
def _weigh(text: str) -> Weighed:
    spelt = spelling.plain(_enough_of(text))
    heard = ((danger.score(each) - _enough(each), each) for each in danger.stretches(spelt))
    beyond, loudest = max(heard, default=(-math.inf, ""))
    found = _found(_read(text))
    return Weighed(beyond + _bonus(found), loudest, found)


def _enough(stretch: str) -> float:
    return SCALE["enough"][danger.language_of(stretch)]


def _bonus(found: NearMiss | None) -> float:
    if found is None:
        return 0.0
    return SCALE["rules"]["rung" if found.filter is None else "taken_back"]


def _found(reading: Reading) -> NearMiss | None:
    """What a rule found and no filter took back; else the first that one took back; else nothing."""
    taken_back = None
    for rule, hit in _hits(reading, RULES):
        why = why_not_ring(rule.name, reading, hit)
        found = NearMiss(rule.kind, rule.name, why, _matched(reading, hit))
        if why is None:
            return found
        taken_back = taken_back or found
    return taken_back


def why_not_ring(rule: str, reading: Reading, hit: list[Span]) -> str | None:
    """Name the filter that takes a hit back, unless its sentence overrules the filter."""
    text, start, end = reading.text, min(hit)[0], max(last for _, last in hit)
    before = SENTENCE_END.split(text[max(0, start - SENTENCE) : start])[-1]
    after = SENTENCE_END.split(text[end : end + SENTENCE], maxsplit=1)[0]
    sentence = f"{before}{text[start:end]}{after}"
    leads = [text[max(0, start - len(before), first - LEAD) : first].rstrip() for first, _ in hit]
    return next((each.name for each in FILTERS if each.minds(rule) and each.excuses(sentence, text, leads)), None)


def _hits(reading: Reading, rules: tuple[Rule, ...]) -> Iterator[tuple[Rule, list[Span]]]:
    for rule in rules:
        for wanted in rule.frames:
            yield from ((rule, hit) for hit in islice(reading.find(wanted), HITS))


def _sound(stretch: str) -> NearMiss:
    """A stretch that no rule names, with the kind whose words weigh most in it."""
    reading = Reading(stretch)
    worth = {
        kind: sum(weight for name, weight in signs.items() if reading.spans(wording.CLASSES[name]))
        for kind, signs in SIGNS.items()
    }
    kind = max(worth, key=lambda name: worth[name])
    return NearMiss(EmergencyKind(kind if worth[kind] > 0 else "other"), SOUND, None, stretch)


def _matched(reading: Reading, hit: list[Span]) -> str:
    return reading.text[min(hit)[0] : max(end for _, end in hit)]


def _read(text: str) -> Reading:
    """A text as the rules see it: however it is spelt, with figures of speech blanked."""
    return Reading(MASKS.blank(spelling.plain(_enough_of(text))))


def _enough_of(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:EDGE]}\n{text[-EDGE:]}"
