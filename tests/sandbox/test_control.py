"""The control API: clock, events, logs, reset, the command line."""

import json
from datetime import datetime

import pytest

from sandbox.__main__ import read_options
from tests.sandbox.client import JSON, Client


async def read_event(stream) -> JSON:
    """The next event of a stream, comments skipped."""
    while True:
        line = (await stream.readline()).decode()
        if line.startswith("data: "):
            event: JSON = json.loads(line.removeprefix("data: "))
            return event


async def test_the_clock_moves_the_dates_of_messages(world: Client):
    user = await world.make_resident()
    before = await world.bot("sendMessage", chat_id=user, text="今天")

    clock = await world.post("/clock", advance=86_400)

    after = await world.bot("sendMessage", chat_id=user, text="明天")
    assert clock["offset"] == 86_400
    assert after["date"] - before["date"] in range(86_400, 86_410)


async def test_the_clock_can_be_set_to_a_moment(world: Client):
    clock = await world.post("/clock", set="2026-02-16T22:30:00+08:00")

    now = datetime.fromisoformat(clock["now"])
    assert abs((now - datetime.fromisoformat("2026-02-16T14:30:00+00:00")).total_seconds()) < 5
    assert (await world.get("/clock"))["offset"] == clock["offset"]


async def test_the_clock_is_moved_in_one_way_at_a_time(world: Client):
    assert await world.sim("POST", "/clock", {}, status=400)


async def test_the_clock_streams_now_and_on_every_change(world: Client):
    async with world.http.get(f"{world.base}/sim/clock/stream") as answer:
        first = await read_event(answer.content)
        await world.post("/clock", advance=60)
        second = await read_event(answer.content)

    assert set(first) == {"now", "offset"}
    assert (first["offset"], second["offset"]) == (0.0, 60.0)


async def test_everything_that_happens_is_streamed(world: Client):
    user = await world.make_resident()
    async with world.http.get(f"{world.base}/sim/events") as answer:
        await answer.content.readline()
        sent = await world.bot("sendMessage", chat_id=user, text="您好")
        await world.bot("editMessageText", chat_id=user, message_id=sent["message_id"], text="您好!")
        await world.bot("deleteMessage", chat_id=user, message_id=sent["message_id"])
        await world.post("/reset")
        events = [await read_event(answer.content) for _ in range(5)]

    assert [event["type"] for event in events] == ["message", "edit", "delete", "clock", "reset"]
    assert events[0]["message"]["text"] == "您好"
    assert {event["chat_id"] for event in events[:3]} == {user}


async def test_a_reset_forgets_everything_but_the_tokens(world: Client):
    user = await world.make_resident()
    await world.post("/clock", advance=60)
    await world.post("/faults", kind="error_403")
    await world.unlimited()

    await world.post("/reset")

    assert await world.bot("getMe")
    assert await world.get("/users") == []
    assert await world.get("/chats") == []
    assert await world.get("/updates") == []
    assert (await world.get("/clock"))["offset"] == 0
    assert (await world.get("/limits"))["enabled"] is True
    assert (await world.refusal("sendMessage", chat_id=user, text="x")).code == 400


async def test_a_reset_may_keep_the_clock(world: Client):
    await world.post("/clock", advance=60)

    await world.post("/reset", keep_clock=True)

    assert (await world.get("/clock"))["offset"] == 60


async def test_the_log_of_requests_shows_method_parameters_and_outcome(world: Client):
    user = await world.make_resident()
    sent = await world.bot("sendMessage", chat_id=str(user), text="您好")
    await world.refusal("sendMessage", chat_id=user, text="")

    done, failed = await world.get("/requests?method=sendMessage")
    later = await world.get(f"/requests?after={done['seq']}")

    assert done["params"] == {"chat_id": user, "text": "您好"}
    assert (done["ok"], done["message_id"]) == (True, sent["message_id"])
    assert (failed["ok"], failed["error_code"]) == (False, 400)
    assert later == [failed]


async def test_a_user_keeps_the_id_asked_for_and_can_be_changed(world: Client):
    await world.post("/users", id=77, first_name="旧")
    await world.post("/users", id=77, first_name="新", language_code="zh-hans", username="xin")

    (user,) = await world.get("/users")
    assert user["first_name"] == "新"


async def test_messages_after_a_given_one_can_be_listed(world: Client):
    user = await world.make_resident()
    first = await world.say(user, "一")
    await world.say(user, "二")

    later = await world.seen(user, f"?after={first['message_id']}")

    assert [message["text"] for message in later] == ["二"]


async def test_commands_are_kept_by_scope_and_language(world: Client):
    menu = [{"command": "help", "description": "帮助"}]
    await world.bot("setMyCommands", commands=menu, language_code="zh")

    assert await world.bot("getMyCommands", language_code="zh") == menu
    assert await world.bot("getMyCommands") == []
    assert await world.bot("getMyCommands", scope={"type": "all_private_chats"}) == []
    assert await world.bot("deleteMyCommands", language_code="zh")
    assert await world.bot("getMyCommands", language_code="zh") == []


async def test_a_command_is_written_small(world: Client):
    refused = await world.refusal("setMyCommands", commands=[{"command": "Help!", "description": "x"}])

    assert refused.description == "Bad Request: BOT_COMMAND_INVALID"


async def test_a_mistyped_field_is_heard_of(world: Client):
    user = await world.make_user()

    assert await world.sim("POST", "/messages", {"from": user, "txet": "x"}, status=422)


async def test_the_control_api_documents_itself(world: Client):
    async with world.http.get(f"{world.base}/sim/openapi.json") as answer:
        paths = (await answer.json())["paths"]

    assert "/sim/messages" in paths
    for path, verbs in paths.items():
        assert all("description" in verb for verb in verbs.values()), path


async def test_the_server_is_healthy(world: Client):
    async with world.http.get(f"{world.base}/healthz") as answer:
        assert (await answer.json())["ok"] is True


@pytest.mark.parametrize(
    ("arguments", "tokens"), [([], ["100001:TESTTOKEN"]), (["--token", "1:A", "--token", "2:B"], ["1:A", "2:B"])]
)
def test_the_command_line_names_the_bots(arguments, tokens):
    assert read_options(arguments).tokens == tokens
