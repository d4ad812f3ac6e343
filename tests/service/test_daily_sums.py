"""Daily sums of the charts: as quick as kept figures, as right as counted ones."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session

from service import daily_sums, figures, heard, tallies
from service.figures import Scope
from service.models.cases import Case, CaseClock, CaseEvent, CaseState
from service.models.figures import DailySum, FigureChange
from service.models.follow_ups import CallBack, Outcome, Survey
from service.models.talks import Message
from service.models.understanding import Candidate, CandidateReason
from tests.console.lively import a_month
from tests.stage import NOON, Stage

NOW = NOON + timedelta(hours=6)
TODAY = NOON.date()
FIRST = TODAY - timedelta(days=35)


def scope(stage: Stage, first: date = FIRST, last: date = TODAY) -> Scope:
    return Scope(stage.community, first, last, NOW)


def keep(session: Session, **later: int) -> int:
    """Have everything kept that is due; gives how many rows were looked at."""
    looked_at = 0
    while done := daily_sums.keep_due(session, now=NOW + timedelta(**later), limit=50):
        looked_at += done
    return looked_at


def shown(stage: Stage) -> dict[date, Any]:
    """What the charts show, day by day."""
    days = daily_sums.look(stage.session, scope(stage)).days
    return {day: {figure: values for figure, values in counts.items() if values} for day, counts in days.items()}


def counted(stage: Stage) -> dict[date, Any]:
    """The same when nothing is kept."""
    step = stage.session.begin_nested()
    stage.session.execute(delete(DailySum))
    found = shown(stage)
    step.rollback()
    return found


def changes(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(FigureChange)) or 0


@pytest.fixture
def month(stage: Stage) -> Stage:
    """A month of a lively community, its days kept, in a zone whose clocks were set back in it."""
    stage.community.timezone = "Europe/Berlin"
    a_month(stage, now=NOW)
    stage.session.flush()
    keep(stage.session)
    return stage


def number_of_rows(stage: Stage, find: Callable[..., Any]) -> int:
    """How many rows a list has, page by page."""
    page = find(before=None)
    rows = len(page.rows)
    while page.before is not None:
        page = find(before=page.before)
        rows += len(page.rows)
    return rows


def figures_of_today(stage: Stage) -> int:
    return sum(daily_sums.look(stage.session, scope(stage, TODAY)).count("kind").values())


def test_every_kept_figure_is_as_many_rows_as_the_list_behind_it_has(month):
    """The lists know nothing of sums: they ask each case for its value."""
    session, whole = month.session, scope(month)
    found = daily_sums.look(session, whole)

    for figure in (*tallies.OF_CASES, "clock_accept", "clock_arrive", "clock_finish"):
        assert found.count(figure), figure
        for value, count in found.count(figure).items():
            behind = number_of_rows(
                month, lambda before, f=figure, v=value: figures.cases(session, whole, f, v, before=before)
            )
            assert (figure, value, count) == (figure, value, behind)
    for hour, count in found.count(tallies.HOUR).items():
        assert count == number_of_rows(
            month, lambda before, h=int(hour): heard.in_hour(session, whole, h, before=before)
        )
    unclear = number_of_rows(month, lambda before: heard.unclear(session, whole, before=before))
    assert found.count(tallies.UNCLEAR) == {tallies.UNCLEAR: unclear}
    kept = session.scalars(select(DailySum.day).order_by(DailySum.day)).all()
    assert (len(kept), kept[-1]) == (28, TODAY - timedelta(days=1))  # from the first case to yesterday
    assert figures_of_today(month) > 0


# What can change about a day that is over.
def _other_kind(case: Case) -> None:
    case.kind = "inquiry" if case.kind == "repair" else "repair"


def _other_category(case: Case) -> None:
    case.category = "lift" if case.category != "lift" else "noise"


def _withdrawn(case: Case) -> None:
    case.state = CaseState.CLOSED if case.state is CaseState.WITHDRAWN else CaseState.WITHDRAWN


def _of_another_day(case: Case) -> None:
    case.opened_at -= timedelta(days=3)


def _reopened(case: Case) -> CaseEvent:
    return CaseEvent(case_id=case.id, event="reopened", actor="resident", at=NOW, key=None)


def _clock(session: Session, case: Case) -> CaseClock:
    return session.scalars(select(CaseClock).where(CaseClock.case_id == case.id).limit(1)).one()


def _clock_stopped_late(session: Session, case: Case) -> None:
    clock = _clock(session, case)
    assert clock.due_at is not None
    late = clock.stopped_at is not None and clock.stopped_at > clock.due_at
    clock.stopped_at = clock.due_at + timedelta(hours=-1 if late else 1)


def _clock_runs_again(session: Session, case: Case) -> None:
    _clock(session, case).stopped_at = None


def _clock_gone(session: Session, case: Case) -> None:
    session.delete(_clock(session, case))


def _answer(session: Session, case: Case) -> None:
    session.execute(delete(CallBack).where(CallBack.case_id == case.id))
    said = {"state": "answered", "due_at": NOW, "outcome": Outcome.NOT_HELD}
    session.add(CallBack(case_id=case.id, resolution=1, **said))


def _stars(session: Session, case: Case) -> None:
    newest = session.scalar(select(func.max(Survey.resolution)).where(Survey.case_id == case.id)) or 0
    session.add(Survey(case_id=case.id, resolution=newest + 1, state="answered", asked_at=NOW, stars=1 + newest % 5))


def _messages_gone(session: Session, case: Case) -> None:
    session.execute(delete(Message).where(Message.conversation_id == case.conversation_id))


def _message(session: Session, case: Case) -> None:
    facts = {"author": "resident", "kind": "text", "text": "?"}
    session.add(Message(conversation_id=case.conversation_id, said_at=case.opened_at, **facts))


def _unclear_gone(session: Session, case: Case) -> None:
    oldest = select(func.min(Candidate.id)).where(Candidate.why == CandidateReason.REPHRASE)
    session.execute(delete(Candidate).where(Candidate.id == oldest.scalar_subquery()))


DEEDS: dict[str, Callable[[Session, Case], object]] = {
    "another kind": lambda _, case: _other_kind(case),
    "another category": lambda _, case: _other_category(case),
    "withdrawn": lambda _, case: _withdrawn(case),
    "of another day": lambda _, case: _of_another_day(case),
    "reopened": lambda session, case: session.add(_reopened(case)),
    "a clock stopped late": _clock_stopped_late,
    "a clock runs again": _clock_runs_again,
    "a clock is gone": _clock_gone,
    "a late answer": _answer,
    "late stars": _stars,
    "a resident forgotten": _messages_gone,
    "a message taken in late": _message,
    "a candidate forgotten": _unclear_gone,
}


def repair_of_long_ago(stage: Stage) -> Case:
    """One whose first fix held."""
    held = select(Case).join(CallBack, CallBack.case_id == Case.id).where(CallBack.outcome == Outcome.HELD)
    return stage.session.scalars(held.where(Case.kind == "repair").order_by(Case.opened_at).limit(1)).one()


def test_a_late_change_is_shown_at_once_and_kept_by_the_next_sweep(month):
    """A figure is never wrong: not before the sweep, and not after it."""
    for name, deed in DEEDS.items():
        step, before = month.session.begin_nested(), shown(month)

        deed(month.session, repair_of_long_ago(month))
        month.session.flush()

        after = shown(month)
        assert after != before, name
        assert after == counted(month), name
        assert keep(month.session) > 0, name
        assert (shown(month), changes(month.session)) == (after, 0), name
        step.rollback()


def test_whatever_changes_in_whatever_order_the_sums_are_what_is_counted(month, monkeypatch):
    """Sweeps in between that take some of it up, several changes of one day, a case changed twice."""
    monkeypatch.setattr(daily_sums, "AT_ONCE", 3)
    dice = Random(11)
    cases = month.session.scalars(select(Case).where(Case.source.startswith("month:")).order_by(Case.id)).all()

    for _ in range(60):
        DEEDS[dice.choice(sorted(DEEDS))](month.session, dice.choice(cases))
        month.session.flush()
        if dice.randrange(5) == 0:
            daily_sums.keep_due(month.session, now=NOW, limit=50)
            assert shown(month) == counted(month)

    keep(month.session)
    assert shown(month) == counted(month)


def test_what_does_not_count_changes_no_day_of_ours(month):
    """Steps of a case and lines of the bot come by the thousand; and a neighbour's case is the neighbour's."""
    before, case = shown(month), repair_of_long_ago(month)

    case.urgency, case.worker_id = 2, month.member().id
    month.session.add(CaseEvent(case_id=case.id, event="urged", actor="resident", at=NOW, key=None))
    line = {"author": "bot", "kind": "text", "text": "…", "said_at": NOON - timedelta(days=3)}
    month.session.add(Message(conversation_id=case.conversation_id, **line))
    month.session.flush()
    assert changes(month.session) == 0
    there = month.another_community()
    month.session.execute(
        text(
            "INSERT INTO cases (community_id, number, conversation_id, resident_id, department_id, source, kind,"
            " category, state, urgency, resolution, matter, opened_at) SELECT :there, 'X', conversation_id,"
            " resident_id, department_id, 'x', kind, category, state, 0, 0, '', opened_at FROM cases WHERE id = :id"
        ),
        {"there": there.id, "id": case.id},
    )

    assert shown(month) == before
    keep(month.session)
    assert shown(month) == before


def test_a_promise_is_broken_by_waiting_alone(month):
    """Nothing is written when a due time passes, so a kept day cannot know of it."""
    case = repair_of_long_ago(month)
    clock = _clock(month.session, case)
    clock.stopped_at, clock.due_at = None, NOW + timedelta(hours=1)
    month.session.flush()
    keep(month.session)
    day = case.opened_at.astimezone(ZoneInfo("Europe/Berlin")).date()

    def late(hours: int) -> int:
        at = Scope(month.community, day, day, NOW + timedelta(hours=hours))
        return daily_sums.look(month.session, at).count(f"clock_{clock.clock}")["late"]

    assert late(2) == late(0) + 1


def test_in_another_zone_the_days_are_others(month):
    """Midnight is elsewhere: everything is counted anew, and what was kept before is gone."""
    month.community.timezone = "America/Los_Angeles"
    month.session.flush()
    there = shown(month)

    assert there == counted(month)
    _stars(month.session, repair_of_long_ago(month))
    month.session.flush()
    there = shown(month)
    keep(month.session)
    assert shown(month) == there
    assert set(month.session.scalars(select(DailySum.zone))) == {"America/Los_Angeles"}


def test_a_busy_hour_keeps_no_day_from_being_kept(stage):
    """There is something new every second."""
    a_month(stage, now=NOW)
    stage.session.flush()
    assert changes(stage.session) > 100

    daily_sums.keep_due(stage.session, now=NOW, limit=5)

    assert stage.session.scalar(select(func.count()).select_from(DailySum)) == 5


def test_a_change_that_a_sweep_could_not_see_yet_is_taken_up_by_the_next(sessions):
    """It was written before the sweep and committed after it."""
    with sessions.begin() as session:
        stage = Stage(session)
        a_month(stage, now=NOW)
    with sessions.begin() as session:
        keep(session)
    with sessions() as slow, sessions() as sweeping:
        _stars(slow, slow.scalars(select(Case).where(Case.source == "month:A7")).one())
        slow.flush()
        sweeping.execute(text("UPDATE cases SET kind = 'praise' WHERE source = 'month:A7'"))
        keep(sweeping)
        sweeping.commit()

        slow.commit()

    with sessions.begin() as session:
        stage = Stage(session)
        assert changes(session) == 1
        assert shown(stage) == counted(stage)
        keep(session)
        assert shown(stage) == counted(stage)


def test_two_sweeps_at_once_are_one(sessions):
    """The slower one would put its older sum in the place of the newer."""
    with sessions.begin() as session:
        a_month(Stage(session), now=NOW)
    with sessions() as first, sessions() as second:
        assert daily_sums.keep_due(first, now=NOW, limit=5) > 0

        assert daily_sums.keep_due(second, now=NOW, limit=5) == 0
