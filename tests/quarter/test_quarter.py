"""A week of a small community keeps every promise, and whatever breaks one is seen."""

from __future__ import annotations

import copy
import io
from collections.abc import Iterator
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
import structlog
from rich.console import Console
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from service import outbox
from service.models.follow_ups import Outcome
from service.models.queues import Delivery
from service.sending import Parcel
from tests.quarter.command import Screen, Stand
from tests.quarter.people import WEEK
from tests.quarter.story import Story, play
from tests.quarter.telegram import TROUBLES, Killed, Telegram
from tests.quarter.watch import AT_THE_END, Watch
from tests.quarter.world import World
from tests.stage import BOT_ID, NOON, copy_of_template

SEED = 3
MIDNIGHT = NOON + timedelta(hours=12)


@pytest.fixture(scope="module")
def week(server_url: str) -> Iterator[Story]:
    """The same week every time, with a working Sunday, a holiday and an outage in it."""
    with structlog.testing.capture_logs(), copy_of_template(server_url, f"quarter_{uuid4().hex[:8]}") as url:
        story = play(url, seed=SEED, scale=WEEK)
        yield story
        story.world.close()


def test_a_week_keeps_every_promise(week):
    """The same seed as `make quarter` would play, small enough for every change."""
    assert week.judge() == []


@pytest.mark.parametrize(
    "what",
    ["cases opened", "cases reopened", "called back: held", "ratings", "outages", "arrived: call_back",
     "arrived: reminder", "arrived: survey", "arrived: relay", "arrived: visit_reminder", "arrived: progress_note",
     "arrived: incident_over", "steps made twice"],
)  # fmt: skip
def test_the_week_is_not_empty(week, what):
    """Promises are easily kept where nothing happens."""
    assert week.world.seen[what] > 0


def test_what_is_said_just_before_the_quiet_hours_goes_out_before_them(server_url):
    """The clock jumps five minutes and a sender is seconds behind: the jump must not make a good line late."""
    before_nine = WEEK.begins + timedelta(hours=20, minutes=57)
    with copy_of_template(server_url, f"quarter_{uuid4().hex[:8]}") as url:
        world = World(url, seed=SEED, begins=before_nine - timedelta(hours=1))
        world.at(before_nine, lambda: world.do(lambda session: write_a_note(session, world.community_id)))
        world.play(before_nine + timedelta(minutes=30))

        broken = [*world.violations, *world.judge()]
        world.close()

    assert world.seen["arrived: progress_note"] == 1
    assert broken == []


def write_a_note(session: Session, community_id: int) -> None:
    """As staff do, to somebody who reads it at once."""
    facts: dict[str, Any] = {
        "bot_id": BOT_ID,
        "community_id": community_id,
        "chat_id": 7,
        "kind": "progress_note",
        "act": "say",
    }
    outbox.put(session, **facts, payload={"text": "还在处理"})


# --- A planted violation is seen ------------------------------------------------------------------------------------


@pytest.fixture
def watch(week) -> Watch:
    """One that has seen the week and may see more, without the others noticing."""
    seen: Watch = copy.copy(week.world.machine.watch)
    for name in ("_arrived", "_questions", "_days", "_surveyed", "_resolutions", "_tapped"):
        setattr(seen, name, copy.deepcopy(getattr(seen, name)))
    seen.violations, seen.uncertain, seen.sent_again = [], set(), set()
    return seen


def line(eyes: Connection, kind: str, **facts: Any) -> Parcel:
    """A line of the week that has gone out, as the sender had it in hand."""
    row = eyes.execute(
        text("SELECT * FROM outbox WHERE kind = :kind AND state = 'sent' ORDER BY id LIMIT 1"), {"kind": kind}
    ).one()
    told = {
        name: getattr(row, name)
        for name in ("id", "bot_id", "chat_id", "conversation_id", "topic_id", "act", "payload")
    }
    told |= {"kind": kind, "delivery": Delivery(row.delivery), "lease": uuid4(), "attempts": 1, "thread_id": None}
    told |= {"topic_name": None, "topic_card": None, "edits_id": None, "edits_message": None}
    return Parcel(**(told | facts))


