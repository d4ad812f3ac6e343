"""Entities Telegram finds by itself: commands, links, mentions, addresses."""

from __future__ import annotations

import re

from sandbox.text.spans import Entities, units

PATTERN = re.compile(
    r"(?P<email>[\w.+-]+@[\w-]+\.[a-zA-Z]{2,})"
    r"|(?P<url>https?://[^\s<>\"']+[^\s<>\"'.,;:!?)])"
    r"|(?<![\w/@])(?P<mention>@[a-zA-Z]\w{3,31})"
    r"|(?<![\w/<>])(?P<bot_command>/[a-zA-Z0-9_]{1,64}(?:@[a-zA-Z]\w{3,31})?)(?![\w/])"
    r"|(?<!\w)(?P<hashtag>#\w*[^\W\d]\w*)",
    re.ASCII,
)
SIGNS = re.compile("[/@#]")
OPAQUE = frozenset({"code", "pre", "text_link", "text_mention", "bot_command", "url", "mention", "hashtag", "email"})


def find_entities(text: str, known: Entities) -> Entities:
    """What stands in the text unmarked; never inside code or a link."""
    if not SIGNS.search(text):
        return []
    closed = [(e["offset"], e["offset"] + e["length"]) for e in known if e["type"] in OPAQUE]
    found: Entities = []
    for match in PATTERN.finditer(text):
        start = units(text[: match.start()])
        end = start + units(match[0])
        if not any(start < stop and begin < end for begin, stop in closed):
            found.append({"type": str(match.lastgroup), "offset": start, "length": end - start})
    return found
