"""Staff in their group: what a command and a tap do, for whom, and what everybody else is told."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, text

from bot.handlers import staff_commands
from bot.handlers.undo import EMOJI
from service import duty, takeover, topics, transfer, twins
from service.models.communities import Department, Topic
from service.models.incidents import Incident
from service.models.people import Duty, Role, Staff
from service.models.queues import OutboxState
from service.models.talks import CannedPhrase, Conversation, Handover, Message, Owner
from tests.bot.updates import BUTLER, RESIDENT, member_update, message, receive, staff_message, tap, turn_of, user
from tests.stage import BOT_ID, NOON, STAFF_CHAT, Stage, sent_to_residents

THREAD = 77
GENERAL = None
OTHER = BUTLER + 1
GROUP = {"id": STAFF_CHAT, "type": "supergroup", "is_forum": True}


@pytest.fixture
def talk(stage: Stage) -> Conversation:
    """A resident with a topic, whom nobody has taken over."""
    talk = stage.resident(chat_id=RESIDENT, display_name="王芳")
    topic = topics.open_topic(stage.session, stage.community.id, "王芳")
    topic.thread_id, talk.topic_id = THREAD, topic.id
    stage.session.flush()
    return talk


def says(stage: Stage, words: str, *, who: int = BUTLER, thread: int | None = THREAD, **facts: Any) -> None:
    receive(stage, turn_of(staff_message(words, thread=thread, who=who, **facts)))


def taps(stage: Stage, data: str, *, who: int = BUTLER) -> None:
    on = staff_message("…", thread=THREAD, who=BOT_ID)
    receive(stage, turn_of(tap(data, on=on, who=who), kind="callback_query"))


def to_staff(stage: Stage) -> list[str]:
    return [str(row.payload.get("text", "")) for row in stage.outbox() if row.chat_id == STAFF_CHAT]


def relayed(stage: Stage) -> list[Any]:
    return [row for row in stage.outbox("relay") if row.chat_id == RESIDENT]


def member(stage: Stage, user_id: int = BUTLER, role: Role | None = None) -> Staff:
    """The member, enrolled by their first word."""
    if stage.session.scalar(select(Staff).where(Staff.user_id == user_id)) is None:
        says(stage, "早", who=user_id, thread=GENERAL)
    found = stage.session.scalars(select(Staff).where(Staff.user_id == user_id)).one()
    found.role = role or found.role
    stage.session.flush()
    return found


# --- Handing on -----------------------------------------------------------------------------------------------------


def test_a_resident_is_handed_on_to_a_colleague_with_a_note_that_stays_inside(stage, talk):
    says(stage, "您好", who=BUTLER)
    other = member(stage, OTHER)
    sent_to_residents(stage)

    says(stage, f"/transfer {other.number} 她耳朵不好")

    assert (talk.owner, talk.butler_id) == (Owner.BUTLER, other.id)
    assert any("她耳朵不好" in line for line in to_staff(stage))
    assert sent_to_residents(stage) == [], "the resident reads nothing of it"
    [step] = stage.session.scalars(select(Handover).where(Handover.reason == "transferred"))
    assert step.note == "她耳朵不好"


def test_whoever_gets_a_resident_greets_with_their_own_number_before_the_first_line(stage, talk):
    """N2: the number of the one who answers."""
    says(stage, "您好")
    other = member(stage, OTHER)
    says(stage, f"/transfer {other.number}")
    sent_to_residents(stage)

    says(stage, "我来接着谈", who=OTHER)

    told = sent_to_residents(stage)
    assert (f"{other.number}号" in told[0], len(told)) == (True, 2)


def test_the_one_who_handed_on_is_told_who_has_the_resident_now(stage, talk):
    says(stage, "您好")
    other = member(stage, OTHER)
    says(stage, f"/transfer {other.number}")

    says(stage, "再补一句")

    assert len(relayed(stage)) == 1
    assert f"已由{other.number}号" in to_staff(stage)[-1]


@pytest.mark.parametrize("word", ["工程部", "engineering", "Engineering"])
def test_a_department_reads_it_in_its_own_topic_and_one_of_them_takes_over(stage, talk, word):
    says(stage, "您好")

    says(stage, f"/transfer {word} 要上门")

    department = stage.session.scalars(select(Department).where(Department.key == "engineering")).one()
    assert (talk.owner, talk.butler_id, talk.department_id) == (Owner.BUTLER, None, department.id)
    [note] = [row for row in stage.outbox("note") if row.topic_id == department.topic_id]
    assert "要上门" in note.payload["text"]

    worker = member(stage, OTHER, Role.DEPARTMENT)
    worker.department_id = department.id
    taps(stage, note.payload["buttons"][0]["data"], who=OTHER)
    assert talk.butler_id == worker.id
    for words in ("我们下午上门", "三点左右"):
        says(stage, words, who=OTHER)
    assert [row.payload["text"] for row in relayed(stage)][-2:] == ["我们下午上门", "三点左右"]
    says(stage, "/done", who=OTHER)
    assert talk.owner is Owner.BOT


def test_between_two_butlers_the_bot_stays_silent(stage, talk):
    """A transfer is no hand-back."""
    says(stage, "您好")
    says(stage, "/transfer 工程部")
    sent_to_residents(stage)

    stage.case(talk)
    from service import conversations  # noqa: PLC0415 - only here
    from service.texts import Line  # noqa: PLC0415

    conversations.tell(stage.session, talk, Line("机器人"), key="k", now=NOON)

    assert sent_to_residents(stage) == []


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("/transfer", "请这样写"),
        ("/transfer 火星部 留言", "没有找到「火星部」"),
        ("/transfer 999", "群里没有999号"),
        ("/transfer 99999999999999999999", "没有找到"),
        ("/transfer １２", "群里没有"),
    ],
)
def test_a_transfer_to_nowhere_is_answered_and_changes_nothing(stage, talk, words, answer):
    says(stage, "您好")
    before = (talk.epoch, talk.butler_id)

    says(stage, words)

    assert answer in to_staff(stage)[-1]
    assert (talk.epoch, talk.butler_id) == before


def test_nobody_hands_on_what_another_butler_has(stage, talk):
    says(stage, "您好")
    other = member(stage, OTHER)

    says(stage, f"/transfer {other.number}", who=OTHER)

    assert "已由" in to_staff(stage)[-1]
    assert talk.butler_id != other.id


def test_a_transfer_while_the_bot_answers_says_so(stage, talk):
    says(stage, "/transfer 工程部")

    assert "现在是小管家在回答" in to_staff(stage)[-1]
    assert talk.owner is Owner.BOT


def test_the_button_offers_departments_and_who_is_on_duty(stage, talk):
    says(stage, "您好")
    member(stage, OTHER).duty = Duty.ON
    member(stage, OTHER + 1).duty = Duty.OFF

    taps(stage, f"c:{talk.id}:transfer")

    titles = [button["title"] for button in stage.outbox("note")[-1].payload["buttons"]]
    assert len(titles) == 1 + 4
    taps(stage, stage.outbox("note")[-1].payload["buttons"][0]["data"])
    assert talk.butler_id == member(stage, OTHER).id


# --- Notes among staff ----------------------------------------------------------------------------------------------


def test_a_note_is_kept_for_the_next_butler_and_never_passed_on(stage, talk):
    says(stage, "// 上次也是漏水")

    [kept] = stage.session.scalars(select(Message).where(Message.author == "note"))
    assert (kept.text, relayed(stage), talk.owner) == ("// 上次也是漏水", [], Owner.BOT)
    takeover.escalate(stage.session, talk, reason="asked", source="turn:x", now=NOON)
    assert "上次也是漏水" in stage.outbox("card")[-1].payload["text"]


# --- Duty, roster, roles, languages ---------------------------------------------------------------------------------


def test_staff_say_when_they_are_on_duty(stage):
    me = member(stage)
    for word, expected in (("on", Duty.ON), ("off", Duty.OFF), ("roster", None)):
        says(stage, f"/duty {word}", thread=GENERAL)
        assert me.duty is expected

    me.duty = Duty.ON
    says(stage, "/duty", thread=GENERAL)
    assert str(me.number) in to_staff(stage)[-1]


@pytest.mark.parametrize("words", ["/duty maybe", "/duty on off", "/duty 开"])
def test_a_duty_that_is_not_clear_is_asked_for(stage, words):
    me = member(stage)

    says(stage, words, thread=GENERAL)

    assert "/duty on" in to_staff(stage)[-1]
    assert me.duty is None


def test_a_supervisor_plans_a_shift_and_a_butler_only_their_own(stage):
    me, boss = member(stage), member(stage, OTHER, Role.SUPERVISOR)

    says(stage, f"/shift {me.number} 1-5 08:00-20:00", who=OTHER, thread=GENERAL)
    assert [one.id for one in duty.on_duty(stage.session, stage.community, now=NOON)] == [me.id]

    says(stage, f"/shift {boss.number} 1-5 08:00-20:00", thread=GENERAL)
    assert "岗位是「管家」" in to_staff(stage)[-1]
    assert [one.id for one in duty.on_duty(stage.session, stage.community, now=NOON)] == [me.id]

    says(stage, f"/shift {me.number} none", thread=GENERAL)
    assert list(duty.on_duty(stage.session, stage.community, now=NOON)) == []


@pytest.mark.parametrize(
    "words",
    ["/shift", "/shift 101", "/shift x 1-5 08:00-20:00", "/shift 101 8-9 08:00-20:00", "/shift 101 1-5 25:00-26:00",
     "/shift 101 5-1 08:00-20:00", "/shift 101 1-5 08:00-08:00", "/shift 999 1 08:00-20:00",
     f"/shift {'9' * 40} 1 08:00-20:00"],
)  # fmt: skip
def test_a_shift_that_is_not_clear_is_answered_and_changes_nothing(stage, words):
    member(stage, role=Role.SUPERVISOR)
    before = len(to_staff(stage))

    says(stage, words, thread=GENERAL)

    assert len(to_staff(stage)) == before + 1
    assert stage.session.scalar(text("SELECT count(*) FROM shifts")) == 0


def test_a_manager_says_who_is_what(stage):
    member(stage, role=Role.MANAGER)
    other = member(stage, OTHER)

    says(stage, f"/role {other.number} 工程部", thread=GENERAL)
    assert (other.role, other.department_id is not None) == (Role.DEPARTMENT, True)

    says(stage, f"/role {other.number} supervisor", thread=GENERAL)
    assert (other.role, other.department_id) == (Role.SUPERVISOR, None)


@pytest.mark.parametrize("role", [Role.BUTLER, Role.DEPARTMENT, Role.SUPERVISOR])
def test_nobody_else_does(stage, role):
    me = member(stage, role=role)

    says(stage, f"/role {me.number} manager", thread=GENERAL)

    assert "岗位是" in to_staff(stage)[-1]
    assert me.role is role


@pytest.mark.parametrize("words", ["/role", "/role 101", "/role abc manager", "/role 101 king", "/role 101 101"])
def test_a_role_that_is_not_clear_is_answered(stage, words):
    me = member(stage, role=Role.MANAGER)
    before = len(to_staff(stage))

    says(stage, words, thread=GENERAL)

    assert (me.role, len(to_staff(stage))) == (Role.MANAGER, before + 1)


def test_staff_say_which_languages_they_speak_and_the_list_shows_it(stage):
    me = member(stage)

    says(stage, "/languages en zh", thread=GENERAL)
    says(stage, "/languages klingon", thread=GENERAL)
    says(stage, "/staff", thread=GENERAL)

    assert me.languages == ["en", "zh"]
    assert f"{me.number} " in to_staff(stage)[-1]


def test_whoever_left_the_group_may_do_nothing_any_more(stage, talk):
    """Their old buttons are still on their screen."""
    member(stage).duty = Duty.ON
    receive(stage, turn_of(member_update("left", chat=GROUP, who=BUTLER), kind="chat_member"))

    taps(stage, f"c:{talk.id}:claim")

    assert talk.owner is Owner.BOT
    assert "给本小区的工作人员使用" in to_staff(stage)[-1]
    assert list(duty.on_duty(stage.session, stage.community, now=NOON)) == []


def test_whoever_comes_back_has_their_number_and_rights_again(stage, talk):
    number = member(stage).number
    receive(stage, turn_of(member_update("left", chat=GROUP, who=BUTLER), kind="chat_member"))

    receive(stage, turn_of(member_update("member", old="left", chat=GROUP, who=BUTLER), kind="chat_member"))
    taps(stage, f"c:{talk.id}:claim")

    assert (talk.owner, member(stage).number) == (Owner.BUTLER, number)


# --- Rights at taps -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["claim", "hand_back", "transfer", "keep"])
def test_a_department_does_not_take_residents_over(stage, talk, action):
    takeover.escalate(stage.session, talk, reason="asked", source="turn:x", now=NOON)
    member(stage, role=Role.DEPARTMENT)

    taps(stage, f"c:{talk.id}:{action}")

    assert talk.owner is Owner.WAITING
    assert "岗位是「部门」" in to_staff(stage)[-1] or "时效" in to_staff(stage)[-1]


def test_a_departments_line_in_a_residents_topic_is_not_passed_on(stage, talk):
    member(stage, role=Role.DEPARTMENT)

    says(stage, "水管要换")

    assert relayed(stage) == []
    assert "岗位是「部门」" in to_staff(stage)[-1]


def test_a_department_does_not_decide_about_messages_nobody_can_vouch_for(stage):
    member(stage, role=Role.DEPARTMENT)

    taps(stage, "o:1:again")

    assert "岗位是「部门」" in to_staff(stage)[-1]


# --- Canned phrases -------------------------------------------------------------------------------------------------


def test_one_tap_on_the_card_takes_over_and_sends_the_phrase_in_the_residents_language(stage, talk):
    talk.resident.language = "en"
    takeover.escalate(stage.session, talk, reason="complaint", source="turn:x", now=NOON)
    send = next(button["data"] for button in stage.outbox("card")[-1].payload["buttons"] if button["data"][0] == "p")
    sent_to_residents(stage)

    taps(stage, send)

    greeting, phrase = sent_to_residents(stage)
    assert (talk.owner, "no." in greeting, "sorry" in phrase) == (Owner.BUTLER, True, True)
    assert stage.session.scalars(select(Message.text).order_by(Message.id.desc()).limit(1)).one() == phrase


def test_a_second_tap_sends_nothing_and_says_so(stage, talk):
    for _ in range(2):
        taps(stage, f"p:{talk.id}:sorry")

    assert len(stage.outbox("canned")) == 1
    assert "刚才已经发过" in to_staff(stage)[-1]


def test_an_answer_to_a_phrase_whose_note_is_on_its_way_answers_nothing_and_arrives(stage, talk):
    """The group waits for its budget, a resident's chat does not; what the note will be called nobody knows yet."""
    taps(stage, f"p:{talk.id}:sorry")
    [phrase] = stage.outbox("canned")
    twins.arrived(stage.session, phrase.id, RESIDENT, [4711])

    receive(stage, turn_of(message("没关系", reply_to_message=message("抱歉") | {"message_id": 4711})))

    answers, copy = stage.outbox()[-2:]
    assert "抱歉" in answers.payload["text"]
    assert (copy.act, "reply" in copy.payload) == ("copy", False)


