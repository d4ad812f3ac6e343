"""The nightly look over the stored conversations: silent when all is well, and not blind."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from service import conversations, self_check, sending, takeover
from service.models.talks import Conversation, Owner
from service.texts import Line
from tests.stage import BOT_ID, NOON, PLENTY, Stage, sent_to_residents

NIGHT = NOON.replace(hour=19, minute=30)  # 03:30 in Shanghai


def talk_with_a_butler(stage: Stage) -> Conversation:
    """The bot answers, a butler takes over, both talk, the butler hands back, the bot answers again."""
    talk = stage.resident()
    conversations.tell(stage.session, talk, Line("您好"), key="before", now=NOON)
    sent_to_residents(stage)
    butler = stage.take_over(talk)
    for number, by in enumerate((None, butler)):
        stage.hears(talk, "话", now=NOON + timedelta(seconds=number + 1), by=by)
        [said] = stage.session.execute(text("SELECT chat_id, message_id FROM messages ORDER BY id DESC LIMIT 1")).all()
        payload = {"from_chat_id": said.chat_id, "message_ids": [said.message_id]}
        pass_on = conversations.to_resident if by else conversations.to_staff
        pass_on(stage.session, talk, "copy", payload, key=f"relay:{number}")
    sent_to_residents(stage)
    takeover.hand_back(stage.session, talk, butler, source="done", now=NOON + timedelta(seconds=9))
    conversations.tell(stage.session, talk, Line("我在"), key="after", now=NOON)
    sent_to_residents(stage)
    return talk


def found(stage: Stage) -> list[str]:
    stage.session.flush()
    seen = self_check.violations(stage.session, stage.community, since=self_check.EVER, after=0)
    return [str(one["what"]) for one in seen]


def test_a_talk_as_it_should_be_has_nothing_to_report(stage):
    talk_with_a_butler(stage)

    assert found(stage) == []


# The last line has been written two hours ago and still waits; the others were sent so long ago.
LEFT = (
    "UPDATE outbox SET state = CASE key WHEN 'after' THEN 'pending' ELSE state END,"
    " created_at = created_at - interval '2 hours', not_before = created_at - interval '2 hours',"
    " settled_at = settled_at - interval '{ago}'"
)

# How to break each promise in the stored rows, behind the back of the code that keeps it.
PLANTED = {
    "spoken_over": "UPDATE outbox SET settled_at = (SELECT since + interval '1 ms' FROM handovers"
                   " WHERE owner = 'butler') WHERE key = 'before'",
    "resident_not_passed_on": "DELETE FROM outbox WHERE key = 'relay:0'",
    "butler_not_passed_on": "UPDATE outbox SET state = 'dead' WHERE key = 'relay:1'",
    "passed_on_twice": "INSERT INTO outbox (bot_id, community_id, chat_id, conversation_id, lane, kind, act, payload,"
                       " priority, delivery, state) SELECT bot_id, community_id, chat_id, conversation_id, lane, kind,"
                       " act, payload, priority, delivery, 'sent' FROM outbox WHERE key = 'relay:1'",
    "stuck": LEFT.format(ago="90 minutes"),
    "log_has_a_gap": "DELETE FROM handovers WHERE owner = 'bot'",
}  # fmt: skip


@pytest.mark.parametrize("what", self_check.CHECKS)
def test_a_planted_violation_is_seen(stage, what):
    """A check that has never been seen to fail proves nothing."""
    talk_with_a_butler(stage)

    stage.session.execute(text(PLANTED[what]))

    assert what in found(stage)


def test_a_line_that_is_sent_during_the_talk_is_seen_although_the_code_would_drop_it(stage):
    """The row was in flight when somebody changed the owner without waiting for it."""
    talk = stage.resident()
    conversations.tell(stage.session, talk, Line("您好"), key="k", now=NOON)
    [parcel] = sending.take(stage.session, BOT_ID, sender=1, limit=1, rates=PLENTY)
    takeover.change_owner(stage.session, talk, Owner.BUTLER, reason="claimed", now=NOON, butler=stage.member())
    stage.session.flush()
    sending.sent(stage.session, parcel, message_id=1)

    assert found(stage) == ["spoken_over"]


def test_what_waited_while_no_sender_was_up_is_late_and_not_stuck(stage):
    """After a night's outage staff are not to look for a fault that is over as soon as they read of it."""
    talk_with_a_butler(stage)

    stage.session.execute(text(LEFT.format(ago="2 hours")))

    assert found(stage) == []


