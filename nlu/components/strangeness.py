"""Whether hardly anything of a message was ever seen: 呜噜呜噜啵啵, lkjhg fdsa. No intent is guessed from that.

The intent model always leans somewhere, and on words it does not know it leans on what is left: the length, one chance
syllable. What was seen stands in its vocabularies, so nothing has to be learnt for this (docs/understanding.md).
"""

from __future__ import annotations

import re
from math import log
from typing import List, Mapping, NamedTuple, Sequence, Set

from components import sounds
from components.features import Seen, Vocabulary

RUN = re.compile(r"[\u3400-\u9fff]+|[a-z]+")
PAIR, PIECE = 2, 4  # Chinese characters, Latin letters in a row
FEWEST = 3  # pairs and pieces; shorter messages are too short to say
MOST_SEEN = 0.34  # of the pairs and pieces
MOST_COMMON = 0.5  # of the characters and words
COMMON = log(750) + 1  # a character that one training message in so many has
LEARNT = 20_000  # terms of a vocabulary that knows what people say; with fewer nearly everything is new


class Cut(NamedTuple):
    """What is counted of a message: rows of characters, single characters, and Latin words that are no Pinyin."""

    rows: Set[str]
    characters: Set[str]
    words: Set[str]


def is_strange(seen: Seen, vocabularies: Mapping[str, Vocabulary]) -> bool:
    """Say whether hardly anything of a message was seen in training; a place or a number is understood anyway."""
    characters, words = vocabularies.get("characters"), vocabularies.get("words")
    if seen.has_entities or characters is None or words is None or len(characters.hashes) < LEARNT:
        return False
    cut = _cut(RUN.findall(seen.text))
    if len(cut.rows) < FEWEST or _share(characters.rarities(cut.rows), within=float("inf")) > MOST_SEEN:
        return False
    common = (characters.rarities(cut.characters) <= COMMON).sum() + (words.rarities(cut.words) < float("inf")).sum()
    return bool(common <= MOST_COMMON * (len(cut.characters) + len(cut.words)))


def _share(rarities, *, within: float) -> float:
    return float((rarities < within).mean())


def _cut(runs: Sequence[str]) -> Cut:
    chinese = [run for run in runs if not run.isascii()]
    latin = [run for run in runs if run.isascii() and not sounds.spell(run)]
    rows = [row for run in chinese for row in _rows(run, PAIR)] + [row for run in latin for row in _rows(run, PIECE)]
    return Cut(set(rows), {character for run in chinese for character in run}, set(latin))


def _rows(run: str, length: int) -> List[str]:
    if run.isascii():
        return [run[start : start + length] for start in range(max(1, len(run) - length + 1))]
    return [run[start : start + length] for start in range(len(run) - length + 1)]