def test_a_phrase_can_be_sent_again_on_purpose(stage, talk):
    for _ in range(2):
        says(stage, "/say sorry")

    assert len(stage.outbox("canned")) == 2


def test_a_phrase_with_an_unfilled_slot_is_not_sent_and_what_is_missing_is_named(stage, talk):
    """Nobody is sent a sentence with a hole in it."""
    says(stage, "/say coming")

    assert (stage.outbox("canned"), talk.owner) == ([], Owner.BOT)
    assert "还缺：地点" in to_staff(stage)[-1]


def test_a_phrase_that_is_to_be_changed_is_put_where_it_can_be_copied(stage, talk):
    taps(stage, f"e:{talk.id}:sorry")

    [button] = stage.outbox("note")[-1].payload["buttons"]
    assert (button["copy"] in stage.outbox("note")[-1].payload["text"], talk.owner) == (True, Owner.BOT)
    assert stage.outbox("canned") == []


def test_a_supervisor_words_a_phrase_for_the_community(stage, talk):
    member(stage, role=Role.SUPERVISOR)

    says(stage, "/phrase 电梯 zh {salutation}电梯维保单位今天会到{community}。", thread=GENERAL)
    says(stage, "/say 电梯")

    assert stage.outbox("canned")[-1].payload["text"] == "电梯维保单位今天会到阳光花园。"
    says(stage, "/phrase 电梯 none", thread=GENERAL)
    says(stage, "/say 电梯")
    assert "没有叫「电梯」的常用语" in to_staff(stage)[-1]


