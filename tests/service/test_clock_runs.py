"""A clock's runs: read from the log, with pauses, restarts and a clock that went back."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from service import cases, clock_runs
from service.business_time import Calendar, around_the_clock, read_hours
from service.clock_runs import Step
from service.targets import Targets, table

NINE = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)  # a Monday in Shanghai
HOUR = timedelta(hours=1)
OFFICE = Calendar("Asia/Shanghai", (read_hours("08:00-12:00 14:00-18:00"),) * 5 + ((), ()))


def log(*steps: tuple[str, float]) -> list[Step]:
    """Steps with their hours after nine on Monday."""
    return [Step(event, NINE + hours * HOUR, {}) for event, hours in steps]


def only(clock: str, *steps: tuple[str, float]) -> clock_runs.Run:
    [run] = clock_runs.runs(clock, log(*steps))
    return run


def test_a_clock_runs_from_the_opening_to_the_step_that_keeps_it():
    run = only("accept", ("opened", 0), ("urged", 1), ("accepted", 2), ("finished", 3))

    assert (run.started, run.stopped, run.ended) == (NINE, NINE + 2 * HOUR, False)


@pytest.mark.parametrize("event", ["departed", "arrived", "finished", "info_asked", "paused"])
def test_whoever_goes_at_once_has_accepted(event):
    assert only("accept", ("opened", 0), (event, 1)).stopped == NINE + HOUR


def test_handing_on_gives_the_new_department_its_own_time_to_accept():
    first, second = clock_runs.runs("accept", log(("opened", 0), ("handed_on", 1), ("accepted", 2)))

    assert (first.stopped, first.ended) == (NINE + HOUR, True), "nobody broke the first promise"
    assert (second.number, second.started, second.stopped) == (2, NINE + HOUR, NINE + 2 * HOUR)
    assert len(clock_runs.runs("finish", log(("opened", 0), ("handed_on", 1)))) == 1


def test_a_reopened_case_has_a_new_run_and_is_urgent_from_its_start():
    first, second = clock_runs.runs("finish", log(("opened", 0), ("finished", 1), ("reopened", 5)))

    assert (first.urgency, second.urgency) == (0, 1)
    assert (second.started, second.stopped) == (NINE + 5 * HOUR, None)


def test_a_pause_after_the_clock_has_stopped_is_not_its_own():
    """Whoever has arrived and then waits for parts was promised for the same minute as before."""
    run = only("arrive", ("opened", 0), ("arrived", 1), ("paused", 1.5), ("resumed", 2), ("finished", 3))

    assert run.pauses == ()
    assert run.reaches(2 * HOUR, around_the_clock()) == NINE + 2 * HOUR


def test_an_urge_makes_nobody_late_in_the_middle_of_a_run():
    """A shorter target that holds from the opening would be missed in the moment of the urge."""
    assert only("finish", ("opened", 0), ("urged", 3)).urgency == 0


def test_a_withdrawn_case_has_neither_kept_nor_broken_its_promise():
    run = only("finish", ("opened", 0), ("withdrawn", 9))

    assert run.ended
    assert not run.is_late(NINE + HOUR, now=NINE + 10 * HOUR)


def test_the_clock_waits_while_the_work_waits_for_somebody_else():
    run = only("finish", ("opened", 0), ("paused", 1), ("resumed", 6), ("urged", 7))

    assert run.reaches(2 * HOUR, OFFICE) == NINE + 7 * HOUR, "9 to 10, and 15 to 16"
    assert run.reaches(HOUR, OFFICE) == NINE + HOUR, "what was reached before the pause stays"


def test_a_clock_that_waits_is_due_at_no_time():
    run = only("finish", ("opened", 0), ("info_asked", 1))

    assert run.reaches(2 * HOUR, OFFICE) is None
    assert not run.is_late(None, now=NINE + 999 * HOUR)


def test_accepting_has_to_happen_although_the_visit_is_wanted_later():
    opened = Step("opened", NINE, {"until": (NINE + 24 * HOUR).isoformat()})
    [accept], [arrive] = clock_runs.runs("accept", [opened]), clock_runs.runs("arrive", [opened])

    assert accept.reaches(HOUR, OFFICE) == NINE + HOUR
    assert arrive.reaches(HOUR, OFFICE) == NINE + 25 * HOUR


def test_a_pause_for_an_appointment_ends_with_it_whether_or_not_anybody_says_so():
    paused = Step("paused", NINE + HOUR, {"until": (NINE + 24 * HOUR).isoformat()})
    [run] = clock_runs.runs("arrive", [*log(("opened", 0)), paused])

    assert run.reaches(2 * HOUR, OFFICE) == NINE + 25 * HOUR


def test_pauses_that_overlap_count_once():
    opened = Step("opened", NINE, {"until": (NINE + 6 * HOUR).isoformat()})
    [run] = clock_runs.runs("arrive", [opened, *log(("paused", 1), ("resumed", 3))])

    assert run.reaches(HOUR, OFFICE) == NINE + 7 * HOUR


def test_a_clock_that_went_back_stood_still():
    """A machine's clock is set back by an hour between two steps: nobody gains and nobody loses."""
    run = only("finish", ("opened", 3), ("accepted", 2), ("finished", 2.5))

    assert (run.started, run.stopped) == (NINE + 3 * HOUR, NINE + 3 * HOUR)
    assert not run.is_late(NINE + 3 * HOUR, now=NINE)


