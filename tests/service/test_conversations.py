"""Who answers a resident, and every line that is said."""

from __future__ import annotations

from itertools import pairwise

import pytest
from sqlalchemy import select

from service import conversations, takeover
from service.conversations import Said
from service.errors import ButtonExpired
from service.models.queues import OutboxState, Priority
from service.models.talks import Conversation, Message
from service.texts import Line
from tests.stage import NOON, STAFF_CHAT, Stage


def heard(words: str = "水管漏了", *, inbox_id: int = 1, message_id: int = 11) -> Said:
    return Said(kind="text", text=words, chat_id=5, message_id=message_id, inbox_id=inbox_id)


def lines(stage: Stage, conversation: Conversation) -> list[Message]:
    found = select(Message).where(Message.conversation_id == conversation.id).order_by(Message.id)
    return list(stage.session.scalars(found.execution_options(populate_existing=True)))


# --- Hearing --------------------------------------------------------------------------------------------------------


def test_hearing_the_same_row_again_keeps_one_line(stage):
    """A turn may be handled again after a crash (N3: nothing lost, and nothing twice)."""
    talk = stage.resident()

    conversations.hear(stage.session, talk, heard(), now=NOON)
    conversations.hear(stage.session, talk, heard(), now=NOON)

    assert [(line.author, line.text) for line in lines(stage, talk)] == [("resident", "水管漏了")]


def test_an_edit_keeps_every_earlier_wording(stage):
    talk = stage.resident()
    conversations.hear(stage.session, talk, heard("三栋"), now=NOON)

    assert conversations.amend(stage.session, talk, heard("四栋"), now=NOON)
    assert conversations.amend(stage.session, talk, heard("五栋"), now=NOON)

    [line] = lines(stage, talk)
    assert (line.text, [one["text"] for one in line.earlier or ()]) == ("五栋", ["三栋", "四栋"])


def test_the_same_edit_again_changes_nothing(stage):
    talk = stage.resident()
    conversations.hear(stage.session, talk, heard("三栋"), now=NOON)

    for _ in range(2):
        conversations.amend(stage.session, talk, heard("四栋"), now=NOON)

    assert len(lines(stage, talk)[0].earlier or ()) == 1


def test_an_edit_of_an_unknown_line_says_so(stage):
    assert not conversations.amend(stage.session, stage.resident(), heard(message_id=99), now=NOON)


def test_nobody_edits_a_line_of_another_conversation(stage):
    """N12: the same numbers of another chat are another message."""
    theirs, mine = stage.resident(), stage.resident()
    conversations.hear(stage.session, theirs, heard("三栋"), now=NOON)

    assert not conversations.amend(stage.session, mine, heard("四栋"), now=NOON)
    assert lines(stage, theirs)[0].text == "三栋"


# --- Telling --------------------------------------------------------------------------------------------------------


def test_telling_with_the_same_key_says_it_once_and_writes_it_down_once(stage):
    talk = stage.resident()

    for _ in range(2):
        conversations.tell(stage.session, talk, Line("您好"), key="k", now=NOON)

    assert stage.lines_to(talk) == ["您好"]
    assert [(line.author, line.text) for line in lines(stage, talk)] == [("bot", "您好")]


def test_the_same_sentence_is_never_said_twice_running(stage):
    """N7: who taps "my cases" twice hears that it is still the same, not a record that sticks."""
    talk = stage.resident()

    for number in range(3):
        conversations.tell(stage.session, talk, Line("您有一张工单。"), now=NOON, key=f"reply:{number}")

    said = stage.lines_to(talk)
    assert [one == other for one, other in pairwise(said)] == [False, False]
    assert all("您有一张工单。" in one for one in said)


def test_while_a_butler_talks_the_bots_line_stands_in_the_topic_instead(stage):
    """The bot is silent towards the resident, and nothing it knew is lost."""
    talk = stage.resident()
    stage.take_over(talk)
    before = stage.lines_to(talk)

    conversations.tell(stage.session, talk, Line("师傅已出发"), key="k", now=NOON)

    assert stage.lines_to(talk) == before
    note = stage.outbox("note")[-1]
    assert (note.chat_id, note.topic_id, "师傅已出发" in note.payload["text"]) == (STAFF_CHAT, talk.topic_id, True)


def test_while_nobody_has_claimed_yet_the_bot_still_tells_the_steps(stage):
    """Waiting for a butler is no reason not to hear that the plumber is coming."""
    talk = stage.resident()
    takeover.escalate(stage.session, talk, reason="asked", source="turn:1", now=NOON)

    conversations.tell(stage.session, talk, Line("师傅已出发"), key="k", now=NOON)

    assert stage.lines_to(talk)[-1] == "师傅已出发"


# --- Finding and silencing --------------------------------------------------------------------------------------------


def test_a_conversation_of_another_community_is_not_found(stage):
    """N12: staff see only their community."""
    talk = stage.resident()
    stranger = stage.member()
    stranger.community_id += 1

    with stage.session.no_autoflush, pytest.raises(ButtonExpired):
        conversations.access_as_staff(stage.session, stranger, talk.id)


def test_silence_drops_what_waits_for_the_resident_and_nothing_else(stage):
    talk, other = stage.resident(), stage.resident()
    for one in (talk, other):
        conversations.tell(stage.session, one, Line("您好"), key=f"k:{one.id}", now=NOON)
    conversations.to_staff(stage.session, talk, "say", {"text": "记录"}, key="note")

    conversations.silence(stage.session, talk, reason="blocked")

    stage.session.expire_all()
    assert [row.state for row in stage.outbox()] == [OutboxState.DROPPED, OutboxState.PENDING, OutboxState.PENDING]


def test_an_alert_goes_to_general_before_everything_else(stage):
    conversations.alert_staff(stage.session, stage.community.id, Line("着火"), key="alert", priority=Priority.EMERGENCY)

    [alert] = stage.outbox("alert")
    assert (alert.chat_id, alert.topic_id, alert.priority) == (STAFF_CHAT, None, Priority.EMERGENCY)
