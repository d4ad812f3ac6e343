"""Finds places, times, phones, fixtures and names by the rules in nlu/lexicon: pure text in, spans out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Optional

from ruamel.yaml import YAML

# Where two rules want the same characters, the label that comes first here has them.
STRENGTH = ("phone", "time", "location", "name", "fixture")
LEXICON = Path(__file__).resolve().parent.parent / "lexicon"


class Span(NamedTuple):
    """A found piece: characters `start` up to `end`, what it is and what it says."""

    start: int
    end: int
    label: str
    value: str


def read_lexicon(folder: Path = LEXICON) -> List[Dict[str, Any]]:
    """Read the rule files, strongest label first."""
    yaml = YAML(typ="safe")
    return [yaml.load(folder / f"{label}.yml") for label in STRENGTH]


def read_words(folder: Path = LEXICON) -> List[str]:
    """Read the words that are not to be cut."""
    return YAML(typ="safe").load(folder / "words.yml")


class Rules:
    """The compiled rules of one lexicon."""

    def __init__(self, lexicon: List[Dict[str, Any]]) -> None:
        """Compile every label's patterns once.

        Args:
            lexicon: what `read_lexicon` returns: label, names, patterns, terms, join, keep per rule file.
        """
        self.labels = [_Label(rules) for rules in lexicon]

    def find(self, normal: str) -> List[Span]:
        """Return the spans in reading order; no two share a character."""
        taken: List[Span] = []
        for label in self.labels:
            taken += [span for span in label.find(normal) if not any(_overlap(span, other) for other in taken)]
        return sorted(taken)


class _Label:
    """The rules of one label."""

    def __init__(self, rules: Dict[str, Any]) -> None:
        self.name = rules["label"]
        self.keep = re.compile(rules["keep"]) if "keep" in rules else None
        self.join = re.compile(rules["join"]) if "join" in rules else None
        self.patterns = [
            re.compile(_expand(pattern, rules.get("names", {})), re.IGNORECASE) for pattern in rules["patterns"]
        ]
        if rules.get("terms"):
            self.patterns.append(re.compile("|".join(_alternatives(rules["terms"])), re.IGNORECASE))

    def find(self, normal: str) -> Iterator[Span]:
        """Yield this label's spans; pieces that overlap or stand together are one."""
        for start, end in _merged(self._pieces(normal), self.join, normal):
            yield Span(start, end, self.name, self._value(normal[start:end]))

    def _pieces(self, normal: str) -> Iterator[tuple]:
        for pattern in self.patterns:
            group = "value" if "value" in pattern.groupindex else 0
            yield from (match.span(group) for match in pattern.finditer(normal) if match.group(group))

    def _value(self, surface: str) -> str:
        return "".join(self.keep.findall(surface)) if self.keep else surface


def _expand(pattern: str, names: Dict[str, str]) -> str:
    """Replace <name> in a pattern by the named building block, and building blocks inside it likewise."""
    while True:
        expanded = re.sub(r"(?<!\(\?P)<(\w+)>", lambda found: f"(?:{names[found[1]]})", pattern)
        if expanded == pattern:
            return pattern
        pattern = expanded


def _alternatives(terms: Iterable[str]) -> Iterator[str]:
    """Yield the terms longest first; a Latin one matches as a whole word, with or without its plural."""
    for term in sorted(terms, key=len, reverse=True):
        latin = term.isascii()
        yield rf"(?<![a-z]){re.escape(term)}(?:e?s)?(?![a-z])" if latin else re.escape(term)


def _merged(pieces: Iterable[tuple], join: Optional[re.Pattern], normal: str) -> List[tuple]:
    """Make one of pieces that overlap, or that only a `join` parts."""
    merged: List[tuple] = []
    for start, end in sorted(pieces):
        if merged and _together(merged[-1][1], start, join, normal):
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _together(end: int, start: int, join: Optional[re.Pattern], normal: str) -> bool:
    return start < end or (join is not None and join.fullmatch(normal, end, start) is not None)


def _overlap(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end
