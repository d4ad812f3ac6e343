"""What a resident says with certain words and nothing else, without the understanding: it is settled, or a courtesy."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import yaml

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
    return len(words) <= LONGEST and bool(_pattern(waiting=waiting).fullmatch(_plain(words)))


def is_courtesy(words: str) -> bool:
    """Whether the whole message is thanks, a farewell or that it was read: nobody waits for an answer to that."""
    return len(words) <= LONGEST and not _ASKS.search(words) and bool(_courtesies().fullmatch(_plain(words)))


def _plain(words: str) -> str:
    """Without marks, capitals and the colour of a hand."""
    return _MARKS.sub(" ", _TONES.sub("", words.lower().replace("’", "'"))).strip()


@cache
def _table() -> dict[str, list[str]]:
    table: dict[str, list[str]] = yaml.safe_load(TABLE.read_text("utf-8"))
    return table


@cache
def _courtesies() -> re.Pattern[str]:
    table = _table()
    return re.compile(f"(?:{_any([*table['courtesies'], *table['received']])} ?)+")


@cache
def _pattern(*, waiting: bool) -> re.Pattern[str]:
    table = _table()
    says = [*table["settled"], *(table["while_waiting"] if waiting else ())]
    courtesy, said = _any(table["courtesies"]), _any(says)
    return re.compile(f"(?:{courtesy} ?)*{said}(?: ?{courtesy})*")


def _any(words: list[str]) -> str:
    return f"(?:{'|'.join(re.escape(word) for word in sorted(words, key=len, reverse=True))})"
