"""Whether somebody asks for their own fees, parking or visitor codes, by their words; the table stands beside it.

What residents ask in general (怎么交) has an entry of the knowledge base; only what none of its words fits is theirs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from service import spelling

TABLE = Path(__file__).with_suffix(".yml")
LONGEST = 60  # characters; who tells a story asks for more than a look into a table


class Words(NamedTuple):
    """What tells a question of a kind, as patterns."""

    about: re.Pattern[str]
    own: re.Pattern[str]
    asks: re.Pattern[str]
    plainly: re.Pattern[str]
    general: re.Pattern[str]

    def tell(self, text: str) -> bool:
        """Whether the text asks for one's own."""
        if self.general.search(text) or not self.about.search(text):
            return False
        return bool(self.plainly.search(text) or (self.own.search(text) and self.asks.search(text)))


def asked(text: str) -> tuple[str, ...]:
    """What of their own somebody asks for: fees, parking, visitor_codes; mostly nothing.

    Args:
        text: a message, or the part of one that is a question.
    """
    if len(text) > LONGEST:
        return ()
    plain = text.translate(spelling.FOLDED).lower()
    return tuple(kind for kind, words in _words().items() if words.tell(plain))


@cache
def _words() -> Mapping[str, Words]:
    table: Mapping[str, Any] = yaml.safe_load(TABLE.read_text("utf-8"))
    kinds = {kind: groups for kind, groups in table.items() if kind != "my"}
    return {
        kind: Words(**{name: _any_of(patterns, my=table["my"]) for name, patterns in groups.items()})
        for kind, groups in kinds.items()
    }


def _any_of(patterns: Sequence[str], *, my: str) -> re.Pattern[str]:
    return re.compile("|".join(pattern.replace("<my>", my) for pattern in patterns))
