"""A whole story: played to its end, then judged by what it knows itself, by the minute counter and by the rows."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from random import Random

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import clocks
from service.first_time_fix import first_time_fix
from service.models.cases import Case, CaseClock
from service.models.follow_ups import Outcome
from service.shares import Share
from tests.quarter.oracle import Counted, Oracle, Step
from tests.quarter.people import TAIL, People, Scale
from tests.quarter.world import CALENDAR, ZONE, World

SAMPLE = 300  # cases whose clocks are counted minute by minute
ANSWERS = (Outcome.HELD, Outcome.PARTLY, Outcome.NOT_HELD)


@dataclass(frozen=True)
class Result:
    """What came of a seed, or of one of its estates."""

    seconds: float
    python: float  # seconds of this process, without the database's
    seen: Counter[str]
    fixed: Share  # the first time
    violations: list[str]


@dataclass(frozen=True)
class Story:
    """A world and its people, when everything is over."""

    world: World
    people: People
    scale: Scale

    def judge(self) -> list[str]:
        """Every promise that was broken."""
        seen = self.world.judge()
        with self.world.sessions() as session:
            return [*seen, *self.wrong_clocks(session), *self.wrong_share(session)]

    def share(self, session: Session) -> Share:
        """First-time fix of repairs, as the service reports it."""
        until = self.scale.ends + TAIL
        return first_time_fix(session, self.world.community_id, since=self.scale.begins, until=until)

    def wrong_share(self, session: Session) -> Iterator[str]:
        """The service's first-time fix is what the story counts."""
        repairs = [told for told in self.people.told.values() if told.kind == "repair"]
        known = [told for told in repairs if told.reopened or told.first in ANSWERS]
        held = [told for told in known if told.first is Outcome.HELD and not told.reopened]
        counted, reported = Share(len(held), len(known)), self.share(session)
        if counted != reported:
            yield f"first-time fix: {reported} reported, {counted} counted"

    def wrong_clocks(self, session: Session) -> Iterator[str]:
        """The clocks of a sample are those of somebody with a watch, in the log and in the index."""
        oracle, rules = Oracle(CALENDAR, ZONE), clocks.rules(session, self.world.community_id)
        ids = sorted(self.people.told)
        for case_id in Random(0).sample(ids, min(SAMPLE, len(ids))):
            case = session.get_one(Case, case_id)
            log = clocks.log_of(session, case)
            steps = [Step(step.event, step.at, dict(step.data)) for step in log]
            counted = oracle.counts(case.kind, case.category, steps)
            worked_out = [
                Counted(one.run.clock, one.run.number, one.run.started, one.run.stopped, one.due)
                for one in clocks.standings(case, log, rules)
            ]
            if counted != worked_out:
                yield f"{case.number}: clocks {worked_out} worked out, {counted} counted"
            if _indexed(session, case) != {one.clock: (one.started, one.stopped, one.due) for one in counted}:
                yield f"{case.number}: the index is not what was counted"


def _indexed(session: Session, case: Case) -> dict[str, tuple[datetime, datetime | None, datetime | None]]:
    rows = session.scalars(select(CaseClock).where(CaseClock.case_id == case.id))
    return {row.clock: (row.started_at, row.stopped_at, row.due_at) for row in rows}


def play(
    url: str,
    *,
    seed: int,
    scale: Scale,
    progress: Callable[[World], None] = lambda world: None,
) -> Story:
    """Let a seed's story happen in an empty, migrated database."""
    world = World(url, seed=seed, begins=scale.begins)
    people = People(world, scale)
    people.make_plans()
    world.play(scale.ends + TAIL, progress=progress)
    return Story(world, people, scale)


def tell(url: str, *, seed: int, scale: Scale, progress: Callable[[World], None]) -> Result:
    """Play a story and judge it."""
    since, before = time.monotonic(), time.process_time()
    story = play(url, seed=seed, scale=scale, progress=progress)
    violations = story.judge()
    with story.world.sessions() as session:
        share = story.share(session)
    story.world.close()
    spent = time.process_time() - before
    return Result(time.monotonic() - since, spent, story.world.seen, share, violations)
