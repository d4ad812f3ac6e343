"""Bursts: lines that wait together go as one message, and each of them can still be edited, answered and quoted."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, text

from service import bursts, conversations, relays, revisions, sending, twins
from service.models.queues import OutboxState
from service.models.talks import Conversation, Twin
from service.relays import Bundle
from service.revisions import Revision
from service.sending import Parcel
from tests.stage import BOT_ID, PLENTY, STAFF_CHAT, Stage

COPY = 900  # what Telegram calls the joined message
BOLD = {"type": "bold", "offset": 0, "length": 2}


def talk_of(stage: Stage) -> Conversation:
    """A butler's talk whose topic stands."""
    talk = stage.resident()
    stage.take_over(talk)
    stage.session.execute(text("UPDATE topics SET thread_id = id"))
    stage.session.execute(text("UPDATE outbox SET state = 'sent'"))
    return talk


def say(stage: Stage, talk: Conversation, number: int, words: str, **facts: Any) -> None:
    """The resident's line with this message id."""
    entities = {"entities": facts.pop("entities")} if "entities" in facts else {}
    chat_id = talk.resident.chat_id
    payload = {"from_chat_id": chat_id, "message_ids": [number]} | bursts.mark({"text": words, **entities})
    relays.pass_on(stage.session, talk, Bundle(chat_id, [(number, "text")], "copy", payload, **facts))


def take(stage: Stage) -> list[Parcel]:
    stage.session.flush()
    return sending.take(stage.session, BOT_ID, sender=1, limit=50, rates=PLENTY)


def send(stage: Stage, *, message_id: int = COPY) -> Parcel:
    """One call to Telegram, which takes it in."""
    [parcel] = take(stage)
    sending.sent(stage.session, parcel, message_id=message_id)
    twins.arrived(stage.session, parcel.id, parcel.chat_id, [message_id])
    return parcel


def edit(stage: Stage, talk: Conversation, number: int, words: str) -> None:
    """The resident changes a line."""
    now_says = Revision(talk.resident.chat_id, number, "text", {"text": words})
    revisions.revise(stage.session, talk, now_says, key=f"edit:{number}:{words}")


def answer(stage: Stage, talk: Conversation, **facts: Any) -> dict[str, Any]:
    """What a butler's answer to the joined message answers at the resident's."""
    payload = {"from_chat_id": STAFF_CHAT, "message_ids": [77], "text": "好的"}
    relays.pass_on(stage.session, talk, Bundle(STAFF_CHAT, [(77, "text")], "copy", payload, reply_to=COPY, **facts))
    found: dict[str, Any] = stage.outbox("relay")[-1].payload["reply"]
    return found


def test_lines_that_wait_together_are_one_message_in_their_order(stage):
    """Five bubbles are one of the eighteen events a minute; formatting moves along with its words."""
    talk = talk_of(stage)
    say(stage, talk, 1, "😀漏水")
    say(stage, talk, 2, "在厨房", entities=[BOLD])
    say(stage, talk, 3, "快来")

    parcel = send(stage)

    assert (parcel.act, parcel.payload["text"]) == (bursts.ACT, "😀漏水\n在厨房\n快来")
    assert parcel.payload["entities"] == [BOLD | {"offset": 5}], "an emoji is two units for Telegram"
    assert parcel.payload["message_ids"] == [1, 2, 3]
    assert take(stage) == []


def test_every_line_knows_the_message_it_went_in(stage):
    """Replies, edits and reactions find it by the twin."""
    talk = talk_of(stage)
    for number in (1, 2, 3):
        say(stage, talk, number, f"第{number}句")
    send(stage)

    found = stage.session.scalars(select(Twin).order_by(Twin.said_message_id)).all()
    assert [(twin.said_message_id, twin.message_id) for twin in found] == [(1, COPY), (2, COPY), (3, COPY)]


def test_a_line_that_went_along_is_settled_with_its_reason(stage):
    """Nobody who looks into the outbox is to wonder; its words stand in one row only."""
    talk = talk_of(stage)
    say(stage, talk, 1, "一")
    say(stage, talk, 2, "二")
    send(stage)

    head, along = stage.outbox("relay")[-2:]
    assert (along.state, along.reason, along.payload) == (OutboxState.DROPPED, bursts.JOINED, {"joined": head.id})


def test_one_line_alone_is_copied_as_it_is(stage):
    """A copy by Telegram itself is the better fidelity."""
    talk = talk_of(stage)
    say(stage, talk, 1, "一")

    assert take(stage)[0].act == "copy"


def test_a_killed_sender_leaves_the_whole_burst_uncertain(stage):
    """It is one row: sent again together, or not at all."""
    talk = talk_of(stage)
    say(stage, talk, 1, "一")
    say(stage, talk, 2, "二")
    take(stage)

    sending.free_orphans(stage.session)

    assert [parcel.payload["text"] for parcel in take(stage)] == ["一\n二"]


def test_a_burst_that_was_refused_takes_later_lines_along(stage):
    """While Telegram has the group closed, more is said; it is still one message."""
    talk = talk_of(stage)
    say(stage, talk, 1, "一")
    say(stage, talk, 2, "二")
    [refused] = take(stage)
    say(stage, talk, 3, "三")

    sending.again(stage.session, refused, reason="RetryAfter", wait=0.0)

    assert [parcel.payload["text"] for parcel in take(stage)] == ["一\n二\n三"]