@pytest.mark.parametrize(
    "words",
    ["/phrase x zh {nobody}", "/phrase x zh {", "/phrase x zh {place!r}", "/phrase x zh {place:>99999999}",
     "/phrase a:b zh 好", f"/phrase {'长' * 17} zh 好", "/phrase x zh {0}", "/phrase x zh {}",
     "/phrase x zh {place.__class__}", f"/phrase x zh {'好' * 1001}"],
)  # fmt: skip
def test_a_phrase_that_could_never_be_sent_is_refused_when_it_is_written(stage, words):
    member(stage, role=Role.SUPERVISOR)

    says(stage, words, thread=GENERAL)

    assert "没有保存" in to_staff(stage)[-1]
    assert stage.session.scalars(select(CannedPhrase)).all() == []


def test_a_butler_does_not_change_the_phrases(stage):
    member(stage)

    says(stage, "/phrase sorry zh 好", thread=GENERAL)

    assert "岗位是「管家」" in to_staff(stage)[-1]


@pytest.mark.parametrize("words", ["/phrase", "/phrase x", "/phrase x fr bonjour"])
def test_a_phrase_command_that_is_not_clear_lists_what_there_is(stage, words):
    member(stage, role=Role.SUPERVISOR)

    says(stage, words, thread=GENERAL)

    assert "sorry" in to_staff(stage)[-1]


