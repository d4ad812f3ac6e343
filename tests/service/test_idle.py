"""Talks that have fallen silent."""

from __future__ import annotations

from datetime import timedelta

from service import communities, conversations, idle, transfer
from service.models.people import Staff
from service.models.talks import Conversation, Owner
from tests.stage import NOON, Stage

HALF_AN_HOUR = conversations.SILENT_FOR + timedelta(seconds=1)
TEN_MINUTES = idle.ANSWER_WITHIN + timedelta(seconds=1)


def talked(stage: Stage, *, last: str = "butler") -> Conversation:
    """A butler has the resident; who spoke last."""
    talk = stage.resident()
    butler = stage.take_over(talk)
    stage.hears(talk, "话", by=butler if last == "butler" else None)
    return talk


def butler_of(stage: Stage, talk: Conversation) -> Staff:
    return stage.session.get_one(Staff, talk.butler_id)


def notes(stage: Stage) -> list[str]:
    return [str(row.payload["text"]) for row in stage.outbox("note")]


def test_a_silent_talk_is_asked_about_and_then_handed_back(stage):
    talk = talked(stage)

    assert idle.sweep(stage.session, now=NOON + HALF_AN_HOUR) == 1
    assert (talk.owner, "30 分钟没有新消息" in notes(stage)[-1]) == (Owner.BUTLER, True)

    assert idle.sweep(stage.session, now=NOON + HALF_AN_HOUR + TEN_MINUTES) == 1
    assert (talk.owner, "已交还小管家" in notes(stage)[-1]) == (Owner.BOT, True)
    assert "小管家继续为您服务" in stage.lines_to(talk)[-1]


def test_a_talk_that_goes_on_is_left_alone(stage):
    talk = talked(stage)
    stage.hears(talk, "再说一句", now=NOON + timedelta(minutes=29))

    assert idle.sweep(stage.session, now=NOON + HALF_AN_HOUR) == 0


def test_any_line_begins_the_time_anew(stage):
    """Also after staff were asked: nobody is handed back in the middle of a talk."""
    talk = talked(stage)
    idle.sweep(stage.session, now=NOON + HALF_AN_HOUR)
    stage.hears(talk, "还在", now=NOON + HALF_AN_HOUR)

    assert idle.sweep(stage.session, now=NOON + HALF_AN_HOUR + TEN_MINUTES) == 0
    assert talk.owner is Owner.BUTLER


def test_the_butler_keeps_a_silent_talk_with_one_tap(stage):
    talk = talked(stage)
    idle.sweep(stage.session, now=NOON + HALF_AN_HOUR)

    idle.keep(talk, now=NOON + HALF_AN_HOUR)

    assert idle.sweep(stage.session, now=NOON + HALF_AN_HOUR + TEN_MINUTES) == 0


def test_whoever_waits_for_an_answer_is_never_handed_back(stage):
    """The bot would greet somebody whom a butler owes an answer (N6); the butler is reminded, once."""
    talk = talked(stage, last="resident")

    changed = [idle.sweep(stage.session, now=NOON + HALF_AN_HOUR + timedelta(hours=hours)) for hours in range(3)]

    assert (changed, talk.owner) == ([1, 0, 0], Owner.BUTLER)
    assert "没有人回答" in notes(stage)[-1]


def test_the_same_silence_is_asked_about_once(stage):
    talked(stage)

    assert [idle.sweep(stage.session, now=NOON + HALF_AN_HOUR) for _ in range(2)] == [1, 0]


def test_what_a_department_has_not_taken_yet_is_not_idle(stage):
    """Nobody has answered; that is waiting, and waiting has its own ladder."""
    talk = talked(stage)
    engineering = communities.department(stage.session, stage.community.id, "engineering")
    transfer.transfer(stage.session, talk, butler_of(stage, talk), engineering, note="", source="t", now=NOON)

    assert idle.sweep(stage.session, now=NOON + HALF_AN_HOUR) == 0
