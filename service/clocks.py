"""Clocks of cases: what was promised until when. Worked out from the log on every look; the rows are only an index."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, delete, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session, lazyload

from service import bookings, calendars, clock_runs, targets, texts, visits
from service.business_time import Calendar, around_the_clock
from service.clock_runs import Run, Rung, Step
from service.errors import NotEnoughServiceTime
from service.models.cases import Appointment, Case, CaseClock, CaseEvent, CaseState
from service.models.communities import Community
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


_HELD = select(Community, *calendars.SAID, targets.OWN).where(Community.id == bindparam("community_id"))


def rules(session: Session, community_id: int) -> Rules:
    """What holds in a community now."""
    community, week, days, own = session.execute(_HELD, {"community_id": community_id}).one()
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
    select(CaseEvent.event, CaseEvent.at, CaseEvent.data, CaseEvent.key)
    .where(CaseEvent.case_id == bindparam("case_id"))
    .order_by(CaseEvent.id)
)
# What has not changed is not written again: a step moves one clock of three.
_INDEX = text("""
    INSERT INTO case_clocks AS kept (case_id, clock, run, started_at, due_at, stopped_at, wake_at)
    SELECT :case_id, clock, run, started_at, due_at, stopped_at, wake_at FROM jsonb_to_recordset(:clocks)
      AS found(clock text, run bigint, started_at timestamptz, due_at timestamptz, stopped_at timestamptz,
               wake_at timestamptz)
    ON CONFLICT (case_id, clock) DO UPDATE SET run = excluded.run, started_at = excluded.started_at,
      due_at = excluded.due_at, stopped_at = excluded.stopped_at, wake_at = excluded.wake_at
      WHERE (kept.run, kept.started_at, kept.due_at, kept.stopped_at, kept.wake_at) IS DISTINCT FROM
            (excluded.run, excluded.started_at, excluded.due_at, excluded.stopped_at, excluded.wake_at)
""").bindparams(bindparam("clocks", type_=JSONB))


def log_of(session: Session, case: Case) -> list[Step]:
    """The case's log, oldest first."""
    rows = session.execute(_LOG, {"case_id": case.id})
    return [Step(row.event, row.at, row.data or {}, row.key) for row in rows]


def index(session: Session, case: Case, *, log: Sequence[Step] | None = None, held: Rules | None = None) -> None:
    """Write down when the case's clocks are due; called after every step of the case.

    Args:
        session: the caller's transaction, in which the case is locked.
        case: whose clocks.
        log: the case's, when the caller has it at hand.
        held: the community's rules, when the caller has them at hand.
    """
    log = log_of(session, case) if log is None else log
    told = already_told(log)
    last = {one.run.clock: one for one in standings(case, log, held or rules(session, case.community_id))}
    if last:
        session.execute(_INDEX, {"case_id": case.id, "clocks": [_row(one, told) for one in last.values()]})


def index_anew(session: Session, case: Case, *, held: Rules | None = None) -> None:
    """The same when other clocks than before may be the case's: its kind or the targets have changed."""
    session.execute(delete(CaseClock).where(CaseClock.case_id == case.id))
    index(session, case, held=held)


TOLD = "clock_told"  # the event with which the ladder writes down who was told


def _row(standing: Standing, told: set[str]) -> dict[str, object]:
    run = standing.run
    moments = {
        "started_at": run.started,
        "due_at": standing.due,
        "stopped_at": run.stopped,
        "wake_at": None if run.stopped else next((at for _, at in rungs_ahead(standing, told)), None),
    }
    written = {name: moment.isoformat() for name, moment in moments.items() if moment is not None}
    return {"clock": run.clock, "run": run.number, **written}


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


@dataclass(frozen=True)
class Promise:
    """The clock a resident is told of, and until when; None while it waits."""

    clock: str
    due: datetime | None


@dataclass(frozen=True)
class Outlook:
    """What is ahead of a case: what was promised next, and the appointment that holds."""

    promise: Promise | None
    appointment: Appointment | None
    note: datetime | None = None  # until when a legacy problem's resident is owed the next word on it

    @property
    def due(self) -> datetime | None:
        """Until when the resident was promised the next thing; None while that is open."""
        return self.promise.due if self.promise is not None else None


# Both in one question: it is asked at every step of a case, for the work order and for the resident.
_AHEAD = (
    select(CaseClock.clock, CaseClock.due_at, Appointment)
    .select_from(Case)
    .outerjoin(CaseClock, (CaseClock.case_id == Case.id) & CaseClock.stopped_at.is_(None))
    .outerjoin(Appointment, (Appointment.case_id == Case.id) & bookings.IS_LIVE)
    .where(Case.id == bindparam("case_id"))
    .options(lazyload(Appointment.case))
)


def outlook(session: Session, case: Case) -> Outlook:
    """What is ahead of a case, by the rows that its last step has written."""
    rows = session.execute(_AHEAD, {"case_id": case.id}).all()
    due = {row.clock: row.due_at for row in rows}
    told = (Promise(clock, due[clock]) for clock in clock_runs.promises(case.kind) if clock in due)
    return Outlook(next(told, None), rows[0].Appointment, due.get("progress"))


def expected(session: Session, case: Case, *, now: datetime, language: str) -> str:
    """Until when the resident may expect the next thing, in words; nothing while that is open.

    Args:
        session: the caller's transaction.
        case: whose.
        now: the moment, aware UTC.
        language: zh or en.
    """
    ahead = outlook(session, case)
    promise, community = ahead.promise, session.get_one(Community, case.community_id)
    appointment = ahead.appointment if promise is not None and promise.clock == "arrive" else None
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


def due_line(due: datetime | None, community: Community, *, language: str) -> str:
    """A due time for a work order, with the day, because a card is read on any day; or that there is none."""
    if due is None:
        return texts.words("utter_word_no_due", language=language)
    return moment(due, community, language=language)


def moment(due: datetime, community: Community, *, language: str) -> str:
    """A due time with its day and clock."""
    return visits.display(When(due, due), timezone=community.timezone, language=language)
