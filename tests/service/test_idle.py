"""Talks that have fallen silent: asked about, handed back, or back in line when their butler does not come back."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, text

from service import (
    after_talks,
    alarms,
    communities,
    conversations,
    desk,
    idle,
    schedule,
    takeover,
    transfer,
    waiting,
    waits,
)
from service.conversations import Said
from service.models.people import Role, Staff
from service.models.talks import Conversation, Owner, Wait, WaitStep
from service.schedule import Wanted
from service.texts import Line
from tests.stage import NOON, Stage

MINUTE = timedelta(minutes=1)
HALF_AN_HOUR = conversations.SILENT_FOR + timedelta(seconds=1)
TEN_MINUTES = idle.ANSWER_WITHIN + timedelta(seconds=1)
REMINDED, CALLED = NOON + HALF_AN_HOUR, NOON + HALF_AN_HOUR + TEN_MINUTES
NIGHT = NOON + timedelta(hours=10)  # 22:00; the desk opens at eight
MORNING = NOON + timedelta(hours=20)


def talked(stage: Stage, *, last: str = "butler", now: datetime = NOON) -> Conversation:
    """A butler has the resident; who spoke last."""
    talk = stage.resident()
    butler = stage.take_over(talk)
    stage.hears(talk, "话", by=butler if last == "butler" else None, now=now)
    return talk


def left(stage: Stage, *, now: datetime = NOON) -> Conversation:
    """The resident has asked something, and their butler has not come back."""
    talk = talked(stage, last="resident", now=now)
    for moment in (HALF_AN_HOUR, HALF_AN_HOUR + TEN_MINUTES):
        idle.sweep(stage.session, now=now + moment)
    return talk


def butler_of(stage: Stage, talk: Conversation) -> Staff:
    return stage.session.get_one(Staff, talk.butler_id)


def notes(stage: Stage) -> list[str]:
    return [str(row.payload["text"]) for row in stage.outbox("note")]


def owners(stage: Stage, talk: Conversation, *moments: datetime) -> list[Owner]:
    """Who answers after a look at each of these moments."""
    found = []
    for moment in moments:
        idle.sweep(stage.session, now=moment)
        found.append(talk.owner)
    return found


def test_a_silent_talk_is_asked_about_and_then_handed_back(stage):
    talk = talked(stage)

    assert idle.sweep(stage.session, now=REMINDED) == 1
    assert (talk.owner, "30 分钟没有新消息" in notes(stage)[-1]) == (Owner.BUTLER, True)

    assert idle.sweep(stage.session, now=CALLED) == 1
    assert (talk.owner, "已交还小管家" in notes(stage)[-1]) == (Owner.BOT, True)
    assert "小管家继续为您服务" in stage.lines_to(talk)[-1]


def test_a_talk_that_goes_on_is_left_alone(stage):
    talk = talked(stage)
    stage.hears(talk, "再说一句", now=NOON + timedelta(minutes=29))

    assert idle.sweep(stage.session, now=REMINDED) == 0


def test_any_line_begins_the_time_anew(stage):
    """Also after staff were asked: nobody is handed back in the middle of a talk."""
    talk = talked(stage)
    idle.sweep(stage.session, now=REMINDED)
    stage.hears(talk, "还在", now=REMINDED)

    assert idle.sweep(stage.session, now=CALLED) == 0
    assert talk.owner is Owner.BUTLER


@pytest.mark.parametrize("last", ["butler", "resident"])
def test_the_butler_keeps_a_talk_with_one_tap(stage, last):
    """Also one in which an answer is owed: who is at it needs no help, and is reminded again after half an hour."""
    talk = talked(stage, last=last)
    idle.sweep(stage.session, now=REMINDED)

    idle.keep(talk, now=REMINDED)

    assert idle.sweep(stage.session, now=CALLED) == 0
    assert idle.sweep(stage.session, now=REMINDED + HALF_AN_HOUR) == 1
    assert talk.owner is Owner.BUTLER


def test_a_butler_who_owes_an_answer_is_reminded_once_and_can_keep_hand_on_or_hand_back(stage):
    talked(stage, last="resident")

    assert [idle.sweep(stage.session, now=REMINDED) for _ in range(2)] == [1, 0]

    reminder = stage.outbox("note")[-1].payload
    assert "已经 30 分钟没有人回答。请在今天 12:40前回复" in reminder["text"]
    assert [str(button["data"]).rpartition(":")[2] for button in reminder["buttons"]] == [
        "keep",
        "transfer",
        "hand_back",
    ]


def test_whoever_waits_for_an_answer_is_in_line_again_when_the_butler_does_not_come_back(stage):
    """The bot would greet somebody whom a butler owes an answer (N6), and nobody else would ever answer (N5)."""
    talk = talked(stage, last="resident")
    former = butler_of(stage, talk)
    supervisor = stage.member(Role.SUPERVISOR)
    cards = len(stage.outbox("card"))

    assert owners(stage, talk, REMINDED, CALLED, CALLED) == [Owner.BUTLER, Owner.WAITING, Owner.WAITING]

    [told] = stage.outbox(waits.TO_STAFF)
    assert (
        f"{supervisor.number} {supervisor.display_name}：{former.number}号 {former.display_name}"
        in told.payload["text"]
    )
    assert "12:00等到现在（40 分钟）" in told.payload["text"]
    assert told.payload["entities"][0]["user"]["id"] == supervisor.user_id
    assert told.payload["buttons"][0]["data"] == f"c:{talk.id}:claim"
    assert len(stage.outbox("card")) == cards + 1
    assert "接待的管家一直没有回复" in stage.outbox("card")[-1].payload["text"]
    assert [line for line in stage.lines_to(talk) if "让您等了 40 分钟" in line] == [stage.lines_to(talk)[-1]]


def test_who_was_left_keeps_the_place_they_waited_for_and_everybody_else_is_called_from_now_on(stage):
    """They have waited longest; but to call the manager at once would be to call nobody before."""
    talk = left(stage)
    other = stage.resident()
    desk.call_people(stage.session, other, reason="asked", source="turn:other", now=REMINDED)

    line, _ = waits.line(stage.session, stage.community.id, limit=5)
    told = []
    for minutes in (0, 1, 3, 10, 30):
        waiting.sweep(stage.session, now=CALLED + minutes * MINUTE + timedelta(seconds=6))
        told.append(steps(stage, talk))

    assert [wait.conversation_id for wait in line] == [talk.id, other.id]
    assert line[0].since == NOON
    ladder = ["speakers", "butlers", "supervisor", "manager"]
    assert told == [ladder[:count] for count in range(5)]
    assert any("已为您等候 40 分钟" in text for text in stage.lines_to(talk))


def steps(stage: Stage, talk: Conversation) -> list[str]:
    stage.session.flush()
    taken = select(WaitStep.step).join(Wait, Wait.id == WaitStep.wait_id).where(Wait.conversation_id == talk.id)
    return list(stage.session.scalars(taken.order_by(WaitStep.id)))


def test_asking_again_does_not_put_off_the_look_at_it(stage):
    """Whoever asks 「在吗」 every twenty minutes would otherwise never be seen to."""
    talk = talked(stage, last="resident")
    for minutes in (10, 20, 29, 39):
        stage.hears(talk, "在吗", now=NOON + minutes * MINUTE)

    assert owners(stage, talk, REMINDED, CALLED) == [Owner.BUTLER, Owner.WAITING]


def test_an_answer_after_the_reminder_is_one(stage):
    talk = talked(stage, last="resident")
    idle.sweep(stage.session, now=REMINDED)
    stage.hears(talk, "马上来", by=butler_of(stage, talk), now=REMINDED)

    assert owners(stage, talk, CALLED, REMINDED + HALF_AN_HOUR) == [Owner.BUTLER, Owner.BUTLER]
    assert "没有新消息" in notes(stage)[-1]


def test_at_night_others_are_called_ten_minutes_after_the_desk_opens(stage):
    """Nobody is chased at night: the butler reads by when, and the resident waits for the morning as everybody does."""
    talk = talked(stage, last="resident", now=NIGHT)

    assert owners(stage, talk, NIGHT + HALF_AN_HOUR, NIGHT + timedelta(hours=2), MORNING) == [Owner.BUTLER] * 3
    assert "请在明天 08:10前回复" in notes(stage)[-1]
    assert owners(stage, talk, MORNING + 10 * MINUTE) == [Owner.WAITING]
    assert "让您等了 10 分钟" in stage.lines_to(talk)[-1]


def test_a_look_that_comes_too_late_waits_for_the_morning(stage):
    """After a downtime, say."""
    talk = talked(stage, last="resident")

    assert owners(stage, talk, REMINDED, NIGHT, MORNING) == [Owner.BUTLER] * 3
    assert owners(stage, talk, MORNING + 10 * MINUTE) == [Owner.WAITING]
    assert len([note for note in notes(stage) if "没有人回答" in note]) == 1


def test_the_butler_who_was_away_goes_on_with_one_tap(stage):
    """And so may any other; the answer is owed since the same moment."""
    talk = talked(stage, last="resident")
    former = butler_of(stage, talk)
    owners(stage, talk, REMINDED, CALLED)

    assert takeover.claim(stage.session, talk, former, source="tap", now=CALLED)

    assert (talk.owner, talk.butler_id, talk.owed_since) == (Owner.BUTLER, former.id, NOON)
    assert waits.of(stage.session, talk) is None
    assert "让您等了 40 分钟" not in "".join(stage.lines_to(talk))  # they came before it was sent


def test_whoever_is_in_line_again_reads_how_the_work_goes_and_is_asked_about_it_later(stage):
    """What the bot had to say was held for ever, and two notes would have come in the wrong order."""
    talk = talked(stage, last="resident")
    case = stage.case(talk)
    for kind in ("progress", "survey"):
        conversations.tell(stage.session, talk, Line(kind), now=NOON, key=kind, kind=kind, case_id=case.id)

    after_talks.take_up(stage.session, now=CALLED)
    assert [row.state for row in (*stage.outbox("progress"), *stage.outbox("survey"))] == ["held", "held"]

    owners(stage, talk, REMINDED, CALLED)
    after_talks.take_up(stage.session, now=CALLED)
    assert [row.state for row in (*stage.outbox("progress"), *stage.outbox("survey"))] == ["pending", "held"]


@pytest.mark.parametrize("words", ["谢谢", "好的，谢谢您！", "ok", "Thanks, bye", "👍🏽", "谢谢🙏🙏", "收到"])
def test_a_courtesy_asks_for_no_answer(stage, words):
    """The butler has answered, the resident has thanked: that is over like any other silent talk."""
    talk = talked(stage)
    stage.hears(talk, words, now=NOON + MINUTE)

    assert owners(stage, talk, REMINDED + MINUTE, CALLED + MINUTE) == [Owner.BUTLER, Owner.BOT]


def test_a_courtesy_does_not_take_a_question_back(stage):
    talk = talked(stage, last="resident")
    stage.hears(talk, "谢谢", now=NOON + MINUTE)

    assert owners(stage, talk, REMINDED, CALLED) == [Owner.BUTLER, Owner.WAITING]


def test_a_sticker_asks_for_no_answer_and_a_photo_does(stage):
    smiled, showed = talked(stage), talked(stage)
    for talk, kind in ((smiled, "sticker"), (showed, "photo")):
        said = Said(kind, "", talk.resident.chat_id, 1, inbox_id=8_000_000 + talk.id)
        conversations.hear(stage.session, talk, said, now=NOON)
    idle.sweep(stage.session, now=REMINDED)

    idle.sweep(stage.session, now=CALLED)

    assert (smiled.owner, showed.owner) == (Owner.BOT, Owner.WAITING)


def test_who_asked_for_a_person_is_owed_an_answer_by_whoever_takes_over(stage):
    """A butler's number is no answer."""
    talk = stage.resident()
    stage.hears(talk, "转人工")
    desk.call_people(stage.session, talk, reason="asked", source="turn:1", now=NOON)
    stage.take_over(talk)

    assert owners(stage, talk, REMINDED, CALLED) == [Owner.BUTLER, Owner.WAITING]


