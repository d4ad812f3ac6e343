"""Sending text, keyboards, places, numbers, votes."""

import json
from typing import Any

import pytest

from tests.sandbox.client import Client

BUTTON = {"text": "满意", "callback_data": "s:1"}


async def test_a_user_hears_what_the_bot_sends(world: Client):
    user = await world.make_resident()

    await world.bot("sendMessage", chat_id=user, text="您好", disable_notification=True, protect_content=True)

    shown = (await world.seen(user))[-1]
    assert shown["text"] == "您好"
    assert shown["has_protected_content"] is True
    assert shown["sandbox"]["silent"] is True
    assert await world.updates() == []


async def test_parameters_may_come_in_the_query_in_a_form_or_in_json(world: Client):
    user = await world.make_resident()
    params = {"chat_id": str(user), "text": "您好", "reply_markup": json.dumps({"inline_keyboard": [[BUTTON]]})}
    url = world.url("sendMessage")

    ways: list[dict[str, Any]] = [{"params": params}, {"data": params}, {"json": params}]
    for request in ways:
        async with world.http.post(url, **request) as answer:
            result = (await answer.json())["result"]
            assert result["reply_markup"]["inline_keyboard"] == [[BUTTON]]
    async with world.http.get(url, params=params) as answer:
        assert (await answer.json())["result"]["text"] == "您好"


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"text": ""}, "message text is empty"),
        ({"text": " \n "}, "message text is empty"),
        ({}, "message text is empty"),
        ({"text": "长" * 4097}, "message is too long"),
        ({"text": "x", "parse_mode": "BBCode"}, "unsupported parse_mode"),
        ({"text": "x", "reply_parameters": {"message_id": 999}}, "message to be replied not found"),
        ({"text": "x", "reply_markup": "{"}, "can't parse reply_markup"),
        ({"text": "x", "reply_markup": {"inline_keyboard": [[{"text": "x"}]]}}, "Text buttons are unallowed"),
        (
            {"text": "x", "reply_markup": {"inline_keyboard": [[{"text": "x", "callback_data": "长" * 22}]]}},
            "BUTTON_DATA_INVALID",
        ),
        (
            {"text": "x", "reply_markup": {"inline_keyboard": [[{"text": "x", "callback_data": ""}]]}},
            "BUTTON_DATA_INVALID",
        ),
        ({"text": "x", "message_thread_id": 5}, "message thread not found"),
    ],
)
async def test_a_bad_text_is_refused_with_the_reason(world: Client, params, reason):
    user = await world.make_resident()

    refused = await world.refusal("sendMessage", chat_id=user, **params)

    assert refused.code == 400
    assert refused.description.startswith("Bad Request: ")
    assert reason in refused.description


async def test_a_text_of_the_full_length_passes(world: Client):
    user = await world.make_resident()

    assert await world.bot("sendMessage", chat_id=user, text="长" * 4096)


async def test_callback_data_of_sixty_four_bytes_passes(world: Client):
    user = await world.make_resident()
    button = {"text": "x", "callback_data": "长" * 21 + "x"}

    assert await world.bot("sendMessage", chat_id=user, text="x", reply_markup={"inline_keyboard": [[button]]})


async def test_a_reply_shows_what_it_answers(world: Client):
    user = await world.make_resident()
    asked = await world.say(user, "水管漏了")

    sent = await world.bot(
        "sendMessage", chat_id=user, text="马上", reply_parameters={"message_id": asked["message_id"], "quote": "水管"}
    )

    assert sent["reply_to_message"]["text"] == "水管漏了"
    assert sent["quote"] == {"text": "水管", "position": 0, "is_manual": True}


async def test_a_reply_to_something_gone_may_go_without(world: Client):
    user = await world.make_resident()

    sent = await world.bot(
        "sendMessage",
        chat_id=user,
        text="x",
        reply_parameters={"message_id": 999, "allow_sending_without_reply": True},
    )

    assert "reply_to_message" not in sent


async def test_a_keyboard_stays_with_the_chat_until_it_is_removed(world: Client):
    user = await world.make_resident()
    keyboard = {"keyboard": [[{"text": "发送号码", "request_contact": True}]], "one_time_keyboard": True}

    sent = await world.bot("sendMessage", chat_id=user, text="请验证", reply_markup=keyboard)
    shown = (await world.get("/chats"))[0]["keyboard"]
    await world.bot("sendMessage", chat_id=user, text="好了", reply_markup={"remove_keyboard": True})
    removed = (await world.get("/chats"))[0]["keyboard"]

    assert "reply_markup" not in sent
    assert shown == keyboard
    assert removed == {"remove_keyboard": True}


async def test_a_number_is_asked_for_in_private_only(world: Client):
    group = await world.make_group(await world.make_user())
    keyboard = {"keyboard": [[{"text": "发送号码", "request_contact": True}]]}

    refused = await world.refusal("sendMessage", chat_id=group, text="x", reply_markup=keyboard)

    assert refused.description == "Bad Request: phone number can be requested in private chats only"


async def test_places_numbers_votes_and_dice_can_be_sent(world: Client):
    user = await world.make_resident()
    await world.unlimited()

    place = await world.bot("sendLocation", chat_id=user, latitude=31.2, longitude=121.4)
    number = await world.bot("sendContact", chat_id=user, phone_number="+8610000000", first_name="前台")
    vote = await world.bot("sendPoll", chat_id=user, question="几点?", options=[{"text": "九"}, {"text": "十"}])
    throw = await world.bot("sendDice", chat_id=user)

    assert place["location"]["latitude"] == 31.2
    assert number["contact"]["first_name"] == "前台"
    assert [option["text"] for option in vote["poll"]["options"]] == ["九", "十"]
    assert 1 <= throw["dice"]["value"] <= 6


async def test_people_can_share_number_and_place(world: Client):
    user = await world.make_resident()

    await world.say(user, contact={})
    await world.say(user, location={"latitude": 1.5, "longitude": 2.5})

    number, place = await world.updates()
    assert number["message"]["contact"]["user_id"] == user
    assert place["message"]["location"] == {"latitude": 1.5, "longitude": 2.5}


async def test_commands_are_marked_in_what_people_write(world: Client):
    user = await world.make_resident()

    await world.say(user, "/help 3栋")

    (update,) = await world.updates()
    assert update["message"]["entities"] == [{"type": "bot_command", "offset": 0, "length": 5}]


async def test_typing_is_shown_only_where_the_bot_may_write(world: Client):
    user, stranger = await world.make_resident(), await world.make_user("陌生人")

    assert await world.bot("sendChatAction", chat_id=user, action="typing")

    assert (await world.refusal("sendChatAction", chat_id=stranger, action="typing")).code == 403
