"""The ladder: a promise about to be broken is told to butler, supervisor, manager, each step once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier

from sqlalchemy import select

from service import cases, clocks, ladder, targets, work
from service.db import Sessions
from service.models.cases import Case, CaseClock, CaseEvent
from service.models.queues import Priority
from service.targets import Target
from tests.stage import NOON, Stage

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
PLAIN = "那个东西坏了转不动"  # accepted within 30 minutes, somebody there within 240, done within 1440


def climb(stage: Stage, now: datetime) -> list[str]:
    """What staff read after a sweep, newest only."""
    before = len(stage.outbox("note"))
    while ladder.climb_due(stage.session, now=now):
        pass
    return [str(row.payload["text"]) for row in stage.outbox("note")[before:]]


def told(stage: Stage, case: Case) -> list[tuple[str, bool]]:
    found = select(CaseEvent).where(CaseEvent.case_id == case.id, CaseEvent.event == clocks.TOLD).order_by(CaseEvent.id)
    return [(event.data["rung"], event.data["told"]) for event in stage.session.scalars(found) if event.data]


def test_butler_supervisor_and_manager_hear_of_it_in_turn(stage):
    """W3: a warning while something can still be done, then the breach, then who can change more."""
    case = stage.case(matter=PLAIN)
    sayings = [climb(stage, NOON + minutes * MINUTE) for minutes in (23, 24, 29, 30, 44, 45, 60)]

    assert [len(one) for one in sayings] == [0, 1, 0, 1, 0, 1, 0]
    assert "请管家留意" in sayings[1][0]
    assert "请主管跟进" in sayings[3][0]
    assert "请经理过问" in sayings[5][0]
    assert f"{case.number}「{PLAIN}」接单，时限 11月23日 周一 12:30" in sayings[1][0]
    assert told(stage, case) == [(f"clock:accept:1:{step}", True) for step in ("warning", "breach", "overdue")]


def test_it_stands_in_the_departments_topic_behind_new_work(stage):
    case = stage.case(matter=PLAIN)
    climb(stage, NOON + 24 * MINUTE)

    note = stage.outbox("note")[-1]
    assert (note.topic_id, note.priority) == (case.department.topic_id, Priority.FOLLOW_UP)


def test_who_keeps_the_promise_is_left_alone(stage):
    case = stage.case(matter=PLAIN)
    work.tap(stage.session, stage.member(), case.id, "accept", key="tap", now=NOON + 10 * MINUTE)

    assert climb(stage, NOON + 60 * MINUTE) == []
    assert told(stage, case) == []


def test_a_case_that_waits_alarms_nobody(stage):
    case = stage.case(matter=PLAIN)
    work.tap(stage.session, stage.member(), case.id, "pause_parts", key="tap", now=NOON + MINUTE)

    assert climb(stage, NOON + 999 * HOUR) == []


def test_a_warning_that_a_pause_overtook_is_told_when_the_work_goes_on(stage):
    """The scheduler was down at its moment; while the clock waits there is no due time that could be told."""
    case = stage.case(matter=PLAIN)
    member = stage.member()
    work.tap(stage.session, member, case.id, "accept", key="accept", now=NOON)
    work.tap(stage.session, member, case.id, "pause_parts", key="pause", now=NOON + 200 * MINUTE)

    assert climb(stage, NOON + 201 * MINUTE) == []
    work.tap(stage.session, member, case.id, "resume", key="resume", now=NOON + 300 * MINUTE)

    assert "请管家留意" in climb(stage, NOON + 301 * MINUTE)[0]


def test_after_a_long_downtime_only_the_last_step_is_told_and_all_are_written_down(stage):
    """Three messages about one clock would say nothing that the third does not."""
    case = stage.case(matter=PLAIN)
    targets.keep(stage.session, stage.community.id, Target("repair", "arrive", 9999))
    targets.keep(stage.session, stage.community.id, Target("repair", "finish", 9999))
    clocks.rebuild(stage.session, stage.community.id)

    [said] = climb(stage, NOON + 48 * HOUR)

    assert "请经理过问" in said
    assert told(stage, case) == [
        ("clock:accept:1:warning", False), ("clock:accept:1:breach", False), ("clock:accept:1:overdue", True)
    ]  # fmt: skip


def test_what_comes_up_at_once_in_one_topic_is_one_message(stage):
    """The group may be written to eighteen times a minute; work orders need that more."""
    numbers = [stage.case(matter=PLAIN).number for _ in range(12)]
    elsewhere = stage.case(matter="楼道垃圾没人清理")
    assert elsewhere.department.key == "cleaning"

    said = climb(stage, NOON + 24 * MINUTE)

    assert sorted(one.count("·") for one in said) == [1, 2, 10]
    assert all(sum(number in one for one in said) == 1 for number in numbers)


def test_a_new_run_has_a_ladder_of_its_own(stage):
    case = stage.case(matter=PLAIN)
    climb(stage, NOON + 24 * MINUTE)
    work.tap(stage.session, stage.member(), case.id, "to_cleaning", key="tap", now=NOON + 25 * MINUTE)

    [said] = climb(stage, NOON + 25 * MINUTE + 24 * MINUTE)

    assert case.number in said
    assert told(stage, case)[-1] == ("clock:accept:2:warning", True)
    assert stage.outbox("note")[-1].topic_id == case.department.topic_id


def test_a_due_time_that_moved_away_is_not_told(stage):
    """The row said now; the log, the calendar and the targets say later: the rows are only an index."""
    stage.case(matter=PLAIN)
    targets.keep(stage.session, stage.community.id, Target("repair", "accept", 300))

    assert climb(stage, NOON + 24 * MINUTE) == []
    assert len(climb(stage, NOON + 240 * MINUTE)) == 2, "accepting, and arriving"


def test_the_ladder_changes_no_state_and_no_promise(stage):
    case = stage.case(matter=PLAIN)
    before = (case.state, clocks.expected(stage.session, case, now=NOON, language="zh"))
    climb(stage, NOON + 24 * MINUTE)

    assert (case.state, clocks.expected(stage.session, case, now=NOON, language="zh")) == before


def test_schedulers_side_by_side_tell_each_step_once(sessions: Sessions):
    with sessions.begin() as session:
        stage = Stage(session)
        for _ in range(9):
            stage.case(matter=PLAIN)
    start = Barrier(3)

    def sweep(_: int) -> None:
        start.wait()
        while True:
            with sessions.begin() as session:
                if ladder.climb_due(session, now=NOON + 24 * MINUTE, limit=4) == 0:
                    return

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(sweep, range(3)))

    with sessions.begin() as session:
        assert session.query(CaseEvent).filter(CaseEvent.event == clocks.TOLD).count() == 9
        lines = "\n".join(str(row.payload["text"]) for row in Stage(session).outbox("note"))
        assert lines.count("·") == 9


def test_a_withdrawn_case_is_off_the_ladder(stage):
    case = stage.case(matter=PLAIN)
    cases.advance(stage.session, case, cases.Event.WITHDRAWN, actor="resident", key="w", now=NOON)

    assert climb(stage, NOON + 99 * HOUR) == []
    assert {one.wake_at for one in stage.session.scalars(select(CaseClock))} == {None}
