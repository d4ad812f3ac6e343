"""Finds places, times, phones, fixtures and names by the rules in nlu/lexicon: pure text in, spans out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ruamel.yaml import YAML

from components.words import Words, pattern_of

# Where two rules want the same characters, the label that comes first here has them.
STRENGTH = ("phone", "time", "location", "name", "fixture")
LEXICON = Path(__file__).resolve().parent.parent / "lexicon"
BLANK = "\ufffc"  # no rule matches it
CONTEXT = 24  # characters before a piece that `lead` and `not_behind` look at

Piece = Tuple[int, int]


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
            lexicon: what `read_lexicon` returns; nlu/lexicon/README.md explains the keys.
        """
        self.labels = [_Label(rules) for rules in lexicon]

    def find(self, normal: str) -> List[Span]:
        """Return the spans in reading order; no two share a character."""
        taken: List[Span] = []
        for label in self.labels:
            taken = sorted([*taken, *label.find(normal, taken)])
        return taken


class _Label:
    """The rules of one label."""

    def __init__(self, rules: Dict[str, Any]) -> None:
        names = {
            name: block if isinstance(block, str) else pattern_of(block)
            for name, block in rules.get("names", {}).items()
        }
        self.name = rules["label"]
        self.patterns = [_compiled(pattern, names) for pattern in rules["patterns"]]
        self.words = Words(rules.get("terms", ()))
        self.never = frozenset(rules.get("never", ()))
        self.hidden = rules.get("hidden", False)
        self.spelt = rules.get("spelt", {})
        self.keep, self.join, self.lead, self.tail, self.not_behind, self.not_before = (
            _compiled(rules[key], names) if key in rules else None
            for key in ("keep", "join", "lead", "tail", "not_behind", "not_before")
        )

    def find(self, normal: str, taken: Sequence[Span]) -> Iterator[Span]:
        """Yield this label's spans; pieces that overlap or stand together are one.

        Args:
            normal: normalised text.
            taken: the spans of stronger labels in reading order.
        """
        pieces = _merged(self._fitting(normal, taken), self.join, normal)
        if self.lead or self.tail:
            pieces = _merged([self._longer(piece, normal, taken) for piece in pieces], self.join, normal)
        for start, end in pieces:
            yield Span(start, end, self.name, self._value(normal[start:end]))

    def _fitting(self, normal: str, taken: Sequence[Span]) -> List[Piece]:
        """Return the pieces that nobody has taken and that mean what they seem to."""
        seen = _without(taken, normal) if self.hidden else normal
        return [
            piece
            for piece in self._pieces(seen)
            if self._means_it(piece, normal) and not any(_overlap(piece, span) for span in taken)
        ]

    def _pieces(self, normal: str) -> Iterator[Piece]:
        for pattern in self.patterns:
            for match in pattern.finditer(normal):
                group = "value" if match.groupdict().get("value") else 0  # only one of two ways may name it
                if match[group] and match[group].lower() not in self.never:
                    yield match.span(group)
        yield from self.words.find(normal)

    def _means_it(self, piece: Piece, normal: str) -> bool:
        """Whether the words around a piece leave it its meaning."""
        start, end = piece
        if self.not_before and self.not_before.match(normal, end):
            return False
        return not (self.not_behind and self.not_behind.search(normal[max(0, start - CONTEXT) : start]))

    def _longer(self, piece: Piece, normal: str, taken: Sequence[Span]) -> Piece:
        """Add to a piece what stands around it and belongs to it, but nothing that is taken."""
        start, end = piece
        floor = max((span.end for span in taken if span.end <= start), default=0)
        wall = min((span.start for span in taken if span.start >= end), default=len(normal))
        before = self.lead.search(normal, max(floor, start - CONTEXT), start) if self.lead else None
        after = self.tail.match(normal, end, wall) if self.tail else None
        return before.start("value") if before else start, after.end() if after else end

    def _value(self, surface: str) -> str:
        surface = surface.lower() if self.spelt else surface
        for written, meant in self.spelt.items():
            surface = surface.replace(written, meant)
        return "".join(self.keep.findall(surface)) if self.keep else surface


def _compiled(pattern: str, names: Mapping[str, str]) -> re.Pattern:
    """Put the building blocks where a pattern says <name>, and building blocks inside them likewise."""
    while True:
        expanded = re.sub(r"(?<!\(\?P)<(\w+)>", lambda found: f"(?:{names[found[1]]})", pattern)
        if expanded == pattern:
            return re.compile(pattern, re.IGNORECASE)
        pattern = expanded


def _merged(pieces: Iterable[Piece], join: Optional[re.Pattern], normal: str) -> List[Piece]:
    """Make one of pieces that overlap, or that only a `join` parts."""
    merged: List[Piece] = []
    for start, end in sorted(pieces):
        if merged and _together(merged[-1][1], start, join, normal):
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _together(end: int, start: int, join: Optional[re.Pattern], normal: str) -> bool:
    return start < end or (join is not None and join.fullmatch(normal, end, start) is not None)


def _without(taken: Sequence[Span], normal: str) -> str:
    """Return the text with blanks where something has been found."""
    for span in taken:
        normal = f"{normal[: span.start]}{BLANK * (span.end - span.start)}{normal[span.end :]}"
    return normal


def _overlap(piece: Piece, span: Span) -> bool:
    return piece[0] < span.end and span.start < piece[1]
