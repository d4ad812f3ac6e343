"""Trouble on demand."""

import asyncio
import time

import aiohttp
import pytest

from tests.sandbox.client import Client


async def texts(world: Client, chat: int) -> list[str]:
    return [message["text"] for message in await world.seen(chat)]


async def test_a_reset_before_loses_the_message(world: Client):
    user = await world.make_resident()
    await world.post("/faults", kind="reset_before", method="sendMessage", count=1)

    with pytest.raises(aiohttp.ClientOSError):
        await world.bot("sendMessage", chat_id=user, text="没到")

    assert await texts(world, user) == ["/start"]


async def test_a_reset_after_delivers_the_message_all_the_same(world: Client):
    """The case that makes a retry a duplicate."""
    user = await world.make_resident()
    await world.post("/faults", kind="reset_after", method="send*", count=1)

    with pytest.raises(aiohttp.ClientOSError):
        await world.bot("sendMessage", chat_id=user, text="到了")

    assert await texts(world, user) == ["/start", "到了"]


async def test_a_hang_takes_the_message_and_never_answers(world: Client):
    user = await world.make_resident()
    await world.post("/faults", kind="hang", method="sendMessage", seconds=30)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await world.bot("sendMessage", chat_id=user, text="到了")

    assert await texts(world, user) == ["/start", "到了"]


async def test_a_hang_can_leave_the_message_untaken(world: Client):
    user = await world.make_resident()
    await world.post("/faults", kind="hang", method="sendMessage", seconds=0.05, take=False)

    with pytest.raises(aiohttp.ClientOSError):
        await world.bot("sendMessage", chat_id=user, text="没到")

    assert await texts(world, user) == ["/start"]


async def test_latency_delays_and_then_answers(world: Client):
    user = await world.make_resident()
    await world.post("/faults", kind="latency", seconds=0.2, method="sendMessage")
    begun = time.monotonic()

    assert await world.bot("sendMessage", chat_id=user, text="慢")

    assert time.monotonic() - begun >= 0.2


async def test_too_many_requests_name_the_wait(world: Client):
    user = await world.make_resident()
    await world.post("/faults", kind="error_429", retry_after=7, count=1)

    refused = await world.refusal("sendMessage", chat_id=user, text="x")

    assert (refused.code, refused.parameters) == (429, {"retry_after": 7})


async def test_a_forbidden_looks_like_a_block(world: Client):
    user = await world.make_resident()
    await world.post("/faults", kind="error_403", count=1)

    refused = await world.refusal("sendMessage", chat_id=user, text="x")

    assert refused.description == "Forbidden: bot was blocked by the user"


async def test_a_bad_gateway_answers_with_a_page(world: Client):
    await world.post("/faults", kind="error_5xx", count=1)

    async with world.http.post(world.url("getMe")) as answer:
        assert answer.status == 502
        assert answer.content_type == "text/html"
        assert "502 Bad Gateway" in await answer.text()


async def test_an_internal_error_answers_with_json(world: Client):
    await world.post("/faults", kind="error_5xx", code=500, count=1)

    refused = await world.refusal("getMe")

    assert (refused.code, refused.description) == (500, "Internal Server Error")


async def test_a_fault_for_one_chat_spares_the_others(world: Client):
    one, other = await world.make_resident(), await world.make_resident("韩梅梅")
    await world.post("/faults", kind="error_403", chat_id=one)

    assert (await world.refusal("sendMessage", chat_id=one, text="x")).code == 403
    assert await world.bot("sendMessage", chat_id=other, text="y")


async def test_a_count_is_used_up_and_the_fault_goes(world: Client):
    await world.post("/faults", kind="error_5xx", code=500, count=2)

    for _ in range(2):
        await world.refusal("getMe")

    assert await world.bot("getMe")
    assert (await world.get("/faults"))["active"] == []


async def test_a_probability_with_a_seed_strikes_the_same_requests_again(world: Client):
    async def pattern() -> list[bool]:
        await world.sim("DELETE", "/faults")
        await world.post("/faults", kind="error_5xx", probability=0.5, seed=7)
        struck = []
        for _ in range(20):
            async with world.http.post(world.url("getMe")) as answer:
                struck.append(answer.status == 502)
        return struck

    first = await pattern()

    assert first == await pattern()
    assert {True, False} == set(first)


async def test_faults_can_be_lifted(world: Client):
    await world.post("/faults", kind="error_403")
    await world.sim("DELETE", "/faults")

    assert await world.bot("getMe")


async def test_an_unknown_kind_is_refused(world: Client):
    refusal = await world.sim("POST", "/faults", {"kind": "earthquake"}, status=400)

    assert "reset_before" in refusal["detail"]


async def test_duplicates_deliver_every_update_twice(world: Client):
    user = await world.make_resident()
    await world.post("/faults", kind="duplicate_updates")
    await world.say(user, "一")
    await world.say(user, "二")

    ids = [update["update_id"] for update in await world.bot("getUpdates")]

    assert ids == [ids[0], ids[0], ids[0] + 1, ids[0] + 1]


async def test_reordering_between_lanes_keeps_the_order_inside_each(world: Client):
    users = [await world.make_resident(f"住户{number}") for number in range(5)]
    await world.post("/faults", kind="reorder_updates", seed=3)
    for number in range(6):
        for user in users:
            await world.say(user, str(number))

    found = await world.updates()

    assert [u["update_id"] for u in found] != sorted(u["update_id"] for u in found)
    for user in users:
        said = [u["message"]["text"] for u in found if u["message"]["from"]["id"] == user]
        assert said == [str(number) for number in range(6)]


async def test_reordering_a_batch_spares_nothing(world: Client):
    user = await world.make_resident()
    await world.post("/faults", kind="reorder_updates", scope="batch", seed=3)
    for number in range(8):
        await world.say(user, str(number))

    said = [update["message"]["text"] for update in await world.updates()]

    assert said != sorted(said)
    assert sorted(said) == [str(number) for number in range(8)]


async def test_the_log_of_requests_names_the_fault(world: Client):
    await world.post("/faults", kind="error_5xx", code=500, count=1)
    await world.refusal("getMe")

    (line,) = await world.get("/requests?method=getMe")

    assert (line["fault"], line["ok"], line["error_code"]) == ("error_5xx", False, 500)
