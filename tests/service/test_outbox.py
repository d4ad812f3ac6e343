"""The outbox: written once, sent by priority under the budgets, settled by what is known of the delivery."""

from __future__ import annotations

import re
import secrets
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from service import conversations, outbox, pages, sending, takeover, topics
from service.db import Sessions
from service.models.queues import Delivery, OutboxRow, OutboxState, Priority
from service.sending import Parcel, Rates
from service.texts import Line
from tests.stage import BOT_ID, NOON, PLENTY, STAFF_CHAT, Stage

RATES = Rates(bot_per_second=25, private_per_second=1, private_burst=3, group_per_minute=18)


def write(stage: Stage, words: str = "您好", *, chat_id: int = 7, **facts: Any) -> Any:
    """A line to somebody."""
    bot_id = facts.pop("bot_id", BOT_ID)
    told = {"kind": "reply", "act": "say", "payload": {"text": words}} | facts
    return outbox.put(stage.session, bot_id=bot_id, community_id=stage.community.id, chat_id=chat_id, **told)


def take(session: Session, *, limit: int = 100, rates: Rates = PLENTY, sender: int = 1) -> list[Parcel]:
    return sending.take(session, BOT_ID, sender=sender, limit=limit, rates=rates)


def words(parcels: list[Parcel]) -> list[str]:
    return [parcel.payload["text"] for parcel in parcels]


def send_all(session: Session, *, rates: Rates = PLENTY) -> list[str]:
    """Take and settle until the budget or the rows end; what went out, in order."""
    gone: list[str] = []
    while True:
        parcels = take(session, rates=rates, limit=1)
        wait = None if parcels else sending.seconds_to_next(session, BOT_ID, rates)
        if not parcels and wait != 0:  # zero: a row was dropped, the next is due
            return gone
        gone += words(parcels)
        for parcel in parcels:
            sending.sent(session, parcel, message_id=parcel.id + 1000)


def let_pass(session: Session, seconds: float) -> None:
    """Let time pass for budgets and waits, as seen from the database's clock."""
    past = {"past": timedelta(seconds=seconds)}
    session.execute(text("UPDATE budgets SET full_at = full_at - :past, closed_until = closed_until - :past"), past)
    session.execute(text("UPDATE outbox SET not_before = not_before - :past"), past)


def state(stage: Stage, row_id: int | None) -> tuple[OutboxState, str | None]:
    stage.session.expire_all()
    row = stage.session.get_one(OutboxRow, row_id)
    return row.state, row.reason


# --- Written once ---------------------------------------------------------------------------------------------------


def test_the_same_key_is_written_once(stage):
    """A turn that is done again after a crash says nothing twice."""
    first = write(stage, key="turn:1:reply:0")

    assert first is not None
    assert write(stage, "您好！", key="turn:1:reply:0") is None
    assert outbox.find(stage.session, key="turn:1:reply:0") == first
    assert send_all(stage.session) == ["您好"]


def test_rows_without_a_key_are_all_written(stage):
    write(stage, "一")
    write(stage, "二")

    assert send_all(stage.session) == ["一", "二"]


# --- Order ----------------------------------------------------------------------------------------------------------


def test_a_person_reads_lines_in_the_order_in_which_they_were_written(stage):
    for word in "一二三":
        write(stage, word)

    assert send_all(stage.session) == ["一", "二", "三"]


def test_one_line_of_a_chat_is_on_its_way_at_a_time(stage):
    """Two calls at once may arrive in either order."""
    write(stage, "一")
    write(stage, "二")

    assert words(take(stage.session)) == ["一"]
    assert take(stage.session) == []


def test_the_next_line_waits_for_one_that_has_to_be_sent_again(stage):
    write(stage, "一")
    write(stage, "二")
    [parcel] = take(stage.session)
    sending.again(stage.session, parcel, reason="ConnectTimeout")

    assert take(stage.session) == []
    let_pass(stage.session, 60)
    assert send_all(stage.session) == ["一", "二"]


def test_an_emergency_overtakes_what_waits_in_its_own_chat(stage):
    write(stage, "回访", priority=Priority.FOLLOW_UP)
    write(stage, "119", priority=Priority.EMERGENCY)

    assert send_all(stage.session) == ["119", "回访"]