UNSEEN = 10_000_000  # a row that has not arrived yet
LATER = NOON + timedelta(days=400)
DAY = timedelta(days=1)

# What comes, in which row, into whose chat, when; and what is wrong with the last of it.
Arrival = tuple[str, dict[str, int], datetime]
ARRIVALS: dict[str, list[Arrival]] = {
    "it came twice": [("survey", {}, LATER)],
    "was asked before": [("call_back", {"id": UNSEEN}, LATER)],
    "surveyed before": [("survey", {"id": UNSEEN}, LATER)],
    "in the quiet hours": [("call_back", {}, MIDNIGHT)],
    "second unasked-for message of the day": [
        ("call_back", {"chat_id": 7}, LATER),
        ("reminder", {"chat_id": 7}, LATER),
    ],
    "was announced before": [("visit_reminder", {"id": UNSEEN + n}, LATER) for n in range(2)],
    "has begun": [("visit_reminder", {}, LATER)],
    "is off": [("visit_reminder", {}, LATER)],
    "the last survey came only": [
        ("survey", {"id": UNSEEN, "chat_id": 7}, LATER),
        ("survey", {"id": UNSEEN + 1, "chat_id": 7}, LATER + DAY),
    ],
}


@pytest.mark.parametrize("what", ARRIVALS)
def test_a_line_that_should_not_have_come_is_seen(watch, what):
    for kind, facts, moment in ARRIVALS[what]:
        come(watch, line(watch.eyes, kind, **facts), now=moment)

    assert any(what in violation for violation in watch.violations)


def test_a_note_that_wakes_somebody_is_seen(watch):
    come(watch, line(watch.eyes, "progress_note"), now=MIDNIGHT)

    assert any("in the quiet hours" in violation for violation in watch.violations)


def come(watch: Watch, parcel: Parcel, *, now: datetime) -> None:
    """It is sent, and arrives."""
    watch.expect([parcel])
    watch.arrived(parcel, now=now)


def changed(watch: Watch, change: str) -> Iterator[Watch]:
    """A world in which somebody has changed rows; they are as before afterwards."""
    with watch.eyes.engine.connect() as connection:
        connection.execute(text(change))
        yield Watch(connection, watch.zone)
        connection.rollback()


def test_the_bot_speaking_over_a_butler_is_seen(watch):
    parcel = line(watch.eyes, "reply")
    for seen in changed(watch, f"UPDATE conversations SET owner = 'butler' WHERE id = {parcel.conversation_id}"):
        come(seen, parcel, now=LATER)
        assert any("while a butler has the talk" in violation for violation in seen.violations)


def test_asking_whoever_does_not_want_to_be_asked_is_seen(watch):
    for seen in changed(watch, "UPDATE residents SET questions_off_since = now()"):
        come(seen, line(watch.eyes, "call_back"), now=LATER)
        assert any("do not want to be asked" in violation for violation in seen.violations)


