"""The tripwire: danger to life or home in a resident's words, found before and without Rasa (N11).

Rules, weights, figures of speech and filters are in emergency.yml. In doubt it rings: a person looks at every alarm.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Any

import yaml

from service import spelling, wording
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
    """What almost rang: the filter that took a rule's words back, or no filter and words too weak to ring alone."""

    kind: EmergencyKind
    rule: str
    filter: str | None
    matched: str


@dataclass(frozen=True)
class Weighed:
    """A stretch of a text and what the classes of its words weigh together."""

    kind: EmergencyKind
    worth: int
    matched: str


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
HEAVY_FROM = 3  # the weight of a class whose words a filter may lead up to
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
EVIDENCE = "evidence"  # the rule of words that ring together although no line of the rules names them
ANY = "any"
ENOUGH, ALMOST_ENOUGH = TABLE["evidence"]["enough"], TABLE["evidence"]["almost"]
WEIGHTS: dict[str, dict[str, int]] = TABLE["evidence"]["weights"]
HEAVY = [name for weights in WEIGHTS.values() for name, weight in weights.items() if weight >= HEAVY_FROM]
SENTENCE_END = re.compile(r"[.?;\n](?!\d)")


def check(text: str) -> Alarm | None:
    """Say whether a resident's words mean danger right now.

    Args:
        text: anything a resident can send, of any length; never raises.
    """
    reading = _read(text)
    for rule, hit in _hits(reading, RULES):
        if why_not_ring(rule.name, reading, hit) is None:
            return Alarm(rule.kind, rule.name, _matched(reading, hit))
    weighed = _weigh(reading)
    return Alarm(weighed.kind, EVIDENCE, weighed.matched) if weighed and weighed.worth >= ENOUGH else None


def near_miss(text: str) -> NearMiss | None:
    """Say what almost rang, None for what rang and for what has nothing to do with danger.

    Args:
        text: as for `check`.
    """
    reading = _read(text)
    taken_back = None
    for rule, hit in _hits(reading, RULES):
        why = why_not_ring(rule.name, reading, hit)
        if why is None:
            return None
        taken_back = taken_back or NearMiss(rule.kind, rule.name, why, _matched(reading, hit))
    weighed = _weigh(reading)
    if weighed and weighed.worth >= ENOUGH:
        return None
    if taken_back or weighed is None:
        return taken_back
    return NearMiss(weighed.kind, EVIDENCE, None, weighed.matched)


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


def _weigh(reading: Reading) -> Weighed | None:
    """The stretch of a text whose words weigh most, when no filter takes it back; words of no rule add up."""
    found = (_weigh_stretch(reading, stretch) for stretch in reading.stretches)
    kept = [one for one in found if one.worth >= ALMOST_ENOUGH and not _is_excused(one, reading.text)]
    return max(kept, key=lambda each: each.worth, default=None)


def _is_excused(weighed: Weighed, text: str) -> bool:
    """Whether any filter speaks in a stretch or right before one of its heavy words."""
    words = weighed.matched
    heavy = (first for name in HEAVY for first, _ in Reading(words).spans(name))
    leads = [words[max(0, first - LEAD) : first].rstrip() for first in heavy]
    return any(each.excuses(words, text, leads) for each in FILTERS)


def _weigh_stretch(reading: Reading, stretch: Span) -> Weighed:
    worth = {
        kind: sum(weight for name, weight in weights.items() if reading.has(name, stretch))
        for kind, weights in WEIGHTS.items()
    }
    whole = sum(worth.values())
    worth.pop(ANY, None)
    kind = max(worth, key=lambda name: worth[name])
    return Weighed(EmergencyKind(kind), whole, reading.text[slice(*stretch)])


def _matched(reading: Reading, hit: list[Span]) -> str:
    return reading.text[min(hit)[0] : max(end for _, end in hit)]


def _read(text: str) -> Reading:
    """Enough of a text, however it is spelt, with figures of speech blanked."""
    if len(text) > LONGEST:
        text = f"{text[:EDGE]}\n{text[-EDGE:]}"
    return Reading(MASKS.blank(spelling.plain(text)))