def test_what_overtook_is_looked_up_once_and_not_for_every_line_that_waits(stage):
    """With eighty thousand lines sent the nightly look took 0.8 s, and longer with every line more that waited."""
    facts = {"community_id": stage.community.id}
    stage.session.execute(text("SET LOCAL enable_seqscan = off"))  # so few rows would be read as a whole

    plan = "\n".join(stage.session.scalars(text(f"EXPLAIN {self_check.CHECKS['stuck']}"), facts))

    assert "InitPlan" in plan
    assert "SubPlan" not in plan
    assert "settled_at < (now()" in plan


def test_an_emergency_over_a_butler_is_no_violation_and_is_counted(stage):
    talk = stage.resident()
    stage.take_over(talk)
    conversations.tell(stage.session, talk, Line("请打119"), key="k", now=NOON, kind="emergency")
    sent_to_residents(stage)

    assert self_check.check_due(stage.session, now=NIGHT) == 1

    [check] = self_check.kept(stage.session, stage.community.id)
    assert (check.violations, check.looked_at["emergencies"]) == ([], 1)


def test_the_result_is_kept_and_told_in_general_once_a_night(stage):
    talk_with_a_butler(stage)

    assert [self_check.check_due(stage.session, now=NIGHT) for _ in range(2)] == [1, 0]

    [alert] = stage.outbox("alert")
    assert (alert.topic_id, "接手 1 次" in alert.payload["text"]) == (None, True)
    [check] = self_check.kept(stage.session, stage.community.id)
    assert (check.day.isoformat(), check.violations, check.looked_at["takeovers"]) == ("2026-11-24", [], 1)


def test_a_violation_is_told_with_its_conversation_and_row(stage):
    """No resident's words: an admin looks them up."""
    talk = talk_with_a_butler(stage)
    stage.session.execute(text(PLANTED["spoken_over"]))

    self_check.check_due(stage.session, now=NIGHT)

    [alert] = stage.outbox("alert")
    assert f"会话 {talk.id}" in alert.payload["text"]
    assert "您好" not in alert.payload["text"]


def test_what_was_looked_at_once_is_not_reported_every_night(stage):
    talk_with_a_butler(stage)
    stage.session.execute(text(PLANTED["resident_not_passed_on"]))
    self_check.check_due(stage.session, now=NIGHT)

    self_check.check_due(stage.session, now=NIGHT + timedelta(days=1))

    newest, before = self_check.kept(stage.session, stage.community.id)
    assert (len(before.violations), len(newest.violations)) == (1, 0)


def test_a_clock_that_went_back_does_not_stop_the_checks(stage):
    """The demo's clock is set to any day; a machine's may be put right."""
    self_check.check_due(stage.session, now=NIGHT)
    talk_with_a_butler(stage)

    self_check.check_due(stage.session, now=NIGHT - timedelta(days=3))

    _, earlier = self_check.kept(stage.session, stage.community.id)
    assert (earlier.day.isoformat(), earlier.looked_at["takeovers"]) == ("2026-11-21", 1)


def test_a_night_without_takeovers_is_silent_and_kept(stage):
    self_check.check_due(stage.session, now=NIGHT)

    assert stage.outbox("alert") == []
    assert len(self_check.kept(stage.session, stage.community.id)) == 1


@pytest.mark.parametrize(("clock", "day"), [("03:29", "2026-11-22"), ("03:30", "2026-11-23"), ("23:00", "2026-11-23")])
def test_the_night_is_the_communitys(clock, day):
    hour, minute = map(int, clock.split(":"))

    assert self_check.last_night(NOON.replace(hour=hour, minute=minute)).isoformat() == day
