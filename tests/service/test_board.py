"""The board in General: made once, true within minutes, and never in the way."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import text

from service import alarms, board, takeover, topics
from service.models.cases import Case
from service.models.people import Duty
from service.models.queues import OutboxRow, OutboxState, Priority
from service.models.talks import Conversation
from tests.stage import NOON, STAFF_CHAT, Stage, sent_to_residents

MINUTE = timedelta(minutes=1)


def waits(stage: Stage, minutes: int = 0, **facts: Any) -> Conversation:
    """Somebody has waited for a person since some minutes before noon."""
    talk = stage.resident(**facts)
    now = NOON - minutes * MINUTE
    takeover.escalate(stage.session, talk, reason="asked", source=f"turn:{talk.id}", now=now)
    return talk


def look(stage: Stage, after: timedelta = timedelta()) -> None:
    """The scheduler wakes, and what is due goes out."""
    stage.session.flush()
    board.refresh_due(stage.session, now=NOON + after)
    sent_to_residents(stage)


def rows(stage: Stage) -> list[OutboxRow]:
    return stage.outbox(board.KIND)


def shown(stage: Stage) -> str:
    """What it says now."""
    return str([row.payload["text"] for row in rows(stage) if row.act != "pin"][-1])


def late_case(stage: Stage) -> Case:
    """One whose clocks ran out an hour ago."""
    case = stage.case()
    hour_ago = {"case": case.id, "at": NOON - timedelta(hours=1)}
    stage.session.execute(text("UPDATE case_clocks SET due_at = :at WHERE case_id = :case"), hour_ago)
    return case


def test_it_is_written_once_and_pinned_without_a_sound(stage):
    waits(stage)

    look(stage)

    said, pinned = rows(stage)
    assert (said.act, said.chat_id, said.topic_id, said.payload["silent"]) == ("say", STAFF_CHAT, None, True)
    assert (pinned.act, pinned.edits_id) == ("pin", said.id)
    assert {row.priority for row in rows(stage)} == {Priority.BOARD}


def test_a_community_without_any_matter_gets_none_yet(stage):
    look(stage)

    assert rows(stage) == []


def test_who_waits_longest_stands_first_and_leads_to_the_topic(stage):
    """After those in danger."""
    waits(stage, 2, surname="李")
    longest = waits(stage, 12, surname="王")
    assert longest.topic_id is not None
    topics.made(stage.session, longest.topic_id, 77)
    urgent = stage.resident(surname="赵")
    alarms.raise_alarm(stage.session, urgent, kind="fire", caught_by="tripwire", words="着火", source="t", now=NOON)

    look(stage)

    heading, *lines = shown(stage).splitlines()[1:]
    assert heading == "⏳ 等候 3 位"
    assert [line[2] for line in lines[:3]] == ["赵", "王", "李"]
    assert "已等 12 分钟" in lines[1]
    [link] = [one for one in rows(stage)[0].payload["entities"] if one["type"] == "text_link"]
    assert link["url"] == f"https://t.me/c/{str(STAFF_CHAT)[4:]}/77"


def test_open_and_late_cases_and_who_is_on_duty_stand_on_it(stage):
    late = late_case(stage)
    stage.case()
    stage.case(state="finished")
    butler = stage.member()
    butler.duty = Duty.ON

    look(stage)

    assert "🛠 在办 2 单" in shown(stage)
    assert "🔴 超时 1 单" in shown(stage)
    assert f"{late.number}（工程部）时限 " in shown(stage)
    assert f"👥 当班：{butler.number} {butler.display_name}" in shown(stage)


def test_it_names_nobodys_matter(stage):
    """General is read by everybody in the group."""
    late_case(stage)

    look(stage)

    assert "漏水" not in shown(stage)


def test_it_is_edited_when_something_has_changed_and_at_most_every_few_minutes(stage):
    stage.case()
    look(stage)
    stage.case()

    look(stage, MINUTE)
    too_early = len(rows(stage))
    look(stage, board.LOOK_EVERY)
    look(stage, 2 * board.LOOK_EVERY)

    [said, _, edit] = rows(stage)
    assert too_early == 2
    assert (edit.act, edit.edits_id) == ("edit", said.id)
    assert "在办 2 单" in shown(stage)


def test_an_edit_that_has_not_gone_out_is_overtaken(stage):
    """While the group is busy nothing piles up."""
    stage.case()
    look(stage)
    for number in range(1, 4):
        stage.case()
        stage.session.flush()
        board.refresh_due(stage.session, now=NOON + number * board.LOOK_EVERY)

    assert len(rows(stage)) == 3
    assert "在办 4 单" in shown(stage)


def test_a_deleted_one_is_written_anew(stage):
    stage.case()
    look(stage)
    stage.case()
    look(stage, board.LOOK_EVERY)
    edit = rows(stage)[-1]
    edit.state, edit.reason = OutboxState.DROPPED, "BadRequest: Message to edit not found"

    look(stage, 2 * board.LOOK_EVERY)
    look(stage, 3 * board.LOOK_EVERY)

    assert [row.act for row in rows(stage)] == ["say", "pin", "edit", "say", "pin"]


def test_a_long_list_ends_with_a_count(stage):
    """A message of Telegram's has an end."""
    for _ in range(board.MOST + 3):
        waits(stage)

    look(stage)

    assert "还有 3 个" in shown(stage)
    assert shown(stage).count("已等") == board.MOST


def test_two_schedulers_write_one(stage):
    waits(stage)
    stage.session.flush()

    assert [board.refresh_due(stage.session, now=NOON) for _ in range(2)] == [1, 0]