def test_what_is_done_in_the_last_moment_is_done_in_time():
    run = only("finish", ("opened", 0), ("finished", 2))
    due = run.reaches(2 * HOUR, OFFICE)

    assert not run.is_late(due, now=NINE + 99 * HOUR)
    assert only("finish", ("opened", 0), ("finished", 2.01)).is_late(due, now=NINE)


@pytest.mark.parametrize("seed", range(60))
def test_random_pauses_agree_with_a_person_who_counts_minutes(seed):
    """An open minute that lies in no pause counts; nothing else does."""
    chance = random.Random(seed)
    moments = sorted(chance.sample(range(1, 3 * 1440), 8))
    steps = [Step("opened", NINE, {})]
    steps += [
        Step(("paused", "resumed")[place % 2], NINE + timedelta(minutes=minute), {})
        for place, minute in enumerate(moments)
    ]
    target, [run] = chance.randrange(1, 700), clock_runs.runs("finish", steps)

    left, minute = target, 0
    while left:
        now = NINE + timedelta(minutes=minute)
        paused = sum(moment <= minute for moment in moments) % 2
        left -= OFFICE.is_open(now) and not paused
        minute += 1

    assert run.reaches(timedelta(minutes=target), OFFICE) == NINE + timedelta(minutes=minute)


# --- The table ------------------------------------------------------------------------------------------------------


def test_every_step_that_the_table_names_exists():
    """A misspelt step would be a clock that never stops."""
    table = clock_runs.table()
    named = {event for rule in table["clocks"].values() for key in ("starts", "stops") for event in rule[key]}
    named |= {event for key in ("ends", "pauses", "resumes") for event in table[key]}

    assert named <= set(cases.Event)


def test_every_clock_that_is_promised_has_a_target_and_every_target_a_clock():
    targets = Targets(tuple(table()))
    for kind, clocks in clock_runs.table()["promises"].items():
        for clock in clocks:
            assert targets.find(kind, clock, category="other", urgency=0), (kind, clock)
    assert {row.clock for row in targets.rows} == set(clock_runs.names())


def test_emergencies_do_not_wait_for_the_desk():
    """N11, N14: reachable day and night."""
    for clock in ("accept", "arrive"):
        target = Targets(tuple(table())).find("repair", clock, category="gas", urgency=0)
        assert target is not None
        assert target.always
    assert around_the_clock().is_open(NINE + 13 * HOUR)


# --- Appointments ---------------------------------------------------------------------------------------------------


def appointed(at: float, until: float) -> Step:
    return Step("appointed", NINE + at * HOUR, {"until": (NINE + until * HOUR).isoformat()})


def of_the_visit(*steps: Step) -> datetime | None:
    [run] = clock_runs.runs("arrive", [Step("opened", NINE, {}), *steps])
    return run.reaches(HOUR, around_the_clock())


@pytest.mark.parametrize(
    ("steps", "due"),
    [
        ([appointed(0, 5)], 6),
        ([appointed(0, 5), Step("accepted", NINE + HOUR, {})], 6),  # taking the case ends no appointment
        ([appointed(0, 9), appointed(1, 5)], 6),  # moved to an earlier hour
        ([appointed(0, 5), appointed(1, 9)], 10),
        ([appointed(0, 5), Step("departed", NINE + 2 * HOUR, {})], 3),  # somebody comes earlier
        ([appointed(0, 5), Step("nobody_home", NINE + 5 * HOUR, {})], None),  # the resident's turn
        ([appointed(0, 5), Step("nobody_home", NINE + 5 * HOUR, {}), appointed(6, 9)], 10),
        ([Step("paused", NINE, {}), appointed(1, 5)], 6),  # what was waited for is known
        ([appointed(0, 5), Step("handed_on", NINE + HOUR, {})], 2),  # and the appointment is off
    ],
)
def test_the_visits_clock_begins_with_the_appointment_that_holds(steps, due):
    assert of_the_visit(*steps) == (None if due is None else NINE + due * HOUR)


def test_an_appointment_takes_the_place_of_what_was_wanted_at_first():
    wanted = Step("opened", NINE, {"until": (NINE + 9 * HOUR).isoformat()})
    [run] = clock_runs.runs("arrive", [wanted, appointed(0, 5)])

    assert run.reaches(HOUR, around_the_clock()) == NINE + 6 * HOUR


def test_what_goes_on_again_must_have_begun():
    """A note on any case starts no clock; on a legacy problem it keeps one promise and begins the next."""
    assert clock_runs.runs("progress", log(("opened", 0), ("progress_told", 1), ("finished", 2), ("reopened", 3))) == []

    first, second, third = clock_runs.runs(
        "progress", log(("legacy_marked", 0), ("progress_told", 4), ("finished", 6), ("reopened", 9))
    )

    assert (first.stopped, first.ended) == (NINE + 4 * HOUR, False), "kept"
    assert (second.started, second.stopped) == (NINE + 4 * HOUR, NINE + 6 * HOUR)
    assert (third.started, third.stopped) == (NINE + 9 * HOUR, None)


def test_what_was_put_off_goes_on_only_when_it_is_started_anew():
    first, second = clock_runs.runs(
        "progress", log(("legacy_marked", 0), ("legacy_unmarked", 2), ("progress_told", 3), ("legacy_marked", 5))
    )

    assert (first.stopped, first.ended) == (NINE + 2 * HOUR, True), "neither kept nor broken"
    assert second.started == NINE + 5 * HOUR