def test_priorities_decide_across_chats(stage):
    """N13: emergencies before residents before work orders before follow-ups before notices before card edits."""
    order = ["CARD", "NOTICE", "FOLLOW_UP", "WORK_ORDER", "TALK", "EMERGENCY"]
    for chat_id, name in enumerate(order, start=1):
        write(stage, name, chat_id=chat_id, priority=getattr(Priority, name))

    assert words(take(stage.session)) == order[::-1]


def test_topics_of_one_group_are_lanes_of_their_own(stage):
    """A slow topic must not hold up another; General is addressed without a thread."""
    first = topics.open_topic(stage.session, stage.community.id, "甲")
    for word, topic_id in (("甲", first.id), ("甲二", first.id), ("大厅", None)):
        write(stage, word, chat_id=STAFF_CHAT, topic_id=topic_id)

    parcels = take(stage.session)

    assert words(parcels) == ["甲", "大厅"]
    assert [(p.topic_id, p.thread_id, p.topic_name) for p in parcels] == [(first.id, None, "甲"), (None, None, None)]


def test_a_person_in_two_communities_hears_both_bots_at_once(stage):
    """The chat id is the person's; each bot has lanes of its own."""
    other = BOT_ID + 1
    write(stage, "甲")
    write(stage, "乙", bot_id=other)

    ours = take(stage.session)
    theirs = sending.take(stage.session, other, sender=2, limit=9, rates=PLENTY)

    assert (words(ours), words(theirs)) == (["甲"], ["乙"])


# --- Budgets --------------------------------------------------------------------------------------------------------


def test_a_private_chat_gets_a_short_burst_and_then_one_a_second(stage):
    for number in range(6):
        write(stage, str(number))

    assert send_all(stage.session, rates=RATES) == ["0", "1", "2"]
    assert 0 < (sending.seconds_to_next(stage.session, BOT_ID, RATES) or 0) <= 1
    let_pass(stage.session, 1)
    assert send_all(stage.session, rates=RATES) == ["3"]
    let_pass(stage.session, 2)
    assert send_all(stage.session, rates=RATES) == ["4", "5"]


def test_a_chat_out_of_budget_holds_up_nobody_else(stage):
    for number in range(5):
        write(stage, f"甲{number}", chat_id=1)
    send_all(stage.session, rates=RATES)
    write(stage, "乙", chat_id=2)

    assert send_all(stage.session, rates=RATES) == ["乙"]


@pytest.mark.parametrize("per_minute", [1, 2, 3, 5, 18, 20])
def test_a_group_never_gets_more_than_its_minute_in_any_sixty_seconds(stage, per_minute):
    """Telegram counts every window, all topics together, and edits too."""
    rates = Rates(bot_per_second=1000, private_per_second=1, private_burst=3, group_per_minute=per_minute)
    topic_ids = [topics.open_topic(stage.session, stage.community.id, str(n)).id for n in range(3)]
    for number in range(5 * per_minute):
        write(stage, str(number), chat_id=STAFF_CHAT, topic_id=topic_ids[number % 3], act="say")
    sent_at: list[int] = []

    for second in range(0, 241, 3):
        sent_at += [second] * len(send_all(stage.session, rates=rates))
        let_pass(stage.session, 3)

    busiest = max(sum(1 for other in sent_at if start <= other < start + 60) for start in sent_at)
    assert busiest <= per_minute
    assert len(sent_at) >= 2.4 * per_minute - 2, "and what is allowed is used"


def test_topics_of_one_group_share_what_it_has_left(stage):
    """They are taken together, and the first ones may use it up."""
    rows = [
        write(stage, chat_id=STAFF_CHAT, topic_id=topics.open_topic(stage.session, stage.community.id, f"{n}").id)
        for n in range(8)
    ]

    taken = take(stage.session, rates=RATES)

    assert [parcel.id for parcel in taken] == rows[:6]  # a third of the minute at once


