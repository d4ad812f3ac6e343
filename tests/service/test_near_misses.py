"""The weekly list of what almost raised an alarm: on Mondays, once, and only where there was something."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from service import alarms, candidates, communities, learning, near_misses
from service.db import Sessions
from service.models.queues import OutboxRow
from service.models.talks import Conversation
from service.models.understanding import CandidateReason
from tests.stage import STAFF_CHAT, Stage

SHANGHAI = ZoneInfo("Asia/Shanghai")
MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=SHANGHAI)  # when a list is due
HOUR = timedelta(hours=1)


def miss(stage: Stage, text: str, at: datetime, *, talk: Conversation | None = None, **facts: Any) -> None:
    why = facts.pop("why", CandidateReason.NEAR_MISS)
    told = {"source": f"turn:{text}", "language": "zh", "detail": "fire / past"} | facts
    community_id = (talk or stage.resident()).community_id
    candidates.notice(stage.session, community_id, text, why=why, now=at.astimezone(UTC), **told)


def posted(stage: Stage, now: datetime) -> list[str]:
    near_misses.post_due(stage.session, now=now.astimezone(UTC))
    return [row.payload["text"] for row in stage.outbox("alert")]


def test_on_monday_at_nine_staff_read_what_almost_rang_with_when_and_why(stage):
    miss(stage, "去年三栋着火的事", MONDAY - 50 * HOUR)

    [text] = posted(stage, MONDAY)

    for fact in ("1 条", "11-21 07:00", "去年三栋着火的事", "fire / past"):
        assert fact in text
    [row] = stage.outbox("alert")
    assert (row.chat_id, row.topic_id) == (STAFF_CHAT, None), "General is read by everybody"


@pytest.mark.parametrize("now", [MONDAY, MONDAY + 50 * HOUR])
def test_it_is_posted_once_also_when_nobody_was_there_at_nine(stage, now):
    miss(stage, "去年三栋着火的事", MONDAY - HOUR)

    for later in range(3):
        posted(stage, now + later * HOUR)

    assert len(stage.outbox("alert")) == 1


def test_before_nine_it_is_not_due_and_in_another_zone_it_is_another_nine(stage):
    miss(stage, "去年三栋着火的事", MONDAY - 2 * HOUR)
    assert posted(stage, MONDAY - timedelta(minutes=1)) == []

    stage.community.timezone = "Europe/Berlin"

    assert posted(stage, MONDAY + timedelta(minutes=1)) == []
    assert len(posted(stage, datetime(2026, 11, 23, 9, 0, tzinfo=ZoneInfo("Europe/Berlin")))) == 1


def test_a_week_without_near_misses_is_silent(stage):
    miss(stage, "灯又那样了", MONDAY - HOUR, why=CandidateReason.LOW_MARGIN)
    miss(stage, "上上周的事", MONDAY - timedelta(days=8))
    miss(stage, "今天的事", MONDAY + HOUR)

    assert posted(stage, MONDAY + 2 * HOUR) == []


def test_what_comes_after_nine_is_next_weeks(stage):
    miss(stage, "周一早上的事", MONDAY + HOUR)

    [text] = posted(stage, MONDAY + timedelta(days=7))

    assert "周一早上的事" in text


def test_what_was_ignored_or_raised_an_alarm_after_all_is_not_listed(stage):
    talk = stage.resident()
    miss(stage, "火锅店着火了似的", MONDAY - 3 * HOUR)
    learning.ignore(stage.session, learning.review(stage.session)[0].candidate)
    miss(stage, "楼道好像有烟", MONDAY - 2 * HOUR, talk=talk, source="turn:9")
    raised: dict[str, Any] = {
        "kind": "other",
        "caught_by": "classifier",
        "words": "",
        "source": "turn:9",
        "now": MONDAY,
    }
    alarms.raise_alarm(stage.session, talk, **raised)

    assert [text for text in posted(stage, MONDAY) if "差一点" in text] == []


def test_a_long_list_is_cut_and_so_are_long_words(stage):
    for number in range(30):
        miss(stage, f"第{number}件事 着火\n" + "很长" * 300, MONDAY - HOUR)

    [text] = posted(stage, MONDAY)

    assert ("30 条" in text, text.count("·"), len(text) < 4096) == (True, near_misses.LISTED, True)


def test_a_community_without_a_staff_group_has_nowhere_to_post(stage):
    stage.community.staff_chat_id = None
    miss(stage, "去年三栋着火的事", MONDAY - HOUR)

    assert near_misses.post_due(stage.session, now=MONDAY.astimezone(UTC)) == 0


def test_two_schedulers_at_once_post_one_list(sessions: Sessions):
    with sessions.begin() as session:
        stage = Stage(session)
        profile = communities.Profile("月光花园", "Asia/Shanghai", "0731-2", STAFF_CHAT - 1)
        other = communities.settle_in(session, 100002, profile)
        miss(stage, "去年三栋着火的事", MONDAY - HOUR)
        candidates.notice(
            session,
            other.id,
            "去年着火",
            why=CandidateReason.NEAR_MISS,
            source="turn:o",
            language="zh",
            now=MONDAY - HOUR,
        )

    def sweep(_: int) -> int:
        with sessions.begin() as session:
            return near_misses.post_due(session, now=MONDAY.astimezone(UTC), limit=1)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(sweep, range(6)))

    with sessions.begin() as session:
        assert sorted(row.chat_id for row in session.query(OutboxRow)) == [STAFF_CHAT - 1, STAFF_CHAT]
