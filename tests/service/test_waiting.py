"""Nobody waits unheard: the line that counts, the messages, the place in line, and who is told among staff."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from service import alarms, communities, desk, takeover, texts, transfer, wait_calls, waiting, waits
from service.held import COURTESY
from service.models.people import Duty, Role, Staff
from service.models.talks import Conversation, Owner, Wait, WaitStep
from tests.stage import NOON, Stage, sent_to_residents

MINUTE = timedelta(minutes=1)
NIGHT = NOON + timedelta(hours=10)  # 22:00; the desk opens at eight
MORNING = NOON + timedelta(hours=20)
EVERY_SECOND = timedelta(seconds=1)


def asks(stage: Stage, *, now=NOON, reason: str = "asked", **facts) -> Conversation:
    """Somebody asks for a person."""
    talk = stage.resident(**facts)
    desk.call_people(stage.session, talk, reason=reason, source=f"turn:{talk.id}", now=now)
    return talk


def sweep(stage: Stage, *moments, since=NOON) -> None:
    """The scheduler wakes at these moments after noon."""
    for after in moments:
        while waiting.sweep(stage.session, now=since + after):
            pass
        stage.session.flush()


def lines(stage: Stage, talk: Conversation, act: str) -> list[str]:
    """What was said to the resident, or how the line that counts was edited."""
    rows = stage.outbox(COURTESY)
    return [str(row.payload.get("text")) for row in rows if row.act == act and row.chat_id == talk.resident.chat_id]


def told(stage: Stage) -> list[str]:
    """What staff read of those who wait."""
    return [str(row.payload["text"]) for row in stage.outbox(waits.TO_STAFF)]


def wait_of(stage: Stage, talk: Conversation) -> Wait:
    found = waits.of(stage.session, talk)
    assert found is not None
    return found


def member(stage: Stage, role: Role = Role.BUTLER, **facts) -> Staff:
    found = stage.member(role)
    for name, value in facts.items():
        setattr(found, name, value)
    return found


# --- The line that counts -------------------------------------------------------------------------------------------


def test_one_line_is_sent_and_then_edited_every_half_minute(stage):
    """N5: the same message, without a ping."""
    talk = asks(stage)

    for seconds in range(96):
        sweep(stage, seconds * EVERY_SECOND)
        sent_to_residents(stage)

    assert lines(stage, talk, "say") == ["⏳ 正在为您联系小管家。下一位就是您。"]
    assert [one.split("，")[0] for one in lines(stage, talk, "edit")] == [
        "⏳ 已为您等候 30 秒", "⏳ 已为您等候 1 分钟", "⏳ 已为您等候 1 分 30 秒",
    ]  # fmt: skip
    [first, *edits] = stage.outbox(COURTESY)
    assert first.payload["silent"]
    assert {edit.edits_id for edit in edits} == {first.id}


def test_the_line_speaks_the_residents_language(stage):
    talk = asks(stage, language="en")

    sweep(stage, 5 * EVERY_SECOND, MINUTE)

    assert lines(stage, talk, "edit") == [
        "⏳ You have been waiting for 1 min; we are getting a butler for you. You are next."
    ]


def test_an_edit_that_has_not_gone_out_is_overtaken_by_the_next(stage):
    """A slow Telegram is not buried under edits that nobody needs any more."""
    talk = asks(stage)

    sweep(stage, *(seconds * EVERY_SECOND for seconds in range(5, 180)))

    assert [one.split("，")[0] for one in lines(stage, talk, "edit")] == ["⏳ 已为您等候 2 分 30 秒"]


@pytest.mark.parametrize("how", ["claimed", "handed_back", "settled"])
def test_the_line_goes_when_nobody_waits_any_more(stage, how):
    """It would say for ever that somebody is being fetched; and nothing more of it comes."""
    talk, butler = asks(stage), stage.member()
    sweep(stage, 5 * EVERY_SECOND)
    sent_to_residents(stage)
    sweep(stage, 3 * MINUTE)  # an edit, a message and a call to staff that have not gone out

    if how == "claimed":
        stage.take_over(talk, butler)
    elif how == "handed_back":
        takeover.hand_back(stage.session, talk, butler, source="done", now=NOON + 3 * MINUTE)
    else:
        takeover.settle(stage.session, talk, source="settled", now=NOON + 3 * MINUTE)
    sweep(stage, 3 * MINUTE, 40 * MINUTE)

    first, *others = [row for row in stage.outbox() if row.kind in (COURTESY, waits.TO_STAFF)]
    [removed] = [row for row in others if row.act == "delete"]
    assert (removed.edits_id, removed.state) == (first.id, "pending")
    assert {row.state for row in others if row.act != "delete"} == {"dropped"}


def test_a_butler_is_not_told_of_courtesies_that_were_not_said(stage):
    """What the bot was about to say is passed on to who takes over; that somebody is being fetched is no news."""
    talk = asks(stage)
    sent_to_residents(stage)
    sweep(stage, 5 * EVERY_SECOND)

    stage.take_over(talk)

    assert not [row for row in stage.outbox("note") if "正在为您联系" in str(row.payload)]


def test_who_is_out_of_reach_is_not_written_to_and_staff_are_told_all_the_same(stage):
    talk = asks(stage, unreachable_since=NOON)

    sweep(stage, 5 * EVERY_SECOND, 3 * MINUTE)

    assert lines(stage, talk, "say") == []
    assert len(told(stage)) == 1


def test_after_a_low_rating_nobody_is_kept_company_unasked(stage):
    """They have been told that a butler will write; they do not sit and wait."""
    talk = stage.resident()
    takeover.escalate(stage.session, talk, reason="rating", source="t", now=NOON, quietly=True)

    sweep(stage, 5 * EVERY_SECOND, MINUTE)

    assert (lines(stage, talk, "say"), len(told(stage))) == ([], 1)


# --- The place in line ----------------------------------------------------------------------------------------------


def test_the_place_follows_from_who_came_before(stage):
    """Computed at every look: who is served leaves the line by that."""
    first, second, third = (asks(stage, now=NOON + place * EVERY_SECOND) for place in range(3))

    sweep(stage, 8 * EVERY_SECOND)
    stage.take_over(first)
    sent_to_residents(stage)
    sweep(stage, 40 * EVERY_SECOND)

    assert lines(stage, third, "say")[0].endswith("您前面还有 2 位住户。")
    assert lines(stage, third, "edit")[-1].endswith("您前面还有 1 位住户。")
    assert lines(stage, second, "edit")[-1].endswith("下一位就是您。")


def test_an_emergency_goes_before_all_others(stage):
    usual = asks(stage)
    urgent = stage.resident()

    alarms.raise_alarm(
        stage.session, urgent, kind="fire", caught_by="tripwire", words="着火了", source="t", now=NOON + MINUTE
    )

    assert waits.ahead(stage.session, wait_of(stage, urgent)) == 0
    assert waits.ahead(stage.session, wait_of(stage, usual)) == 1


def test_who_waits_and_is_in_danger_goes_first_from_then_on(stage):
    first, second = asks(stage), asks(stage, now=NOON + EVERY_SECOND)

    alarms.raise_alarm(
        stage.session, second, kind="gas", caught_by="tripwire", words="煤气", source="t", now=NOON + MINUTE
    )

    assert waits.ahead(stage.session, wait_of(stage, first)) == 1
    assert second.owner is Owner.WAITING


def test_others_communities_do_not_stand_in_the_line(stage):
    talk = asks(stage)
    other = communities.settle_in(stage.session, 77, communities.Profile("别处", "Asia/Shanghai", "1", None))
    wait = wait_of(stage, talk)
    elsewhere = stage.resident()
    stage.session.add(
        Wait(community_id=other.id, conversation_id=elsewhere.id, reason="asked", since=NOON - MINUTE, wake_at=None)
    )

    assert waits.ahead(stage.session, wait) == 0


def test_whoever_leaves_unanswered_and_comes_back_keeps_the_place_and_hears_nothing_twice(stage):
    """A returning resident goes on waiting where they stood."""
    talk = asks(stage)
    behind = asks(stage, now=NOON + MINUTE)
    sweep(stage, 5 * EVERY_SECOND, 3 * MINUTE)
    takeover.settle(stage.session, talk, source="s", now=NOON + 4 * MINUTE)

    desk.call_people(stage.session, talk, reason="asked", source="again", now=NOON + 5 * MINUTE)
    sweep(stage, 6 * MINUTE)

    assert waits.ahead(stage.session, wait_of(stage, behind)) == 1
    assert sum("让您久等了" in one for one in lines(stage, talk, "say")) == 1
    assert lines(stage, talk, "say")[-1].startswith("⏳ 已为您等候 6 分钟")


def test_whoever_was_answered_begins_anew(stage):
    talk = asks(stage)
    butler = stage.take_over(talk)
    takeover.hand_back(stage.session, talk, butler, source="done", now=NOON + MINUTE)

    desk.call_people(stage.session, talk, reason="asked", source="again", now=NOON + 2 * MINUTE)

    assert wait_of(stage, talk).since == NOON + 2 * MINUTE


# --- Messages of their own, and the ladder ---------------------------------------------------------------------------


def test_after_3_10_and_30_minutes_the_resident_reads_a_message_of_its_own_each_once(stage):
    talk = asks(stage)

    sweep(stage, *(seconds * EVERY_SECOND for seconds in range(30, 2400, 30)))

    _, *said = lines(stage, talk, "say")
    assert [one[:5] for one in said] == ["让您久等了", "非常抱歉，", "真对不起，"]
    for one, waited in zip(said, ("3 分钟", "10 分钟", "30 分钟"), strict=True):
        assert waited in one
    assert stage.community.phone in said[1]


def test_butlers_then_supervisor_then_manager_are_told_in_the_residents_topic(stage):
    """Each by a mention, each step once and in the log."""
    butler = member(stage, display_name="李雷")
    supervisor, manager = member(stage, Role.SUPERVISOR), member(stage, Role.MANAGER)
    talk = asks(stage, language="en")

    sweep(stage, *(minutes * MINUTE for minutes in range(40)))

    rows = stage.outbox(waits.TO_STAFF)
    assert {row.topic_id for row in rows} == {talk.topic_id}
    assert [row.payload["entities"][0]["user"]["id"] for row in rows] == [
        butler.user_id, butler.user_id, supervisor.user_id, manager.user_id,
    ]  # fmt: skip
    assert f"{butler.number} 李雷" in told(stage)[0]
    assert "英文" in told(stage)[0]
    steps = stage.session.query(WaitStep).order_by(WaitStep.id).all()
    assert [(step.step, step.told) for step in steps] == [
        ("speakers", [butler.number]), ("butlers", [butler.number]),
        ("supervisor", [supervisor.number]), ("manager", [manager.number]),
    ]  # fmt: skip


def test_a_mention_covers_the_name_as_telegram_counts(stage):
    """In UTF-16 units: the sign before it counts two."""
    member(stage, display_name="😀韩梅梅")
    asks(stage)

    sweep(stage, MINUTE)

    [row] = stage.outbox(waits.TO_STAFF)
    [entity] = row.payload["entities"]
    units = row.payload["text"].encode("utf-16-le")
    covered = units[2 * entity["offset"] : 2 * (entity["offset"] + entity["length"])].decode("utf-16-le")
    assert covered.endswith("😀韩梅梅")


def test_those_who_speak_the_residents_language_are_told_first(stage):
    speaks, not_yet = member(stage, languages=["en"]), member(stage, languages=["zh"])
    asks(stage, language="en")

    sweep(stage, MINUTE, 3 * MINUTE)

    steps = stage.session.query(WaitStep).order_by(WaitStep.id).all()
    assert [step.told for step in steps] == [[speaks.number], [speaks.number, not_yet.number]]


def test_those_on_duty_are_told_and_when_nobody_is_everybody_who_has_not_gone_off(stage):
    on, other, off = (member(stage, duty=duty) for duty in (Duty.ON, None, Duty.OFF))
    asks(stage)
    sweep(stage, MINUTE)
    on.duty = Duty.OFF
    sweep(stage, 3 * MINUTE)

    steps = stage.session.query(WaitStep).order_by(WaitStep.id).all()
    assert [step.told for step in steps] == [[on.number], [other.number]]
    assert off.number not in steps[1].told


def test_where_nobody_has_the_role_the_role_itself_is_named(stage):
    asks(stage)

    sweep(stage, 10 * MINUTE)

    assert told(stage) == ["⏳ 主管：这位住户（中文）已等候 10 分钟，还没有人接手。"]


def test_after_a_long_standstill_only_the_last_step_is_told(stage):
    """The scheduler was down for an hour; nobody needs four messages at once."""
    talk = asks(stage)

    sweep(stage, 60 * MINUTE)

    assert len(told(stage)) == 1
    [said] = [one for one in lines(stage, talk, "say") if "⏳" not in one]
    assert said.startswith("真对不起，您已经等了 1 小时")
    assert stage.session.query(WaitStep).count() == 4


def test_many_at_once_are_told_in_one_message(stage):
    """The group takes 18 messages a minute, all topics together."""
    for place in range(12):
        asks(stage, surname=f"第{place}")

    sweep(stage, MINUTE)

    rows = stage.outbox(waits.TO_STAFF)
    assert [row.topic_id for row in rows] == [None, None]
    assert sum(str(row.payload["text"]).count("已等候 1 分钟") for row in rows) == 12


def test_a_department_that_was_asked_and_does_not_come_is_told_too(stage):
    """Nobody has answered: that is waiting. The bot is silent meanwhile, so the resident hears nothing of it."""
    engineering = communities.department(stage.session, stage.community.id, "engineering")
    worker = member(stage, Role.DEPARTMENT, department_id=engineering.id)
    member(stage, Role.DEPARTMENT)
    talk = stage.resident()
    butler = stage.take_over(talk)
    transfer.transfer(stage.session, talk, butler, engineering, note="", source="t", now=NOON)

    sweep(stage, MINUTE, 3 * MINUTE)

    assert [step.told for step in stage.session.query(WaitStep)] == [[worker.number]] * 2
    assert (lines(stage, talk, "say"), len(told(stage))) == ([], 2)


# --- The desk's hours ------------------------------------------------------------------------------------------------


def test_by_night_there_are_no_courtesies_and_no_ladder_until_the_desk_opens(stage):
    """The message was taken; nobody is called out of bed, and nobody is told that a butler is being fetched."""
    talk = asks(stage, now=NIGHT)
    sweep(stage, *(minutes * MINUTE for minutes in range(0, 599, 60)), since=NIGHT)
    by_night = (lines(stage, talk, "say"), told(stage))

    sweep(stage, EVERY_SECOND, MINUTE, 3 * MINUTE, since=MORNING)

    assert by_night == ([], [])
    first, reminded = lines(stage, talk, "say")
    assert first.startswith("⏳ 正在为您联系小管家")
    assert "已经 3 分钟" in reminded
    assert len(told(stage)) == 2


def test_whoever_still_waits_when_the_desk_closes_is_told_when_it_opens(stage):
    closing = NOON + timedelta(hours=8)
    talk = asks(stage, now=closing - 2 * MINUTE)
    stage.hears(talk, "门禁卡丢了")
    sweep(stage, -MINUTE, since=closing)
    sent_to_residents(stage)

    sweep(stage, EVERY_SECOND, 30 * MINUTE, since=closing)

    assert "管家明天 08:00 上班" in stage.lines_to(talk)[-1]
    assert [row.act for row in stage.outbox(COURTESY)][-1] == "delete"
    assert len(told(stage)) == 1, "the step of the first minute"
    assert wait_of(stage, talk).wake_at == closing + timedelta(hours=12)


def test_an_emergency_knows_no_hours(stage):
    supervisor = member(stage, Role.SUPERVISOR)
    talk = stage.resident()
    alarms.raise_alarm(stage.session, talk, kind="fire", caught_by="tripwire", words="着火了", source="t", now=NIGHT)

    sweep(stage, 5 * EVERY_SECOND, MINUTE, 3 * MINUTE, since=NIGHT)

    rows = stage.outbox(waits.TO_STAFF)
    assert [row.priority for row in rows] == [0, 0]
    assert rows[1].payload["entities"][0]["user"]["id"] == supervisor.user_id
    assert "119" in lines(stage, talk, "say")[-1]


def test_a_desk_that_never_opens_keeps_nobody_waiting_unheard(stage):
    stage.session.execute(
        text("INSERT INTO weekday_hours SELECT :community, day, '' FROM generate_series(0, 6) AS day"),
        {"community": stage.community.id},
    )
    talk = asks(stage)

    sweep(stage, MINUTE)

    assert len(lines(stage, talk, "say")) == 1


# --- Exactly once, and by index --------------------------------------------------------------------------------------


def test_a_second_scheduler_finds_nothing_to_do(stage):
    asks(stage)

    assert [waiting.sweep(stage.session, now=NOON + MINUTE) for _ in range(2)] == [1, 0]


def test_a_clock_that_goes_back_says_nothing_twice(stage):
    asks(stage)
    sweep(stage, 3 * MINUTE)

    sweep(stage, -MINUTE, 2 * MINUTE, 3 * MINUTE)

    assert stage.session.query(WaitStep).count() == 2
    assert len(told(stage)) == 1


def test_what_is_due_is_found_by_index(stage):
    """It is asked every second."""
    stage.session.execute(text("SET LOCAL enable_seqscan = off"))
    plan = stage.session.scalars(text("EXPLAIN SELECT id FROM waits WHERE wake_at <= now() ORDER BY wake_at LIMIT 50"))

    assert "waits_due" in "\n".join(plan)


@pytest.mark.parametrize("kind", ["usual", "urgent"])
def test_every_step_of_the_table_can_be_told_and_said(kind):
    """A step without words would stop the sweep for everybody."""
    steps = waiting.table()[kind]

    assert [step.after for step in steps] == sorted(step.after for step in steps)
    assert len({step.step for step in steps}) == len(steps)
    for step in steps:
        assert step.to in wait_calls.ROLES
        assert len(step.step) <= 16
        for language in texts.LANGUAGES if step.says else ():
            assert texts.say(f"utter_waiting_{step.says}", language=language, waited="1", phone="2").text
