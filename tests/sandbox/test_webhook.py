"""Delivery by webhook."""

import time
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from tests.sandbox.client import Client
from tests.sandbox.hook import Hook, listening


@pytest.fixture
async def hook(world: Client) -> AsyncIterator[Hook]:
    """A webhook that is ready to be set; retries come at once instead of after a second."""
    await world.post("/limits", webhook_backoff={"first": 0.01, "longest": 0.04})
    async with listening() as ready:
        yield ready
        await world.bot("deleteWebhook")


async def test_an_update_is_posted_with_the_secret(world: Client, hook: Hook):
    user = await world.make_resident()
    await world.bot("setWebhook", url=hook.url, secret_token="geheim")

    await world.say(user, "你好")

    (update,) = await hook.received(1)
    assert update["message"]["text"] == "你好"
    assert hook.headers[0]["X-Telegram-Bot-Api-Secret-Token"] == "geheim"
    assert hook.headers[0]["Content-Type"] == "application/json"


async def test_what_waited_before_the_webhook_is_delivered_too(world: Client, hook: Hook):
    user = await world.make_resident()
    await world.say(user, "先")

    await world.bot("setWebhook", url=hook.url)

    assert (await hook.received(1))[0]["message"]["text"] == "先"


async def test_what_waits_can_be_dropped(world: Client, hook: Hook):
    user = await world.make_resident()
    await world.say(user, "先")

    await world.bot("setWebhook", url=hook.url, drop_pending_updates=True)
    await world.say(user, "后")

    assert (await hook.received(1))[0]["message"]["text"] == "后"


async def test_only_the_head_of_a_chat_is_in_flight(world: Client, hook: Hook):
    one, other = await world.make_resident(), await world.make_resident("韩梅梅")
    hook.blocked_text = "slow"
    await world.bot("setWebhook", url=hook.url)

    await world.say(one, "slow")
    await hook.received(1)
    await world.say(one, "等")
    await world.say(other, "快")
    await hook.received(2)

    assert hook.texts() == ["slow", "快"]
    hook.blocked_text = None
    hook.gate.set()
    await hook.received(3)
    assert hook.texts() == ["slow", "快", "等"]


async def test_a_failed_delivery_comes_again_and_keeps_its_place(world: Client, hook: Hook):
    user = await world.make_resident()
    hook.answers = [web.Response(status=500), web.Response(status=502)]
    await world.bot("setWebhook", url=hook.url)

    await world.say(user, "一")
    await world.say(user, "二")

    await hook.received(4)
    assert hook.texts() == ["一", "一", "一", "二"]


async def test_the_wait_doubles_up_to_its_longest(world: Client, hook: Hook):
    user = await world.make_resident()
    await world.post("/limits", webhook_backoff={"first": 0.05, "longest": 0.1})
    hook.answers = [web.Response(status=500) for _ in range(4)]
    await world.bot("setWebhook", url=hook.url)
    begun = time.monotonic()

    await world.say(user, "一")

    await hook.received(5)
    assert time.monotonic() - begun >= 0.05 + 0.1 + 0.1 + 0.1


async def test_retry_after_is_honoured(world: Client, hook: Hook):
    user = await world.make_resident()
    hook.answers = [web.Response(status=503, headers={"Retry-After": "1"})]
    await world.bot("setWebhook", url=hook.url)
    begun = time.monotonic()

    await world.say(user, "一")

    await hook.received(2)
    assert time.monotonic() - begun >= 1


async def test_the_info_tells_of_the_last_error_and_what_waits(world: Client, hook: Hook):
    user = await world.make_resident()
    await world.post("/limits", webhook_backoff={"first": 60, "longest": 60})
    hook.answers = [web.Response(status=500)]
    await world.bot("setWebhook", url=hook.url, max_connections=7, allowed_updates=["message"])

    await world.say(user, "一")
    await hook.received(1)
    while "last_error_message" not in (info := await world.bot("getWebhookInfo")):
        pass

    assert info["last_error_message"].startswith("Wrong response from the webhook: 500")
    assert (info["url"], info["pending_update_count"], info["max_connections"]) == (hook.url, 1, 7)
    assert info["allowed_updates"] == ["message"]


async def test_an_address_where_nobody_listens_is_tried_again(world: Client, hook: Hook):
    user = await world.make_resident()
    await world.bot("setWebhook", url="http://127.0.0.1:9/hook")
    await world.say(user, "一")
    while "last_error_message" not in await world.bot("getWebhookInfo"):
        pass

    await world.bot("setWebhook", url=hook.url)

    assert (await hook.received(1))[0]["message"]["text"] == "一"


async def test_plain_http_is_for_this_machine_only(world: Client):
    refused = await world.refusal("setWebhook", url="http://example.org/hook")

    assert refused.description == "Bad Request: bad webhook: An HTTPS URL must be provided for webhook"


async def test_deleting_the_webhook_goes_back_to_polling(world: Client, hook: Hook):
    user = await world.make_resident()
    await world.bot("setWebhook", url=hook.url)
    await world.bot("deleteWebhook")

    await world.say(user, "一")

    assert len(await world.updates()) == 1
    assert hook.bodies == []


async def test_duplicates_are_posted_twice(world: Client, hook: Hook):
    user = await world.make_resident()
    await world.post("/faults", kind="duplicate_updates", count=1)
    await world.bot("setWebhook", url=hook.url)

    await world.say(user, "一")
    await world.say(user, "二")

    await hook.received(3)
    assert hook.texts() == ["一", "一", "二"]


async def test_a_delivered_update_is_confirmed(world: Client, hook: Hook):
    user = await world.make_resident()
    await world.bot("setWebhook", url=hook.url)

    await world.say(user, "一")
    await hook.received(1)

    while (await world.bot("getWebhookInfo"))["pending_update_count"]:
        pass
    assert (await world.get("/updates"))[-1]["confirmed"] is True


async def test_any_json_and_any_bytes_can_be_injected(world: Client, hook: Hook):
    await world.post("/raw_updates", update_id=77, message={"message_id": "no number"})
    async with world.http.post(f"{world.base}/sim/raw_updates", data=b"{broken") as answer:
        assert answer.status == 200

    await world.bot("setWebhook", url=hook.url)

    while len(hook.bodies) < 2:
        await world.bot("getMe")
    assert hook.bodies[0] == '{"update_id": 77, "message": {"message_id": "no number"}}'
    assert hook.bodies[1] == "{broken"
