"""Talks in a butler's private chat with the bot: the same rules as in a topic, and no line to the wrong resident."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from bot.arrivals import arrival
from bot.ingress import without_needless_waits
from service import conversations, delivery, forgetting, idle, sending, takeover, topics, twins
from service.inbox import Arrival
from service.models.communities import TalksIn
from service.models.people import Resident, Staff
from service.models.queues import OutboxRow, OutboxState
from service.models.talks import Conversation, Message, Owner
from service.sending import Parcel
from tests.bot.updates import BUTLER, JSON, RESIDENT, member_update, message, receive, staff_message, tap, turn_of, user
from tests.stage import BOT_ID, NOON, PLENTY, STAFF_CHAT, Stage

THREAD, THREAD_2 = 77, 78
OTHER = BUTLER + 1
SECOND = RESIDENT + 1


@pytest.fixture
def talk(stage: Stage) -> Conversation:
    """A resident whom nobody has taken over, in a community that talks in private; the butler has opened the bot."""
    stage.community.talks_in = TalksIn.PRIVATE
    for who in (BUTLER, OTHER):
        receive(stage, turn_of(staff_message("早", who=who)))
    stage.session.flush()
    privately(stage, "/start")
    return with_topic(stage, RESIDENT, "王芳", THREAD)


def with_topic(stage: Stage, chat_id: int, name: str, thread: int) -> Conversation:
    talk = stage.resident(chat_id=chat_id, display_name=name)
    topic = topics.open_topic(stage.session, stage.community.id, name)
    topic.thread_id, talk.topic_id = thread, topic.id
    stage.session.flush()
    return talk


def privately(stage: Stage, words: str | None, *, who: int = BUTLER, **facts: Any) -> JSON:
    """A member of staff writes to the bot in private."""
    body = message(words, chat={"id": who, "type": "private"}, sender=user(who, first_name="李强"), **facts)
    receive(stage, turn_of(body))
    return body


def takes(stage: Stage, thread: int = THREAD, *, who: int = BUTLER) -> None:
    """A butler takes the resident of a topic over."""
    receive(stage, turn_of(staff_message("/claim", thread=thread, who=who)))


def says(stage: Stage, words: str, *, chat_id: int = RESIDENT) -> JSON:
    """A resident writes."""
    body = message(words, chat={"id": chat_id, "type": "private"}, sender=user(chat_id))
    receive(stage, turn_of(body))
    return body


def taps(stage: Stage, data: str, *, who: int = BUTLER) -> None:
    on = message("…", chat={"id": who, "type": "private"}, sender=user(BOT_ID, is_bot=True))
    receive(stage, turn_of(tap(data, on=on, who=who), kind="callback_query"))


def reaction(message_id: int, emoji: str) -> JSON:
    """The butler puts an emoji on a message of their chat."""
    facts: JSON = {"chat": {"id": BUTLER, "type": "private"}, "message_id": message_id, "date": 1, "user": user(BUTLER)}
    return facts | {"old_reaction": [], "new_reaction": [{"type": "emoji", "emoji": emoji}]}


def rows_to(stage: Stage, chat_id: int) -> list[OutboxRow]:
    return [row for row in stage.outbox() if row.chat_id == chat_id]


def texts_to(stage: Stage, chat_id: int) -> list[str]:
    return [str(row.payload.get("text", "")) for row in rows_to(stage, chat_id)]


def copied_to(stage: Stage, chat_id: int) -> list[int]:
    """The messages that are passed on to a chat."""
    return [number for row in rows_to(stage, chat_id) if row.act == "copy" for number in row.payload["message_ids"]]


def send_all(stage: Stage) -> list[Parcel]:
    """Everything goes out, and Telegram numbers it."""
    gone = []
    while parcels := sending.take(stage.session, BOT_ID, sender=1, limit=50, rates=PLENTY):
        for parcel in parcels:
            sending.sent(stage.session, parcel, message_id=parcel.id + 10_000)
            twins.arrived(stage.session, parcel.id, parcel.chat_id, [parcel.id + 10_000])
        gone += parcels
    return gone


# --- Where a talk takes place ---------------------------------------------------------------------------------------


def test_who_claims_reads_and_answers_in_private(stage, talk):
    """A private chat has a budget of its own; the group's twenty events a minute are for what everybody needs."""
    takes(stage)
    said = says(stage, "漏水了")
    answered = privately(stage, "马上来")

    assert said["message_id"] in copied_to(stage, BUTLER)
    assert said["message_id"] not in copied_to(stage, STAFF_CHAT)
    assert answered["message_id"] in copied_to(stage, RESIDENT)


