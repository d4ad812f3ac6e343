"""Plain spelling of what residents type: one width, case and script, and the words they meant (for the tripwire).

Tables are in spelling.yml.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

TABLE: dict[str, Any] = yaml.safe_load(Path(__file__).with_suffix(".yml").read_text("utf-8"))
HAN = "[\u4e00-\u9fff]"
HAS_HAN = re.compile(HAN)
HAS_LATIN = re.compile("[a-z]{2}")
SPACED_OUT = re.compile(rf"(?<!{HAN}){HAN}(?:[ .,·~_*-]{{1,3}}{HAN}(?!{HAN})){{2,}}")
BETWEEN_HAN = re.compile(f"(?<={HAN}) (?={HAN})")
DRAWN_OUT = re.compile(r"([a-z])\1{2,}")
PINYIN_RUN = re.compile("[a-z]+(?: [a-z]+)*")
SYLLABLE = re.compile(
    "(?:[zcs]h|[bpmfdtnlgkhjqxrzcsyw])?(?:iao|uai|[aeu]i|[aeiu]o|ou|i[aeu]|u[ae]|[aeiouv])"
    "(?:ng(?![aeiou])|n(?![aeiougv])|r(?![aeiou]))?"
)
UNHEARD = "·"  # for a syllable of no table
FOLDED = str.maketrans(
    {full: full - 0xFEE0 for full in range(0xFF01, 0xFF5F)}
    | dict.fromkeys(map(ord, TABLE["invisible"]), None)
    | {ord(sign): plain for sign, plain in TABLE["written_otherwise"].items()}
    | {ord(pair[0]): pair[1] for pair in TABLE["traditional"].split()}
)


def _misspelt(rows: dict[str, str]) -> re.Pattern[str]:
    """All ways to misspell, each in a group named after the right word."""
    ways = {right: "|".join(wrong.split()).replace("_", " ") for right, wrong in rows.items()}
    return re.compile("|".join(rf"(?P<{right}>\b(?:{wrong})\b)" for right, wrong in ways.items()), re.ASCII)


def _sounds(table: str) -> dict[str, str]:
    """Each character of a table of sounds, and its sound."""
    return {sign: sound for sound, _, signs in (row.partition(":") for row in table.split()) for sign in signs}


def _by_sound(heard: str, sounds: dict[int, str]) -> tuple[dict[str, str], re.Pattern[str]]:
    """Words by their sounds, and a pattern of those sounds, the longest first."""
    found = {word.translate(sounds): word for word in heard.split()}
    return found, re.compile("|".join(sorted(found, key=len, reverse=True)))


MISSPELT = _misspelt(TABLE["misspelt"])
IN_CHARACTERS, IN_PINYIN = _sounds(TABLE["sounds"]), _sounds(f"{TABLE['also_in_pinyin']} {TABLE['sounds']}")
SIGN_OF = {sound: sign for sign, sound in IN_PINYIN.items()}  # one character stands for all of its sound
SOUNDS = {ord(sign): SIGN_OF[sound] for sign, sound in IN_CHARACTERS.items()}
HEARD, HEARD_WORDS = _by_sound(TABLE["heard"], SOUNDS)
PINYIN, PINYIN_WORDS = _by_sound(
    f"{TABLE['pinyin']} {TABLE['heard']}", {ord(sign): SIGN_OF[sound] for sign, sound in IN_PINYIN.items()}
)
REAL_WORDS = frozenset(TABLE["real_words"].split())


def plain(text: str) -> str:
    """Half width, lower case, Simplified where rules look, no apostrophes, in the words that were meant."""
    text = DRAWN_OUT.sub(r"\1", text.translate(FOLDED).lower())
    text = SPACED_OUT.sub(lambda run: re.sub(rf"(?!{HAN}).", "", run[0]), text)
    if HAS_LATIN.search(text):
        text = MISSPELT.sub(lambda wrong: wrong.lastgroup or "", text)
        text = PINYIN_RUN.sub(lambda run: _from_pinyin(run[0]), text)
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
    sounds = "".join(SIGN_OF.get(syllable, UNHEARD) for syllable in syllables)
    for hit in PINYIN_WORDS.finditer(sounds):
        syllables[hit.start() : hit.end()] = PINYIN[hit[0]]
    spelt = BETWEEN_HAN.sub("", " ".join(syllables))
    return spelt if HAS_HAN.search(spelt) else run


def _syllables(word: str) -> list[str]:
    """A word of pinyin in its syllables; any other word as it is."""
    found = SYLLABLE.findall(word)
    return found if "".join(found) == word else [word]
