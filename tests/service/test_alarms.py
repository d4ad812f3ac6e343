"""Emergencies that were raised (N11)."""

from __future__ import annotations

import pytest

from service import alarms
from service.emergency import EmergencyKind
from service.models.queues import Priority
from service.models.talks import Conversation, Owner
from service.models.understanding import EmergencyAlarm
from tests.stage import NOON, STAFF_CHAT, Stage, sent_to_residents


def ring(
    stage: Stage, talk: Conversation, *, kind: str = "fire", source: str = "turn:1", words: str = "着火了"
) -> None:
    alarms.raise_alarm(stage.session, talk, kind=kind, caught_by="tripwire", words=words, source=source, now=NOON)


@pytest.mark.parametrize("kind", [*EmergencyKind, "other"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_kind_is_answered_with_numbers_and_the_property_phone(stage, kind, language):
    talk = stage.resident(language=language)

    ring(stage, talk, kind=kind)

    [told] = sent_to_residents(stage)
    for number in ("119", "120", "110", stage.community.phone):
        assert number in told


def test_the_answer_and_the_alert_go_before_everything_else(stage):
    talk = stage.resident(place="3栋2单元1201", phone="13800138000")

    ring(stage, talk)

    [answer] = stage.outbox("emergency")
    [alert] = stage.outbox("alert")
    assert answer.priority == alert.priority == Priority.EMERGENCY
    assert (alert.chat_id, alert.topic_id) == (STAFF_CHAT, None)
    for fact in ("着火了", "3栋2单元1201", "13800138000", "火灾"):
        assert fact in alert.payload["text"]


def test_the_resident_is_handed_to_people_without_the_please_wait(stage):
    """N11 before N6: nobody on fire is asked to wait."""
    talk = stage.resident()

    ring(stage, talk)

    assert talk.owner is Owner.WAITING
    assert not any("请稍等" in line for line in stage.lines_to(talk))
    assert len(stage.outbox("card")) == 1


def test_one_turn_rings_once_whoever_caught_it(stage):
    """The tripwire and the classifier may both hear it, and a turn may be repeated."""
    talk = stage.resident()

    ring(stage, talk)
    alarms.raise_alarm(
        stage.session, talk, kind="other", caught_by="classifier", words="着火了", source="turn:1", now=NOON
    )

    assert len(stage.outbox("alert")) == len(stage.outbox("emergency")) == 1
    assert [row.caught_by for row in stage.session.query(EmergencyAlarm)] == ["tripwire"]


def test_a_second_emergency_rings_again(stage):
    talk = stage.resident()

    ring(stage, talk, source="turn:1")
    ring(stage, talk, source="turn:2", kind="medical")

    assert len(stage.outbox("alert")) == 2
    assert len(stage.outbox("card")) == 1, "people have the resident already"


def test_while_a_butler_talks_the_resident_gets_the_numbers_and_the_butler_reads_them_too(stage):
    """N11 before the takeover: seconds count, and the butler may just have gone to the phone."""
    talk = stage.resident()
    stage.take_over(talk)
    sent_to_residents(stage)

    ring(stage, talk)

    [told] = sent_to_residents(stage)
    assert "119" in told
    assert talk.owner is Owner.BUTLER
    assert len(stage.outbox("alert")) == 1, "everybody reads it in General"
    in_topic = [row for row in stage.outbox("note") if row.topic_id == talk.topic_id and row.priority == 0]
    assert [("着火了" in row.payload["text"], "119" in row.payload["text"]) for row in in_topic] == [
        (True, False),
        (False, True),
    ]


def test_a_takeover_does_not_hold_the_numbers_back(stage):
    """The butler claims before the answer has gone out."""
    talk = stage.resident()
    ring(stage, talk)

    stage.take_over(talk)

    assert "119" in sent_to_residents(stage)[0]
