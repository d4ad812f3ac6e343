"""What a question is compared by: characters of Chinese and their pairs, words of English, and how Chinese sounds.

Sounds are for what nobody has written down: a word typed by ear, or in pinyin. Tables are in knowledge_words.yml.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml
from pypinyin import lazy_pinyin

from service import spelling

TABLE: dict[str, Any] = yaml.safe_load(Path(__file__).with_suffix(".yml").read_text("utf-8"))
LONGEST = 300  # characters of a question that are read
HAN = re.compile(rf"{spelling.HAN}+")
PIECES = re.compile(rf"{spelling.HAN}+|[a-z]+(?: [a-z]+)*|\d{{3,}}")
ENDING = re.compile(r"(?<=\w{3})(?:ations?|ates?|ing|ed|es|s|e)$")
SILENT = frozenset(TABLE["silent"]["en"])
COURTESY = re.compile("|".join(sorted(TABLE["silent"]["zh"], key=len, reverse=True)))
SOUND = "~"  # before two syllables, so that no word is taken for them

Known = Callable[[str], bool]


def features(text: str) -> Counter[str]:
    """Everything a written question or answer can be found by."""
    found: Counter[str] = Counter()
    for piece in _pieces(text):
        if HAN.match(piece):
            found.update(piece)
            found.update(map("".join, pairwise(piece)))
            found.update(_sounds(list(map(_syllable, piece))))
        else:
            found.update(_stems(piece))
    return found


def asked(text: str, known: Known) -> Counter[str]:
    """What a resident's question asks for; a pair of characters that is not known counts by its sound if that is.

    Args:
        text: the question, of which `LONGEST` characters are read.
        known: whether any entry has a feature.
    """
    found: Counter[str] = Counter()
    for piece in _pieces(text[:LONGEST]):
        if HAN.match(piece):
            found.update(piece)
            pairs = list(map("".join, pairwise(piece)))
            sounds = _sounds(list(map(_syllable, piece))) if not all(map(known, pairs)) else pairs
            found.update(
                sound if not known(pair) and known(sound) else pair for pair, sound in zip(pairs, sounds, strict=True)
            )
        else:
            found.update(_typed_in_pinyin(piece, known) or _stems(piece))
    return found


def gist(text: str) -> str:
    """A question without courtesy and marks, in the words that stand for others: to see whether two are the same."""
    return "".join(_pieces(text[:LONGEST]))


def _pieces(text: str) -> list[str]:
    plain = COURTESY.sub(" ", text.translate(spelling.FOLDED).lower())
    return PIECES.findall(_same().sub(lambda word: _first()[word[0]], plain))


def _stems(words: str) -> list[str]:
    """Words of English without their endings, and their pairs; a number as it is."""
    stems = [ENDING.sub("", word) for word in words.split() if word not in SILENT]
    return [*stems, *map(" ".join, pairwise(stems))]


@cache
def _syllable(sign: str) -> str:
    """The sound of a character by itself; which of several it has in a word does not matter, both sides read it so."""
    sound: str = lazy_pinyin(sign)[0]
    return sound


def _sounds(syllables: Sequence[str]) -> list[str]:
    return [f"{SOUND}{first}{second}" for first, second in pairwise(syllables)]


def _typed_in_pinyin(words: str, known: Known) -> list[str]:
    """The sounds of a run of Latin letters if most of them are known; English hardly ever sounds like Chinese."""
    syllables = [syllable for word in words.split() for syllable in spelling.SYLLABLE.findall(word)]
    if sum(map(len, syllables)) < len(words.replace(" ", "")):
        return []
    sounds = _sounds(syllables)
    heard = [sound for sound in sounds if known(sound)]
    return sounds if 2 * len(heard) > len(sounds) else []


@cache
def _first() -> dict[str, str]:
    return {word: row[0] for row in TABLE["same"] for word in row}


@cache
def _same() -> re.Pattern[str]:
    """Any word of the table, the longest first; the Latin ones stand alone."""
    words = sorted(_first(), key=len, reverse=True)
    return re.compile("|".join(rf"\b{word}\b" if word.isascii() else word for word in words), re.ASCII)
