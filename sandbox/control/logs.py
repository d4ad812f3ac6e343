"""What went over the wire."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from itertools import islice
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from sandbox.botapi import loggable
from sandbox.control.access import Here, access_bot
from sandbox.control.stream import stream
from sandbox.updates import KEPT, Update

PAGE = 100_000

router = APIRouter(tags=["logs"])


@router.get("/requests")
async def list_requests(world: Here, after: int = 0, method: str | None = None, limit: int = PAGE) -> Any:
    """The Bot API requests taken."""
    wanted = (r for r in world.requests if r.seq > after and method in (None, r.method))
    return [asdict(line) | {"params": loggable(line.params)} for line in _page(wanted, limit)]


@router.get("/updates")
async def list_updates(world: Here, after: int = 0, token: str | None = None, limit: int = PAGE) -> Any:
    """The updates emitted, and how far they got."""
    log = access_bot(world, token).updates.log
    return [_card(update) for update in _page((u for u in log if u.update_id > after), limit)]


@router.post("/raw_updates")
async def inject(world: Here, request: Request, token: str | None = None, lane: str = "raw") -> Any:
    """Queue any JSON object as it stands; a body that is no JSON reaches webhooks byte for byte."""
    queue = access_bot(world, token).updates
    try:
        body: Any = await request.json()
    except ValueError:
        body = (await request.body()).decode("utf-8", "replace")
    now = world.clock.now()
    number = body.get("update_id") if isinstance(body, dict) else None
    update_id = number if isinstance(number, int) else queue.next_id
    return _card(queue.put(Update(body, "raw", lane, now, now + KEPT, update_id)))


@router.get("/events")
async def events(world: Here) -> StreamingResponse:
    """Everything that happens, as server-sent events."""
    return stream(world)


def _page(lines: Iterable[Any], limit: int) -> list[Any]:
    return list(islice(lines, limit))


def _card(update: Update) -> dict[str, Any]:
    return {
        "update_id": update.update_id,
        "kind": update.kind,
        "lane": update.lane,
        "emitted_at": update.emitted_at,
        "confirmed": update.confirmed,
        "expired": update.expired,
        "deliveries": update.deliveries,
        "update": update.body,
    }
