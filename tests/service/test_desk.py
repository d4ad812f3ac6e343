"""The desk: what becomes of a message that comes when nobody is there."""

from __future__ import annotations

from datetime import timedelta

import pytest

from service import calendar_file, calendars, desk, desk_hours, takeover
from service.models.communities import WeekdayHours
from service.models.talks import Conversation, DeskMessage, Owner
from tests.stage import NOON, Stage

HOUR = timedelta(hours=1)
NIGHT = NOON + 10 * HOUR  # 22:00; the desk opens at eight
MORNING = NOON + 20 * HOUR


def call(stage: Stage, talk: Conversation, *, now=NIGHT, source: str = "turn:1") -> bool:
    return desk.call_people(stage.session, talk, reason="asked", source=source, now=now)


def write(stage: Stage, talk: Conversation, words: str, *, now=NIGHT) -> None:
    desk.take_message(stage.session, talk, words, now=now)


def morning(stage: Stage, now=MORNING) -> list[str]:
    before = len(stage.outbox("alert"))
    while desk.hand_over_due(stage.session, now=now):
        pass
    return [str(row.payload["text"]) for row in stage.outbox("alert")[before:]]


def hours(stage: Stage, *rows: str) -> None:
    reading = calendar_file.read("\n".join(["day,hours", *rows]).encode())
    calendars.take_in(stage.session, stage.community, reading, now=NOON)


def test_by_day_the_resident_is_asked_to_wait_a_moment(stage):
    """N6, word for word."""
    talk = stage.resident()

    assert call(stage, talk, now=NOON)
    assert stage.lines_to(talk) == ["请稍等，我了解情况后马上答复你。"]
    assert stage.session.query(DeskMessage).count() == 0


def test_by_night_they_are_told_when_they_will_be_read_and_are_with_people_all_the_same(stage):
    """N10: taken with its time, told when it will be read. "In a moment" would be untrue."""
    talk = stage.resident()

    assert call(stage, talk)
    [said] = stage.lines_to(talk)
    assert "（22:00）" in said
    assert "管家明天 08:00 上班" in said
    assert stage.community.phone in said
    assert talk.owner is Owner.WAITING
    assert len(stage.outbox("card")) == 1


def test_it_is_said_once_in_a_closed_period(stage):
    talk = stage.resident()
    call(stage, talk)
    for minutes in range(1, 4):
        write(stage, talk, "还在吗", now=NIGHT + minutes * HOUR)

    assert len(stage.lines_to(talk)) == 1
    call(stage, talk, source="turn:2")
    assert len(stage.lines_to(talk)) == 1, "people have it already"


def test_the_next_night_it_is_said_again(stage):
    talk = stage.resident()
    call(stage, talk)
    write(stage, talk, "还在吗", now=NIGHT + 24 * HOUR)

    assert len(stage.lines_to(talk)) == 2


def test_who_was_handed_over_by_day_and_writes_at_night_is_told_too(stage):
    talk = stage.resident()
    call(stage, talk, now=NOON)
    write(stage, talk, "还没有人回我")

    assert "08:00" in stage.lines_to(talk)[-1]


def test_who_talks_with_a_butler_at_night_is_told_nothing(stage):
    talk = stage.resident()
    stage.take_over(talk)
    write(stage, talk, "谢谢")

    assert stage.session.query(DeskMessage).count() == 0


def test_a_second_handover_in_one_night_is_not_met_with_silence(stage):
    """The butler on duty has answered and handed back; the text of the night was said before."""
    talk = stage.resident()
    call(stage, talk)
    takeover.hand_back(stage.session, talk, stage.take_over(talk), source="done", now=NIGHT)
    call(stage, talk, source="turn:2")

    assert stage.lines_to(talk)[-1] == "请稍等，我了解情况后马上答复你。"


def test_when_the_desk_opens_staff_read_who_has_written_and_still_waits(stage):
    """Delivered at opening: one message, however many have written."""
    waiting, answered, late = stage.resident(surname="王"), stage.resident(surname="李"), stage.resident(surname="赵")
    for talk in (waiting, answered, late):
        call(stage, talk, now=NOON)
    write(stage, waiting, "门禁卡丢了")
    write(stage, answered, "已经解决")
    stage.take_over(answered)

    assert morning(stage, MORNING - HOUR) == []
    [said] = morning(stage)
    assert "有 1 位住户" in said
    assert "11-23 22:00" in said
    assert "门禁卡丢了" in said
    assert "李" not in said
    assert morning(stage, MORNING + HOUR) == []


def test_over_a_holiday_the_text_names_the_day(stage):
    hours(stage, "2026-11-24,closed", "2026-11-25,closed")
    talk = stage.resident(language="en")
    call(stage, talk)

    assert "Thu 26 Nov, 08:00" in stage.lines_to(talk)[0]


def test_nothing_is_promised_by_a_desk_that_never_opens(stage):
    for weekday in range(7):
        stage.session.add(WeekdayHours(community_id=stage.community.id, weekday=weekday, hours=""))
    talk = stage.resident()
    call(stage, talk)

    assert stage.lines_to(talk) == ["请稍等，我了解情况后马上答复你。"]


@pytest.mark.parametrize(
    ("rows", "zh", "en"),
    [
        ((), "08:00–20:00", "08:00–20:00"),
        (
            ("mon-fri,08:00-12:00 14:00-20:00", "sat,09:00-17:00", "sun,closed"),
            "周一至周五 08:00–12:00 14:00–20:00；周六 09:00–17:00；周日 休息",
            "Mon–Fri 08:00–12:00 14:00–20:00; Sat 09:00–17:00; Sun closed",
        ),
    ],
)
def test_residents_are_told_the_hours_of_the_calendar(stage, rows, zh, en):
    """D: asked when the desk is open, the assistant says what the clocks count."""
    if rows:
        hours(stage, *rows)

    assert desk_hours.told(stage.community, language="zh") == zh
    assert desk_hours.told(stage.community, language="en") == en
