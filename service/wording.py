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
FLAGS = re.ASCII | re.MULTILINE  # ASCII: a word ends between Chinese and Latin letters
SHORTHAND = {"~": r"[^.!?;\n]{0,5}?", "_": "[ ,-]{1,2}", "*": "[a-z]*"}
APART = 16  # words between two that belong together whichever comes first
BREATH = 8  # words between two that belong together in their order
TOUCH = 2  # words between two that touch
COST = {" ": 0.0, ",": 1.0, "\n": 4.0} | dict.fromkeys(".!?;", 3.0)  # of a character between two words, in words
LATIN_COST = 0.25  # of a letter
SENTENCE_END = re.compile(r"[.!?;\n]")
STRETCH = 100  # characters of sentences that are weighed together
NEIGHBOURS = 4  # spans tried on either side


# --- Classes of words ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Words:
    """Alternatives in two scripts, each searched only where its script is."""

    han: tuple[re.Pattern[str], ...]
    latin: tuple[re.Pattern[str], ...]

    def search(self, text: str) -> bool:
        """Whether any of them stands in a text."""
        return any(each.search(text) for each in self.han + self.latin)

    def blank(self, text: str) -> str:
        """A text with a sign instead of any of them."""
        for each in self.han + self.latin:
            text = each.sub("□", text)
        return text


@cache
def words(source: str) -> Words:
    """Compile alternatives that stand between spaces; Latin ones are whole words, Chinese ones stand anywhere.

    Args:
        source: `_` is a space, `~` up to five characters of a sentence, `*` any ending of a Latin word, CAPITALS another
            class; anything else is a regular expression without spaces.
    """
    items = _items(source)
    return _compile(items)


@cache
def opened(source: str) -> tuple[tuple[str, ...], Words]:
    """The classes that a source names, and its own alternatives."""
    own = [item for item in source.split() if not CLASS.fullmatch(item)]
    return tuple(item for item in source.split() if CLASS.fullmatch(item)), words(" ".join(own))


def _compile(items: list[str]) -> Words:
    han = [item for item in items if HAS_HAN.search(item)]
    latin = [item for item in items if not HAS_HAN.search(item)]
    plain = [item for item in han if _starts_plainly(item)]
    odd = [item for item in han if not _starts_plainly(item)]
    return Words(
        han=tuple(re.compile(source, FLAGS) for source in (_branches(plain), "|".join(odd)) if source),
        latin=(re.compile(rf"\b(?:{_branches(latin)})\b", FLAGS),) if latin else (),
    )


def _starts_plainly(item: str) -> bool:
    return item[0].isalpha() and item[1:2] not in ("?", "{")


def _branches(items: list[str]) -> str:
    """Alternatives with the same first letter share a branch: without it every letter of a text tries hundreds."""
    branches: dict[str, list[str]] = {}
    for item in items:
        first = item[0] if _starts_plainly(item) else ""
        branches.setdefault(first, []).append(item[len(first) :])
    return "|".join(f"{first}(?:{'|'.join(rest)})" for first, rest in branches.items())


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


# --- Words that stand together ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Frame:
    """Parts of a meaning, and how each follows: `+` close to those before it, `>` soon after the last one, `>>` at once."""

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
            classes, own = opened(source)
            patterns = (own.han if self._has_han else ()) + (own.latin if self._has_latin else ())
            found = [hit.span() for each in patterns for hit in each.finditer(self.text)]
            for name in classes:
                found += self.spans(TABLE["words"][name])
            self._spans[source] = sorted(found)
        return self._spans[source]

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
        spans = self.spans(TABLE["words"][name])
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
        """The spans close enough to those already found: after the last one, or on any side of all; the nearest first."""
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


# --- Spelling --------------------------------------------------------------------------------------------------------

FOLDED = str.maketrans(
    {full: full - 0xFEE0 for full in range(0xFF01, 0xFF5F)}
    | dict.fromkeys(map(ord, TABLE["invisible"]), None)
    | {ord(sign): plain for sign, plain in TABLE["written_otherwise"].items()}
    | {ord(pair[0]): pair[1] for pair in TABLE["traditional"].split()}
)
SPACED_OUT = re.compile(rf"(?<!{HAN}){HAN}(?:[ .,·~_*-]{{1,3}}{HAN}(?!{HAN})){{2,}}")
DRAWN_OUT = re.compile(r"([a-z])\1{2,}")
MISSPELT = re.compile("|".join(f"(?P<{right}>{words(wrong).latin[0].pattern})" for right, wrong in TABLE["misspelt"].items()), FLAGS)


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
