"""Trouble on demand: what can go wrong between a bot and Telegram."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from typing import Any, TypeVar

KINDS = {
    "latency": "wait `seconds`, then go on",
    "error_429": "refuse with `retry_after` (default 1)",
    "error_400": "refuse with `description`, for what only the real Telegram finds out",
    "error_403": "refuse as if the user had blocked the bot",
    "error_5xx": "answer `code` (default 502, with an HTML body unless `html` says otherwise)",
    "reset_before": "close the connection without taking the request",
    "reset_after": "take the request, then close the connection",
    "hang": "take the request (unless `take` is false) and say nothing for `seconds` (default 3600)",
    "duplicate_updates": "deliver every update twice",
    "reorder_updates": 'shuffle a batch: between lanes, or with `scope` "batch" entirely',
}
T = TypeVar("T")

ON_UPDATES = frozenset({"duplicate_updates", "reorder_updates"})


@dataclass(slots=True)
class Fault:
    """One kind of trouble, for some requests, some times."""

    id: int
    kind: str
    method: str = "*"
    chat_id: int | None = None
    count: int | None = None
    probability: float | None = None
    seconds: float | None = None
    retry_after: int = 1
    code: int = 502
    description: str = "message can't be copied"
    html: bool | None = None
    take: bool = True
    scope: str = "lanes"
    seed: int | None = None
    hits: int = 0
    dice: random.Random = field(default_factory=random.Random, repr=False)

    def strikes(self, method: str, chat_id: object) -> bool:
        """Whether it hits this request; a hit uses up one of ``count``."""
        if self.count is not None and self.hits >= self.count:
            return False
        if not fnmatchcase(method.lower(), self.method.lower()):
            return False
        if self.chat_id is not None and str(self.chat_id) != str(chat_id):
            return False
        if self.probability is not None and self.dice.random() >= self.probability:
            return False
        self.hits += 1
        return True

    def card(self) -> dict[str, Any]:
        """What ``GET /sim/faults`` shows."""
        card = asdict(self)
        del card["dice"]
        return card


class Faults:
    """The faults in force."""

    def __init__(self) -> None:
        self.active: list[Fault] = []
        self._last_id = 0

    def __bool__(self) -> bool:
        return bool(self.active)

    def add(self, wanted: dict[str, Any]) -> Fault:
        """Put a fault in force."""
        self._last_id += 1
        fault = Fault(id=self._last_id, **wanted)
        fault.dice = random.Random(fault.seed)
        self.active.append(fault)
        return fault

    def clear(self, fault_id: int | None = None) -> None:
        """Lift one fault, or all."""
        self.active = [fault for fault in self.active if fault_id not in (None, fault.id)]

    def for_request(self, method: str, chat_id: object) -> list[Fault]:
        """All delays that hit this request, and at most one failure."""
        struck: list[Fault] = []
        for fault in self.active:
            if fault.kind in ON_UPDATES or (fault.kind != "latency" and any(f.kind != "latency" for f in struck)):
                continue
            if fault.strikes(method, chat_id):
                struck.append(fault)
        self._forget_used_up()
        return struck

    def for_updates(self) -> dict[str, Fault]:
        """What happens to the batch of updates about to be delivered."""
        struck = {f.kind: f for f in self.active if f.kind in ON_UPDATES and f.strikes("getUpdates", f.chat_id)}
        self._forget_used_up()
        return struck

    def _forget_used_up(self) -> None:
        if self.active:
            self.active = [f for f in self.active if f.count is None or f.hits < f.count]


def shuffle(items: Iterable[tuple[str, T]], dice: random.Random, *, keep_lanes: bool) -> list[T]:
    """Put (lane, item) pairs into a random order, each lane's own order kept if wanted."""
    pairs = list(items)
    slots = [lane if keep_lanes else str(index) for index, (lane, _) in enumerate(pairs)]
    queues: dict[str, list[T]] = {}
    for slot, (_, item) in zip(slots, pairs, strict=True):
        queues.setdefault(slot, []).append(item)
    dice.shuffle(slots)
    return [queues[slot].pop(0) for slot in slots]
