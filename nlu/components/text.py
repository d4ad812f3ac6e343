"""What residents type, made even: one width, one script, no invisible characters.

Every mapping is one character to one character, so an offset found in the normalised text is an offset in the text as
it was typed.
"""

import re
import unicodedata
from functools import lru_cache

import opencc

INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})  # controls, zero-width, lone surrogates, unassigned
REPEATED = re.compile(r"(.)\1{2,}")
DIGITS = re.compile(r"\d+")
SPACES = re.compile(r"\s+")


@lru_cache(maxsize=1)
def _to_simplified() -> opencc.OpenCC:
    """Load the Traditional to Simplified tables once."""
    return opencc.OpenCC("t2s")


class _Evened(dict):
    """A translation table that learns a character the first time it is seen."""

    def __missing__(self, code: int) -> str:
        self[code] = _evened(chr(code))
        return self[code]


def _evened(character: str) -> str:
    """Return the one plain character that stands for this one."""
    if unicodedata.category(character) in INVISIBLE:
        return " "
    narrow = unicodedata.normalize("NFKC", character)
    if len(narrow) != 1:
        return character
    if narrow.isdecimal():
        return str(unicodedata.decimal(narrow))
    simplified = _to_simplified().convert(narrow)
    return simplified if len(simplified) == 1 else narrow


_TABLE = _Evened()


def normalise(text: str) -> str:
    """Return the text in half width, Simplified, with plain digits and nothing invisible, exactly as long as it was."""
    return text.translate(_TABLE)


def squeeze(normal: str) -> str:
    """Return what the classifier should see: small letters, any number as one 0, "啊啊啊啊啊" as "啊啊".

    Room and phone numbers say nothing about what somebody wants, but that there is a number does.
    """
    even = REPEATED.sub(r"\1\1", SPACES.sub(" ", normal.lower()).strip())
    return DIGITS.sub("0", even)


def language_of(text: str) -> str:
    """Return zh when there is a Chinese character, en otherwise."""
    return "zh" if any("\u4e00" <= character <= "\u9fff" for character in text) else "en"