def test_a_bot_never_sends_more_than_its_second(stage):
    for chat_id in range(1, 61):
        write(stage, str(chat_id), chat_id=chat_id)

    assert len(take(stage.session, rates=RATES)) == 25

    let_pass(stage.session, -60)  # the machine may be slow; the budget's clock must not run meanwhile
    assert take(stage.session, rates=RATES) == []
    assert 55 < (sending.seconds_to_next(stage.session, BOT_ID, RATES) or 0) <= 60.1
    let_pass(stage.session, 60.5)
    assert 12 <= len(take(stage.session, rates=RATES)) <= 25


def test_follow_ups_leave_tokens_to_those_who_are_talking(stage):
    """A thousand call-backs may wait for the bot's budget; whoever writes meanwhile is answered at once."""
    for chat_id in range(1, 41):
        write(stage, "回访", chat_id=chat_id, kind="call_back", priority=Priority.FOLLOW_UP)
    assert len(take(stage.session, rates=RATES)) == 15
    empty_in_a_minute = text(
        "UPDATE budgets SET full_at = full_at + interval '60 s', closed_until = closed_until + interval '60 s'"
    )
    stage.session.execute(empty_in_a_minute)  # the machine may be slow; the budget's clock must not run meanwhile

    assert take(stage.session, rates=RATES) == []
    until_spare = sending.seconds_to_next(stage.session, BOT_ID, RATES) or 0
    write(stage, "答复", chat_id=99)
    assert (sending.seconds_to_next(stage.session, BOT_ID, RATES) or 0) <= until_spare - (10 + sending.HANDFUL - 1) / 25
    let_pass(stage.session, 61)
    assert words(take(stage.session, rates=RATES)) == ["答复", *["回访"] * 14]


def test_a_bot_with_a_small_budget_sends_follow_ups_too(stage):
    """A token that is kept back must not be the only one there is."""
    write(stage, "回访", kind="call_back", priority=Priority.FOLLOW_UP)

    slow = replace(RATES, bot_per_second=0.5)
    assert send_all(stage.session, rates=slow) == ["回访"]

    write(stage, "再访", chat_id=99, kind="call_back", priority=Priority.FOLLOW_UP)
    assert (sending.seconds_to_next(stage.session, BOT_ID, slow) or 0) <= 2, (
        "a handful would be more than it can save up"
    )


def test_a_row_that_is_dropped_costs_no_budget(stage):
    talk = stage.resident()
    talk.epoch = 1
    for number in range(3):
        conversations.tell(stage.session, talk, line(str(number)), now=NOON, key=f"k:{number}", epoch=0)
    for number in range(3):
        conversations.to_resident(stage.session, talk, "say", {"text": f"管家{number}"}, key=f"r:{number}")

    told = send_all(stage.session, rates=RATES)

    assert told == ["管家0", "管家1", "管家2"], "all three are one burst"


def test_a_429_closes_the_chat_and_only_that(stage):
    """Real limits are unpublished: obey `retry_after`."""
    write(stage, "一", chat_id=1)
    write(stage, "二", chat_id=2)
    first, second = take(stage.session)

    sending.close_chat(stage.session, BOT_ID, 1, seconds=35)
    sending.again(stage.session, first, reason="RetryAfter", wait=35)
    sending.sent(stage.session, second, message_id=1)
    write(stage, "119", chat_id=1, priority=Priority.EMERGENCY)
    write(stage, "三", chat_id=2)

    assert send_all(stage.session) == ["三"]
    assert 30 < (sending.seconds_to_next(stage.session, BOT_ID, RATES) or 0) <= 35
    let_pass(stage.session, 36)
    assert send_all(stage.session) == ["119", "一"]


def test_a_429_is_never_shortened(stage):
    sending.close_chat(stage.session, BOT_ID, 1, seconds=60)
    sending.close_chat(stage.session, BOT_ID, 1, seconds=3)
    write(stage, chat_id=1)

    assert (sending.seconds_to_next(stage.session, BOT_ID, RATES) or 0) > 55


# --- Owner and epoch ------------------------------------------------------------------------------------------------


def line(said: str) -> Any:
    return Line(said)


