"""Daily sums of the charts: kept of days that are over, counted anew when something of such a day changes.

A figure is never wrong: what is not kept, or has changed since, is counted from the rows (service/tallies.py). Triggers
write a `FigureChange` in the transaction of whatever changes, so who sees a change sees that the sum is old.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Date, Select, cast, delete, exists, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service import tallies
from service.figures import LATE, Scope
from service.models.cases import Case
from service.models.communities import Community
from service.models.figures import DailySum, FigureChange
from service.tallies import Counts

LOCK = 7_262_617  # any fixed number: of two that count the same day at once, the slower would undo the newer sum
A_DAY = timedelta(days=1)
AT_ONCE = 50_000  # changes of one transaction: most are of the same few days, and each day is counted once


@dataclass(frozen=True)
class Found:
    """The figures of a period, day by day."""

    scope: Scope
    days: Mapping[date, Counts]

    def count(self, figure: str) -> Counter[str]:
        """How many have which value."""
        found: Counter[str] = Counter()
        for counts in self.days.values():
            found.update(counts.get(figure, {}))
        return found

    def over_time(self, figure: str) -> Counter[date]:
        """How many there are in each column, whatever their value."""
        found: Counter[date] = Counter()
        for day, counts in self.days.items():
            found[self.scope.column(day)] += sum(counts.get(figure, {}).values())
        return found


def look(session: Session, scope: Scope) -> Found:
    """The figures of a period: from the sums where they are kept, else from the rows.

    Args:
        session: a transaction; it is only read.
        scope: whose, and which days.
    """
    kept: dict[date, Counts] = dict(session.execute(_unchanged(scope)).all())
    days = kept | tallies.by_day(session, scope, [day for day in scope.days if day not in kept])
    for day, clock, count in tallies.running_late(session, scope):
        tallies.add(days, day, clock, LATE, count)
    return Found(scope, days)


def _unchanged(scope: Scope) -> Select[date, Counts]:
    """Sums that hold what is there."""
    community = scope.community
    changed = exists().where(
        FigureChange.community_id == DailySum.community_id, scope.day(FigureChange.at) == DailySum.day
    )
    ours = DailySum.community_id == community.id, DailySum.zone == community.timezone
    return select(DailySum.day, DailySum.counts).where(*ours, DailySum.day.between(scope.first, scope.last), ~changed)


def keep_due(session: Session, *, now: datetime, limit: int) -> int:
    """Count what has changed in days that are kept, and keep days that are over.

    Args:
        session: the caller's transaction; others who keep sums leave it to this one.
        now: the moment, aware UTC.
        limit: days of one transaction that are kept for the first time.

    Returns:
        How many were looked at; 0 means that every sum is there and right.
    """
    if not session.scalar(select(func.pg_try_advisory_xact_lock(LOCK))):
        return 0
    return _follow(session, now=now) + _go_on(session, now=now, limit=limit)


def _follow(session: Session, *, now: datetime) -> int:
    """Take the oldest changes up. What is counted after them holds them; a later one is a row of its own again."""
    oldest = select(FigureChange.id).order_by(FigureChange.id).limit(AT_ONCE)
    of_change = FigureChange.community_id, FigureChange.at
    taken = delete(FigureChange).where(FigureChange.id.in_(oldest)).returning(*of_change).cte("taken")
    day = cast(func.timezone(Community.timezone, taken.c.at), Date)
    by_day = select(Community, day, func.count()).join(taken, taken.c.community_id == Community.id)
    changed: dict[Community, set[date]] = defaultdict(set)
    changes = 0
    for community, changed_day, count in session.execute(by_day.group_by(Community.id, day)):
        changed[community].add(changed_day)
        changes += count
    for community, days in changed.items():
        _forget_other_zones(session, community)
        _keep(session, community, _kept(session, community, days), now=now)
    return changes


def _kept(session: Session, community: Community, days: set[date]) -> Sequence[date]:
    """Those of the days that have a sum; the others will get theirs."""
    ours = DailySum.community_id == community.id, DailySum.zone == community.timezone
    return session.scalars(select(DailySum.day).where(*ours, DailySum.day.in_(days)).order_by(DailySum.day)).all()


def _go_on(session: Session, *, now: datetime, limit: int) -> int:
    """Keep the next days of communities that lack some, from their first case to yesterday."""
    done = 0
    for community in session.scalars(_behind(now).limit(limit)):
        days = _next_days(session, community, now=now)[: limit - done]
        _keep(session, community, days, now=now)
        done += len(days)
        if done >= limit:
            break
    return done


def _behind(now: datetime) -> Select[Community]:
    """Communities whose yesterday is not kept, and that had a case by then."""
    yesterday = cast(func.timezone(Community.timezone, now), Date) - 1
    ours = DailySum.community_id == Community.id, DailySum.zone == Community.timezone
    had = exists().where(Case.community_id == Community.id, Case.opened_at < now - A_DAY)
    return select(Community).where(~exists().where(*ours, DailySum.day == yesterday), had).order_by(Community.id)


def _next_days(session: Session, community: Community, *, now: datetime) -> list[date]:
    """The days after the last one that is kept; with another zone than before everything begins again."""
    zone = ZoneInfo(community.timezone)
    ours = DailySum.community_id == community.id
    last = session.scalar(select(func.max(DailySum.day)).where(ours, DailySum.zone == community.timezone))
    if last is None:
        _forget_other_zones(session, community)
        opened = session.scalar(select(func.min(Case.opened_at)).where(Case.community_id == community.id))
        last = (opened or now).astimezone(zone).date() - A_DAY
    return Scope(community, last + A_DAY, now.astimezone(zone).date() - A_DAY, now).days


def _forget_other_zones(session: Session, community: Community) -> None:
    """Nobody follows what changes in a zone that is the community's no more, which may be so again."""
    ours = DailySum.community_id == community.id
    session.execute(delete(DailySum).where(ours, DailySum.zone != community.timezone))


def _keep(session: Session, community: Community, days: Sequence[date], *, now: datetime) -> None:
    if not days:
        return
    counted = tallies.by_day(session, Scope(community, days[0], days[-1], now), days)
    rows = [
        {"community_id": community.id, "zone": community.timezone, "day": day, "counts": counts}
        for day, counts in counted.items()
    ]
    put = insert(DailySum).values(rows)
    session.execute(
        put.on_conflict_do_update(index_elements=["community_id", "zone", "day"], set_={"counts": put.excluded.counts})
    )
