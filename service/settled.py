"""Whether a resident says that the matter is settled: certain words and nothing else, without the understanding."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import yaml

TABLE = Path(__file__).with_suffix(".yml")
LONGEST = 60  # characters; whoever writes more says more
_MARKS = re.compile(r"[\s,.;:!?~，。；：！？、～…]+")


def is_settled(words: str, *, waiting: bool) -> bool:
    """Whether the whole message says so; thanks and farewells beside it do not matter.

    Args:
        words: the message.
        waiting: nobody has answered yet, so that 「好了」 answers no question.
    """
    if len(words) > LONGEST:
        return False
    return bool(_pattern(waiting=waiting).fullmatch(_MARKS.sub(" ", words.lower().replace("’", "'")).strip()))


@cache
def _pattern(*, waiting: bool) -> re.Pattern[str]:
    table = yaml.safe_load(TABLE.read_text("utf-8"))
    says = [*table["settled"], *(table["while_waiting"] if waiting else ())]
    courtesy, said = _any(table["courtesies"]), _any(says)
    return re.compile(f"(?:{courtesy} ?)*{said}(?: ?{courtesy})*")


def _any(words: list[str]) -> str:
    return f"(?:{'|'.join(re.escape(word) for word in sorted(words, key=len, reverse=True))})"