def test_a_bots_line_born_before_a_takeover_is_dropped_with_its_reason(stage):
    talk = stage.resident()
    late = conversations.tell(stage.session, talk, line("迟到的回答"), now=NOON, key="late")
    stage.take_over(talk)

    assert "迟到的回答" not in send_all(stage.session)
    assert state(stage, late) == (OutboxState.DROPPED, "a butler has taken over")


def test_a_bots_line_born_before_a_takeover_stays_dropped_after_the_hand_back(stage):
    """Its moment has passed: the butler has answered meanwhile."""
    talk = stage.resident()
    conversations.tell(stage.session, talk, line("迟到的回答"), now=NOON, key="late")
    butler = stage.take_over(talk)
    takeover.hand_back(stage.session, talk, butler, source="done", now=NOON)

    assert "迟到的回答" not in send_all(stage.session)


def test_a_butlers_line_has_no_epoch_and_always_goes_out(stage):
    talk = stage.resident()
    butler = stage.take_over(talk)
    conversations.to_resident(stage.session, talk, "say", {"text": "马上到"}, key="relay")
    takeover.hand_back(stage.session, talk, butler, source="done", now=NOON)

    assert "马上到" in send_all(stage.session)


def test_a_takeover_that_is_being_committed_is_waited_for(sessions: Sessions):
    """The sender reads the epoch of the takeover, not the one before it."""
    with sessions.begin() as session:
        stage = Stage(session)
        talk = stage.resident()
        member = stage.member()
        conversations.tell(session, talk, line("迟到的回答"), now=NOON, key="late")
    claiming = sessions()
    taken = conversations.access_as_staff(claiming, member, talk.id)
    takeover.claim(claiming, taken, member, source="claim", now=NOON)

    def send() -> list[str]:
        with sessions.begin() as session:
            return words(take(session))

    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(send)
        waits = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        with sessions.begin() as watching:
            while not watching.scalar(text(waits)) and not sending.done():
                pass
        claiming.commit()
        claiming.close()

        assert "迟到的回答" not in sending.result(20)


# --- What is known of the delivery ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("delivery", "expected"),
    [
        (Delivery.RETRY, OutboxState.PENDING),
        (Delivery.AT_LEAST_ONCE, OutboxState.PENDING),
        (Delivery.AT_MOST_ONCE, OutboxState.UNCONFIRMED),
    ],
)
def test_an_uncertain_delivery_ends_as_its_class_says(stage, delivery, expected):
    row = write(stage, delivery=delivery)
    [parcel] = take(stage.session)

    sending.uncertain(stage.session, parcel, reason="read timeout")

    assert state(stage, row) == (expected, "read timeout")


@pytest.mark.parametrize("delivery", list(Delivery))
def test_what_certainly_did_not_arrive_is_sent_again_whatever_it_is(stage, delivery):
    write(stage, delivery=delivery)
    [parcel] = take(stage.session)

    sending.again(stage.session, parcel, reason="connection refused")

    let_pass(stage.session, 60)
    assert send_all(stage.session) == ["您好"]


def test_each_attempt_waits_longer_up_to_a_minute(stage):
    write(stage)
    waits = []

    for _ in range(10):
        [parcel] = take(stage.session)
        sending.again(stage.session, parcel, reason="connection refused")
        waits.append(sending.seconds_to_next(stage.session, BOT_ID, RATES) or 0)
        let_pass(stage.session, 61)

    assert [round(wait) for wait in waits] == [0, 1, 2, 4, 8, 16, 32, 60, 60, 60]


@pytest.mark.parametrize(
    ("settle", "expected"), [(sending.dropped, OutboxState.DROPPED), (sending.dead, OutboxState.DEAD)]
)
def test_what_is_never_sent_says_why_and_lets_the_next_line_go(stage, settle, expected):
    row = write(stage, "一")
    write(stage, "二")
    [parcel] = take(stage.session)

    settle(stage.session, parcel, reason="因为")

    assert state(stage, row) == (expected, "因为")
    assert send_all(stage.session) == ["二"]


