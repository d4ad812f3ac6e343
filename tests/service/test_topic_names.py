"""Names of residents' topics: they say how things stand, and are changed seldom."""

from __future__ import annotations

from datetime import timedelta

import pytest

from service import alarms, communities, takeover, topic_names, topics, transfer
from service.models.communities import Topic
from service.models.queues import OutboxRow, Priority
from service.models.talks import Conversation
from tests.stage import NOON, Stage

MINUTE = timedelta(minutes=1)


def asks(stage: Stage, **facts) -> Conversation:
    """Somebody waits, and their topic has been made."""
    talk = stage.resident(**{"surname": "王", "honorific": "女士", "place": "3栋2单元1201"} | facts)
    takeover.escalate(stage.session, talk, reason="asked", source=f"turn:{talk.id}", now=NOON)
    assert talk.topic_id is not None
    topics.made(stage.session, talk.topic_id, 100 + talk.id)
    return talk


def rename(stage: Stage, after: timedelta) -> None:
    topic_names.rename_due(stage.session, now=NOON + after)


def renames(stage: Stage) -> list[OutboxRow]:
    return [row for row in stage.outbox("topic") if row.act == topic_names.ACT]


def name(stage: Stage, talk: Conversation) -> str:
    return stage.session.get_one(Topic, talk.topic_id, populate_existing=True).name


def test_a_topic_is_called_by_state_surname_door_and_number(stage):
    """From its first moment: a new one costs no rename."""
    talk = asks(stage)

    assert name(stage, talk) == f"🔔 王女士 · 3-2-1201 · №{talk.id}"
    assert renames(stage) == []


@pytest.mark.parametrize(
    ("place", "shown"),
    [("3栋1201", " · 3-1201 · "), ("北门", " · 北门 · "), (None, "王女士 · №"), ("3栋", " · 3栋 · ")],
)
def test_what_is_no_full_address_stays_as_it_was_said(stage, place, shown):
    assert shown in name(stage, asks(stage, place=place))


def test_a_long_name_leaves_room_for_the_door_and_the_number(stage):
    talk = asks(stage, surname=None, display_name="很长" * 80)

    assert name(stage, talk).endswith(f"3-2-1201 · №{talk.id}")
    assert len(name(stage, talk)) <= 128


def test_the_name_follows_the_talk_after_a_while(stage):
    """With the lowest priority: every line that somebody waits for goes first."""
    talk = asks(stage)
    stage.take_over(talk)

    rename(stage, 59 * timedelta(seconds=1))
    too_early = len(renames(stage))
    rename(stage, MINUTE)

    [row] = renames(stage)
    assert (too_early, row.payload["name"][0], row.priority) == (0, "💬", Priority.BOARD)
    assert (row.topic_id, name(stage, talk)) == (talk.topic_id, row.payload["name"])


def test_changes_in_quick_succession_are_one_rename_or_none(stage):
    talk = asks(stage)
    butler = stage.take_over(talk)
    takeover.hand_back(stage.session, talk, butler, source="done", now=NOON)
    takeover.escalate(stage.session, talk, reason="asked", source="again", now=NOON + MINUTE / 2)

    rename(stage, MINUTE)

    assert renames(stage) == [], "it is called what it should be called"
    assert stage.session.get_one(Topic, talk.topic_id).rename_at is None


def test_one_topic_is_renamed_at_most_every_five_minutes(stage):
    talk = asks(stage)
    butler = stage.take_over(talk)
    rename(stage, MINUTE)
    takeover.hand_back(stage.session, talk, butler, source="done", now=NOON + 2 * MINUTE)

    rename(stage, 5 * MINUTE)
    before = len(renames(stage))
    rename(stage, 6 * MINUTE)

    assert (before, [row.payload["name"][0] for row in renames(stage)]) == (1, ["💬", "✅"])


def test_many_at_once_are_renamed_over_several_minutes(stage):
    """A rename costs as much of the group's budget as a line."""
    for _ in range(8):
        stage.take_over(asks(stage))

    done = []
    for minutes in range(1, 5):
        rename(stage, minutes * MINUTE)
        rename(stage, minutes * MINUTE + timedelta(seconds=1))
        done.append(len(renames(stage)))

    assert done == [3, 6, 8, 8]


def test_departments_and_emergencies_have_signs_of_their_own(stage):
    talk, urgent = asks(stage), asks(stage)
    engineering = communities.department(stage.session, stage.community.id, "engineering")
    transfer.transfer(stage.session, talk, stage.take_over(talk), engineering, note="", source="t", now=NOON)
    alarms.raise_alarm(stage.session, urgent, kind="fire", caught_by="tripwire", words="着火", source="f", now=NOON)

    rename(stage, MINUTE)

    assert [row.payload["name"][0] for row in renames(stage)] == ["🔧", "🚨"]


def test_a_deleted_topic_is_not_renamed_but_made_under_the_right_name_when_it_is_needed(stage):
    talk = asks(stage)
    assert talk.topic_id is not None
    topics.gone(stage.session, talk.topic_id, 100 + talk.id)
    stage.take_over(talk)

    rename(stage, MINUTE)

    assert (renames(stage), name(stage, talk)[0]) == ([], "💬")
