"""Targets: how long a clock may run, by kind, category and urgency; the table of clocks.yml and a community's own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from typing import Any

from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service import categories, clock_runs
from service.errors import TargetNotPositive, UnknownTarget
from service.models.cases import ClockTarget

LONGEST = timedelta(days=366)  # a target beyond it is a slip of the keyboard
URGENCIES = (1, 2)


@dataclass(frozen=True)
class Target:
    """How long a clock may run, and for which cases; empty conditions hold for all."""

    kind: str
    clock: str
    minutes: int
    category: str | None = None
    urgency: int | None = None  # and above
    always: bool = False  # every minute of day and night counts
    own: bool = False  # the community's, not the table's

    @property
    def length(self) -> timedelta:
        """Of service time, or of any time."""
        return timedelta(minutes=self.minutes)

    @property
    def rank(self) -> tuple[int, bool, int]:
        """What goes before: more conditions, the community's own, the shorter."""
        return (self.category is not None) + (self.urgency is not None), self.own, -self.minutes

    def holds(self, kind: str, clock: str, category: str, urgency: int) -> bool:
        """Whether it is about such a case."""
        return (
            (self.kind, self.clock) == (kind, clock)
            and self.category in (None, category)
            and (self.urgency or 0) <= urgency
        )


@dataclass(frozen=True)
class Targets:
    """Every target of a community."""

    rows: tuple[Target, ...]

    def find(self, kind: str, clock: str, *, category: str, urgency: int) -> Target | None:
        """The one that holds for such a case; None when this clock does not run for it."""
        found = [row for row in self.rows if row.holds(kind, clock, category, urgency)]
        return max(found, key=lambda row: row.rank, default=None)

    def changed(self, changes: Iterable[Target]) -> Targets:
        """The same with other rows in place of those with the same conditions."""
        new = {_conditions(row): row for row in changes}
        return Targets((*(row for row in self.rows if not (row.own and _conditions(row) in new)), *new.values()))


# All in one value, so that others may ask for it along (`clocks.rules`).
OWN = (
    select(
        func.jsonb_agg(
            func.jsonb_build_array(
                ClockTarget.kind,
                ClockTarget.clock,
                ClockTarget.minutes,
                ClockTarget.category,
                ClockTarget.urgency,
                ClockTarget.always,
            )
        )
    )
    .where(ClockTarget.community_id == bindparam("community_id"))
    .scalar_subquery()
)


def of(session: Session, community_id: int) -> Targets:
    """The targets that hold in a community."""
    return read(session.scalar(select(OWN), {"community_id": community_id}))


def read(own: Iterable[Sequence[Any]] | None) -> Targets:
    """The table's targets, and what `OWN` found."""
    return Targets((*table(), *(replace(Target(*row), own=True) for row in own or ())))


def check(target: Target) -> Target:
    """The target, if it can be one.

    Raises:
        UnknownTarget: no such clock, no such category or urgency, or longer than a year.
        TargetNotPositive: nothing, or less.
    """
    if target.clock not in clock_runs.names():
        raise UnknownTarget(what=target.clock, known=", ".join(clock_runs.names()))
    kinds = sorted({row.kind for row in table()})
    if target.kind not in kinds:
        raise UnknownTarget(what=target.kind, known=", ".join(kinds))
    if target.category is not None and target.category not in categories.categories():
        raise UnknownTarget(what=target.category, known=", ".join(categories.categories()))
    if target.urgency not in (None, *URGENCIES):
        raise UnknownTarget(what=target.urgency, known=", ".join(map(str, URGENCIES)))
    if target.minutes <= 0:
        raise TargetNotPositive(target=target.minutes)
    if target.length > LONGEST:
        raise UnknownTarget(what=target.minutes, known=f"1–{LONGEST // timedelta(minutes=1)}")
    return target


def keep(session: Session, community_id: int, target: Target) -> None:
    """Make this a target of the community; the caller has the running clocks set anew (`clocks.rebuild`).

    Raises:
        UnknownTarget, TargetNotPositive: as `check` says.
    """
    check(target)
    facts = {"minutes": target.minutes, "always": target.always}
    conditions = {"kind": target.kind, "clock": target.clock, "category": target.category, "urgency": target.urgency}
    kept = insert(ClockTarget).values(community_id=community_id, **conditions, **facts)
    session.execute(kept.on_conflict_do_update(constraint="clock_targets_once", set_=facts))


def forget(session: Session, community_id: int, target: Target) -> bool:
    """Go back to what clocks.yml says; False when the community has no such target of its own."""
    gone = delete(ClockTarget).where(
        ClockTarget.community_id == community_id,
        ClockTarget.kind == target.kind,
        ClockTarget.clock == target.clock,
        ClockTarget.category.is_not_distinct_from(target.category),
        ClockTarget.urgency.is_not_distinct_from(target.urgency),
    )
    return bool(session.scalars(gone.returning(ClockTarget.id)).all())


@cache
def table() -> Sequence[Target]:
    """The targets of clocks.yml, which every community has."""
    return tuple(Target(**row) for row in clock_runs.table()["targets"])


def _conditions(row: Target) -> tuple[str, str, str | None, int | None]:
    return row.kind, row.clock, row.category, row.urgency
