"""``parse_mode=HTML``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from sandbox.text.spans import Builder, Entities, unparsable

PLAIN = {
    **{"b": "bold", "strong": "bold", "i": "italic", "em": "italic", "u": "underline", "ins": "underline"},
    **{"s": "strikethrough", "strike": "strikethrough", "del": "strikethrough", "tg-spoiler": "spoiler"},
    **{"code": "code", "pre": "pre"},
}
TOKEN = re.compile(r"<[^>]*>?|&[a-z]+;|&#x?[0-9a-fA-F]+;|[^<&]+|&")
TAG = re.compile(r"<(/?)([a-zA-Z][\w-]*)((?:\s[^>]*)?)>")
ATTRIBUTE = re.compile(r"([\w-]+)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|(\S+)))?")
NAMED = {"&lt;": "<", "&gt;": ">", "&amp;": "&", "&quot;": '"'}


@dataclass(slots=True)
class Opened:
    """A start tag waiting for its end."""

    name: str
    start: int
    entity: dict[str, Any]


def parse_html(source: str) -> tuple[str, Entities]:
    """Plain text and entities of a marked-up text.

    Raises:
        ApiError: an unknown, unfinished or crossed tag.
    """
    built = Builder()
    opened: list[Opened] = []
    for match in TOKEN.finditer(source):
        token = match[0]
        if not token.startswith("<"):
            built.add(_character(token))
            continue
        at = len(source[: match.start()].encode())
        tag = TAG.fullmatch(token)
        if tag is None:
            raise unparsable(f"Unclosed start tag at byte offset {at}")
        if tag[1]:
            _close(built, opened, tag[2].lower(), at)
        else:
            opened.append(_open(tag[2].lower(), tag[3], built.length, at))
    if opened:
        raise unparsable(f'Can\'t find end tag corresponding to start tag "{opened[-1].name}"')
    return built.text, built.entities


def _character(token: str) -> str:
    if token.startswith("&#"):
        digits = token[2:-1]
        return chr(int(digits[1:], 16) if digits[0] == "x" else int(digits))
    return NAMED.get(token, token)


def _open(name: str, attributes: str, start: int, at: int) -> Opened:
    values = {m[1]: m[2] or m[3] or m[4] or "" for m in ATTRIBUTE.finditer(attributes)}
    return Opened(name, start, _entity(name, values, at))


def _entity(name: str, values: dict[str, str], at: int) -> dict[str, Any]:
    if name == "code" and values.get("class", "").startswith("language-"):
        return {"type": "code", "language": values["class"].removeprefix("language-")}
    if name in PLAIN:
        return {"type": PLAIN[name]}
    if name == "span" and values.get("class") == "tg-spoiler":
        return {"type": "spoiler"}
    if name == "blockquote":
        return {"type": "expandable_blockquote" if "expandable" in values else "blockquote"}
    if name == "tg-emoji":
        return {"type": "custom_emoji", "custom_emoji_id": values.get("emoji-id", "")}
    if name == "a":
        return {"type": "text_link", "url": values["href"]} if values.get("href") else {}
    raise unparsable(f'Unsupported start tag "{name}" at byte offset {at}')


def _close(built: Builder, opened: list[Opened], name: str, at: int) -> None:
    if not opened:
        raise unparsable(f"Unexpected end tag at byte offset {at}")
    last = opened.pop()
    if last.name != name:
        reason = f'Unmatched end tag at byte offset {at}, expected "</{last.name}>", found "</{name}>"'
        raise unparsable(reason)
    language = last.entity.pop("language", None)
    if language and opened and opened[-1].name == "pre" and opened[-1].start == last.start:
        opened[-1].entity["language"] = language
    elif not (last.name == "code" and opened and opened[-1].name == "pre"):
        built.cover(last.start, last.entity)
