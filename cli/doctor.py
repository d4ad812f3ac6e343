"""`guanjia doctor`: look at everything the assistant needs, and say how to mend what is wrong.

Containers ask every few seconds whether their process is alive (`--only worker`), so that look imports nothing heavy.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from bot import heart
from cli.findings import Check, Finding, Unwell
from service.config import Settings

ANSWER_WITHIN = 15.0  # seconds for one look: an embedded database may have to be started; all are made at the same time
ROLES = ("ingress", "worker", "sender", "scheduler", "trainer")
LATE = {"trainer": 900.0}  # seconds; its steps are those of a training, on a machine where others come first
NAMES = ("token", "webhook", "group", "topics", "database", "rasa", "actions", "console", "model", "clock", *ROLES)


async def examine(settings: Settings, only: Sequence[str] = ()) -> list[tuple[str, Finding]]:
    """Make every look, or those named in `only`, at the same time; they are told in the order of `NAMES`."""
    chosen = [name for name in NAMES if not only or name in only]
    checks = _checks(chosen)
    findings = await asyncio.gather(*(_look(checks[name], settings) for name in chosen))
    return list(zip(chosen, findings, strict=True))


def _checks(chosen: Sequence[str]) -> dict[str, Check]:
    turning: dict[str, Check] = {role: partial(_turning, role=role) for role in ROLES}
    if set(chosen) <= set(ROLES):
        return turning
    from cli import checks  # noqa: PLC0415 - takes seconds to import

    return checks.CHECKS | turning


async def _look(check: Check, settings: Settings) -> Finding:
    try:
        async with asyncio.timeout(ANSWER_WITHIN):
            return Finding(True, await check(settings))
    except Unwell as found:
        return Finding(False, found.what, found.mend)
    except TimeoutError:
        return Finding(False, f"no answer within {ANSWER_WITHIN:.0f} s", "Look at the network and at the load.")


async def _turning(settings: Settings, role: str) -> str:
    ago = heart.seconds_since(settings.data_dir, role)
    mend = f"Start `guanjia serve` (or `guanjia {role}`). If it runs: its log says what it waits for; start it again."
    if ago is None:
        raise Unwell("has never run here", mend)
    if ago > LATE.get(role, heart.LATE):
        raise Unwell(f"last turned {ago:.0f} s ago", mend)
    return f"turned {ago:.0f} s ago"
