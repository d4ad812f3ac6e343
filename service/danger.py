"""How much words sound like danger: short runs of signs, each with a weight that was fitted (for the tripwire).

Rules know the sentences that somebody thought of; these weights know what people in danger write and what people write
who only sound like it, so they carry to sentences that nobody thought of. `python -m cli.danger` fits them on messages
of several people, each language by itself, and writes danger.tsv: a run, how rare it is, how much it pulls towards
danger. The line before those of a language has the rarity of a run that is not in its table, where its scale begins,
and how many such runs stand beside every text.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from service.spelling import HAN, HAS_HAN

SIGN = re.compile(rf"[a-z]+|\d+|{HAN}|[^\s\w]")
WORD = re.compile("[a-z]{5,}")
LONGEST = 3  # signs in a run
STEMS = (4, 6)  # letters of a longer word that stand for its family: burn, burning
SENTENCE_END = re.compile(r"[!?;\n]|\.(?!\d)")
STORY = 200  # characters from which a text is weighed sentence by sentence
STRETCH = 100  # characters of neighbouring sentences that are weighed together
BEGINS = "**"  # the table of another language in danger.tsv; no run, whose signs stand apart


@dataclass(frozen=True)
class Table:
    """The runs of a language: how rare each is, how much it pulls."""

    unknown: tuple[float, float]
    start: float
    silence: float  # the breadth of the unknown runs beside every text
    weights: dict[str, tuple[float, float]]


def stretches(spelt: str) -> list[str]:
    """What of a text is weighed: all of it, or of a story every sentence, alone and with its short neighbours."""
    if len(spelt) <= STORY:
        return [spelt] if spelt.strip() else []
    ends = [*(hit.end() for hit in SENTENCE_END.finditer(spelt)), len(spelt)]
    cuts = [0]
    for end, following in pairwise(ends):
        if following - cuts[-1] > STRETCH:
            cuts.append(end)
    spans = {*pairwise([0, *ends]), *pairwise([*cuts, len(spelt)])}
    return [spelt[start:end] for start, end in sorted(spans) if spelt[start:end].strip()]


def terms(stretch: str) -> set[str]:
    """The runs of signs in a stretch; a Chinese character is a sign, a Latin word too, and any number is one."""
    signs = ["^", *("0" if sign.isdigit() else sign for sign in SIGN.findall(stretch)), "$"]
    runs = {" ".join(signs[at : at + long]) for long in range(1, LONGEST + 1) for at in range(len(signs) - long + 1)}
    return runs | {f"<{word[:long]}" for word in WORD.findall(stretch) for long in STEMS if len(word) > long}


def language_of(spelt: str) -> str:
    """Chinese, `zh`, where there is a Chinese character; `en` otherwise."""
    return "zh" if HAS_HAN.search(spelt) else "en"


def score(stretch: str) -> float:
    """How much a stretch sounds like danger in its language: the logarithm of the odds, among alarming messages.

    Args:
        stretch: spelt plainly, see service/spelling.py.
    """
    table = TABLES[language_of(stretch)]
    pull, breadth = 0.0, table.silence
    for term in terms(stretch):
        rarity, weight = table.weights.get(term, table.unknown)
        pull += weight
        breadth += rarity * rarity
    return table.start + pull / math.sqrt(breadth)


def _read() -> dict[str, Table]:
    tables: dict[str, Table] = {}
    for line in Path(__file__).with_suffix(".tsv").read_text("utf-8").splitlines():
        run, *figures = line.split("\t")
        if run == BEGINS:
            language, rarest, start, silent = figures[0], *map(float, figures[1:])
            tables[language] = table = Table((rarest, 0.0), start, silent * rarest * rarest, {})
        else:
            rarity, pull = map(float, figures)
            table.weights[run] = (rarity, pull)
    return tables


TABLES = _read()