@pytest.mark.parametrize(("answered", "owner"), [(True, Owner.BOT), (False, Owner.WAITING)])
def test_a_butler_who_steps_in_owes_what_the_bot_has_not_answered(stage, answered, owner):
    talk = stage.resident()
    stage.hears(talk, "灯坏了")
    if answered:
        conversations.tell(stage.session, talk, Line("已登记"), now=NOON, key="answer")
        stage.session.execute(text("UPDATE outbox SET state = 'sent'"))
    stage.take_over(talk)

    assert owners(stage, talk, REMINDED, CALLED)[-1] is owner


def test_the_people_of_a_department_are_called_for_whom_one_of_theirs_has_left(stage):
    """Whoever had the talk can take it back, though they do not talk with others."""
    talk = talked(stage)
    engineering = communities.department(stage.session, stage.community.id, "engineering")
    plumber = stage.member(Role.DEPARTMENT)
    plumber.department_id = engineering.id
    transfer.transfer(stage.session, talk, butler_of(stage, talk), engineering, note="", source="t", now=NOON)
    takeover.claim(stage.session, talk, plumber, source="tap", now=NOON)
    stage.hears(talk, "几点来？")

    assert owners(stage, talk, REMINDED, CALLED) == [Owner.BUTLER, Owner.WAITING]
    assert takeover.claim(stage.session, talk, plumber, source="again", now=CALLED)


