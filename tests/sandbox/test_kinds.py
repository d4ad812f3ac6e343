"""Kinds of messages that behave in their own way when they are copied, edited or refused."""

import pytest

from tests.sandbox.client import Client

STORY = {"story": {"chat": {"id": -1002, "type": "channel", "title": "新闻"}, "id": 4}}
PAID = {"paid_media": {"star_count": 5, "paid_media": [{"type": "preview"}]}}
QUIZ = {"question": "?", "options": ["a", "b"], "type": "quiz"}


async def test_a_copied_die_is_thrown_again_and_a_forwarded_one_is_not(world: Client):
    """So a bot that copies a die tells another number than fell."""
    await world.unlimited()
    user = await world.make_resident()
    said = await world.say(user, dice={"value": 6})
    source = {"chat_id": user, "from_chat_id": user, "message_id": said["message_id"]}

    forwarded = await world.bot("forwardMessage", **source)
    for _ in range(30):
        await world.bot("copyMessage", **source)

    copies = [one["dice"]["value"] for one in (await world.seen(user))[-30:]]
    assert forwarded["dice"]["value"] == 6
    assert len(set(copies)) > 1


async def test_a_copied_live_location_stands_still(world: Client):
    """Only a location the bot has sent itself can be moved by it."""
    user = await world.make_resident()
    said = await world.say(user, location={"live_period": 900})
    await world.bot("copyMessage", chat_id=user, from_chat_id=user, message_id=said["message_id"])

    copy = (await world.seen(user))[-1]
    refused = await world.refusal(
        "editMessageLiveLocation", chat_id=user, message_id=copy["message_id"], latitude=1, longitude=2
    )

    assert "live_period" not in copy["location"]
    assert refused.description == "Bad Request: message can't be edited"


async def test_a_live_location_moves_until_its_time_is_over(world: Client):
    """A bot that sends on gets a refusal it must understand."""
    user = await world.make_resident()
    sent = await world.bot("sendLocation", chat_id=user, latitude=1, longitude=2, live_period=60)
    place = {"chat_id": user, "message_id": sent["message_id"]}

    moved = await world.bot("editMessageLiveLocation", latitude=1.5, longitude=2, heading=90, **place)
    await world.post("/clock", advance=61)
    late = await world.refusal("editMessageLiveLocation", latitude=1.6, longitude=2, **place)

    assert (moved["location"]["latitude"], moved["location"]["live_period"]) == (1.5, 60)
    assert late.code == 400


@pytest.mark.parametrize("content", [{"other": PAID}, {"poll": QUIZ}, {"text": "保密", "protected": True}])
async def test_some_messages_cannot_be_copied(world: Client, content):
    """As the Bot API lists them; an album with one of them arrives without it."""
    user = await world.make_resident()
    plain = await world.say(user, "普通")
    said = await world.say(user, **content)
    both = [plain["message_id"], said["message_id"]]

    refused = await world.refusal("copyMessage", chat_id=user, from_chat_id=user, message_id=said["message_id"])
    copied = await world.bot("copyMessages", chat_id=user, from_chat_id=user, message_ids=both)

    assert refused.description == "Bad Request: message can't be copied"
    assert len(copied) == 1


async def test_a_premium_caption_is_too_long_for_a_copy(world: Client):
    """People may write more than a bot."""
    user = await world.make_resident(is_premium=True)
    said = await world.say(user, photo={}, caption="长" * 2000)
    source = {"chat_id": user, "from_chat_id": user, "message_id": said["message_id"]}

    refused = await world.refusal("copyMessage", **source)
    await world.bot("copyMessage", caption="", **source)

    assert refused.description == "Bad Request: message caption is too long"
    assert "caption" not in (await world.seen(user))[-1]


async def test_what_only_the_real_telegram_refuses_can_be_ordered(world: Client):
    """Files too large, voice messages somebody does not want: the reason is text."""
    user = await world.make_resident()
    await world.post("/faults", kind="error_400", method="copyMessage", description="VOICE_MESSAGES_FORBIDDEN")
    said = await world.say(user, voice={})

    refused = await world.refusal("copyMessage", chat_id=user, from_chat_id=user, message_id=said["message_id"])

    assert refused.description == "Bad Request: VOICE_MESSAGES_FORBIDDEN"


async def test_a_person_swaps_the_file_of_a_message(world: Client):
    """The bot hears of it as an edit."""
    user = await world.make_resident()
    said = await world.say(user, photo={}, caption="旧")

    await world.post("/edits", from_=user, chat_id=user, message_id=said["message_id"], video={}, caption="新")

    edited = (await world.updates())[-1]["edited_message"]
    assert ("photo" in edited, edited["caption"]) == (False, "新")
    assert edited["video"]["file_id"]
