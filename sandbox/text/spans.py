"""Entities count in UTF-16 units; Python strings do not."""

from __future__ import annotations

from typing import Any

from sandbox.errors import ApiError, bad_request

Entities = list[dict[str, Any]]


def units(text: str) -> int:
    """The length of a text in UTF-16 units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def unparsable(reason: str) -> ApiError:
    """The refusal of malformed markup."""
    return bad_request(f"can't parse entities: {reason}")


class Builder:
    """Plain text growing, with the entities that cover it."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self.length = 0
        self.entities: Entities = []

    def add(self, text: str) -> None:
        """Append plain text."""
        self._parts.append(text)
        self.length += units(text)

    def cover(self, start: int, entity: dict[str, Any]) -> None:
        """Mark what was added since ``start``; an empty stretch gets no entity."""
        if self.length > start and entity:
            self.entities.append({**entity, "offset": start, "length": self.length - start})

    @property
    def text(self) -> str:
        """Everything added so far."""
        return "".join(self._parts)