# What is planted, and the promise it breaks.
ROWS = {
    "finished and neither called back nor with a reason":
        "UPDATE call_backs SET outcome = NULL WHERE id = (SELECT min(id) FROM call_backs WHERE state = 'answered')",
    "holds, and neither rated nor with a reason":
        "DELETE FROM surveys WHERE id = (SELECT min(s.id) FROM surveys AS s JOIN call_backs AS c "
        "ON c.case_id = s.case_id AND c.resolution = s.resolution WHERE c.outcome = 'held')",
    "written, and its end is unknown":
        "UPDATE outbox SET state = 'unconfirmed' WHERE id = (SELECT min(id) FROM outbox)",
    "more than one unasked-for message a day":
        "INSERT INTO unasked_messages (community_id, resident_id, kind, sent_at, urgent) "
        "SELECT community_id, resident_id, kind, sent_at, urgent FROM unasked_messages "
        "WHERE kind = 'call_back' LIMIT 1",
    "two surveys within a fortnight":
        "INSERT INTO unasked_messages (community_id, resident_id, kind, sent_at, urgent) "
        "SELECT community_id, resident_id, kind, sent_at + interval '13 days', urgent FROM unasked_messages "
        "WHERE kind = 'survey' LIMIT 1",
    "a case that never ended": "UPDATE cases SET state = 'paused' WHERE id = (SELECT min(id) FROM cases)",
    "a visit that never ended":
        "UPDATE appointments SET due_at = now() WHERE id = (SELECT min(id) FROM appointments)",
    "joined to an incident and never told":
        "UPDATE incident_reports SET due_at = now() WHERE id = (SELECT min(id) FROM incident_reports)",
    "somebody waited for a person and still does":
        "UPDATE waits SET ended_at = NULL WHERE id = (SELECT min(id) FROM waits)",
    "a talk that nobody ended":
        "UPDATE conversations SET owner = 'butler' WHERE id = (SELECT min(id) FROM conversations)",
    "found by the nightly self-check":
        "UPDATE self_checks SET violations = '[1]' WHERE id = (SELECT min(id) FROM self_checks)",
    "the log of who answers has a gap": "DELETE FROM handovers WHERE id = (SELECT min(id) FROM handovers)",
}  # fmt: skip


@pytest.mark.parametrize("what", AT_THE_END)
def test_a_row_that_breaks_a_promise_is_seen(watch, what):
    for seen in changed(watch, ROWS[what]):
        seen.look_at_everything()
        assert any(violation.startswith(what) for violation in seen.violations)


def test_a_case_finished_without_a_call_back_is_seen_at_once(watch):
    watch.forgotten(12)

    assert watch.violations == ["case 12 was finished without a call-back"]


def test_a_clock_that_is_a_minute_off_is_seen(week):
    """By the minute counter, which shares nothing with the service but the table."""
    with week.world.sessions() as session:
        session.execute(text("UPDATE case_clocks SET due_at = due_at + interval '1 minute'"))
        wrong = list(week.wrong_clocks(session))
        session.rollback()

    assert any("index" in one for one in wrong)


def test_a_share_that_is_one_off_is_seen(week):
    told = next(
        one
        for one in week.people.told.values()
        if one.first is Outcome.HELD and not one.reopened and one.kind == "repair"
    )
    told.reopened = True
    with week.world.sessions() as session:
        wrong = list(week.wrong_share(session))
    told.reopened = False

    assert len(wrong) == 1


def test_every_trouble_of_telegrams_is_met():
    """A sender that is killed, an answer that is lost, a limit: with enough calls all of them come."""
    arrived: list[Any] = []
    telegram = Telegram(1, arrived=arrived.append, doubted=lambda row: None)
    met = set()
    for number in range(3_000):
        telegram.parcel = SimpleNamespace(id=number, chat_id=1, attempts=1)  # type: ignore[assignment]
        try:
            telegram.send_message().send(None)
        except StopIteration:
            continue
        except (Killed, Exception) as trouble:  # noqa: BLE001 - whatever it is
            met.add(type(trouble))

    assert len(met) == len(TROUBLES)
    assert len(arrived) > 2_900


def test_a_log_shows_what_is_broken_at_once_and_only_once():
    """Twenty quarters take two hours: whoever looks at the log need not wait for the end."""
    log = io.StringIO()
    screen = Screen(Console(file=log), WEEK)
    for violations in ([], ["it came twice"], ["it came twice", "is off"]):
        screen.show({3: Stand(WEEK.begins + DAY, 7, tuple(violations))})

    assert log.getvalue().splitlines() == ["seed 3: broken: it came twice", "seed 3: broken: is off"]


def test_a_log_has_a_line_now_and_then():
    log = io.StringIO()
    screen = Screen(Console(file=log), WEEK, a_line_every=0)
    screen.show({3: Stand(WEEK.begins + DAY, 7, ())})

    assert log.getvalue() == "seed 3: 09-20, 7 cases, 0 violations\n"