# --- Bad input: each is answered where it was made, and changes nothing ---------------------------------------------


@pytest.mark.parametrize(
    "data",
    ["c:{talk}:to_999", "c:{talk}:to_mars", "c:{talk}:to_", "c:{talk}:explode", "c:999999:transfer", "p:{talk}:nothing",
     "p:999999:sorry", "e:{talk}:nothing", "e:999999:sorry", "c:{talk}:keep", "p:{talk}:", "x:1:y", "p:1", "::",
     "p:99999999999999999999:sorry"],
)  # fmt: skip
def test_a_forged_or_stale_tap_is_answered_and_changes_nothing(stage, talk, data):
    before = (talk.owner, talk.epoch, len(to_staff(stage)))

    taps(stage, data.format(talk=talk.id))

    assert (talk.owner, talk.epoch, len(to_staff(stage))) == (*before[:2], before[2] + 1)
    assert sent_to_residents(stage) == []


def test_a_residents_tap_on_a_staff_button_has_expired(stage, talk):
    """Somebody forwards what a button says."""
    receive(stage, turn_of(tap(f"c:{talk.id}:claim"), kind="callback_query"))

    assert talk.owner is Owner.BOT
    assert "时效" in stage.lines_to(talk)[-1]


def test_a_line_in_a_closed_topic_is_not_passed_on_until_it_is_open_again(stage, talk):
    says(stage, "您好")
    says(stage, None, forum_topic_closed={})  # type: ignore[arg-type]

    says(stage, "还有一句")
    assert (len(relayed(stage)), "已经关闭" in to_staff(stage)[-1]) == (1, True)

    says(stage, None, forum_topic_reopened={})  # type: ignore[arg-type]
    says(stage, "现在呢")
    assert len(relayed(stage)) == 2