def test_a_dead_row_is_sent_again_when_a_person_says_so(stage):
    row = write(stage)
    [parcel] = take(stage.session)
    sending.dead(stage.session, parcel, reason="BadRequest")

    assert [one.id for one in outbox.dead_rows(stage.session, BOT_ID)] == [row]
    assert not outbox.revive(stage.session, BOT_ID + 1, row)
    assert outbox.revive(stage.session, BOT_ID, row)
    assert not outbox.revive(stage.session, BOT_ID, row), "it is not dead any more"
    assert send_all(stage.session) == ["您好"]


def test_who_no_longer_holds_a_row_cannot_settle_it(stage):
    """The sender was thought dead and another sent it: the late answer of the first changes nothing."""
    row = write(stage)
    [slow] = take(stage.session)
    stage.session.execute(text("UPDATE outbox SET state = 'pending'"))
    [quick] = take(stage.session)
    sending.sent(stage.session, quick, message_id=5)

    sending.dead(stage.session, slow, reason="late")

    assert state(stage, row) == (OutboxState.SENT, None)
    assert stage.session.get_one(OutboxRow, row).message_id == 5


@pytest.mark.parametrize(
    ("delivery", "expected"),
    [
        (Delivery.RETRY, OutboxState.PENDING),
        (Delivery.AT_LEAST_ONCE, OutboxState.PENDING),
        (Delivery.AT_MOST_ONCE, OutboxState.UNCONFIRMED),
    ],
)
def test_what_a_dead_sender_left_in_flight_is_uncertain(sessions: Sessions, database_url, delivery, expected):
    sender = secrets.randbits(62)
    living = create_engine(database_url.replace("postgresql://", "postgresql+psycopg://"))
    with living.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:number)"), {"number": sender})
        with sessions.begin() as session:
            row = write(Stage(session), delivery=delivery)
            take(session, sender=sender)

        with sessions.begin() as session:
            sending.free_orphans(session)
            assert session.get_one(OutboxRow, row).state is OutboxState.SENDING, "it lives"
    living.dispose()

    with sessions.begin() as session:
        session.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": sender})  # the server has noticed
    with sessions.begin() as session:
        sending.free_orphans(session)
        assert session.get_one(OutboxRow, row).state is expected


def test_of_what_a_living_sender_holds_only_what_it_does_not_know_of_is_freed(stage):
    """Its database died between the commit and the answer: the sender never heard what it had taken."""
    known, unknown = write(stage, chat_id=1), write(stage, chat_id=2)
    leases = {parcel.id: parcel.lease for parcel in take(stage.session, sender=7)}

    sending.free_unknown(stage.session, 7, in_hand=[leases[known]])

    stage.session.expire_all()
    assert stage.session.get_one(OutboxRow, known).state is OutboxState.SENDING
    assert stage.session.get_one(OutboxRow, unknown).state is OutboxState.PENDING


# --- Edits ----------------------------------------------------------------------------------------------------------


def test_an_edit_finds_the_message_that_its_row_became(stage):
    target = write(stage, "旧")
    write(stage, "新", act="edit", edits_id=target, priority=Priority.CARD)
    [first] = take(stage.session)
    sending.sent(stage.session, first, message_id=4711)

    [edit] = take(stage.session)

    assert (edit.act, edit.edits_id, edit.edits_message) == ("edit", target, 4711)


def test_an_edit_of_what_never_arrived_knows_no_message(stage):
    target = write(stage, "旧")
    write(stage, "新", act="edit", edits_id=target, priority=Priority.CARD)
    [first] = take(stage.session)
    sending.dead(stage.session, first, reason="BadRequest")

    [edit] = take(stage.session)

    assert edit.edits_message is None


# --- Many senders ---------------------------------------------------------------------------------------------------


def test_senders_side_by_side_never_take_the_same_row(sessions: Sessions):
    """Any number of sender processes may run."""
    chats, lines = 8, 5
    with sessions.begin() as session:
        stage = Stage(session)
        for number in range(chats * lines):
            write(stage, str(number), chat_id=1 + number % chats)
    start = Barrier(4)

    def send(sender: int) -> list[int]:
        start.wait()
        gone = []
        for _ in range(1000):
            with sessions.begin() as session:
                parcels = take(session, sender=sender, limit=3)
                if not parcels and sending.seconds_to_next(session, BOT_ID, RATES) is None:
                    break
            for parcel in parcels:
                with sessions.begin() as session:
                    sending.sent(session, parcel, message_id=parcel.id)
                gone.append(parcel.id)
        return gone

    with ThreadPoolExecutor(4) as pool:
        gone = Counter(one for each in pool.map(send, range(1, 5)) for one in each)

    assert len(gone) == chats * lines
    assert set(gone.values()) == {1}
    with sessions.begin() as session:
        assert {row.attempts for row in session.query(OutboxRow)} == {1}


