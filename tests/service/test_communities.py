"""Communities: settled once, greeted by their own clock."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from service import communities, conversations, greetings, topics
from service.db import Sessions
from service.models.communities import Community, Department, Topic
from tests.stage import BOT_ID, NOON, STAFF_CHAT, Stage


def settle_in(session, **facts: Any) -> Community:
    told: dict[str, Any] = {
        "name": "阳光花园",
        "timezone": "Asia/Shanghai",
        "phone": "0731-1",
        "staff_chat_id": STAFF_CHAT,
    } | facts
    return communities.settle_in(session, BOT_ID, communities.Profile(**told))


def test_settling_in_again_changes_the_facts_and_plans_nothing_twice(session):
    """Every process does it at every start."""
    first = settle_in(session)
    again = settle_in(session, name="月亮花园", staff_chat_id=None)
    session.refresh(again)

    assert (again.id, again.name, again.staff_chat_id) == (first.id, "月亮花园", STAFF_CHAT)
    assert session.query(Department).count() == session.query(Topic).count() == len(communities.DEPARTMENTS)


def test_processes_that_start_together_settle_in_once(sessions: Sessions):
    """Ingress, worker, sender and scheduler may be four processes."""
    start = Barrier(4)

    def settle(_: int) -> int:
        start.wait()
        with sessions.begin() as session:
            return settle_in(session).id

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(settle, range(4)))) == 1
    with sessions.begin() as session:
        assert session.query(Department).count() == len(communities.DEPARTMENTS)


def test_a_restart_does_not_undo_the_groups_move(session):
    """Telegram gave the group a new id; the setting still names the old one."""
    settle_in(session)
    topics.migrate(session, STAFF_CHAT, STAFF_CHAT - 5)

    again = settle_in(session)
    session.refresh(again)

    assert again.staff_chat_id == STAFF_CHAT - 5


@pytest.mark.parametrize(
    ("clock", "expected"),
    [
        ("00:00", "晚上好"), ("04:59", "晚上好"), ("05:00", "早上好"), ("10:59", "早上好"), ("11:00", "中午好"),
        ("12:59", "中午好"), ("13:00", "下午好"), ("17:59", "下午好"), ("18:00", "晚上好"), ("23:59", "晚上好"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("zone", ["Asia/Shanghai", "Asia/Urumqi", "America/New_York"])
def test_the_greeting_follows_the_communitys_clock(stage, clock, expected, zone):
    """N2: the time of day, in the community's time zone."""
    stage.community.timezone = zone
    hour, minute = map(int, clock.split(":"))
    now = datetime(2026, 7, 1, hour, minute, tzinfo=ZoneInfo(zone)).astimezone(UTC)

    line = greetings.greet(stage.session, stage.resident(), now=now)

    assert line.text.startswith(expected)


def test_the_greeting_has_the_name_the_community_and_the_big_keys(stage):
    talk = stage.resident(surname="王", honorific="女士")

    line = greetings.greet(stage.session, talk, now=NOON)

    assert "王女士" in line.text
    assert "阳光花园的小管家" in line.text
    assert line.menu == ("报修", "投诉", "咨询", "转人工", "我的工单")


def test_nobody_is_greeted_with_the_same_sentence_twice_running(stage):
    """「喂，在吗」 right after the greeting wants an ear, not the sentence that stands there."""
    talk = stage.resident(surname="王", honorific="女士")
    conversations.tell(stage.session, talk, greetings.greet(stage.session, talk, now=NOON), key="first", now=NOON)

    line = greetings.greet(stage.session, talk, now=NOON)

    assert "王女士" in line.text
    assert "早上好" not in line.text
    assert "中午好" not in line.text
    assert "转人工" in line.menu


def test_a_resident_sees_their_own_cases_with_where_each_stands(stage):
    """N12: and nobody else's."""
    mine, theirs = stage.case(state="accepted"), stage.case()

    line = greetings.my_cases(stage.session, mine.conversation, now=NOON)

    assert mine.number in line.text
    assert "已接单" in line.text
    assert theirs.number not in line.text


def test_a_resident_without_cases_is_invited_to_bring_one(stage: Stage):
    assert greetings.my_cases(stage.session, stage.resident(), now=NOON).text.startswith("您目前还没有工单")
