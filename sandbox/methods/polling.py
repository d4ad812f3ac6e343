"""getUpdates."""

from __future__ import annotations

import asyncio
from typing import Any

from sandbox.errors import refuse
from sandbox.faults import Fault, shuffle
from sandbox.registry import Call, answers
from sandbox.updates import Update, UpdateQueue

BATCH_MAX = 100
TIMEOUT_MAX = 50  # seconds
OTHER_POLLER = "terminated by other getUpdates request; make sure that only one bot instance is running"
WEBHOOK_ACTIVE = "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"


class Poll:
    """One waiting getUpdates; whoever comes later ends it, a reset lets it go."""

    conflict: str | None = None
    over = False


@answers("getUpdates")
async def get_updates(call: Call) -> list[Any]:
    """Confirm, then wait for something to deliver."""
    bot, params = call.bot, call.params
    if bot.webhook is not None:
        raise refuse(409, WEBHOOK_ACTIVE)
    if bot.poller is not None:
        bot.poller.conflict = OTHER_POLLER
        bot.updates.wake()
    if "allowed_updates" in params:
        bot.updates.allowed = frozenset(params["allowed_updates"]) or None
    if params.get("offset"):
        bot.updates.confirm_below(params["offset"])
    limit = min(max(1, params.get("limit", BATCH_MAX)), BATCH_MAX)
    bot.poller = poll = Poll()
    try:
        batch = await _wait(bot.updates, poll, limit, min(max(0, params.get("timeout", 0)), TIMEOUT_MAX))
    finally:
        if bot.poller is poll:
            bot.poller = None
    return _delivered(batch, call.world.faults.for_updates() if batch and call.world.faults else {})


async def _wait(queue: UpdateQueue, poll: Poll, limit: int, patience: float) -> list[Update]:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience
    while True:
        queue.expire()
        batch = queue.head(limit)
        left = deadline - loop.time()
        if batch or left <= 0 or poll.over:
            return batch
        try:
            await asyncio.wait_for(queue.arrival(), left)
        except TimeoutError:
            continue
        if poll.conflict is not None:
            raise refuse(409, poll.conflict)


def _delivered(batch: list[Update], faults: dict[str, Fault]) -> list[Any]:
    for update in batch:
        update.deliveries += 1
    if "duplicate_updates" in faults:
        batch = [update for update in batch for _ in range(2)]
    if fault := faults.get("reorder_updates"):
        pairs = [(update.lane, update) for update in batch]
        batch = shuffle(pairs, fault.dice, keep_lanes=fault.scope == "lanes")
    return [update.body for update in batch]
