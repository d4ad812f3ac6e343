"""How a text sounds: 水管楼水, shuiguan loushui and 水管漏水 are the same syllables.

Dictation and southern speech confuse zh/z, ch/c, sh/s and -ng/-n, so these are one. Latin words that are no Pinyin have
no syllables here; they are cut into long pieces instead, which forgive an ending or a typing error.
"""

import os
import re
import unicodedata
from functools import lru_cache
from typing import Iterator, List, Optional, Tuple

os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")  # 25 MB of phrases, and we ask character by character
from pypinyin import lazy_pinyin
from pypinyin.constants import PINYIN_DICT

LONGEST_SYLLABLE = 6  # letters: zhuang
LONGEST_PINYIN = 24  # letters without a space; longer runs are no words anybody types
IN_A_ROW = 3  # syllables that make a term
PIECES = (5, 6)  # letters; shorter ones are among the character n-grams
RETROFLEX = re.compile("^([zcs])h")
NASAL = re.compile("ng$")
TOKENS = re.compile(r"[a-z]+|[^a-z\s]")
LATIN = re.compile(r"[a-z' ]{2,}")


def terms(text: str) -> List[str]:
    """Return the syllables of a text in lower case, alone and up to three in a row, and the pieces of Latin words."""
    syllables = [syllable for token in TOKENS.findall(text) for syllable in _syllables(token)]
    rows = [
        "|".join(syllables[start : start + length])
        for length in range(1, IN_A_ROW + 1)
        for start in range(len(syllables) - length + 1)
    ]
    return [*rows, *_pieces(text)]


def _pieces(text: str) -> Iterator[str]:
    for run in LATIN.findall(text):
        edged = f" {run.strip()} "
        for length in PIECES:
            yield from (edged[start : start + length] for start in range(len(edged) - length + 1))


@lru_cache(maxsize=50_000)  # the characters and words of a living language; a flood of nonsense pushes itself out
def _syllables(token: str) -> Tuple[str, ...]:
    """Return how a character or a Latin word sounds; what has no sound stands for itself."""
    if not token.isascii():
        return (_blurred(lazy_pinyin(token)[0]),)
    spelt = spell(token) if token.isalpha() else None
    return tuple(map(_blurred, spelt)) if spelt else (token,)


def spell(word: str) -> Optional[List[str]]:
    """Return a word in letters as the fewest Pinyin syllables, or None when it is none: "dianti" is dian, ti."""
    if len(word) > LONGEST_PINYIN:
        return None
    best: List[Optional[List[str]]] = [[], *[None] * len(word)]
    for start, before in enumerate(best):
        for end in range(start + 1, min(len(word), start + LONGEST_SYLLABLE) + 1):
            fewer = before is not None and (best[end] is None or len(best[end]) > len(before) + 1)
            if fewer and word[start:end] in _known():
                best[end] = [*before, word[start:end]]
    return best[-1]


@lru_cache(maxsize=1)
def _known() -> frozenset:
    """Return every syllable of Mandarin without its tone."""
    readings = {reading for every in PINYIN_DICT.values() for reading in every.split(",")}
    plain = (unicodedata.normalize("NFD", reading) for reading in readings)
    bare = ("".join(letter for letter in reading if letter.isascii()) for reading in plain)
    return frozenset(syllable for syllable in bare if syllable.isalpha())


def _blurred(syllable: str) -> str:
    return NASAL.sub("n", RETROFLEX.sub(r"\1", syllable))
