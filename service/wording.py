"""Classes of words in a text, and which of them stand close together (for the tripwire).

Classes are data in wording.yml; what they mean together is said in emergency.yml.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import accumulate
from pathlib import Path

import yaml

from service.spelling import HAS_HAN

Span = tuple[int, int]

CLASSES: dict[str, str] = yaml.safe_load(Path(__file__).with_suffix(".yml").read_text("utf-8"))
CLASS = re.compile("[A-Z]{2,}")
FLAGS = re.ASCII | re.MULTILINE  # ASCII: a word ends between Chinese and Latin letters
SHORTHAND = {"~": r"[^.!?;\n]{0,5}?", "_": "[ ,-]{1,2}", "*": "[a-z]*"}
SENTENCE_END = re.compile(r"[.!?;\n]")
LATIN_WORD = re.compile("[a-z0-9]+")
OPENING_GROUP = re.compile(r"(?:\(\?<[!=][^()]*\))*(?:\[([^\]\\^-]+)\]|\(\?:([^()\[\]]+)\)|(\w))(?![?{*])")
OPENING = 2  # letters of a Latin word that tell whether a text can have it
STRETCH = 100  # characters of sentences that are weighed together
APART = 16  # words between two that belong together whichever comes first
BREATH = 8  # words between two that belong together in their order
TOUCH = 2  # words between two that touch
COST = {" ": 0.0, ",": 1.0, "\n": 4.0} | dict.fromkeys(".!?;", 3.0)  # of a character between two words, in words
LATIN_COST = 0.25  # of a letter
NEIGHBOURS = 4  # spans tried on either side


# --- Classes of words ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Alternatives:
    """A pattern, and how its alternatives open; None when some may open in any way."""

    pattern: re.Pattern[str]
    openings: frozenset[str] | None


@dataclass(frozen=True)
class Words:
    """Alternatives of one meaning, Chinese and Latin."""

    parts: tuple[Alternatives, ...]

    def search(self, text: str) -> bool:
        """Whether any of them stands in a text."""
        return any(each.pattern.search(text) for each in self.parts)

    def blank(self, text: str) -> str:
        """A text with a sign instead of any of them."""
        for each in self.parts:
            text = each.pattern.sub("□", text)
        return text


@cache
def words(source: str) -> Words:
    """Compile alternatives that stand between spaces, in the notation of wording.yml."""
    items = _items(source)
    latin = [item for item in items if not HAS_HAN.search(item)]
    han = [item for item in items if HAS_HAN.search(item)]
    plain, odd = [item for item in han if _opening(item, 1)], [item for item in han if not _opening(item, 1)]
    parts = [Alternatives(re.compile(_branches(plain), FLAGS), _openings(plain, 1))] if plain else []
    parts += [Alternatives(re.compile(item, FLAGS), _group_openings(item)) for item in odd]
    if latin:
        parts.append(Alternatives(re.compile(rf"\b(?:{_branches(latin)})\b", FLAGS), _openings(latin, OPENING)))
    return Words(tuple(parts))


def _opening(item: str, length: int) -> str:
    """The first letters of an alternative, empty when they are not certain."""
    first = item[:length]
    return first if first.isalpha() and item[length : length + 1] not in ("?", "{", "*") else ""


def _openings(items: list[str], length: int) -> frozenset[str] | None:
    found = frozenset(_opening(item, length) for item in items)
    return None if "" in found else found


def _group_openings(item: str) -> frozenset[str] | None:
    """How an alternative opens that begins with a group of letters or words, whatever must not stand before it."""
    group = OPENING_GROUP.match(item)
    if group is None:
        return None
    letters, words, single = group.groups()
    return frozenset(letters or single or "") or _openings(words.split("|"), 1)


def _branches(items: list[str]) -> str:
    """Alternatives with the same first letter share a branch: without it every letter of a text tries hundreds."""
    branches: dict[str, list[str]] = {}
    for item in items:
        first = _opening(item, 1)
        branches.setdefault(first, []).append(item[len(first) :])
    return "|".join(f"{first}(?:{'|'.join(rest)})" for first, rest in branches.items())


@cache
def opened(source: str) -> tuple[tuple[str, ...], Words]:
    """The classes that a source names, and its own alternatives."""
    own = [item for item in source.split() if not CLASS.fullmatch(item)]
    return tuple(item for item in source.split() if CLASS.fullmatch(item)), words(" ".join(own))


def _items(source: str) -> list[str]:
    """The alternatives of a source, with the classes it names opened up."""
    found: list[str] = []
    for item in source.split():
        if CLASS.fullmatch(item):
            found += _items(CLASSES[item])
        else:
            plain = CLASS.sub(lambda name: f"(?:{'|'.join(_items(CLASSES[name[0]]))})", item)
            found.append(re.sub(r"[~_]|(?<=[a-z)])\*", lambda short: SHORTHAND[short[0]], plain))
    return found


# --- Words that stand together ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Frame:
    """Parts of a meaning; each stands close to those before (`+`), soon after the last (`>`) or right after (`>>`)."""

    parts: tuple[str, ...]
    joints: tuple[str, ...]

    @cached_property
    def rarest_first(self) -> list[str]:
        """The parts in the order to look for them: most texts lack the one with the fewest words."""
        return sorted(self.parts, key=lambda part: len(_items(part)))


def frame(line: str) -> Frame:
    """Read a line of the rules: `A > B + C`."""
    first, *rest = re.split(r" (\+|>>?) ", line)
    return Frame(parts=(first, *rest[1::2]), joints=tuple(rest[::2]))


def with_plea(weak: Frame) -> Frame:
    """A weaker frame that is meant seriously: a plea for help or somebody's distress stands next to it."""
    return Frame(parts=(*weak.parts, "URGE HARM"), joints=(*weak.joints, "+"))


