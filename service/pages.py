"""How long a text is for Telegram, and where one that is too long is cut."""

from __future__ import annotations

MOST_TEXT = 4096  # UTF-16 units of a message
ENDS = ("\n\n", "\n", "。", "！", "？", ". ", "! ", "? ", "，", ", ", " ")  # where a long text is cut, best first


def pages(text: str, *, most: int = MOST_TEXT) -> list[str]:
    """The text in pieces that Telegram takes, cut between paragraphs, lines or sentences where there are such."""
    found: list[str] = []
    while units(text) > most:
        room = len(text.encode("utf-16-le")[: 2 * most].decode("utf-16-le", "ignore"))
        ends = (text.rfind(mark, room // 2, room) + len(mark) for mark in ENDS if mark in text[room // 2 : room])
        cut = next(ends, room)
        found.append(text[:cut].rstrip())
        text = text[cut:].lstrip("\n ")
    return [page for page in (*found, text) if page] or [text]


def units(text: str) -> int:
    """How long Telegram finds a text."""
    return len(text.encode("utf-16-le")) // 2