def test_the_topic_keeps_a_short_record(stage, talk):
    """Other staff see who has the resident, and from when on nobody has."""
    takes(stage)
    says(stage, "漏水了")
    privately(stage, "马上来")
    privately(stage, "/done")

    seen = [row.payload["text"] for row in rows_to(stage, STAFF_CHAT) if row.topic_id == talk.topic_id]
    assert ["已接手" in seen[-2], "已交还" in seen[-1], talk.owner] == [True, True, Owner.BOT]
    assert not any("漏水" in line or "马上来" in line for line in seen[-2:])
    assert "已交还" in texts_to(stage, BUTLER)[-1], "the butler reads it where they wrote"


def test_the_private_chat_begins_with_the_card(stage, talk):
    """Who it is and what was said before stands above the first line."""
    says(stage, "转人工")
    takes(stage)

    card, now = rows_to(stage, BUTLER)[-2:]
    assert (card.kind, "王芳" in card.payload["text"], "王芳" in now.payload["text"]) == ("card", True, True)


def test_until_a_butler_opens_the_bot_the_talk_stays_in_the_topic(stage, talk):
    """A bot may not write first; nothing is lost meanwhile, and the butler is told what to do."""
    takes(stage, who=OTHER)
    first = says(stage, "漏水了")

    assert any("打开与我的私聊" in line for line in texts_to(stage, STAFF_CHAT))
    assert first["message_id"] in copied_to(stage, STAFF_CHAT)

    privately(stage, "/start", who=OTHER)
    second = says(stage, "还在漏")

    assert second["message_id"] in copied_to(stage, OTHER)


def test_who_has_written_as_a_resident_has_opened_the_bot(stage, talk):
    """A member of staff from whom the bot has heard before need not do it again."""
    stage.resident(chat_id=OTHER)
    takes(stage, who=OTHER)

    said = says(stage, "漏水了")

    assert said["message_id"] in copied_to(stage, OTHER)


def test_a_community_that_talks_in_the_group_takes_staff_for_residents_in_private(stage, talk):
    """Staff live somewhere too, and ask the assistant as everybody does."""
    stage.community.talks_in = TalksIn.GROUP
    stage.session.flush()
    takes(stage)

    asked = turn_of(message("漏水了", chat={"id": BUTLER, "type": "private"}, sender=user(BUTLER)))

    assert receive(stage, asked) is not None, "Rasa is asked"
    assert copied_to(stage, BUTLER) == []


def test_staff_without_a_talk_are_residents_in_private(stage, talk):
    asked = turn_of(message("漏水了", chat={"id": BUTLER, "type": "private"}, sender=user(BUTLER)))

    assert receive(stage, asked) is not None


def test_a_butler_who_blocks_the_bot_goes_on_in_the_topic(stage, talk):
    """What was on its way to them is not lost: a resident said it."""
    takes(stage)
    send_all(stage)
    said = says(stage, "漏水了")
    [parcel] = sending.take(stage.session, BOT_ID, sender=1, limit=50, rates=PLENTY)
    later = says(stage, "快来")

    delivery.refused(stage.session, parcel, reason="Forbidden", now=NOON)

    [again, note] = send_all(stage)
    assert (again.chat_id, again.payload["message_ids"]) == (STAFF_CHAT, [said["message_id"], later["message_id"]])
    assert "停用了" in note.payload["text"]
    assert (talk.owner, talk.resident.unreachable_since) == (Owner.BUTLER, None)


def test_telegram_reporting_the_block_does_the_same(stage, talk):
    takes(stage)
    chat = {"id": BUTLER, "type": "private"}
    receive(stage, turn_of(member_update("kicked", chat=chat), kind="my_chat_member"))

    said = says(stage, "漏水了")

    assert said["message_id"] in copied_to(stage, STAFF_CHAT)


def test_next_takes_over_whoever_waits_longest(stage, talk):
    """The card may still wait for the group's budget; the resident need not."""
    with_topic(stage, SECOND, "赵敏", THREAD_2)
    for number, chat_id in enumerate((SECOND, RESIDENT)):
        waiting = stage.session.scalars(
            select(Conversation)
            .join(Resident, Resident.id == Conversation.resident_id)
            .where(Resident.chat_id == chat_id)
        ).one()
        takeover.escalate(stage.session, waiting, reason="asked", source=f"turn:{number}", now=NOON)

    privately(stage, "/next")
    to_longest = privately(stage, "赵女士您好")
    privately(stage, "/next")
    privately(stage, "/next")

    assert to_longest["message_id"] in copied_to(stage, SECOND)
    assert (talk.owner, talk.butler_id is not None) == (Owner.BUTLER, True)
    assert "没有住户在等待" in texts_to(stage, BUTLER)[-1]