class Reading:
    """A text as the rules see it, and where each class of words stands in it; a class is looked for only once."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._openings = set(text) | {word[:OPENING] for word in LATIN_WORD.findall(text)}
        self._spans: dict[str, list[Span]] = {}

    @cached_property
    def _worth(self) -> list[float]:
        """How many words stand before each character."""
        costs = (COST.get(sign, LATIN_COST if sign.isascii() else 1.0) for sign in self.text)
        return list(accumulate(costs, initial=0))

    def spans(self, source: str) -> list[Span]:
        """Where words stand, from left to right."""
        if source not in self._spans:
            classes, own = opened(source)
            likely = (each.pattern for each in own.parts if self._may_have(each))
            found = [hit.span() for pattern in likely for hit in pattern.finditer(self.text)]
            for name in classes:
                found += self.spans(CLASSES[name])
            self._spans[source] = sorted(found)
        return self._spans[source]

    def _may_have(self, words: Alternatives) -> bool:
        return words.openings is None or not words.openings.isdisjoint(self._openings)

    @cached_property
    def stretches(self) -> list[Span]:
        """The text cut at the ends of sentences, short sentences kept together."""
        ends = [hit.end() for hit in SENTENCE_END.finditer(self.text)] + [len(self.text)]
        cut, start = [], 0
        for end, following in zip(ends, [*ends[1:], None], strict=True):
            if following is None or following - start > STRETCH:
                cut.append((start, end))
                start = end
        return [span for span in cut if span[0] < span[1]]

    def has(self, name: str, stretch: Span) -> bool:
        """Whether a word of a class begins in a stretch."""
        spans = self.spans(CLASSES[name])
        at = bisect_left(spans, (stretch[0], 0))
        return at < len(spans) and spans[at][0] < stretch[1]

    def find(self, wanted: Frame) -> Iterator[list[Span]]:
        """Every place where the parts of a frame stand as they should, one for each place of the first part."""
        if all(map(self.spans, wanted.rarest_first)):
            first, *rest = map(self.spans, wanted.parts)
            chains = (self._follow([span], rest, wanted.joints) for span in first)
            yield from (chain for chain in chains if chain)

    def _follow(self, chain: list[Span], rest: list[list[Span]], joints: tuple[str, ...]) -> list[Span] | None:
        if not rest:
            return chain
        for each in self._candidates(chain, rest[0], joints[0]):
            if whole := self._follow([*chain, each], rest[1:], joints[1:]):
                return whole
        return None

    def _candidates(self, chain: list[Span], spans: list[Span], joint: str) -> list[Span]:
        """The spans close enough to those already found, after the last or on any side of all; the nearest first."""
        if joint == "+":
            start, end, reach = min(chain)[0], max(last for _, last in chain), APART
        else:
            start, end, reach = chain[-1][1], chain[-1][1], BREATH if joint == ">" else TOUCH
        at, after = bisect_left(spans, (start, 0)), bisect_left(spans, (end, 0))
        near = spans[max(0, at - NEIGHBOURS) if joint == "+" else at : after + NEIGHBOURS]
        gaps = ((self._gap(each, start, end), each) for each in near if _is_free(each, chain))
        return [each for gap, each in sorted(gaps) if gap <= reach]

    def _gap(self, span: Span, start: int, end: int) -> float:
        """Words between a span and a stretch of the text."""
        return max(0.0, self._worth[span[0]] - self._worth[end], self._worth[start] - self._worth[span[1]])


def _is_free(span: Span, chain: list[Span]) -> bool:
    return all(span[1] <= first or last <= span[0] for first, last in chain)
