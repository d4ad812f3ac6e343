"""Taps on buttons."""

import pytest

from tests.sandbox.client import JSON, OTHER_TOKEN, Client

KEYS = {"inline_keyboard": [[{"text": "满意", "callback_data": "s:1"}, {"text": "不满意", "callback_data": "s:0"}]]}
TOO_OLD = "Bad Request: query is too old and response timeout expired or query ID is invalid"


async def make_card(world: Client) -> JSON:
    """A message with two buttons and who may tap it."""
    user = await world.make_resident()
    sent = await world.bot("sendMessage", chat_id=user, text="满意吗", reply_markup=KEYS)
    return {"from_": user, "chat_id": user, "message_id": sent["message_id"]}


async def test_a_tap_reaches_the_bot_with_the_message_and_the_data(world: Client):
    card = await make_card(world)

    tap = await world.post("/taps", **card, row=0, col=1)

    (update,) = await world.updates()
    query = update["callback_query"]
    assert (query["id"], query["data"]) == (tap["callback_query_id"], "s:0")
    assert query["message"]["text"] == "满意吗"


async def test_the_answer_to_a_tap_shows(world: Client):
    card = await make_card(world)
    tap = (await world.post("/taps", **card, data="s:1"))["callback_query_id"]
    before = await world.get(f"/taps/{tap}")

    await world.bot("answerCallbackQuery", callback_query_id=tap, text="谢谢", show_alert=True)

    after = await world.get(f"/taps/{tap}")
    assert before["answered"] is False
    assert (after["answered"], after["text"], after["show_alert"]) == (True, "谢谢", True)


async def test_an_answer_after_150_seconds_is_too_late(world: Client):
    card = await make_card(world)
    tap = (await world.post("/taps", **card, data="s:1"))["callback_query_id"]
    await world.post("/clock", advance=149)
    assert await world.bot("answerCallbackQuery", callback_query_id=tap)

    await world.post("/clock", advance=2)

    refused = await world.refusal("answerCallbackQuery", callback_query_id=tap)
    assert (refused.code, refused.description) == (400, TOO_OLD)


async def test_a_tap_nobody_fetched_expires_after_150_seconds(world: Client):
    card = await make_card(world)
    await world.post("/taps", **card, data="s:1")

    await world.post("/clock", advance=151)

    assert await world.updates() == []
    assert (await world.get("/updates"))[-1]["expired"] is True


@pytest.mark.parametrize("query", ["", "999"])
async def test_an_unknown_query_is_refused_like_an_old_one(world: Client, query):
    assert (await world.refusal("answerCallbackQuery", callback_query_id=query)).description == TOO_OLD


async def test_a_tap_belongs_to_the_bot_of_the_message(world: Client):
    card = await make_card(world)
    tap = (await world.post("/taps", **card, data="s:1"))["callback_query_id"]

    refused = await world.refusal("answerCallbackQuery", token=OTHER_TOKEN, callback_query_id=tap)

    assert refused.description == TOO_OLD


async def test_only_buttons_that_are_there_can_be_tapped_unless_the_screen_is_stale(world: Client):
    card = await make_card(world)
    await world.bot("editMessageText", chat_id=card["chat_id"], message_id=card["message_id"], text="好")
    tap = {"from": card["from_"], "chat_id": card["chat_id"], "message_id": card["message_id"], "data": "s:1"}

    await world.sim("POST", "/taps", tap, status=404)
    await world.sim("POST", "/taps", tap | {"stale": True})

    (update,) = await world.updates()
    assert update["callback_query"]["data"] == "s:1"


async def test_a_tap_on_a_deleted_message_names_an_inaccessible_one(world: Client):
    card = await make_card(world)
    await world.bot("deleteMessage", chat_id=card["chat_id"], message_id=card["message_id"])

    await world.post("/taps", **card, data="s:1", stale=True)

    (update,) = await world.updates()
    assert update["callback_query"]["message"]["date"] == 0