def test_a_message_in_general_is_staffs_own(stage, talk):
    before = len(stage.outbox())

    says(stage, "中午吃什么", thread=GENERAL)

    assert (len(stage.outbox()), talk.owner) == (before, Owner.BOT)


@pytest.mark.parametrize("words", ["/claim", "/done", "/transfer 工程部", "/say sorry"])
def test_a_command_about_a_resident_outside_their_topic_says_so(stage, talk, words):
    says(stage, words, thread=GENERAL)

    assert "没有住户" in to_staff(stage)[-1]
    assert talk.owner is Owner.BOT


def test_a_bot_in_the_group_is_announced_and_never_listened_to(stage, talk):
    robot = user(77001, is_bot=True, first_name="别的机器人")
    receive(stage, turn_of(staff_message(None, new_chat_members=[robot])))
    assert "别的机器人" in to_staff(stage)[-1]

    said = staff_message("我来回答", thread=THREAD) | {"from": robot}
    receive(stage, turn_of(said))

    assert (relayed(stage), talk.owner) == ([], Owner.BOT)
    assert stage.session.scalar(select(Staff).where(Staff.user_id == 77001)) is None


def test_our_own_joining_is_no_news(stage):
    receive(stage, turn_of(staff_message(None, new_chat_members=[user(BOT_ID, is_bot=True)])))

    assert to_staff(stage) == []


def test_an_anonymous_line_in_a_residents_topic_is_answered_and_not_passed_on(stage, talk):
    """An admin who posts as the group: nobody could say who talks to the resident."""
    anonymous = {"from": user(1087968824, is_bot=True), "sender_chat": GROUP | {"title": "管家"}}
    receive(stage, turn_of(staff_message("您好", thread=THREAD) | anonymous))

    assert (relayed(stage), talk.owner) == ([], Owner.BOT)
    assert "匿名" in to_staff(stage)[-1]


