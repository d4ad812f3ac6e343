"""Clocks of cases: what was promised until when. Worked out from the log on every look; the rows are only an index."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service import bookings, calendars, clock_runs, targets, texts, visits
from service.business_time import Calendar, around_the_clock
from service.clock_runs import Run, Rung, Step
from service.errors import NotEnoughServiceTime
from service.models import Case, CaseClock, CaseEvent, CaseState, Community, table
from service.targets import Target, Targets
from service.when import When

ENDED = (CaseState.FINISHED, CaseState.CLOSED, CaseState.WITHDRAWN)


@dataclass(frozen=True)
class Rules:
    """What a community has promised: its calendar and its targets."""

    calendar: Calendar
    targets: Targets

    def calendar_of(self, target: Target) -> Calendar:
        """What counts for a target: the community's hours, or every minute."""
        return around_the_clock() if target.always else self.calendar


@dataclass(frozen=True)
class Standing:
    """One run of a clock, with its target and what follows from both."""

    run: Run
    target: Target
    calendar: Calendar

    def reaches(self, part: float) -> datetime | None:
        """When this part of the target has passed; None while it is paused, and when the calendar never gets there."""
        try:
            return self.run.reaches(self.target.length * part, self.calendar)
        except NotEnoughServiceTime:
            return None

    @property
    def due(self) -> datetime | None:
        """Until when it was promised."""
        return self.reaches(1.0)

    def is_late(self, now: datetime) -> bool:
        """Whether the promise is broken."""
        return self.run.is_late(self.due, now=now)


_HELD = select(*calendars.SAID, targets.OWN)


def rules(session: Session, community_id: int) -> Rules:
    """What holds in a community now."""
    week, days, own = session.execute(_HELD, {"community_id": community_id}).one()
    community = session.get_one(Community, community_id)
    return Rules(calendars.made(community, *calendars.read(week, days)), targets.read(own))


def standings(case: Case, log: Iterable[Step], held: Rules) -> Iterator[Standing]:
    """Every run of every clock of a case, clock by clock."""
    steps = list(log)
    for clock in clock_runs.names():
        for run in clock_runs.runs(clock, steps):
            target = held.targets.find(case.kind, clock, category=case.category, urgency=run.urgency)
            if target is not None:
                yield Standing(run, target, held.calendar_of(target))


_LOG = (
    select(CaseEvent.event, CaseEvent.at, CaseEvent.data)
    .where(CaseEvent.case_id == bindparam("case_id"))
    .order_by(CaseEvent.id)
)
_FOUND = insert(table(CaseClock))  # past the mapper, which makes a statement of every set of columns that are filled
_INDEX = _FOUND.on_conflict_do_update(
    index_elements=["case_id", "clock"],
    set_={name: _FOUND.excluded[name] for name in ("run", "started_at", "due_at", "stopped_at", "wake_at")},
)


def log_of(session: Session, case: Case) -> list[Step]:
    """The case's log, oldest first."""
    rows = session.execute(_LOG, {"case_id": case.id})
    return [Step(row.event, row.at, row.data or {}) for row in rows]


def index(session: Session, case: Case, *, held: Rules | None = None) -> None:
    """Write down when the case's clocks are due; called after every step of the case.

    Args:
        session: the caller's transaction, in which the case is locked.
        case: whose clocks.
        held: the community's rules, when the caller has them at hand.
    """
    log = log_of(session, case)
    told = already_told(log)
    last = {one.run.clock: one for one in standings(case, log, held or rules(session, case.community_id))}
    if last:
        session.execute(_INDEX, [_row(case, one, told) for one in last.values()])


def index_anew(session: Session, case: Case, *, held: Rules | None = None) -> None:
    """The same when other clocks than before may be the case's: its kind or the targets have changed."""
    session.execute(delete(CaseClock).where(CaseClock.case_id == case.id))
    index(session, case, held=held)


TOLD = "clock_told"  # the event with which the ladder writes down who was told


def _row(case: Case, standing: Standing, told: set[str]) -> dict[str, object]:
    run = standing.run
    return {
        "case_id": case.id,
        "clock": run.clock,
        "run": run.number,
        "started_at": run.started,
        "due_at": standing.due,
        "stopped_at": run.stopped,
        "wake_at": None if run.stopped else next((at for _, at in rungs_ahead(standing, told)), None),
    }


