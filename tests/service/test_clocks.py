"""Clocks of cases: one function says what residents, staff and reports read, and the rows are only an index."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from service import calendar_file, calendars, cases, clocks, targets, work
from service.errors import TargetNotPositive, UnknownTarget
from service.models.cases import Case, CaseClock, CaseState
from service.models.communities import WeekdayHours
from service.targets import Target
from tests.stage import NOON, Stage

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
EIGHT = NOON - 4 * HOUR  # the desk opens


def tap(stage: Stage, case: Case, verb: str, *, now: datetime = NOON) -> None:
    work.tap(stage.session, stage.member(), case.id, verb, key=f"tap:{verb}:{now.isoformat()}", now=now)


def row(stage: Stage, case: Case, clock: str) -> CaseClock | None:
    found = select(CaseClock).where(CaseClock.case_id == case.id, CaseClock.clock == clock)
    return stage.session.scalars(found).one_or_none()


def due(stage: Stage, case: Case, clock: str) -> datetime | None:
    found = row(stage, case, clock)
    assert found is not None
    return found.due_at


def own(stage: Stage, kind: str, clock: str, minutes: int, **conditions) -> None:
    targets.keep(stage.session, stage.community.id, Target(kind, clock, minutes, **conditions))


def snapshot(stage: Stage) -> list[tuple[object, ...]]:
    stage.session.flush()
    columns = (CaseClock.case_id, CaseClock.clock, CaseClock.run, CaseClock.started_at, CaseClock.due_at,
               CaseClock.stopped_at, CaseClock.wake_at)  # fmt: skip
    return [tuple(one) for one in stage.session.execute(select(*columns).order_by(*columns[:2]))]


def test_a_repair_has_clocks_for_accepting_arriving_and_finishing(stage):
    case = stage.case(matter="那个东西坏了转不动")

    assert due(stage, case, "accept") == NOON + 30 * MINUTE
    assert due(stage, case, "arrive") == NOON + 240 * MINUTE
    assert due(stage, case, "finish") == NOON + 48 * HOUR, "8 hours of today, 12 of tomorrow, 4 of the day after"
    assert row(stage, case, "answer") is None


def test_a_lift_is_accepted_within_ten_minutes_day_and_night(stage):
    case = stage.case(matter="电梯坏了")

    assert due(stage, case, "accept") == NOON + 10 * MINUTE
    assert case.category == "lift"


@pytest.mark.parametrize(
    ("kind", "clocks_of_it"),
    [
        ("complaint", {"first_answer", "written_answer"}),
        ("inquiry", {"answer"}),
        ("suggestion", {"answer"}),
        ("praise", set()),
    ],
)
def test_each_kind_has_its_own_clocks(stage, kind, clocks_of_it):
    stage.case(kind=kind, matter="有点事情")

    assert {one.clock for one in stage.session.scalars(select(CaseClock))} == clocks_of_it


def test_every_step_moves_the_clocks(stage):
    case = stage.case()
    tap(stage, case, "accept", now=NOON + MINUTE)
    tap(stage, case, "arrive", now=NOON + HOUR)

    assert case.state is CaseState.ON_SITE
    assert [one.stopped_at for one in (row(stage, case, "accept"), row(stage, case, "arrive")) if one] == [
        NOON + MINUTE, NOON + HOUR
    ]  # fmt: skip
    assert row(stage, case, "finish").wake_at is not None  # type: ignore[union-attr]


@pytest.mark.parametrize("reason", ["resident", "parts", "weather", "appointment"])
def test_a_paused_case_is_due_at_no_time_until_it_goes_on(stage, reason):
    """The resident is told why; the work order shows it; the clocks wait with the work."""
    case = stage.case()
    before = due(stage, case, "finish")
    tap(stage, case, f"pause_{reason}", now=NOON + HOUR)

    assert case.state is CaseState.PAUSED
    assert (due(stage, case, "finish"), row(stage, case, "finish").wake_at) == (None, None)  # type: ignore[union-attr]
    assert case.number in stage.lines_to(case.conversation)[-1]
    assert "暂停中" in stage.outbox("card")[-1].payload["text"]

    tap(stage, case, "resume", now=NOON + 3 * HOUR)
    assert case.state.value == "accepted"
    assert before is not None
    assert due(stage, case, "finish") == before + 2 * HOUR
    assert cases.events(stage.session, case)[1].data == {"reason": reason}


def test_an_appointment_ends_its_pause_by_itself(stage):
    case = stage.case(wanted_at="明天上午", wanted_from=NOON + 22 * HOUR, wanted_until=NOON + 24 * HOUR)
    tap(stage, case, "pause_appointment")

    assert due(stage, case, "arrive") == NOON + 24 * HOUR, "water: two hours after ten o'clock tomorrow"


def test_pausing_is_offered_with_its_reasons_and_going_on_only_when_paused(stage):
    case = stage.case()
    work.offer(stage.session, stage.member(), case.id, "pause", key="offer")

    [offer] = stage.outbox("note")
    assert [one["title"] for one in offer.payload["buttons"]] == ["等业主", "等配件", "等天气", "预约"]
    shown = {one["data"].rpartition(":")[2] for one in stage.outbox("work_order")[0].payload["buttons"]}
    assert ("pause" in shown, "resume" in shown) == (True, False)
    tap(stage, case, "pause_parts")
    shown = {one["data"].rpartition(":")[2] for one in stage.outbox("card")[-1].payload["buttons"]}
    assert ("pause" in shown, "resume" in shown) == (False, True)


def test_a_rebuild_gives_identical_numbers(stage):
    """The rows are an index: everything in them follows from the log, the calendar and the targets."""
    finished, paused, reopened = stage.case(), stage.case(kind="complaint"), stage.case(matter="电梯坏了")
    for case, verbs in ((finished, ("accept", "done")), (paused, ("pause_parts",)), (reopened, ("arrive", "done"))):
        for step, verb in enumerate(verbs):
            tap(stage, case, verb, now=NOON + step * HOUR)
    cases.reopen(stage.session, reopened, key="again", now=NOON + 9 * HOUR)
    cases.urge(stage.session, stage.case(), key="urge", now=NOON + HOUR)
    before = snapshot(stage)

    stage.session.query(CaseClock).delete()
    for case in stage.session.scalars(select(Case)):
        clocks.index(stage.session, case)

    assert len(before) >= 10
    assert snapshot(stage) == before


@pytest.mark.parametrize("kind", ["complaint", "inquiry"])
def test_a_case_of_another_kind_has_the_clocks_of_that_kind_only(stage, kind):
    """A promise that is none any more must not ring."""
    case = stage.case()
    cases.correct_kind(stage.session, case, kind, actor="staff:101", key="k", now=NOON)
    anew = snapshot(stage)
    clocks.index_anew(stage.session, case)

    assert snapshot(stage) == anew
    assert not {row[1] for row in anew} & {"accept", "arrive", "finish"}


# --- What is promised, in words -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("opened", "zh", "en"),
    [
        (NOON, "预计今天 16:00 前上门。", "We expect to be there by 16:00 today."),
        (NOON + 6 * HOUR, "预计明天 10:00 前上门。", "We expect to be there by 10:00 tomorrow."),
        (NOON + 13 * HOUR, "预计今天 12:00 前上门。", "We expect to be there by 12:00 today."),
    ],
)
def test_the_resident_is_told_until_when(stage, opened, zh, en):
    """The sentence, the work order and the report come from one function, so they never disagree."""
    facts = cases.Facts(kind="repair", matter="那个东西坏了转不动")
    case = cases.open_case(stage.session, stage.resident(), facts, source="turn:x", now=opened)

    assert clocks.expected(stage.session, case, now=opened, language="zh") == zh
    assert clocks.expected(stage.session, case, now=opened, language="en") == en


def test_a_promise_that_lies_days_ahead_names_the_day(stage):
    case = stage.case(kind="complaint")
    tap(stage, case, "accept")

    said = clocks.expected(stage.session, case, now=NOON, language="zh")
    assert said == "预计11月26日 周四 12:00 前告诉您处理结果。"


def test_seconds_are_never_rounded_up(stage):
    """Nobody is promised a minute more than there is."""
    facts = cases.Facts(kind="repair", matter="那个东西坏了转不动")
    now = NOON + timedelta(seconds=59)
    case = cases.open_case(stage.session, stage.resident(), facts, source="turn:x", now=now)

    assert "16:00" in clocks.expected(stage.session, case, now=now, language="zh")


def test_accepting_says_until_when_in_the_same_message(stage):
    case = stage.case(matter="那个东西坏了转不动")
    tap(stage, case, "accept")

    assert stage.lines_to(case.conversation)[-1].endswith("预计今天 16:00 前上门。")


def test_the_work_order_shows_the_due_time_with_its_day(stage):
    stage.case(matter="那个东西坏了转不动")

    assert "时限：11月23日 周一 16:00" in stage.outbox("work_order")[0].payload["text"]


def test_a_broken_promise_is_not_repeated_but_owned_up_to(stage):
    case = stage.case()

    said = clocks.expected(stage.session, case, now=NOON + 99 * HOUR, language="zh")
    assert "超过我们答应您的时间" in said


def test_nothing_is_promised_while_the_work_waits_or_when_it_is_done(stage):
    case, done = stage.case(), stage.case()
    tap(stage, case, "pause_parts")
    tap(stage, done, "done")

    assert clocks.expected(stage.session, case, now=NOON, language="zh") == ""
    assert clocks.expected(stage.session, done, now=NOON, language="zh") == ""


# --- Targets and calendars of a community ---------------------------------------------------------------------------


def test_a_communitys_own_target_goes_before_the_table(stage):
    own(stage, "repair", "accept", 45)
    own(stage, "repair", "accept", 7, category="lift")

    assert due(stage, stage.case(), "accept") == NOON + 45 * MINUTE
    assert due(stage, stage.case(matter="电梯坏了"), "accept") == NOON + 7 * MINUTE


def test_the_most_precise_target_holds_and_of_equals_the_shorter(stage):
    held = targets.of(stage.session, stage.community.id)

    def minutes(category: str, urgency: int) -> int:
        found = held.find("repair", "arrive", category=category, urgency=urgency)
        assert found is not None
        return found.minutes

    assert [minutes("other", 0), minutes("other", 1), minutes("lift", 0), minutes("renovation", 1)] == [
        240,
        120,
        30,
        120,
    ]


def test_a_changed_target_moves_running_clocks_when_they_are_set_anew(stage):
    case = stage.case()
    own(stage, "repair", "accept", 45)

    assert clocks.rebuild(stage.session, stage.community.id) == 1
    assert due(stage, case, "accept") == NOON + 45 * MINUTE


def test_a_changed_calendar_or_zone_moves_running_clocks_too(stage):
    case = stage.case()
    reading = calendar_file.read(b"day,hours\nmon-sun,13:00-20:00\n")
    calendars.take_in(stage.session, stage.community, reading, now=NOON)
    clocks.rebuild(stage.session, stage.community.id)
    moved = due(stage, case, "accept")
    stage.community.timezone = "America/New_York"
    clocks.rebuild(stage.session, stage.community.id)

    assert moved == NOON + 90 * MINUTE
    assert due(stage, case, "accept") == datetime(2026, 11, 23, 18, 30, tzinfo=UTC)


@pytest.mark.parametrize("minutes", [0, -5])
def test_a_target_of_nothing_is_refused(stage, minutes):
    with pytest.raises(TargetNotPositive):
        own(stage, "repair", "accept", minutes)


@pytest.mark.parametrize(
    ("kind", "clock", "minutes", "conditions"),
    [
        ("repair", "dance", 5, {}), ("dance", "accept", 5, {}), ("repair", "accept", 10**9, {}),
        ("repair", "accept", 5, {"category": "dance"}), ("repair", "accept", 5, {"urgency": 7}),
    ],
)  # fmt: skip
def test_a_target_for_what_does_not_exist_is_refused_with_what_does(stage, kind, clock, minutes, conditions):
    with pytest.raises(UnknownTarget) as refused:
        own(stage, kind, clock, minutes, **conditions)

    assert refused.value.facts["known"]


def test_a_target_can_be_forgotten_and_the_table_holds_again(stage):
    own(stage, "repair", "accept", 45)

    assert targets.forget(stage.session, stage.community.id, Target("repair", "accept", 1))
    assert not targets.forget(stage.session, stage.community.id, Target("repair", "accept", 1))
    assert due(stage, stage.case(), "accept") == NOON + 30 * MINUTE


def test_a_calendar_that_stops_opening_stops_no_case(stage):
    """A community that closes for good: cases are still opened and worked on; nothing is promised."""
    for weekday in range(7):
        stage.session.add(WeekdayHours(community_id=stage.community.id, weekday=weekday, hours=""))
    case = stage.case(matter="那个东西坏了转不动")

    assert (due(stage, case, "accept"), clocks.expected(stage.session, case, now=NOON, language="zh")) == (None, "")
