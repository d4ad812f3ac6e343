"""Telegram in trouble: what happens to a message depends on its kind and on what is known of it."""

import pytest

from tests.faults.harness import Stack
from tests.faults.people import Person, buttons, resident, text_of

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def same(person: Person, words: str) -> int:
    """How often a person reads a message with these words."""
    return sum(words in line for line in await person.hears())


async def test_after_a_429_the_chat_waits_as_long_as_telegram_says_and_others_do_not(stack: Stack, wang: Person):
    """Whoever tries again sooner is shut out for longer."""
    other = await resident(stack)
    before = await stack.newest_call()

    async with stack.fault("error_429", method="sendMessage", chat_id=wang.id, count=1, retry_after=2):
        await wang.says("/help")
        await other.says("/help")
        await wang.sees("119")

    refused, taken = await stack.calls("sendMessage", chat_id=wang.id, after=before)
    served = (await stack.calls("sendMessage", chat_id=other.id, after=before))[0]
    assert taken["at"] - refused["at"] >= 2
    assert served["at"] < taken["at"]


async def test_who_has_blocked_the_bot_is_reported_to_staff_once_and_is_back_with_the_first_word(
    stack: Stack, wang: Person, li: Person
):
    """Staff would wait for an answer that cannot come."""
    async with stack.fault("error_403", method="sendMessage", chat_id=wang.id, count=2) as fault:
        await wang.says("/help")
        await li.sees("停用了机器人", topic=wang.name)
        await wang.says("/help")
        await stack.until_struck(fault)

    await li.sees("停用了机器人", topic=wang.name)  # the second block is a new one: they had written in between
    await wang.says("/help")
    assert "119" in text_of(await wang.sees("119"))


async def test_a_reply_survives_a_gateway_that_fails_and_a_connection_that_breaks_before_it_arrives(
    stack: Stack, wang: Person
):
    """Nothing was taken, so nothing is doubled."""
    async with stack.fault("error_5xx", method="sendMessage", chat_id=wang.id, count=2):
        await wang.says("/help")
        await wang.sees("119")
    async with stack.fault("reset_before", method="sendMessage", chat_id=wang.id, count=1):
        await wang.says("/cases")
        await wang.sees("工单")

    assert await same(wang, "119") == 1


@pytest.mark.parametrize("trouble", [{"kind": "reset_after"}, {"kind": "hang", "seconds": 6}])
async def test_a_reply_nobody_can_vouch_for_is_sent_again(stack: Stack, wang: Person, trouble: dict[str, object]):
    """Better twice than never."""
    async with stack.fault(**trouble, method="sendMessage", chat_id=wang.id, count=1):  # type: ignore[arg-type]
        await wang.says("/help")
        await wang.sees("119")
        await stack.settled()

    assert await same(wang, "119") == 2


@pytest.mark.parametrize(("title", "times"), [("已经送到", 1), ("再发一次", 2)])
async def test_a_work_order_nobody_can_vouch_for_is_never_doubled_but_shown_to_staff(
    stack: Stack, wang: Person, li: Person, title: str, times: int
):
    """Two work orders are two visits; only a person can know."""
    await li.sees(stack.open_case(wang.id, f"水管{title}前"), topic="工程")
    async with stack.fault("reset_after", method="sendMessage", chat_id=stack.group, count=1):
        number = stack.open_case(wang.id, f"水管{title}")
        asked = await li.sees("不确定", number, topic="General")
    assert {"再发一次", "已经送到"} <= set(buttons(asked))

    await li.taps(title, topic="General")
    await stack.until_row(
        "SELECT id FROM outbox WHERE kind = 'work_order' AND state = 'sent' AND payload->>'text' LIKE :number",
        number=f"%{number}%",
    )

    assert sum(number in line for line in await li.hears(topic="工程")) == times


async def test_a_work_order_in_flight_when_the_sender_dies_is_shown_to_staff(stack: Stack, wang: Person, li: Person):
    """A crash between the call and its record is the same doubt."""
    await li.sees(stack.open_case(wang.id, "灯坏了"), topic="工程")
    async with stack.fault("hang", method="sendMessage", chat_id=stack.group, count=1, seconds=30):
        number = stack.open_case(wang.id, "门坏了")
        await stack.until_row("SELECT 1 FROM outbox WHERE kind = 'work_order' AND state = 'sending'")
        stack.kill("sender")

    await li.sees("不确定", number, topic="General")
    await li.taps("已经送到", topic="General")
    assert sum(number in line for line in await li.hears(topic="工程")) == 1


async def test_a_deleted_topic_is_made_again_with_the_card_before_what_was_said(stack: Stack, wang: Person, li: Person):
    """Telegram tells nobody that a topic is gone."""
    await wang.says("我家着火了快来人")
    card = await li.sees("👤", topic=wang.name)
    await stack.settled()
    await stack.delete(f"topics/{stack.group}/{card['message_thread_id']}")

    await wang.says("火已经灭了，人没事。")

    again = await li.sees("火已经灭了", topic=wang.name)
    assert again["message_thread_id"] != card["message_thread_id"]
    lines = await li.hears(topic=wang.name)
    assert next(line for line in lines if line).startswith("👤")


async def test_a_topic_whose_making_nobody_could_vouch_for_is_not_made_twice(stack: Stack, wang: Person, li: Person):
    """Telegram reports the new topic by itself."""
    async with stack.fault("reset_after", method="createForumTopic", count=1):
        await wang.says("有人晕倒了快来")
        await li.sees("👤", topic=wang.name)

    topics = next(chat for chat in await stack.get("chats") if chat["id"] == stack.group)["topics"]
    assert sum(wang.name in topic["name"] for topic in topics) == 1


async def test_a_group_that_has_moved_is_followed_both_ways(stack: Stack, wang: Person, li: Person):
    """Telegram gives a group another id when it grows."""
    await wang.says("我家着火了快来人")
    await li.sees("👤", topic=wang.name)
    await stack.settled()
    moved = await stack.post(f"groups/{stack.group}/migrate")
    stack.moved_to(moved["id"])

    await wang.says("火已经灭了。")
    await li.sees("火已经灭了", topic=wang.name)
    await li.says("好的，我们还是来看看。", topic=wang.name)

    assert "看看" in text_of(await wang.sees("看看"))