def test_only_lines_right_behind_go_along(stage):
    """A note between them, or an answer to something, keeps its place."""
    talk = talk_of(stage)
    say(stage, talk, 1, "一")
    conversations.to_staff(stage.session, talk, "say", {"text": "之前说的"}, key="was", kind="note")
    say(stage, talk, 2, "二")
    say(stage, talk, 3, "三", reply_to=1)
    say(stage, talk, 4, "四")

    assert [send(stage, message_id=n).payload["text"] for n in (1, 2, 3, 4)] == ["一", "之前说的", "二", "三\n四"]


def test_two_residents_are_never_mixed(stage):
    """Each has a topic, so each has a lane."""
    first, second = talk_of(stage), talk_of(stage)
    say(stage, first, 1, "一")
    say(stage, second, 2, "二")

    assert [parcel.payload["text"] for parcel in take(stage)] == ["一", "二"]


def test_a_burst_stays_within_one_message(stage):
    """What does not fit is the next message; nothing is cut."""
    talk = talk_of(stage)
    for number in (1, 2, 3):
        say(stage, talk, number, str(number) * 2000)

    first, second = send(stage, message_id=1), send(stage, message_id=2)

    assert first.payload["message_ids"] == [1, 2]
    assert second.payload["message_ids"] == [3]


# --- Edits ----------------------------------------------------------------------------------------------------------


def test_editing_one_line_edits_the_message_and_keeps_the_others(stage):
    talk = talk_of(stage)
    say(stage, talk, 1, "三栋")
    say(stage, talk, 2, "一单元")
    send(stage)

    edit(stage, talk, 2, "二单元")
    edit(stage, talk, 1, "四栋")

    assert [send(stage).payload["text"] for _ in range(2)] == ["三栋\n二单元", "四栋\n二单元"]


def test_an_edit_written_before_the_lines_were_joined_still_keeps_the_others(stage):
    """Only when it is taken is it known what stands in the message."""
    talk = talk_of(stage)
    say(stage, talk, 1, "三栋")
    say(stage, talk, 2, "一单元")
    twin = twins.of_original(stage.session, talk.id, talk.resident.chat_id, 2)[0]
    revisions.change(stage.session, talk, twin, "edit", {"text": "二单元"}, key="edit")
    send(stage)

    assert (send(stage).act, stage.outbox("relay")[-1].payload["text"]) == ("edit", "三栋\n二单元")


def test_a_line_edited_while_it_waits_says_only_the_last_wording(stage):
    """And costs no call of its own."""
    talk = talk_of(stage)
    say(stage, talk, 1, "三栋")
    say(stage, talk, 2, "一单元")

    edit(stage, talk, 2, "二单元")

    assert send(stage).payload["text"] == "三栋\n二单元"
    assert take(stage) == []


def test_an_edit_for_which_the_others_leave_no_room_answers_the_message(stage):
    """Cut off it would be lost."""
    talk = talk_of(stage)
    say(stage, talk, 1, "一" * 2000)
    say(stage, talk, 2, "二" * 2000)
    send(stage)

    edit(stage, talk, 2, "三" * 3000)

    parcel = send(stage)
    assert (parcel.act, parcel.payload["text"], parcel.reply_message) == ("say", "三" * 3000, COPY)


# --- Answers --------------------------------------------------------------------------------------------------------


def test_an_answer_to_a_burst_answers_its_last_line(stage):
    talk = talk_of(stage)
    say(stage, talk, 1, "一")
    say(stage, talk, 2, "二")
    send(stage)

    assert answer(stage, talk) == {"message_id": 2}


def test_a_quote_answers_the_line_it_is_taken_from(stage):
    """Marked in the joined message, it is looked for where it stands at the resident's."""
    talk = talk_of(stage)
    say(stage, talk, 1, "三栋漏水")
    say(stage, talk, 2, "很急")
    send(stage)

    told = answer(stage, talk, quote={"text": "漏水", "position": 2, "entities": []})

    assert told == {"message_id": 1, "quote": {"text": "漏水", "position": 2, "entities": []}}


def test_a_quote_over_two_lines_answers_without_it(stage):
    """Telegram refuses a quote that does not stand in the message."""
    talk = talk_of(stage)
    say(stage, talk, 1, "三栋漏水")
    say(stage, talk, 2, "很急")
    send(stage)

    assert answer(stage, talk, quote={"text": "漏水\n很急", "position": 2, "entities": []}) == {"message_id": 2}


def test_a_resident_quoting_their_own_line_quotes_it_in_the_message(stage):
    talk = talk_of(stage)
    say(stage, talk, 1, "三栋漏水")
    say(stage, talk, 2, "很急")
    send(stage)

    say(stage, talk, 3, "真的", reply_to=2, quote={"text": "急", "position": 1, "entities": []})

    parcel = send(stage)
    assert (parcel.reply_message, parcel.payload["reply"]["quote"]["position"]) == (COPY, 6)