# --- Long lines -----------------------------------------------------------------------------------------------------


def test_a_line_too_long_for_one_message_is_several_with_its_keys_below_the_last(stage):
    """Nothing is cut; the answer stands above the first."""
    words = "这是一句话。" * 1000
    payload = {"text": words, "buttons": [{"title": "好", "data": "x"}], "reply": {"message_id": 3}}

    first = write(stage, payload=payload, key="long")

    pages = stage.outbox()
    assert "".join(page.payload["text"] for page in pages) == words
    assert [sorted(page.payload) for page in pages] == [["reply", "text"], ["buttons", "text"]]
    assert (first, pages[0].key, pages[1].key) == (pages[0].id, "long", "long:page:2")
    assert write(stage, payload=payload, key="long") is None


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("a" * 3000 + "\n\n" + "b" * 3000, "a" * 3000),
        ("a" * 3000 + "\n" + "b" * 3000, "a" * 3000),
        ("a" * 3000 + ". " + "b" * 3000, "a" * 3000 + "."),
        ("a" * 5000, "a" * 4096),
        ("😀" * 3000, "😀" * 2048),
        ("短", "短"),
        ("", ""),
    ],
)
def test_pages_end_where_a_reader_would_pause(words, first):
    """Between paragraphs, lines, sentences; a character is never cut in two, and counts as Telegram counts it."""
    found = pages.pages(words)

    assert found[0] == first
    assert all(pages.units(page) <= 4096 for page in found)


# --- A group's few events -------------------------------------------------------------------------------------------


def card_edit(stage: Stage, card: int, words: str) -> int:
    """The card is to show something else."""
    facts = {"kind": "card", "act": "edit", "edits_id": card, "priority": Priority.CARD, "delivery": Delivery.RETRY}
    row_id: int = write(stage, words, chat_id=STAFF_CHAT, **facts)
    return row_id


def test_a_card_that_changes_again_and_again_is_edited_once(stage):
    """Accepted, on the way, on site: three taps within a second are one of the group's events."""
    card = write(stage, "工单", chat_id=STAFF_CHAT, kind="work_order")
    send_all(stage.session)

    first, second, third = (card_edit(stage, card, words) for words in ("已接单", "已出发", "已到达"))
    assert send_all(stage.session) == [], "more may follow"
    let_pass(stage.session, outbox.EDITS_REST)

    assert send_all(stage.session) == ["已到达"]
    assert state(stage, first) == state(stage, second) == (OutboxState.DROPPED, outbox.OVERTAKEN)
    assert state(stage, third) == (OutboxState.SENT, None)


def test_an_edit_that_is_written_again_overtakes_nothing(stage):
    """It would take the place of the very row that says the same."""
    card = write(stage, chat_id=STAFF_CHAT)
    facts = {"chat_id": STAFF_CHAT, "act": "edit", "edits_id": card, "key": "plain:1"}
    first = write(stage, "一", **facts)

    assert write(stage, "一", **facts) is None

    assert state(stage, first) == (OutboxState.PENDING, None)


def test_a_card_that_never_stops_changing_is_shown_all_the_same(stage):
    """The newest state is due when the first change was, so nothing is put off for ever."""
    card = write(stage, "工单", chat_id=STAFF_CHAT, kind="work_order")
    send_all(stage.session)

    shown = []
    for number in range(12):
        card_edit(stage, card, f"第{number}次")
        let_pass(stage.session, outbox.EDITS_REST / 4)
        shown += send_all(stage.session)

    assert shown == ["第3次", "第7次", "第11次"]


