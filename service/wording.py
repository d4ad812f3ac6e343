"""Words of danger in a resident's writing: however they are spelt, and which classes of words stand close together.

Spellings and classes are data in wording.yml; what they mean together is said in emergency.yml.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import accumulate
from pathlib import Path
from typing import Any

import yaml

Span = tuple[int, int]

TABLE: dict[str, Any] = yaml.safe_load(Path(__file__).with_suffix(".yml").read_text("utf-8"))
HAN = "[\u4e00-\u9fff]"
HAS_HAN = re.compile(HAN)
HAS_LATIN = re.compile("[a-z0-9]{2}")
CLASS = re.compile("[A-Z]{2,}")
SHORTHAND = {"~": r"[^.!?;\n]{0,5}?", "_": "[ ,-]{1,2}", "*": "[a-z]*"}
APART = 16  # words between two that belong together whichever comes first
BREATH = 8  # words between two that belong together in their order
COST = {" ": 0.0, ",": 1.0, "\n": 4.0} | dict.fromkeys(".!?;", 3.0)  # of a character between two words, in words
LATIN_COST = 0.25  # of a letter
NEIGHBOURS = 4  # spans tried on either side


# --- Classes of words ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Words:
    """One meaning in two scripts, each searched only where its script is."""

    han: re.Pattern[str] | None
    latin: re.Pattern[str] | None

    def search(self, text: str) -> bool:
        """Whether any of them stands in a text."""
        return any(each.search(text) for each in (self.han, self.latin) if each)


@cache
def words(source: str) -> Words:
    """Compile alternatives that stand between spaces; Latin ones are whole words, Chinese ones stand anywhere.

    Args:
        source: `_` is a space, `~` up to five characters of a sentence, `*` any ending of a Latin word, CAPITALS another
            class; anything else is a regular expression without spaces.
    """
    items = _items(source)
    return Words(
        han=_compile("|".join(item for item in items if HAS_HAN.search(item))),
        latin=_compile(_by_first_letter([item for item in items if not HAS_HAN.search(item)])),
    )


def _compile(source: str) -> re.Pattern[str] | None:
    return re.compile(source, re.ASCII | re.MULTILINE) if source else None


def _items(source: str) -> list[str]:
    """The alternatives of a source, with the classes it names opened up."""
    found: list[str] = []
    for item in source.split():
        if CLASS.fullmatch(item):
            found += _items(TABLE["words"][item])
        else:
            plain = CLASS.sub(lambda name: f"(?:{'|'.join(_items(TABLE['words'][name[0]]))})", item)
            found.append(re.sub(r"[~_]|(?<=[a-z)])\*", lambda short: SHORTHAND[short[0]], plain))
    return found


def _by_first_letter(items: list[str]) -> str:
    """Whole Latin words; those with the same first letter share a branch, or every word of a text tries hundreds."""
    branches: dict[str, list[str]] = {}
    for item in items:
        first = item[0] if item[0].isalpha() and item[1:2] not in ("?", "{", "|") and "|" not in item else ""
        branches.setdefault(first, []).append(item[len(first) :])
    return rf"\b(?:{'|'.join(f'{first}(?:{chr(124).join(rest)})' for first, rest in branches.items())})\b" if items else ""


# --- Words that stand together ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Frame:
    """Parts of a meaning, and how each follows: `+` close to those before it, `>` soon after the one before it."""

    parts: tuple[str, ...]
    joints: tuple[str, ...]


def frame(line: str) -> Frame:
    """Read a line of the rules: `A > B + C`."""
    first, *rest = re.split(r" ([+>]) ", line)
    return Frame(parts=(first, *rest[1::2]), joints=tuple(rest[::2]))


def with_plea(weak: Frame) -> Frame:
    """A weaker frame that is meant seriously: a plea for help or somebody's distress stands next to it."""
    return Frame(parts=(*weak.parts, "URGE HARM"), joints=(*weak.joints, "+"))


