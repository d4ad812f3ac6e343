"""getUpdates: ids, confirmation, expiry, and who may poll."""

import asyncio

from tests.sandbox.client import Client

DAY = 24 * 3600


async def test_updates_come_again_until_an_offset_confirms_them(world: Client):
    user = await world.make_resident()
    await world.say(user, "一")
    await world.say(user, "二")

    first = await world.bot("getUpdates")
    again = await world.bot("getUpdates")
    rest = await world.bot("getUpdates", offset=first[0]["update_id"] + 1)

    assert first == again
    assert [update["message"]["text"] for update in rest] == ["二"]


async def test_update_ids_are_sequential(world: Client):
    user = await world.make_resident()
    for number in range(5):
        await world.say(user, str(number))

    ids = [update["update_id"] for update in await world.updates()]

    assert ids == list(range(ids[0], ids[0] + 5))


async def test_a_limit_bounds_the_batch(world: Client):
    user = await world.make_resident()
    for number in range(3):
        await world.say(user, str(number))

    assert len(await world.bot("getUpdates", limit=2)) == 2


async def test_a_negative_offset_keeps_only_the_last_updates(world: Client):
    user = await world.make_resident()
    for number in range(4):
        await world.say(user, str(number))

    last = await world.bot("getUpdates", offset=-1)

    assert [update["message"]["text"] for update in last] == ["3"]
    assert await world.bot("getUpdates") == last


async def test_a_long_poll_ends_when_something_arrives(world: Client):
    user = await world.make_resident()
    poll = asyncio.create_task(world.bot("getUpdates", timeout=20))

    await world.say(user, "你好")

    async with asyncio.timeout(5):
        assert [update["message"]["text"] for update in await poll] == ["你好"]


async def test_a_second_poller_ends_the_first_with_a_conflict(world: Client):
    user = await world.make_resident()
    first = asyncio.create_task(world.refusal("getUpdates", timeout=20))
    while not any(line["method"] == "getUpdates" and line["ok"] is None for line in await world.get("/requests")):
        pass

    second = asyncio.create_task(world.bot("getUpdates", timeout=20))

    refused = await first
    assert refused.code == 409
    assert refused.description.startswith("Conflict: terminated by other getUpdates request")
    await world.say(user, "还在")
    assert len(await second) == 1


async def test_an_update_expires_after_a_day(world: Client):
    user = await world.make_resident()
    await world.say(user, "旧")
    await world.post("/clock", advance=DAY - 10)
    await world.say(user, "新")
    await world.post("/clock", advance=11)

    assert [update["message"]["text"] for update in await world.updates()] == ["新"]


async def test_reactions_come_only_to_a_bot_that_named_them(world: Client):
    user = await world.make_resident()
    sent = await world.bot("sendMessage", chat_id=user, text="好了")
    reaction = {"from_": user, "chat_id": user, "message_id": sent["message_id"], "emoji": ["👍"]}

    await world.post("/reactions", **reaction)
    unasked = await world.updates(allowed_updates=["message", "message_reaction"])
    await world.post("/reactions", **(reaction | {"emoji": ["🔥"]}))
    asked = await world.updates()

    assert unasked == []
    assert asked[0]["message_reaction"]["old_reaction"] == [{"type": "emoji", "emoji": "👍"}]
    assert asked[0]["message_reaction"]["new_reaction"] == [{"type": "emoji", "emoji": "🔥"}]


async def test_allowed_updates_stick_until_they_are_named_again(world: Client):
    user = await world.make_resident()
    await world.updates(allowed_updates=["callback_query"])
    await world.say(user, "不听")
    await world.updates()
    await world.updates(allowed_updates=[])
    await world.say(user, "听")

    assert [update["message"]["text"] for update in await world.updates()] == ["听"]


async def test_members_are_told_of_only_when_asked_for(world: Client):
    user, group = await world.make_user(), await world.make_group()
    await world.updates(allowed_updates=["chat_member"])

    await world.post(f"/groups/{group}/members", user_id=user, status="member")

    (update,) = await world.updates()
    assert update["chat_member"]["new_chat_member"]["status"] == "member"


async def test_an_unknown_token_is_unauthorized(world: Client):
    refused = await world.refusal("getMe", token="1:NOBODY")

    assert (refused.code, refused.description) == (401, "Unauthorized")


async def test_an_unknown_method_is_not_found(world: Client):
    refused = await world.refusal("sendTelepathy")

    assert (refused.code, refused.description) == (404, "Not Found: method not found")


async def test_polling_is_a_conflict_while_a_webhook_is_set(world: Client):
    await world.bot("setWebhook", url="http://127.0.0.1:9/hook")

    refused = await world.refusal("getUpdates")

    assert refused.code == 409
    assert "can't use getUpdates method while webhook is active" in refused.description


async def test_the_log_of_updates_says_what_was_confirmed(world: Client):
    user = await world.make_resident()
    await world.say(user, "还没")

    *_, read, unread = await world.get("/updates")

    assert read["confirmed"] is True
    assert unread["confirmed"] is False
    assert unread["update"]["message"]["text"] == "还没"
