"""Today's board."""

from datetime import timedelta

from sqlalchemy import update

from service import duty, takeover, today
from service.models.cases import CaseClock
from service.models.follow_ups import FollowUpState, Survey
from service.models.people import Duty
from tests.stage import NOON, Stage


def on(stage: Stage, **later):
    return today.board(stage.session, stage.community, now=NOON + timedelta(**later))


def test_an_empty_day_has_nothing_on_it(stage):
    """Every department is there, with nothing to do."""
    shown = on(stage)

    assert (shown.waiting_count, shown.late_count, shown.open_count, shown.stars.count) == (0, 0, 0, 0)
    assert [key for key, _ in shown.open_cases] == ["engineering", "order", "cleaning", "service"]


def test_who_waits_longest_stands_first(stage):
    """And is gone as soon as a butler answers."""
    first, second = stage.resident(display_name="王芳"), stage.resident(display_name="李强")
    for minutes, talk in ((0, first), (5, second)):
        since = NOON + timedelta(minutes=minutes)
        takeover.escalate(stage.session, talk, reason="asked", source=f"turn:{minutes}", now=since)
    stage.session.flush()

    assert [(one.name, one.since) for one in on(stage).waiting] == [
        ("王芳", NOON),
        ("李强", NOON + timedelta(minutes=5)),
    ]
    stage.take_over(first)
    stage.session.flush()
    assert [one.name for one in on(stage).waiting] == ["李强"]


def test_a_late_case_is_shown_once_until_it_is_done(stage):
    """With the promise that was broken first, the longest overdue case above; a finished one is late no more."""
    first, second = stage.case(), stage.case()
    stage.case(state="finished")
    stage.session.flush()
    earlier = update(CaseClock).where(CaseClock.case_id == second.id)
    stage.session.execute(earlier.values(due_at=CaseClock.due_at - timedelta(minutes=1)))

    shown = on(stage, days=3)

    assert [one.case_id for one in shown.late] == [second.id, first.id]
    assert {one.clock for one in shown.late} == {"accept"}
    assert shown.late_count == 2
    assert on(stage).late_count == 0


def test_emergencies_wait_first(stage):
    """As they stand in the line, and on the board in the group."""
    for minutes, reason in ((0, "asked"), (5, "emergency")):
        since = NOON + timedelta(minutes=minutes)
        talk = stage.resident(display_name=reason)
        takeover.escalate(stage.session, talk, reason=reason, source=f"turn:{minutes}", now=since)
    stage.session.flush()

    assert [(one.name, one.is_urgent) for one in on(stage).waiting] == [("emergency", True), ("asked", False)]


def test_a_paused_clock_is_not_late(stage):
    """It has no due time while it waits for somebody else."""
    stage.case()
    stage.session.flush()
    stage.session.execute(update(CaseClock).values(due_at=None))

    assert on(stage, days=3).late_count == 0


def test_open_cases_are_counted_by_department(stage):
    """What is finished is not open."""
    stage.case()
    stage.case(state="closed")
    stage.session.flush()

    assert dict(on(stage).open_cases)["engineering"] == 1
    assert on(stage).open_count == 1


def test_whoever_is_on_duty_is_named(stage):
    """By their own word or by the roster."""
    member = stage.member()
    stage.member()
    duty.say(member, Duty.ON)
    stage.session.flush()

    assert on(stage).on_duty == [member]


def test_satisfaction_is_of_today(stage):
    """From midnight in the community, with how many said it."""
    for stars, hours in ((5, 0), (4, -1), (1, -13)):
        case = stage.case(state="finished")
        stage.session.add(
            Survey(
                case_id=case.id,
                resolution=9,
                state=FollowUpState.ANSWERED,
                stars=stars,
                asked_at=NOON,
                answered_at=NOON + timedelta(hours=hours),
            )
        )
    stage.session.flush()

    assert (on(stage).stars.count, on(stage).stars.mean) == (2, 4.5)
