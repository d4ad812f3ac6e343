"""Reset, clock, limits and faults."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, HTTPException
from fastapi.responses import StreamingResponse

from sandbox.control.bodies import ClockBody, FaultBody, LimitsBody, Reset
from sandbox.control.stream import stream
from sandbox.faults import KINDS
from sandbox.limits import Backoff
from sandbox.world import World


def routes(world: World) -> APIRouter:
    """The machinery."""
    router = APIRouter(tags=["machine"])

    @router.post("/reset")
    async def reset(body: Reset | None = None) -> Any:
        if body is None or not body.keep_clock:
            world.clock.advance(-world.clock.offset)
        world.reset()
        return {"reset": True}

    @router.get("/clock")
    async def read_clock() -> Any:
        return world.clock.reading()

    @router.post("/clock")
    async def move_clock(body: ClockBody) -> Any:
        if (body.advance is None) == (body.set is None):
            raise HTTPException(400, "either advance (seconds) or set (ISO 8601)")
        if body.advance is not None:
            world.clock.advance(body.advance)
        elif body.set is not None:
            world.clock.set(body.set)
        return world.clock.reading()

    @router.get("/clock/stream")
    async def stream_clock() -> StreamingResponse:
        return stream(world, first=world.clock.reading, only="clock")

    @router.get("/limits")
    async def read_limits() -> Any:
        return _limits(world)

    @router.post("/limits")
    async def change_limits(body: LimitsBody) -> Any:
        wanted = body.model_dump(exclude_unset=True)
        if wanted.pop("webhook_backoff", None) and body.webhook_backoff:
            world.backoff = Backoff(**body.webhook_backoff.model_dump())
        latency = wanted.pop("latency_ms", None)
        if latency is not None:
            world.latency = latency / 1000
        world.limits.change(wanted)
        return _limits(world)

    @router.get("/faults")
    async def list_faults() -> Any:
        return {"active": [fault.card() for fault in world.faults.active], "kinds": KINDS}

    @router.post("/faults")
    async def add_fault(body: FaultBody) -> Any:
        if body.kind not in KINDS:
            raise HTTPException(400, f"kind is one of {', '.join(KINDS)}")
        return world.faults.add(body.model_dump()).card()

    @router.delete("/faults")
    async def clear_faults() -> Any:
        world.faults.clear()
        return {"active": []}

    @router.delete("/faults/{fault_id}")
    async def lift_fault(fault_id: int) -> Any:
        world.faults.clear(fault_id)
        return {"active": [fault.card() for fault in world.faults.active]}

    return router


def _limits(world: World) -> dict[str, Any]:
    extra = {"webhook_backoff": asdict(world.backoff), "latency_ms": world.latency * 1000}
    return asdict(world.limits.settings) | extra
