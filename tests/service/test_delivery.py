"""What nobody can vouch for: staff decide, for every kind of message that is never sent twice by itself."""

from __future__ import annotations

import ast
from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy import select

from service import callbacks, delivery, incident_reports, sending, surveys, visit_reminders
from service.models.cases import Case
from service.models.follow_ups import CallBack, Survey
from service.models.incidents import IncidentReport, ReportOutcome
from service.models.queues import OutboxRow, OutboxState
from service.models.talks import Conversation
from tests.house.tree import place, python_files
from tests.service.test_follow_ups import answer, asked
from tests.service.test_incidents import ended
from tests.service.test_visit_reminders import EVENING, HOUR, TWO_PM, agreed
from tests.stage import BOT_ID, NOON, PLENTY, Stage, sent_to_residents

DEAD = 72  # the number of a sender that nobody holds


def _work_order(stage: Stage) -> None:
    stage.case()


def _call_back(stage: Stage) -> None:
    asked(stage)


def _reminder(stage: Stage) -> None:
    call_back = asked(stage)
    sent_to_residents(stage)
    callbacks.send_due(stage.session, now=call_back.due_at)


def _survey(stage: Stage) -> None:
    surveys.ask(stage.session, stage.case(state="finished"), now=NOON)


def _visit_reminder(stage: Stage) -> None:
    agreed(stage)
    sent_to_residents(stage)
    visit_reminders.send_due(stage.session, now=EVENING)


def _incident_over(stage: Stage) -> None:
    ended(stage, stage.resident())
    incident_reports.tell_due(stage.session, now=NOON)


# Where the code says so, each place for the kinds below: call-back and reminder share one.
USED_IN = [
    "service/callbacks.py",
    "service/incident_reports.py",
    "service/sending.py",
    "service/surveys.py",
    "service/visit_reminders.py",
    "service/work_orders.py",
]
AT_MOST_ONCE: dict[str, Callable[[Stage], None]] = {
    "work_order": _work_order,
    "call_back": _call_back,
    "reminder": _reminder,
    "survey": _survey,
    "visit_reminder": _visit_reminder,
    "incident_over": _incident_over,
}


def _names_it(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and ast.unparse(node) == "Delivery.AT_MOST_ONCE"


def in_doubt(stage: Stage, kind: str) -> OutboxRow:
    """A message of this kind whose sender was killed in the middle of its call."""
    AT_MOST_ONCE[kind](stage)
    stage.session.flush()
    row = stage.outbox(kind)[-1]
    while row.state is not OutboxState.SENDING:
        for parcel in sending.take(stage.session, BOT_ID, sender=DEAD, limit=50, rates=PLENTY):
            if parcel.id != row.id:
                sending.sent(stage.session, parcel, message_id=parcel.id)
        stage.session.refresh(row)
    sending.free_orphans(stage.session)
    stage.session.refresh(row)
    assert str(row.state) == "unconfirmed"
    return row


def decide(stage: Stage, row: OutboxRow, *, arrived: bool, now: datetime = NOON) -> tuple[OutboxState, str | None]:
    delivery.decide(stage.session, stage.community.id, row.id, arrived=arrived, now=now)
    stage.session.flush()
    return row.state, row.reason


@pytest.mark.parametrize("kind", AT_MOST_ONCE)
def test_staff_are_asked_about_every_kind_that_is_sent_at_most_once(stage, kind):
    """By name, with two buttons; a missing name would stop the sweep for every community."""
    row = in_doubt(stage, kind)

    assert delivery.show_unconfirmed(stage.session) == 1
    [shown] = [alert for alert in stage.outbox("alert") if alert.key == f"unconfirmed:{row.id}:{row.attempts}"]
    assert [key["data"] for key in shown.payload["buttons"]] == [f"o:{row.id}:again", f"o:{row.id}:arrived"]


@pytest.mark.parametrize("kind", AT_MOST_ONCE)
def test_again_sends_it_once_more_and_arrived_never(stage, kind):
    first = in_doubt(stage, kind)
    assert decide(stage, first, arrived=False) == (OutboxState.PENDING, "staff sent it again")

    second = in_doubt(stage, kind)
    assert decide(stage, second, arrived=True) == (OutboxState.SENT, "staff say it arrived")


@pytest.mark.parametrize("kind", ["call_back", "reminder"])
def test_a_question_that_has_been_answered_meanwhile_is_not_asked_again(stage, kind):
    """It had arrived, or the resident said it by themselves."""
    row = in_doubt(stage, kind)
    answer(stage, stage.session.scalars(select(CallBack)).one(), held=False)

    assert decide(stage, row, arrived=False) == (OutboxState.DROPPED, "it is not asked any more")


def test_a_survey_that_was_withdrawn_is_not_asked_again(stage):
    row = in_doubt(stage, "survey")
    case = stage.session.scalars(select(Survey)).one().case
    surveys.withdraw(stage.session, case, reason="the case was reopened")

    assert decide(stage, row, arrived=False) == (OutboxState.DROPPED, "it is not asked any more")


@pytest.mark.parametrize("now", [EVENING + 6 * HOUR, TWO_PM])
def test_nobody_is_reminded_of_tomorrow_on_the_day_itself(stage, now):
    """At one in the morning "tomorrow" would be another day, and a visit that has begun needs no reminder."""
    row = in_doubt(stage, "visit_reminder")

    assert decide(stage, row, arrived=False, now=now) == (OutboxState.DROPPED, "it is not asked any more")


def test_a_reminder_of_a_visit_that_was_moved_is_not_sent_again(stage):
    row = in_doubt(stage, "visit_reminder")
    agreed(stage, TWO_PM + 24 * HOUR, case=stage.session.get_one(Case, row.case_id))

    assert decide(stage, row, arrived=False, now=EVENING) == (OutboxState.DROPPED, "it is not asked any more")


def test_who_has_said_how_theirs_is_is_not_told_of_the_end_again(stage):
    row = in_doubt(stage, "incident_over")
    report = stage.session.scalars(select(IncidentReport)).one()
    talk = stage.session.get_one(Conversation, row.conversation_id)
    incident_reports.answer(stage.session, talk, report.id, ReportOutcome.FIXED, now=NOON)

    assert decide(stage, row, arrived=False) == (OutboxState.DROPPED, "it is not asked any more")


def test_no_code_sends_another_kind_at_most_once():
    """Whoever adds one adds it to the list above, and with it the questions it asks."""
    used = [place(path, node) for path, tree in python_files("service") for node in ast.walk(tree) if _names_it(node)]

    assert [where.rpartition(":")[0] for where in used] == USED_IN, used