def test_next_takes_over_who_is_in_danger_before_who_waits_longer(stage, talk):
    """The line that the board shows and residents are told of is the line that is taken."""
    other = with_topic(stage, SECOND, "赵敏", THREAD_2)
    takeover.escalate(stage.session, talk, reason="asked", source="turn:1", now=NOON)
    takeover.escalate(stage.session, other, reason="emergency", source="turn:2", now=NOON + timedelta(minutes=5))

    privately(stage, "/next")

    assert (other.owner, talk.owner) == (Owner.BUTLER, Owner.WAITING)


def test_next_keeps_the_place_of_who_left_the_line_and_came_back(stage, talk):
    """Ten minutes long nobody has to begin at the end again."""
    other = with_topic(stage, SECOND, "赵敏", THREAD_2)
    takeover.escalate(stage.session, talk, reason="asked", source="turn:1", now=NOON)
    takeover.escalate(stage.session, other, reason="asked", source="turn:2", now=NOON + timedelta(minutes=1))
    says(stage, "不用了，谢谢")
    assert talk.owner is Owner.BOT
    takeover.escalate(stage.session, talk, reason="asked", source="turn:3", now=NOON + timedelta(minutes=2))

    privately(stage, "/next")

    assert (talk.owner, other.owner) == (Owner.BUTLER, Owner.WAITING)


def test_only_the_fragments_of_staff_who_talk_are_whole_as_they_come(stage, talk):
    """「师傅」 of a butler is a line to a resident; of others it may be half of what the assistant is to understand."""
    takes(stage)
    bubbles = [private_bubble(who) for who in (BUTLER, OTHER, RESIDENT)]

    def waits(bot_id: int = BOT_ID) -> list[float]:
        return [one.wait for one in without_needless_waits(stage.session, bot_id, bubbles)]

    assert waits() == [0, 1, 1]
    assert waits(BOT_ID + 1) == [1, 1, 1]
    stage.community.talks_in = TalksIn.GROUP
    assert waits() == [1, 1, 1]


def private_bubble(who: int) -> Arrival:
    body = message("师傅", chat={"id": who, "type": "private"}, sender=user(who))
    return arrival(json.dumps({"update_id": who, "message": body}).encode(), fragment_wait=1.0)


# --- Several residents in one chat ----------------------------------------------------------------------------------


@pytest.fixture
def second(stage: Stage, talk: Conversation) -> Conversation:
    """Another resident; the butler has taken over first them, then this one."""
    other = with_topic(stage, SECOND, "赵敏", THREAD_2)
    takes(stage, THREAD)
    takes(stage, THREAD_2)
    return other


def test_a_line_goes_to_whom_the_butler_has_turned_to(stage, talk, second):
    """Taking over turns to the resident; a key turns back."""
    to_second = privately(stage, "赵女士您好")
    taps(stage, f"pt:{talk.id}:on")
    to_first = privately(stage, "王女士您好")

    assert copied_to(stage, SECOND) == [to_second["message_id"]]
    assert copied_to(stage, RESIDENT) == [to_first["message_id"]]


def test_a_reply_goes_to_whoever_it_answers(stage, talk, second):
    """People answer what they read; it must not go to the resident they talked with before."""
    said = says(stage, "漏水了")
    send_all(stage)
    copy = next(row for row in rows_to(stage, BUTLER) if row.payload.get("message_ids") == [said["message_id"]])
    shown = message("漏水了", chat={"id": BUTLER, "type": "private"}) | {"message_id": copy.message_id}

    answered = privately(stage, "马上来", reply_to_message=shown)

    assert copied_to(stage, RESIDENT) == [answered["message_id"]]
    assert rows_to(stage, RESIDENT)[-1].payload["reply"] == {"message_id": said["message_id"]}
    assert copied_to(stage, SECOND) == []


