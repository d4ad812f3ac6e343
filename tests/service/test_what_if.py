"""What if: other targets and other calendars, judged by the cases there were."""

from __future__ import annotations

from datetime import timedelta

from service import calendar_file, calendars, clocks, targets, what_if, work
from service.clocks import Rules
from service.models.cases import Case, CaseClock, ClockTarget
from service.targets import Target
from tests.stage import NOON, Stage

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
PLAIN = "那个东西坏了转不动"  # accepted within 30 minutes


def accepted(stage: Stage, after: timedelta) -> Case:
    case = stage.case(matter=PLAIN)
    work.tap(stage.session, stage.member(), case.id, "accept", key=f"a{case.id}", now=NOON + after)
    work.tap(stage.session, stage.member(), case.id, "done", key=f"d{case.id}", now=NOON + after)
    return case


def compare(stage: Stage, *changes: Target, calendar: str = "") -> dict[str, what_if.Comparison]:
    held = clocks.rules(stage.session, stage.community.id)
    reading = calendar_file.read(f"day,hours\n{calendar}".encode())
    hours = calendars.imagine(stage.session, stage.community, reading)
    instead = Rules(hours, held.targets.changed(changes))
    now, since = NOON + 99 * HOUR, NOON - HOUR
    rows = what_if.compare(stage.session, stage.community.id, instead=instead, since=since, now=now)
    return {row.clock: row for row in rows}


def test_a_shorter_target_shows_who_would_have_been_late(stage):
    quick, slow, late = (accepted(stage, minutes * MINUTE) for minutes in (5, 20, 40))

    row = compare(stage, Target("repair", "accept", 15, own=True))["accept"]

    assert (row.runs, row.late, row.would_be_late) == (3, 1, 2)
    assert (row.newly_late, row.no_longer_late) == ([slow.number], [])
    assert quick.number not in str(row)
    assert late.number not in str(row)


def test_a_longer_target_shows_who_would_have_been_in_time(stage):
    late = accepted(stage, 40 * MINUTE)

    assert compare(stage, Target("repair", "accept", 60, own=True))["accept"].no_longer_late == [late.number]


def test_other_hours_are_tried_like_other_targets(stage):
    late = accepted(stage, 40 * MINUTE)

    assert compare(stage, calendar="mon-sun,12:30-20:00")["accept"].no_longer_late == [late.number]


def test_a_clock_that_is_new_is_judged_too(stage):
    """Whoever thinks of a promise wants to know whether it would have been kept."""
    case = stage.case(kind="praise", matter="谢谢李师傅")

    assert compare(stage, Target("praise", "answer", 60, own=True))["answer"].newly_late == [case.number]


def test_nothing_is_saved(stage):
    accepted(stage, 20 * MINUTE)
    before = [(row.clock, row.due_at) for row in stage.session.query(CaseClock).order_by(CaseClock.clock)]

    compare(stage, Target("repair", "accept", 15, own=True), calendar="mon-sun,12:30-20:00")

    assert stage.session.query(ClockTarget).count() == 0
    assert [(row.clock, row.due_at) for row in stage.session.query(CaseClock).order_by(CaseClock.clock)] == before


def test_trying_the_same_as_what_holds_changes_nothing(stage):
    """The two sides of the table come from one function."""
    for minutes in (5, 20, 40):
        accepted(stage, minutes * MINUTE)
    targets.keep(stage.session, stage.community.id, Target("repair", "accept", 15))

    for row in compare(stage, Target("repair", "accept", 15, own=True)).values():
        assert (row.late, row.newly_late, row.no_longer_late) == (row.would_be_late, [], [])


def test_every_case_is_read_batch_by_batch(stage, monkeypatch):
    monkeypatch.setattr(what_if, "BATCH", 2)
    for _ in range(5):
        accepted(stage, 5 * MINUTE)

    assert compare(stage)["accept"].runs == 5