def test_a_topic_made_by_hand_is_told_that_nobody_hears_it(stage):
    receive(stage, turn_of(staff_message(None, thread=88, forum_topic_created={"name": "闲聊", "icon_color": 7322096})))
    says(stage, "有人吗", thread=88)
    says(stage, "/done", thread=88)

    adopted = stage.session.scalars(select(Topic).where(Topic.thread_id == 88)).one()
    notes = [row for row in stage.outbox("note") if row.topic_id == adopted.id]
    assert ["没有住户" in row.payload["text"] for row in notes] == [True, True], "at its making and at the command"


@pytest.mark.parametrize("words", ["/", "/ ", "/don", "/claim@", "/DONE@guanjia_bot x", "/\u200b", "/说"])
def test_a_command_with_odd_letters_never_reaches_the_resident(stage, talk, words):
    says(stage, words)

    assert relayed(stage) == []


# Words that a command cannot do anything with; those that take none are not among them.
NOT_CLEAR = (
    "/transfer", "/transfer 火星部", "/say", "/say 没有这句", "/undo", "/undo 5", "/撤回", "/duty maybe", "/shift 101",
    "/shift x 1-5 08:00-20:00", "/role 101", "/role 999 butler", "/languages", "/languages klingon",
    "/phrase x fr bonjour", "/incident 停水",
)  # fmt: skip
NEEDS_NO_WORDS = {"/claim", "/done", "/next", "/talks", "/staff", "/console"}


def test_every_command_that_is_not_clear_is_answered_once_and_changes_nothing(stage, talk):
    """Walked through for all commands, so that a new one brings what it cannot read."""
    me = member(stage, role=Role.MANAGER)
    assert {words.split()[0] for words in NOT_CLEAR} | NEEDS_NO_WORDS == set(staff_commands.COMMANDS)
    before = (talk.owner, talk.epoch, me.role, me.languages, me.duty)

    for words in NOT_CLEAR:
        answers = len(to_staff(stage))
        says(stage, words)
        assert len(to_staff(stage)) == answers + 1, words

    assert (talk.owner, talk.epoch, me.role, me.languages, me.duty) == before
    assert sent_to_residents(stage) == []


def test_what_a_colleague_said_is_taken_back_by_them_or_a_supervisor(stage, talk):
    """Whoever neither said it nor has the resident could only do harm."""
    said = staff_message("您好", thread=THREAD)
    receive(stage, turn_of(said))
    member(stage, OTHER)

    says(stage, "/undo", who=OTHER, reply_to_message=said)
    assert "岗位是「管家」" in to_staff(stage)[-1]
    assert [row.state for row in relayed(stage)] == [OutboxState.PENDING]

    member(stage, OTHER, Role.SUPERVISOR)
    says(stage, "/undo", who=OTHER, reply_to_message=said)
    assert [row.state for row in relayed(stage)] == [OutboxState.DROPPED]


def test_an_emoji_of_somebody_who_has_left_takes_nothing_back(stage, talk):
    """It may arrive after the news that they are gone; it is answered, and no bug of ours."""
    said = staff_message("您好", thread=THREAD)
    receive(stage, turn_of(said))
    receive(stage, turn_of(member_update("left", chat=GROUP, who=BUTLER), kind="chat_member"))
    emoji = {"old_reaction": [], "new_reaction": [{"type": "emoji", "emoji": EMOJI}]}
    facts = {"chat": GROUP, "message_id": said["message_id"], "date": 1, "user": user(BUTLER)}

    receive(stage, turn_of(facts | emoji, kind="message_reaction"))

    assert [row.state for row in relayed(stage)] == [OutboxState.PENDING]
    assert "只给本小区的工作人员" in to_staff(stage)[-1]


def test_the_second_butler_is_told_whoever_typed_first(stage, talk):
    says(stage, "我来")
    says(stage, "我也来", who=OTHER)

    assert len(relayed(stage)) == 1
    assert "已由" in to_staff(stage)[-1]


# --- The resident says it is settled --------------------------------------------------------------------------------


@pytest.mark.parametrize("words", ["没事了", "已经解决了，谢谢！", "好的，问题解决了", "It's solved, thank you"])
def test_a_resident_who_says_it_is_settled_is_handed_back_and_the_butler_reads_why(stage, talk, words):
    says(stage, "您好")

    receive(stage, turn_of(message(words)))

    assert talk.owner is Owner.BOT
    assert any("住户说已经解决" in line for line in to_staff(stage))


