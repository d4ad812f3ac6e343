"""Whether somebody is only angry: certain words and nothing else, without the understanding (N9)."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import yaml

TABLE = Path(__file__).with_suffix(".yml")
LONGEST = 40  # characters; whoever writes more says what for
_MARKS = re.compile(r"[\s\W_]+")


def is_only_angry(words: str) -> bool:
    """Whether a message holds an insult or a curse, and nothing that could be worked on.

    Args:
        words: the message.
    """
    if len(words) > LONGEST:
        return False
    return bool(_pattern().fullmatch(_MARKS.sub(" ", words.lower().replace("’", "'").replace("'", "")).strip()))


@cache
def _pattern() -> re.Pattern[str]:
    table = yaml.safe_load(TABLE.read_text("utf-8"))
    insult, beside = _any(table["insults"]), _any(table["beside"])
    return re.compile(f"(?:{beside} ?)*{insult}(?: ?(?:{insult}|{beside}))*")


def _any(words: list[str]) -> str:
    """Any of the words, the longest first; Latin ones stand alone."""
    plain = sorted((word.replace("'", "") for word in words), key=len, reverse=True)
    whole = (rf"(?<![a-z]){re.escape(word)}(?![a-z])" if word.isascii() else re.escape(word) for word in plain)
    return f"(?:{'|'.join(whole)})"