def test_it_is_said_whose_line_comes_when_it_was_another_s_before(stage, talk, second):
    """Lines are copied as they are, so a name stands above the first of each; its key turns to them."""
    for chat_id in (SECOND, RESIDENT, RESIDENT, SECOND):
        says(stage, "在吗", chat_id=chat_id)

    after_cards = [row for row in rows_to(stage, BUTLER) if row.act == "copy" or row.payload["text"].startswith("▎")]
    heads = [row.payload["text"] if row.act == "say" else "·" for row in after_cards]
    assert heads == ["·", "▎王芳", "·", "·", "▎赵敏", "·"]
    keys = [row.payload.get("buttons", [{}])[0].get("data") for row in after_cards if row.act == "say"]
    assert keys == [f"pt:{talk.id}:on", None], "who is turned to already needs no key"


def test_lines_of_two_residents_are_not_joined(stage, talk, second):
    for chat_id in (SECOND, SECOND, RESIDENT):
        says(stage, f"我是{chat_id}", chat_id=chat_id)

    sent = [parcel.payload["text"] for parcel in send_all(stage) if parcel.act in ("copy", "lines")]

    assert sent == [f"我是{SECOND}\n我是{SECOND}", f"我是{RESIDENT}"]


def test_a_talk_that_was_handed_on_turns_nobody_away_from_their_own(stage, talk):
    """The colleague is just writing to somebody else; the line would go astray."""
    privately(stage, "/start", who=OTHER)
    other = with_topic(stage, SECOND, "赵敏", THREAD_2)
    takes(stage, THREAD_2, who=OTHER)
    takes(stage, THREAD)
    number = stage.session.scalars(select(Staff.number).where(Staff.user_id == OTHER)).one()

    privately(stage, f"/transfer {number} 她耳朵不好")

    meant = privately(stage, "赵女士您好", who=OTHER)
    assert (talk.butler_id == other.butler_id, copied_to(stage, SECOND)) == (True, [meant["message_id"]])
    assert any("她耳朵不好" in line for line in texts_to(stage, OTHER))
    assert any("她耳朵不好" in line for line in texts_to(stage, BUTLER)), "who handed on reads that it is done"


def test_a_line_after_the_talk_is_over_goes_to_nobody(stage, talk):
    """It is neither for the resident any more nor a question of the butler's to the assistant."""
    takes(stage)
    privately(stage, "/done")

    lost = privately(stage, "再见")

    assert lost["message_id"] not in copied_to(stage, RESIDENT)
    assert any("没有发出" in line for line in texts_to(stage, BUTLER))
    asked = turn_of(message("漏水了", chat={"id": BUTLER, "type": "private"}, sender=user(BUTLER)))
    assert receive(stage, asked) is not None, "told once; then they are a resident"


def test_talks_shows_whom_the_butler_has(stage, talk, second):
    privately(stage, "/talks")

    titles = [(key["title"], key["data"]) for key in rows_to(stage, BUTLER)[-1].payload["buttons"]]
    assert titles == [("王芳", f"pt:{talk.id}:on"), ("● 赵敏", f"pt:{second.id}:on")]


@pytest.mark.parametrize("data", ["pt:{id}:on", "pt:999:on", "pt:{id}:x"])
def test_a_forged_or_stale_switch_changes_nothing(stage, talk, second, data):
    """A key of a talk that a colleague has, of none, or with another word."""
    mine = second.butler_id
    privately(stage, "/start", who=OTHER)

    taps(stage, data.format(id=talk.id), who=OTHER)

    assert stage.session.scalars(select(Staff.talks_with_id).where(Staff.user_id == OTHER)).one() is None
    assert talk.butler_id == mine


# --- The rules of a takeover ----------------------------------------------------------------------------------------


def test_an_edit_and_a_reaction_of_the_butler_s_reach_the_resident(stage, talk):
    takes(stage)
    body = privately(stage, "明天三点")
    send_all(stage)

    receive(stage, turn_of(body | {"text": "明天四点", "edit_date": 1}, kind="edited_message"))
    receive(stage, turn_of(reaction(body["message_id"], "👍"), kind="message_reaction"))

    edited, reacted = rows_to(stage, RESIDENT)[-2:]
    assert (edited.act, edited.payload["text"]) == ("edit", "明天四点")
    assert (reacted.act, reacted.payload["emoji"]) == ("react", "👍")


