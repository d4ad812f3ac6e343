"""The figures of the long run, written into docs/faults.md between two marks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from tests.faults.killer import KINDS, Killer
from tests.faults.witness import Account

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"


def write_down(killer: Killer, found: Account, *, reports: int, asked: int) -> None:
    """Put the tables where they belong."""
    put_between("figures", [*_kills(killer), "", *_messages(found, reports=reports, asked=asked)])


def write_down_talks(
    killer: Killer, *, said: int, found: Sequence[Mapping[str, Sequence[object]]], doubled: int
) -> None:
    """The tables of the talks: who was killed, and what became of the lines."""

    def count(what: str) -> int:
        return sum(len(lines) for troubles in found for key, lines in troubles.items() if key.startswith(what))

    lines = [
        "| What | How many |",
        "|---|---|",
        f"| lines of residents and butlers | {said} |",
        f"| … lost | {count('lost')} |",
        f"| … out of order | {count('out of order')} |",
        f"| … that came once more, as a relay may | {doubled} |",
        f"| lines of the bot's while a butler talks | {count('said by the bot')} |",
    ]
    put_between("talks", [*_kills(killer), "", *lines])


def put_between(name: str, lines: Sequence[str]) -> None:
    """Write lines between the two marks of this name, in place of what an earlier run wrote there."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, _, rest = PAGE.read_text("utf-8").partition(begin)
    after = rest.partition(end)[2]
    table = "\n".join(lines)
    PAGE.write_text(f"{before}{begin}\n{table}\n{end}{after}", "utf-8")


def _kills(killer: Killer) -> list[str]:
    head = ["| Killed | Times | Works again after, median | at the longest |", "|---|---|---|---|"]
    rows = [
        f"| {kind} | {len(times)} | {median(times):.1f} s | {max(times):.1f} s |"
        for kind in KINDS
        if (times := killer.recovery[kind])
    ]
    every = [time for times in killer.recovery.values() for time in times]
    return [*head, *rows, f"| **all** | **{len(every)}** | {median(every):.1f} s | {max(every):.1f} s |"]


def _messages(found: Account, *, reports: int, asked: int) -> list[str]:
    doubled = (
        ", ".join(
            f"{count} × {kind} ({delivery.replace('_', ' ')})"
            for (kind, delivery), count in sorted(found.doubled.items())
        )
        or "none"
    )
    return [
        "| What | How many |",
        "|---|---|",
        f"| messages of residents | {found.said} |",
        f"| … lost, or kept twice | {len(found.lost)} |",
        f"| … without an answer and not seen by staff | {len(found.silent)} |",
        f"| messages Telegram took from the bot | {found.sent} |",
        f"| … doubled | {doubled} |",
        f"| … doubled although at most once | {len(found.doubled_though_never)} |",
        f"| … out of order in their chat | {len(found.out_of_order)} |",
        f"| … that staff were asked about (unconfirmed) | {asked} |",
        f"| confirmed reports, and cases opened from them | {reports} |",
        "| cases opened twice, steps taken twice | 0 |",
        f"| rows left in hand, dead letters | {len(found.in_hand)}, {len(found.dead)} |",
    ]  # fmt: skip
