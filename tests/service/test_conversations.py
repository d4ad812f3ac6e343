"""Who answers a resident, and every line that is said."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from service import conversations, outbox, topics
from service.conversations import Said
from service.db import Sessions
from service.errors import ButtonExpired, ConversationTaken, NothingToHandBack
from service.models import Conversation, Message, OutboxState, Owner, Priority
from service.outbox import Rates
from service.texts import Line
from tests.stage import BOT_ID, NOON, STAFF_CHAT, Stage

PLENTY = Rates(bot_per_second=10_000, private_per_second=10_000, private_burst=10_000, group_per_minute=600_000)


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
    conversations.escalate(stage.session, talk, reason="asked", source="turn:1", now=NOON)

    conversations.tell(stage.session, talk, Line("师傅已出发"), key="k", now=NOON)

    assert stage.lines_to(talk)[-1] == "师傅已出发"


# --- Handing over to people -----------------------------------------------------------------------------------------


def test_the_handoff_phrase_is_said_once_and_the_card_goes_to_the_residents_own_topic(stage):
    """N6, word for word; sent exactly once per handoff."""
    talk = stage.resident(surname="王", honorific="女士", place="3栋2单元1201")
    conversations.hear(stage.session, talk, heard("我要找人"), now=NOON)

    first = conversations.escalate(stage.session, talk, reason="asked", source="turn:1", now=NOON)
    again = conversations.escalate(stage.session, talk, reason="asked", source="turn:2", now=NOON)

    assert (first, again) == (True, False)
    assert stage.lines_to(talk) == ["请稍等，我了解情况后马上答复你。"]
    [card] = stage.outbox("card")
    assert (card.topic_id, card.epoch) == (talk.topic_id, None)
    for fact in ("王女士", "3栋2单元1201", "我要找人"):
        assert fact in card.payload["text"]


def test_the_card_shows_when_its_topic_has_been_deleted(stage):
    talk = stage.resident()
    conversations.escalate(stage.session, talk, reason="asked", source="turn:1", now=NOON)
    [card] = stage.outbox("card")
    topics.made(stage.session, card.topic_id, 77)

    topics.lost(stage.session, card.topic_id, 77)

    assert [row.payload for row in stage.outbox("card")] == [card.payload, card.payload]


def test_escalating_raises_the_epoch_and_the_handoff_phrase_survives_it(stage):
    talk = stage.resident()
    conversations.escalate(stage.session, talk, reason="asked", source="turn:1", now=NOON)

    assert (talk.owner, talk.epoch) == (Owner.WAITING, 1)
    assert "请稍等，我了解情况后马上答复你。" in sent_to_residents(stage)


def sent_to_residents(stage: Stage) -> list[str]:
    """What really goes out to residents now, past the epoch check."""
    told = []
    for _ in range(100):
        stage.session.flush()
        parcels = outbox.take(stage.session, BOT_ID, sender=1, limit=50, rates=PLENTY)
        for parcel in parcels:
            outbox.sent(stage.session, parcel, message_id=parcel.id)
        told += [str(parcel.payload.get("text")) for parcel in parcels if parcel.chat_id > 0]
        if not parcels and outbox.seconds_to_next(stage.session, BOT_ID) != 0:
            break
    return told


def test_a_claim_greets_with_the_number_and_tells_staff(stage):
    """N2, word for word."""
    talk = stage.resident()

    butler = stage.take_over(talk)

    assert (talk.owner, talk.butler_id, talk.epoch) == (Owner.BUTLER, butler.id, 1)
    assert stage.lines_to(talk) == [f"您好，我是{butler.number}号员工，有什么事情愿意为您效劳的吗？"]
    assert str(butler.number) in stage.outbox("note")[-1].payload["text"]


def test_claiming_twice_greets_once(stage):
    talk = stage.resident()
    butler = stage.take_over(talk)

    again = conversations.claim(stage.session, talk, butler, source="turn:again", now=NOON)

    assert again is False
    assert (talk.epoch, len(stage.lines_to(talk))) == (1, 1)


def test_the_second_butler_is_told_who_has_the_resident(stage):
    talk = stage.resident()
    first = stage.take_over(talk)

    with pytest.raises(ConversationTaken) as refused:
        stage.take_over(talk, stage.member())

    assert refused.value.facts == {"number": first.number, "name": first.display_name}
    assert talk.butler_id == first.id


def test_two_butlers_tapping_at_once_one_wins(sessions: Sessions):
    """Compare-and-set under the conversation's lock, with real transactions."""
    with sessions.begin() as session:
        stage = Stage(session)
        talk = stage.resident()
        members = [stage.member() for _ in range(4)]
    start = Barrier(4)

    def claim(number: int) -> str:
        start.wait()
        with sessions.begin() as session:
            mine = conversations.access_as_staff(session, members[number], talk.id)
            try:
                conversations.claim(session, mine, members[number], source=f"turn:{number}", now=NOON)
            except ConversationTaken as taken:
                return f"told {taken.facts['number']}"
        return f"won {members[number].number}"

    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(pool.map(claim, range(4)))

    winner = outcomes[-1].removeprefix("won ")
    assert outcomes == [f"told {winner}"] * 3 + [f"won {winner}"]
    with sessions.begin() as session:
        assert session.get_one(Conversation, talk.id).epoch == 1


