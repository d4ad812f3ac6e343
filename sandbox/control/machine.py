"""Reset, clock, limits and faults."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, HTTPException
from fastapi.responses import StreamingResponse

from sandbox.control.access import Here
from sandbox.control.bodies import ClockBody, FaultBody, LimitsBody, Reset
from sandbox.control.stream import stream
from sandbox.faults import KINDS
from sandbox.limits import Backoff
from sandbox.world import World

router = APIRouter(tags=["machine"])


@router.post("/reset")
async def reset(world: Here, body: Reset | None = None) -> Any:
    """Wipe everything but the tokens and, if wanted, the clock; limits go back to those of the command line."""
    if body is None or not body.keep_clock:
        world.clock.advance(-world.clock.offset)
    world.reset()
    return {"reset": True}


@router.get("/clock")
async def read_clock(world: Here) -> Any:
    """The simulated time."""
    return world.clock.reading()


@router.post("/clock")
async def move_clock(world: Here, body: ClockBody) -> Any:
    """Move the simulated time."""
    if (body.advance is None) == (body.set is None):
        raise HTTPException(400, "either advance (seconds) or set (ISO 8601)")
    if body.advance is not None:
        world.clock.advance(body.advance)
    elif body.set is not None:
        world.clock.set(body.set)
    return world.clock.reading()


@router.get("/clock/stream")
async def stream_clock(world: Here) -> StreamingResponse:
    """The simulated time as server-sent events: now, and on every change."""
    return stream(world, first=world.clock.reading, only="clock")


@router.get("/limits")
async def read_limits(world: Here) -> Any:
    """The limits in force."""
    return _limits(world)


@router.post("/limits")
async def change_limits(world: Here, body: LimitsBody) -> Any:
    """Change the limits that are named; null switches one off."""
    wanted = body.model_dump(exclude_unset=True)
    if wanted.pop("webhook_backoff", None) and body.webhook_backoff:
        world.backoff = Backoff(**body.webhook_backoff.model_dump())
    latency = wanted.pop("latency_ms", None)
    if latency is not None:
        world.latency = latency / 1000
    world.limits.change(wanted)
    return _limits(world)


@router.get("/faults")
async def list_faults(world: Here) -> Any:
    """The faults in force, and the kinds there are."""
    return {"active": [fault.card() for fault in world.faults.active], "kinds": KINDS}


@router.post("/faults")
async def add_fault(world: Here, body: FaultBody) -> Any:
    """Order trouble."""
    if body.kind not in KINDS:
        raise HTTPException(400, f"kind is one of {', '.join(KINDS)}")
    return world.faults.add(body.model_dump()).card()


@router.delete("/faults")
async def clear_faults(world: Here) -> Any:
    """Lift all faults."""
    world.faults.clear()
    return {"active": []}


@router.delete("/faults/{fault_id}")
async def lift_fault(world: Here, fault_id: int) -> Any:
    """Lift one fault."""
    world.faults.clear(fault_id)
    return {"active": [fault.card() for fault in world.faults.active]}


def _limits(world: World) -> dict[str, Any]:
    extra = {"webhook_backoff": asdict(world.backoff), "latency_ms": world.latency * 1000}
    return asdict(world.limits.settings) | extra
