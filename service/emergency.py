"""The tripwire: danger to life or home in a resident's words, found before and without Rasa (N11).

Rules, figures of speech and filters are data in emergency.yml. In doubt it rings: a person looks at every alarm.
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
class Rule:
    """One way to say that something is happening."""

    kind: EmergencyKind
    name: str
    pattern: re.Pattern[str]
    is_latin: bool


@dataclass(frozen=True)
class Filter:
    """Why a hit does not ring after all: words in its sentence, or words that lead up to it. Some rules are spared."""

    name: str
    near: re.Pattern[str] | None
    before: re.Pattern[str] | None
    spares: tuple[str, ...]


TABLE: dict[str, Any] = yaml.safe_load(Path(__file__).with_suffix(".yml").read_text("utf-8"))
LONGEST = 4_096  # characters, Telegram's own limit
EDGE = 1_000  # characters of anything longer that are read, at its beginning and at its end
LEAD = 24  # characters before a hit that may take it back
SENTENCE = 120  # characters of its sentence on either side of a hit
HITS = 20  # that are taken back before a rule gives up on a text


def _pattern(lines: list[str]) -> re.Pattern[str]:
    """The lines as one pattern with its words in place; ASCII so that a word ends between Chinese and Latin letters."""
    source = "|".join(lines)
    while (filled := re.sub(r"{([a-z_]+)}", lambda word: "|".join(TABLE["words"][word[1]]), source)) != source:
        source = filled
    return re.compile(source, re.ASCII | re.MULTILINE)


def _filter(name: str, row: dict[str, list[str]]) -> Filter:
    near, before = (_pattern(row[place]) if place in row else None for place in ("near", "before"))
    return Filter(name, near, before, spares=tuple(row.get("spares", ())))


RULES = tuple(
    Rule(EmergencyKind(kind), name, _pattern(lines), is_latin=name.startswith(("english", "pinyin")))
    for kind, rules in TABLE["rules"].items()
    for name, lines in rules.items()
)
FILTERS = tuple(_filter(name, row) for name, row in TABLE["filters"].items())
MASKS = _pattern(TABLE["masks"])
NOW = _pattern(TABLE["now"])

FOLDED = str.maketrans(
    {full: full - 0xFEE0 for full in range(0xFF01, 0xFF5F)}
    | dict.fromkeys(map(ord, TABLE["invisible"]), None)
    | {ord(sign): plain for sign, plain in TABLE["written_otherwise"].items()}
    | {ord(pair[0]): pair[1] for pair in TABLE["traditional"].split()}
)
HAN = "[\u4e00-\u9fff]"
SPACED_OUT = re.compile(rf"(?<!{HAN}){HAN}(?:[ .,·~_*-]{{1,3}}{HAN}(?!{HAN})){{2,}}")
SENTENCE_END = re.compile(r"[.!?;\n](?!\d)")


def check(text: str) -> Alarm | None:
    """Say whether a resident's words mean danger right now.

    Args:
        text: anything a resident can send, of any length; never raises.
    """
    if len(text) > LONGEST:
        text = f"{text[:EDGE]}\n{text[-EDGE:]}"
    plain = normalise(text)
    for rule in _rules_for(plain):
        for hit in islice(rule.pattern.finditer(plain), HITS):
            if why_not_ring(rule, plain, hit) is None:
                return Alarm(rule.kind, rule.name, hit[0])
    return None


def normalise(text: str) -> str:
    """Half width, lower case, Simplified where rules look, spaced-out characters joined, figures of speech blanked."""
    plain = text.translate(FOLDED).lower()
    plain = SPACED_OUT.sub(lambda run: re.sub(rf"(?!{HAN}).", "", run[0]), plain)
    return MASKS.sub("□", plain)


def why_not_ring(rule: Rule, text: str, hit: re.Match[str]) -> str | None:
    """Name the filter that takes a hit back, unless its sentence says that it is happening now."""
    before = SENTENCE_END.split(text[max(0, hit.start() - SENTENCE) : hit.start()])[-1]
    after = SENTENCE_END.split(text[hit.end() : hit.end() + SENTENCE], maxsplit=1)[0]
    sentence = f"{before}{hit[0]}{after}"
    if NOW.search(sentence):
        return None
    lead = before[-LEAD:]
    for each in FILTERS:
        speaks = (each.near and each.near.search(sentence)) or (each.before and each.before.search(lead))
        if speaks and rule.name not in each.spares:
            return each.name
    return None


def _rules_for(text: str) -> Iterator[Rule]:
    """Chinese rules where there is Chinese, Latin ones where there are Latin letters."""
    has_latin = re.search("[a-z]{2}", text) is not None
    has_han = not text.isascii()
    return (rule for rule in RULES if (has_latin if rule.is_latin else has_han))