def test_who_cannot_be_reached_is_in_line_and_nothing_is_said_to_them(stage):
    talk = talked(stage, last="resident")
    talk.resident.unreachable_since = NOON

    assert owners(stage, talk, REMINDED, CALLED) == [Owner.BUTLER, Owner.WAITING]
    assert not any("非常抱歉" in line for line in stage.lines_to(talk))


def test_what_somebody_holds_is_left_alone_and_the_schedule_shows_when_it_is_due(stage):
    talk = talked(stage, last="resident")
    idle.sweep(stage.session, now=REMINDED)
    stage.session.flush()
    wanted = Wanted(stage.community.id, kinds=("silent_talk",))

    [row] = schedule.to_come(stage.session, wanted)
    assert (row.number, row.due_at) == (talk.id, REMINDED + idle.ANSWER_OWED_WITHIN)

    schedule.hold(stage.session, stage.community.id, row.kind, row.number, by="101", why="在打电话", now=REMINDED)
    assert owners(stage, talk, CALLED) == [Owner.BUTLER]
    schedule.release(stage.session, stage.community.id, row.kind, row.number, by="101", now=CALLED)
    assert owners(stage, talk, CALLED) == [Owner.WAITING]


def test_the_same_silence_is_asked_about_once(stage):
    talked(stage)

    assert [idle.sweep(stage.session, now=REMINDED) for _ in range(2)] == [1, 0]


def test_what_a_department_has_not_taken_yet_is_not_idle(stage):
    """Nobody has answered; that is waiting, and waiting has its own ladder."""
    talk = talked(stage)
    engineering = communities.department(stage.session, stage.community.id, "engineering")
    transfer.transfer(stage.session, talk, butler_of(stage, talk), engineering, note="", source="t", now=NOON)

    assert idle.sweep(stage.session, now=REMINDED) == 0


def test_who_was_in_danger_is_first_in_line_again_at_any_hour(stage):
    """An alarm at night that somebody took and did not answer cannot wait until the desk opens."""
    talk = stage.resident()
    alarms.raise_alarm(
        stage.session, talk, kind="fire", caught_by="tripwire", words="着火了", source="turn:1", now=NIGHT
    )
    stage.take_over(talk)
    talk.owed_since = NIGHT
    for moment in (HALF_AN_HOUR, HALF_AN_HOUR + TEN_MINUTES):
        idle.sweep(stage.session, now=NIGHT + moment)

    wait = waits.of(stage.session, talk)
    assert wait is not None
    assert (talk.owner, wait.reason, wait.since) == (Owner.WAITING, waits.URGENT, NIGHT)
