"""Flood limits, on real time."""

import asyncio

import pytest

from tests.sandbox.client import Client, Refused

BURST = 5
GROUP_BUDGET = 20


async def send_until_refused(world: Client, method: str = "sendMessage", **params) -> tuple[int, Refused]:
    """How many went through before the first 429."""
    for sent in range(100):
        try:
            await world.bot(method, **params)
        except Refused as refused:
            return sent, refused
    pytest.fail("never refused")


async def test_a_group_takes_twenty_messages_a_minute_over_all_its_topics(world: Client):
    user = await world.make_user()
    group = await world.make_group(user)
    first, second = await world.make_topic(group, "一"), await world.make_topic(group, "二")
    for number in range(8):
        await world.bot("sendMessage", chat_id=group, message_thread_id=first, text=f"{number}")
        await world.bot("sendMessage", chat_id=group, message_thread_id=second, text=f"{number}")

    sent, refused = await send_until_refused(world, chat_id=group, text="x")

    assert sent == GROUP_BUDGET - 2 - 16
    assert refused.code == 429
    assert 50 <= refused.parameters["retry_after"] <= 60
    assert refused.description == f"Too Many Requests: retry after {refused.parameters['retry_after']}"


async def test_edits_and_topics_share_the_budget_of_the_group(world: Client):
    group = await world.make_group(await world.make_user())
    card = await world.bot("sendMessage", chat_id=group, text="0")
    for number in range(1, 10):
        await world.bot("editMessageText", chat_id=group, message_id=card["message_id"], text=f"{number}")

    topics, _ = await send_until_refused(world, "createForumTopic", chat_id=group, name="户")

    assert topics == GROUP_BUDGET - 10


async def test_every_picture_of_an_album_counts(world: Client):
    group = await world.make_group(await world.make_user())
    album = [{"type": "photo", "media": f"https://example.org/{number}.jpg"} for number in range(10)]

    sent, _ = await send_until_refused(world, "sendMediaGroup", chat_id=group, media=album)

    assert sent == 2


async def test_a_private_chat_takes_a_short_burst_and_then_one_a_second(world: Client):
    user = await world.make_resident()

    sent, refused = await send_until_refused(world, chat_id=user, text="x")

    assert sent == BURST
    assert refused.parameters == {"retry_after": 1}


async def test_another_chat_is_not_touched_by_a_full_one(world: Client):
    one, other = await world.make_resident(), await world.make_resident("韩梅梅")
    await send_until_refused(world, chat_id=one, text="x")

    assert await world.bot("sendMessage", chat_id=other, text="y")


async def test_the_budget_of_the_whole_bot_is_shared_by_all_chats(world: Client):
    users = [await world.make_resident(f"住户{number}") for number in range(4)]
    await world.post("/limits", per_bot={"burst": 6, "per_second": 0.1})
    for user in users[:3] * 2:
        await world.bot("sendMessage", chat_id=user, text="x")

    refused = await world.refusal("sendMessage", chat_id=users[3], text="x")

    assert refused.code == 429
    assert refused.parameters["retry_after"] > 5


async def test_a_budget_fills_again_with_real_time_not_with_the_simulated_clock(world: Client):
    user = await world.make_resident()
    await world.post("/limits", per_chat={"burst": 1, "per_second": 0.01})
    await world.bot("sendMessage", chat_id=user, text="x")
    await world.post("/clock", advance=3600)

    assert (await world.refusal("sendMessage", chat_id=user, text="x")).code == 429


async def test_a_window_opens_again_when_its_time_has_passed(world: Client):
    """However fast this machine asks, and however slowly."""
    group = await world.make_group(await world.make_user())
    await world.post("/limits", per_group={"count": 1, "seconds": 0.1})
    await world.bot("sendMessage", chat_id=group, text="x")

    async def sent() -> bool:
        try:
            return bool(await world.bot("sendMessage", chat_id=group, text="x"))
        except Refused:
            return False

    async with asyncio.timeout(5):
        while not (again := await sent()):
            pass

    assert again


async def test_limits_can_be_switched_off(world: Client):
    user = await world.make_resident()
    await world.unlimited()

    for number in range(60):
        assert await world.bot("sendMessage", chat_id=user, text=f"{number}")


async def test_one_limit_can_be_switched_off_alone(world: Client):
    user = await world.make_resident()
    await world.post("/limits", per_chat=None)

    sent, _ = await send_until_refused(world, chat_id=user, text="x")

    assert sent >= 30


async def test_a_refused_send_takes_nothing_from_the_budget_and_shows_nothing(world: Client):
    user = await world.make_resident()
    await send_until_refused(world, chat_id=user, text="x")

    shown = await world.seen(user)

    assert len(shown) == 1 + BURST
