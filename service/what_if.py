"""What if: which past cases would have kept or broken their promises under another target or calendar."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import clocks
from service.clock_runs import Step
from service.clocks import Rules
from service.models.cases import Case, CaseEvent

BATCH = 1000  # cases read at once


@dataclass
class Comparison:
    """One clock of one kind of case, before and after: how many runs, which were late."""

    kind: str
    clock: str
    runs: int = 0
    late: int = 0
    would_be_late: int = 0
    newly_late: list[str] = field(default_factory=list)  # case numbers
    no_longer_late: list[str] = field(default_factory=list)


def compare(session: Session, community_id: int, *, instead: Rules, since: datetime, now: datetime) -> list[Comparison]:
    """Judge every run of the cases opened since then twice: by today's rules, and by others; nothing is kept.

    Args:
        session: a transaction; it is only read.
        community_id: whose cases.
        instead: the rules that are thought of.
        since: the first opening that counts, aware.
        now: the moment, aware UTC; what still runs is judged by it.

    Returns:
        A row for each kind and clock that runs under either rules.
    """
    held = clocks.rules(session, community_id)
    rows: dict[tuple[str, str], Comparison] = {}
    for case, log in _logs(session, community_id, since):
        before, after = (
            {(one.run.clock, one.run.number): one.is_late(now) for one in clocks.standings(case, log, rules)}
            for rules in (held, instead)
        )
        for run in sorted(before.keys() | after.keys()):
            row = rows.setdefault((case.kind, run[0]), Comparison(case.kind, run[0]))
            _count(row, case.number, was=before.get(run, False), would_be=after.get(run, False))
    return [rows[key] for key in sorted(rows)]


def _count(row: Comparison, number: str, *, was: bool, would_be: bool) -> None:
    row.runs += 1
    row.late += was
    row.would_be_late += would_be
    if would_be and not was:
        row.newly_late.append(number)
    if was and not would_be:
        row.no_longer_late.append(number)


def _logs(session: Session, community_id: int, since: datetime) -> Iterator[tuple[Case, list[Step]]]:
    """Every case opened since then with its log, some at a time."""
    last = 0
    while True:
        found = select(Case).where(Case.community_id == community_id, Case.opened_at >= since, Case.id > last)
        cases = session.scalars(found.order_by(Case.id).limit(BATCH)).all()
        if not cases:
            return
        events = select(CaseEvent).where(CaseEvent.case_id.in_([case.id for case in cases]))
        in_order = session.scalars(events.order_by(CaseEvent.case_id, CaseEvent.id))
        logs = {
            case_id: [Step(event.event, event.at, event.data or {}) for event in those]
            for case_id, those in groupby(in_order, key=lambda event: event.case_id)
        }
        yield from ((case, logs.get(case.id, [])) for case in cases)
        last = cases[-1].id