def test_an_edit_of_the_resident_s_changes_the_copy_where_it_stands(stage, talk):
    """Said before the takeover it stands in the topic; the butler who reads in private is told."""
    receive(stage, turn_of(staff_message("/claim", thread=THREAD, who=OTHER)))
    before = says(stage, "三栋")
    number = stage.session.scalars(select(Staff.number).where(Staff.user_id == BUTLER)).one()
    receive(stage, turn_of(staff_message(f"/transfer {number}", thread=THREAD, who=OTHER)))
    after = says(stage, "一单元")
    send_all(stage)

    for body, words in ((before, "四栋"), (after, "二单元")):
        receive(stage, turn_of(body | {"text": words, "edit_date": 1}, kind="edited_message"))

    edits = [(row.chat_id, row.payload["text"]) for row in stage.outbox() if row.act == "edit"]
    assert edits == [(STAFF_CHAT, "四栋"), (BUTLER, "二单元")]
    assert any("四栋" in line for line in texts_to(stage, BUTLER))


def test_a_line_is_taken_back_from_the_private_chat(stage, talk):
    takes(stage)
    body = privately(stage, "发错了")
    send_all(stage)

    privately(stage, "/undo", reply_to_message=body)

    assert rows_to(stage, RESIDENT)[-1].act == "delete"


def test_a_note_stays_among_staff(stage, talk):
    takes(stage)

    privately(stage, "//她很急")

    assert copied_to(stage, RESIDENT) == []
    assert stage.session.scalars(select(Message.author).order_by(Message.id.desc())).first() == "note"


def test_a_canned_phrase_is_sent_from_the_private_chat(stage, talk):
    takes(stage)

    privately(stage, "/say sorry")

    assert any("抱歉" in line for line in texts_to(stage, RESIDENT))


def test_the_idle_notice_comes_where_the_butler_reads(stage, talk):
    """And says whom it is about: several residents are in that chat."""
    takes(stage)

    idle.sweep(stage.session, now=NOON + 2 * conversations.SILENT_FOR)

    asked = rows_to(stage, BUTLER)[-1].payload
    assert asked["text"].startswith("▎王芳")
    taps(stage, asked["buttons"][0]["data"])
    assert talk.idle_told_at is None


def test_a_butler_who_was_away_reads_in_private_that_others_are_called_and_takes_the_talk_back_with_a_tap(stage, talk):
    """They read it where the talk was; a line typed there goes to nobody until they have it again."""
    takes(stage)
    says(stage, "几点来？")
    for moment in (conversations.SILENT_FOR, conversations.SILENT_FOR + idle.ANSWER_OWED_WITHIN):
        idle.sweep(stage.session, now=talk.active_at + moment)

    told = rows_to(stage, BUTLER)[-1].payload
    assert (talk.owner, "一直没有回复" in told["text"]) == (Owner.WAITING, True)
    privately(stage, "马上到")
    assert copied_to(stage, RESIDENT) == []

    taps(stage, told["buttons"][0]["data"])
    privately(stage, "马上到")
    assert talk.owner is Owner.BUTLER
    assert len(copied_to(stage, RESIDENT)) == 1


def test_what_the_bot_held_back_is_told_in_private(stage, talk):
    """The epoch holds there as everywhere: from the claim on no line of the bot's reaches the resident."""
    stage.session.execute(text("UPDATE outbox SET state = 'sent'"))
    takes(stage)
    case = stage.case(talk)
    stage.session.flush()

    assert case.number
    bots = [row for row in rows_to(stage, RESIDENT) if row.epoch is not None and row.state is OutboxState.PENDING]
    assert bots == []


def test_an_answer_to_a_line_from_the_other_chat_says_what_it_answers(stage, talk):
    """The resident answers what a butler typed in the topic; the number means something else in the private chat."""
    receive(stage, turn_of(staff_message("您好", thread=THREAD)))
    send_all(stage)
    copy = next(row for row in rows_to(stage, RESIDENT) if row.act == "copy")
    shown = message("您好", sender=user(BOT_ID, is_bot=True)) | {"message_id": copy.message_id}

    receive(stage, turn_of(message("在的", reply_to_message=shown)))

    before, line = rows_to(stage, BUTLER)[-2:]
    assert ("您好" in before.payload["text"], "reply" in line.payload) == (True, False)


def test_forgetting_a_resident_reaches_the_private_chat(stage, talk):
    """Nothing they said stays in what was sent there (N12)."""
    takes(stage)
    says(stage, "我的秘密")
    privately(stage, "/done")
    send_all(stage)

    forgetting.forget(stage.session, talk, before=10**9, key="turn:1", now=NOON)

    assert all(row.payload == {} for row in rows_to(stage, BUTLER) if row.conversation_id == talk.id)