class Reading:
    """A text as the rules see it, and where each class of words stands in it; a class is looked for only once."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._has_han = HAS_HAN.search(text) is not None
        self._has_latin = HAS_LATIN.search(text) is not None
        self._spans: dict[str, list[Span]] = {}

    @cached_property
    def _worth(self) -> list[float]:
        """How many words stand before each character."""
        return list(accumulate((COST.get(sign, LATIN_COST if sign.isascii() else 1.0) for sign in self.text), initial=0))

    def spans(self, source: str) -> list[Span]:
        """Where words stand, from left to right."""
        if source not in self._spans:
            both = words(source)
            scripts = (both.han if self._has_han else None, both.latin if self._has_latin else None)
            self._spans[source] = sorted(hit.span() for each in scripts if each for hit in each.finditer(self.text))
        return self._spans[source]

    def find(self, wanted: Frame) -> Iterator[list[Span]]:
        """Every place where the parts of a frame stand as they should, one for each place of the first part."""
        found = [self.spans(part) for part in wanted.parts if self.spans(part)]
        if len(found) == len(wanted.parts):
            chains = (self._follow([first], found[1:], wanted.joints) for first in found[0])
            yield from (chain for chain in chains if chain)

    def _follow(self, chain: list[Span], rest: list[list[Span]], joints: tuple[str, ...]) -> list[Span] | None:
        if not rest:
            return chain
        for each in self._candidates(chain, rest[0], joints[0]):
            if whole := self._follow([*chain, each], rest[1:], joints[1:]):
                return whole
        return None

    def _candidates(self, chain: list[Span], spans: list[Span], joint: str) -> list[Span]:
        """The spans close enough to those already found: after the last one, or on any side of all; the nearest first."""
        start, end = (chain[-1][1],) * 2 if joint == ">" else (min(chain)[0], max(last for _, last in chain))
        near = spans[max(0, bisect_left(spans, (start, 0)) - NEIGHBOURS) : bisect_left(spans, (end, 0)) + NEIGHBOURS]
        reach = BREATH if joint == ">" else APART
        return sorted(
            (each for each in near if (each[0] >= start or joint == "+") and self._is_free(each, chain) and self._gap(each, start, end) <= reach),
            key=lambda each: self._gap(each, start, end),
        )

    def _gap(self, span: Span, start: int, end: int) -> float:
        """Words between a span and a stretch of the text."""
        return max(0.0, self._worth[span[0]] - self._worth[end], self._worth[start] - self._worth[span[1]])

    @staticmethod
    def _is_free(span: Span, chain: list[Span]) -> bool:
        return all(span[1] <= first or last <= span[0] for first, last in chain)


# --- Spelling --------------------------------------------------------------------------------------------------------

FOLDED = str.maketrans(
    {full: full - 0xFEE0 for full in range(0xFF01, 0xFF5F)}
    | dict.fromkeys(map(ord, TABLE["invisible"]), None)
    | {ord(sign): plain for sign, plain in TABLE["written_otherwise"].items()}
    | {ord(pair[0]): pair[1] for pair in TABLE["traditional"].split()}
)
SPACED_OUT = re.compile(rf"(?<!{HAN}){HAN}(?:[ .,·~_*-]{{1,3}}{HAN}(?!{HAN})){{2,}}")
DRAWN_OUT = re.compile(r"([a-z])\1{2,}")
SPELT = {right: words(wrong).latin for right, wrong in TABLE["misspelt"].items()}
MISSPELT = re.compile("|".join(f"(?P<{right}>{wrong.pattern})" for right, wrong in SPELT.items() if wrong), re.ASCII)


def _sounds(table: str) -> dict[str, str]:
    """Each character of a table of sounds, and its sound."""
    return {sign: sound for sound, _, signs in (row.partition(":") for row in table.split()) for sign in signs}


def _as_it_sounds(sounds: dict[str, str]) -> dict[int, str]:
    """For str.translate: one sign for all characters of a sound."""
    return {ord(sign): BY_SOUND[sound] for sign, sound in sounds.items()}


def _by_sound(heard: str, sounds: dict[int, str]) -> tuple[dict[str, str], re.Pattern[str]]:
    """Words by their sounds, and a pattern of those sounds, the longest first."""
    found = {word.translate(sounds): word for word in heard.split()}
    return found, re.compile("|".join(sorted(found, key=len, reverse=True)))


IN_CHARACTERS, IN_PINYIN = _sounds(TABLE["sounds"]), _sounds(f"{TABLE['also_in_pinyin']} {TABLE['sounds']}")
BY_SOUND = {sound: sign for sign, sound in IN_PINYIN.items()}
SOUNDS = _as_it_sounds(IN_CHARACTERS)
HEARD, HEARD_WORDS = _by_sound(TABLE["heard"], SOUNDS)
PINYIN, PINYIN_WORDS = _by_sound(f"{TABLE['pinyin']} {TABLE['heard']}", _as_it_sounds(IN_PINYIN))
REAL_WORDS = frozenset(TABLE["real_words"].split())
LATIN_RUN = re.compile("[a-z]+(?: ?[a-z]+)*")
SYLLABLE = re.compile(
    "(?:[zcs]h|[bpmfdtnlgkhjqxrzcsyw])?(?:iao|uai|[aeu]i|[aeiu]o|ou|i[aeu]|u[ae]|[aeiouv])"
    "(?:ng(?![aeiou])|n(?![aeiougv])|r(?![aeiou]))?"
)
APART_HAN = re.compile(f"(?<={HAN}) (?={HAN})")


def plain(text: str) -> str:
    """Half width, lower case, Simplified where rules look, no apostrophes, spelt as it should be."""
    text = DRAWN_OUT.sub(r"\1", text.translate(FOLDED).lower())
    text = SPACED_OUT.sub(lambda run: re.sub(rf"(?!{HAN}).", "", run[0]), text)
    if HAS_LATIN.search(text):
        text = MISSPELT.sub(lambda wrong: wrong.lastgroup or "", text)
        text = LATIN_RUN.sub(lambda run: _from_pinyin(run[0]), text)
    return _as_heard(text) if HAS_HAN.search(text) else text


def _as_heard(text: str) -> str:
    """Chinese words typed by ear or by voice, as they should be written."""
    right = list(text)
    for hit in HEARD_WORDS.finditer(text.translate(SOUNDS)):
        if text[hit.start() : hit.end()] not in REAL_WORDS:
            right[hit.start() : hit.end()] = HEARD[hit[0]]
    return "".join(right)


def _from_pinyin(run: str) -> str:
    """Words of danger in a run of pinyin, in Chinese; English stays as it is."""
    syllables = [syllable for word in run.split() for syllable in _syllables(word)]
    sounds = "".join(BY_SOUND.get(syllable, "·") for syllable in syllables)
    for hit in PINYIN_WORDS.finditer(sounds):
        syllables[hit.start() : hit.end()] = PINYIN[hit[0]]
    spelt = APART_HAN.sub("", " ".join(syllables))
    return spelt if HAS_HAN.search(spelt) else run


def _syllables(word: str) -> list[str]:
    """A word of pinyin in its syllables; any other word as it is."""
    found = SYLLABLE.findall(word)
    return found if "".join(found) == word else [word]