def test_handing_back_lets_the_bot_answer_again_and_says_so(stage):
    talk = stage.resident()
    talk.misunderstood = 2
    butler = stage.take_over(talk)

    conversations.hand_back(stage.session, talk, butler, source="turn:done", now=NOON)

    assert (talk.owner, talk.butler_id, talk.epoch, talk.misunderstood) == (Owner.BOT, None, 2, 0)
    assert "小管家继续为您服务" in sent_to_residents(stage)[-1]


def test_there_is_nothing_to_hand_back_while_the_bot_answers(stage):
    with pytest.raises(NothingToHandBack):
        conversations.hand_back(stage.session, stage.resident(), stage.member(), source="turn:1", now=NOON)


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


# --- The promise, under every interleaving --------------------------------------------------------------------------

STEPS = ("hear", "tell", "late", "claim", "other", "hand_back", "escalate", "send", "relay")


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from(STEPS), min_size=3, max_size=25))
def test_between_a_claim_and_the_hand_back_no_line_of_the_bots_goes_out(engine, steps):
    """After a takeover commits no bot line reaches the resident: not a late reply, a call-back or a survey."""
    with Session(engine, expire_on_commit=False) as session:
        stage = Stage(session)
        talk, butlers = stage.resident(), (stage.member(), stage.member())
        born = [0]
        for number, step in enumerate(steps):
            take_step(stage, talk, butlers, born, step, number)
            taken = send_all(stage) if step == "send" else []
            bots = [epoch for chat_id, epoch in taken if chat_id == talk.resident.chat_id and epoch is not None]
            assert not (talk.owner is Owner.BUTLER and bots), steps
            assert all(epoch == talk.epoch for epoch in bots), "nor one that was thought of before an earlier takeover"
        session.rollback()


def take_step(stage, talk, butlers, born, step, number):
    """One thing somebody does; what is not allowed now is refused and changes nothing."""
    key, session = f"step:{number}", stage.session
    if step == "hear":
        conversations.hear(session, talk, heard(inbox_id=10_000 + number), now=NOON)
        born.append(talk.epoch)  # Rasa begins to think now
    elif step in {"tell", "late"}:
        epoch = born[-1] if step == "late" else None
        conversations.tell(session, talk, Line(f"第{number}句"), key=key, now=NOON, epoch=epoch)
    elif step in {"claim", "other"}:
        try:
            conversations.claim(session, talk, butlers[step == "other"], source=key, now=NOON)
        except ConversationTaken:
            return
    elif step == "hand_back" and talk.owner is not Owner.BOT:
        conversations.hand_back(session, talk, butlers[0], source=key, now=NOON)
    elif step == "escalate":
        conversations.escalate(session, talk, reason="asked", source=key, now=NOON)
    elif step == "relay":
        conversations.to_resident(session, talk, "say", {"text": "管家"}, key=key)


def send_all(stage: Stage) -> list[tuple[int, int | None]]:
    """Everything that may go out now: chat and epoch."""
    gone = []
    stage.session.flush()
    for _ in range(100):
        parcels = outbox.take(stage.session, BOT_ID, sender=1, limit=50, rates=PLENTY)
        for parcel in parcels:
            epoch = stage.session.scalar(text("SELECT epoch FROM outbox WHERE id = :id"), {"id": parcel.id})
            gone.append((parcel.chat_id, epoch))
            outbox.sent(stage.session, parcel, message_id=parcel.id)
        if not parcels and outbox.seconds_to_next(stage.session, BOT_ID) != 0:
            break
    return gone