def test_edits_of_two_cards_do_not_overtake_each_other(stage):
    cards = [write(stage, words, chat_id=STAFF_CHAT) for words in ("甲", "乙")]
    send_all(stage.session)
    for card, words in zip(cards, ("甲改", "乙改"), strict=True):
        card_edit(stage, card, words)

    let_pass(stage.session, outbox.EDITS_REST)

    assert send_all(stage.session) == ["甲改", "乙改"]


def test_what_residents_say_goes_before_work_orders_and_these_before_cosmetics(stage):
    """When the minute is spent, the next token belongs to whoever waits for a person."""
    card = write(stage, "旧工单", chat_id=STAFF_CHAT)
    send_all(stage.session)
    card_edit(stage, card, "美化")
    topics_of_theirs = [topics.open_topic(stage.session, stage.community.id, name).id for name in ("工程部", "王女士")]
    stage.session.execute(text("UPDATE topics SET thread_id = id"))
    order, talk = topics_of_theirs
    write(stage, "新工单", chat_id=STAFF_CHAT, topic_id=order, kind="work_order", priority=Priority.WORK_ORDER)
    write(stage, "漏水了", chat_id=STAFF_CHAT, topic_id=talk, kind="relay", priority=Priority.TALK)
    let_pass(stage.session, outbox.EDITS_REST)

    assert send_all(stage.session, rates=RATES) == ["漏水了", "新工单", "美化"]


def test_an_album_pays_for_every_picture(stage):
    """It goes as one, but Telegram counts its parts: what comes next waits for all of them."""
    payload = {"from_chat_id": 7, "message_ids": [1, 2, 3, 4, 5], "text": ""}
    write(stage, chat_id=STAFF_CHAT, act="copy", payload=payload)
    write(stage, "一", chat_id=STAFF_CHAT)
    write(stage, "二", chat_id=STAFF_CHAT)

    assert len(send_all(stage.session, rates=RATES)) == 2, "five pictures and a line are the six that go at once"


# --- Changes --------------------------------------------------------------------------------------------------------


def test_a_newer_change_overtakes_what_waits_to_do_the_same(stage):
    """Of five positions only the last matters; it does not wait longer than the first would have."""
    first = write(stage, act="move", payload={"on": {"twin": 1}})
    other = write(stage, act="move", payload={"on": {"twin": 2}})
    outbox.delay(stage.session, first, seconds=5)

    wait = outbox.overtake(stage.session, act="move", on={"twin": 1}, after=20)

    stage.session.expire_all()
    states = {row.id: row.state for row in stage.outbox()}
    assert (states[first], states[other]) == (OutboxState.DROPPED, OutboxState.PENDING)
    assert 3 < wait <= 5
    assert outbox.overtake(stage.session, act="move", on={"twin": 1}, after=20) == 20


def test_what_has_gone_out_cannot_be_withdrawn(stage):
    """Then it has to be deleted, which is another matter."""
    row = write(stage)
    later = write(stage)
    take(stage.session, limit=1)

    assert not outbox.withdraw(stage.session, row, reason="taken back")
    assert outbox.withdraw(stage.session, later, reason="taken back")
    assert outbox.never_goes(stage.session, later)


def test_of_a_long_queue_that_waits_for_the_bot_one_row_is_read(stage, monkeypatch):
    """After every few messages the sender asks how long to wait; a backlog must not make that question long."""
    for chat_id in range(1, 40):
        write(stage, chat_id=chat_id)
    take(stage.session, rates=RATES)
    stage.session.flush()

    facts = {"bot_id": BOT_ID, "bot_key": f"bot:{BOT_ID}"}
    stage.session.execute(text("SET LOCAL enable_sort = off"))  # of forty rows it would sort all
    asked = text(f"EXPLAIN (ANALYZE, COSTS OFF) {sending._FIRST.text}")
    plan = "\n".join(stage.session.execute(asked, facts).scalars())
    assert re.findall(r'outbox_due on outbox "?row"?.* rows=([\d.]+) ', plan) == ["1.00"], plan
    monkeypatch.setattr(sending, "_LATER", None)  # it reads them all, and is not asked
    assert 0 <= (sending.seconds_to_next(stage.session, BOT_ID, RATES) or 0) <= 0.1