def rungs_ahead(standing: Standing, told: set[str]) -> Iterator[tuple[Rung, datetime]]:
    """The steps of the ladder that nobody was told of yet, with their moments; none while the clock waits."""
    if (
        standing.due is None
    ):  # paused after the warning's moment and before anybody was told: it is told when work goes on
        return
    for rung in clock_runs.ladder():
        at = standing.reaches(rung.at)
        if at is not None and rung_key(standing.run, rung) not in told:
            yield rung, at


def rung_key(run: Run, rung: Rung) -> str:
    """Names a step of the ladder within its case, so that it is taken once."""
    return f"clock:{run.clock}:{run.number}:{rung.step}"


def already_told(log: Iterable[Step]) -> set[str]:
    """The steps of the ladder that were taken, by their names."""
    return {str(step.data["rung"]) for step in log if step.event == TOLD}


def rebuild(session: Session, community_id: int) -> int:
    """Set the clocks of every case at work anew, after a target, the calendar or the zone has changed.

    Returns:
        How many cases there were.
    """
    held = rules(session, community_id)
    found = (
        select(Case).where(Case.community_id == community_id, Case.state.not_in(ENDED)).order_by(Case.conversation_id)
    )
    cases = session.scalars(found.with_for_update(of=Case)).all()
    for case in cases:
        index_anew(session, case, held=held)
    return len(cases)


_RUNNING = select(CaseClock.clock, CaseClock.due_at).where(
    CaseClock.case_id == bindparam("case_id"), CaseClock.stopped_at.is_(None)
)


@dataclass(frozen=True)
class Promise:
    """The clock a resident is told of, and until when; None while it waits."""

    clock: str
    due: datetime | None


def promised(session: Session, case: Case) -> Promise | None:
    """What a resident may expect next, by the rows that the case's last step has written; None when nothing runs."""
    due = {row.clock: row.due_at for row in session.execute(_RUNNING, {"case_id": case.id})}
    return next((Promise(clock, due[clock]) for clock in clock_runs.promises(case.kind) if clock in due), None)


def expected(session: Session, case: Case, *, now: datetime, language: str) -> str:
    """Until when the resident may expect the next thing, in words; nothing while that is open.

    Args:
        session: the caller's transaction.
        case: whose.
        now: the moment, aware UTC.
        language: zh or en.
    """
    promise = promised(session, case)
    community = session.get_one(Community, case.community_id)
    appointment = bookings.live(session, case) if promise is not None and promise.clock == "arrive" else None
    if appointment is not None and now < appointment.ends_at:
        window = bookings.words(appointment, timezone=community.timezone, language=language)
        return texts.words(f"utter_word_expected_visit_{appointment.state}", language=language, when=window)
    if promise is None or promise.due is None:
        return ""
    if promise.due < now:
        return texts.words("utter_word_expected_late", language=language)
    by = by_when(promise.due, now=now, timezone=community.timezone, language=language)
    return texts.words(f"utter_word_expected_{promise.clock}", language=language, by=by)


def by_when(due: datetime, *, now: datetime, timezone: str, language: str) -> str:
    """A due time as staff and residents alike read it: the clock of today or tomorrow, or the day.

    Seconds are left out, never rounded up: nobody is promised a minute more than there is.
    """
    zone = ZoneInfo(timezone)
    local = due.astimezone(zone)
    ahead = (local.date() - now.astimezone(zone).date()).days
    if ahead in NEAR:
        return texts.words(NEAR[ahead], language=language, clock=f"{local:%H:%M}")
    return visits.display(When(due, due), timezone=timezone, language=language)


NEAR = {0: "utter_word_today_at", 1: "utter_word_tomorrow_at"}


def due_line(session: Session, case: Case, *, language: str) -> str:
    """The case's next due time for its work order, with the day, because a card is read on any day."""
    due = next_due(session, case)
    if due is None:
        return texts.words("utter_word_no_due", language=language)
    return moment(due, session.get_one(Community, case.community_id), language=language)


def next_due(session: Session, case: Case) -> datetime | None:
    """Until when the resident was promised the next thing; None while that is open."""
    promise = promised(session, case)
    return promise.due if promise is not None else None


def moment(due: datetime, community: Community, *, language: str) -> str:
    """A due time with its day and clock."""
    return visits.display(When(due, due), timezone=community.timezone, language=language)
