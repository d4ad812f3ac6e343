"""What a resident says with certain words and nothing else, without the understanding: it is settled, or a courtesy."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import yaml

from service import only_words

TABLE = Path(__file__).with_suffix(".yml")
LONGEST = 60  # characters; whoever writes more says more
_MARKS = re.compile(r"[\s,.;:!?~，。；：！？、～…]+")
_ASKS = re.compile("[?？]")
_TONES = re.compile("[\U0001f3fb-\U0001f3ff\ufe0f]")


def is_settled(words: str, *, waiting: bool) -> bool:
    """Whether the whole message says so; thanks and farewells beside it do not matter.

    Args:
        words: the message.
        waiting: nobody has answered yet, so that 「好了」 answers no question.
    """
    return _says(words, ("settled", "while_waiting") if waiting else ("settled",))


def wants_no_person(words: str) -> bool:
    """Whether somebody who waits takes the wish for a person back, whatever has become of the matter."""
    return _says(words, ("no_person_wanted",))


def is_courtesy(words: str) -> bool:
    """Whether the whole message is thanks, a farewell or that it was read: nobody waits for an answer to that."""
    return not _ASKS.search(words) and _says(words, ("courtesies", "received"))


def _says(words: str, groups: tuple[str, ...]) -> bool:
    table = _table()
    said = [word for group in groups for word in table[group]]
    return len(words) <= LONGEST and only_words.is_made_of(_plain(words), said, table["courtesies"])


def _plain(words: str) -> str:
    """Without marks, capitals and the colour of a hand."""
    return _MARKS.sub(" ", _TONES.sub("", words.lower().replace("’", "'"))).strip()


@cache
def _table() -> dict[str, list[str]]:
    table: dict[str, list[str]] = yaml.safe_load(TABLE.read_text("utf-8"))
    return table