@pytest.mark.parametrize("words", ["好了", "可以了", "解决了吗", "没有解决", "没事了吗？", "问题解决了一半", "不用了"])
def test_what_may_answer_the_butler_hands_nobody_back(stage, talk, words):
    says(stage, "水关了吗？")

    receive(stage, turn_of(message(words)))

    assert talk.owner is Owner.BUTLER


def test_while_nobody_has_answered_yet_no_longer_needed_ends_the_wait(stage, talk):
    takeover.escalate(stage.session, talk, reason="asked", source="turn:x", now=NOON)

    receive(stage, turn_of(message("不用了，谢谢")))

    assert talk.owner is Owner.BOT
    assert "取消转人工" in stage.lines_to(talk)[-1]
    assert any("住户说不用人工了" in line for line in to_staff(stage))


def test_who_waits_in_danger_is_not_let_go_by_words_that_may_mean_hurry(stage, talk):
    """「不等了」: I cannot wait."""
    takeover.escalate(stage.session, talk, reason="emergency", source="turn:x", now=NOON)

    receive(stage, turn_of(message("不等了")))

    assert talk.owner is Owner.WAITING


def test_a_residents_command_during_a_talk_is_read_by_the_butler(stage, talk):
    """N3: /help and an unknown command are lines like any other to whoever answers."""
    says(stage, "您好")
    before = len([row for row in stage.outbox("relay") if row.chat_id == STAFF_CHAT])

    for words in ("/help", "/水管漏水"):
        assert receive(stage, turn_of(message(words))) is None

    assert len([row for row in stage.outbox("relay") if row.chat_id == STAFF_CHAT]) == before + 2


def test_a_target_is_a_number_or_a_department(stage):
    me = member(stage)

    assert transfer.find_target(stage.session, stage.community.id, f"{me.number}号") is me


def test_an_incident_is_entered_and_ended_where_staff_are(stage, talk):
    """From General or any topic: one line makes it known, one tap ends it."""
    says(stage, "/incident 3栋 停水 至 18:00", thread=GENERAL)
    incident = stage.session.scalars(select(Incident)).one()

    taps(stage, f"i:{incident.id}:end")
    taps(stage, f"i:{incident.id}:end")

    assert incident.ended_at == NOON
    assert "已经结束" in to_staff(stage)[-1]


@pytest.mark.parametrize("words", ["/incident", "/incident 停水"])
def test_an_incident_that_is_not_clear_is_explained(stage, talk, words):
    says(stage, words, thread=GENERAL)

    assert "/incident 3栋" in to_staff(stage)[-1]


# --- The console ----------------------------------------------------------------------------------------------------


def keys(stage: Stage) -> list[tuple[int, str]]:
    """To whom a key to the console was written, and what."""
    return [(row.chat_id, str(row.payload["text"])) for row in stage.outbox("console_key")]


def test_the_key_to_the_console_goes_to_a_private_chat_only(stage):
    """Everybody in the group would read it otherwise."""
    member(stage)

    says(stage, "/console", thread=GENERAL)

    [(chat_id, words)] = keys(stage)
    assert chat_id == BUTLER
    assert "/enter/" in words
    assert not any("/enter/" in line for line in to_staff(stage))
    assert any("私聊" in line for line in to_staff(stage))


def test_staff_get_their_key_in_the_private_chat_without_becoming_a_resident(stage):
    """Nothing of it is kept: the key would stand in a transcript."""
    member(stage)

    receive(stage, turn_of(message("/console", chat={"id": BUTLER, "type": "private"}, sender=user(BUTLER))))

    [(chat_id, _)] = keys(stage)
    assert chat_id == BUTLER
    assert stage.session.scalars(select(Conversation)).all() == []


def test_a_resident_who_asks_for_the_console_has_written_a_message(stage):
    """And learns nothing of it; nor does a department, or who has left."""
    member(stage, OTHER, Role.DEPARTMENT)
    member(stage).left_at = NOON
    stage.session.flush()

    for who in (RESIDENT, OTHER, BUTLER):
        receive(stage, turn_of(message("/console", chat={"id": who, "type": "private"}, sender=user(who))))

    assert keys(stage) == []
    assert len(stage.session.scalars(select(Conversation)).all()) == 3
