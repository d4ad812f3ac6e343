"""Whether somebody is only angry: certain words and nothing else, without the understanding (N9)."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import yaml

from service import only_words

TABLE = Path(__file__).with_suffix(".yml")
LONGEST = 40  # characters; whoever writes more says what for
_MARKS = re.compile(r"[\s\W_]+")


def is_only_angry(words: str) -> bool:
    """Whether a message holds an insult or a curse, and nothing that could be worked on.

    Args:
        words: the message.
    """
    table = _table()
    return len(words) <= LONGEST and only_words.is_made_of(_plain(words), table["insults"], table["beside"])


def _plain(words: str) -> str:
    return _MARKS.sub(" ", words.lower().replace("’", "'").replace("'", "")).strip()


@cache
def _table() -> dict[str, list[str]]:
    table: dict[str, list[str]] = yaml.safe_load(TABLE.read_text("utf-8"))
    return {group: [word.replace("'", "") for word in words] for group, words in table.items()}
