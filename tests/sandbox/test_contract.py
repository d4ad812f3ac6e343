"""Everything the sandbox says is Bot API: by the specification, and by aiogram's models as a second opinion."""

import json
import os
from importlib import import_module
from typing import Any

import pytest
from pydantic import TypeAdapter

import sandbox.methods
from sandbox import spec
from sandbox.make_spec import derive
from sandbox.registry import METHODS
from tests import botapi_spec
from tests.botapi_spec import check_object, check_request
from tests.sandbox.client import Client

KEYS = {"inline_keyboard": [[{"text": "满意", "callback_data": "s:1"}]]}
LINK = "https://example.org/file.bin"
EVERYTHING = ["message", "edited_message", "callback_query", "my_chat_member", "chat_member", "message_reaction"]
CONTENTS: list[dict[str, Any]] = [
    *({kind: {}} for kind in ("photo", "document", "voice", "video", "video_note", "audio", "sticker", "animation")),
    *({kind: {}} for kind in ("live_photo", "location", "venue", "contact", "poll", "dice")),
    {"other": {"story": {"chat": {"id": -1002, "type": "channel", "title": "新闻"}, "id": 4}}},
    {"other": {"paid_media": {"star_count": 5, "paid_media": [{"type": "preview"}]}}},
    {"text": "转来的", "forward_origin": {"type": "hidden_user", "date": 1, "sender_user_name": "老王"}},
    {"text": "保密", "protected": True},
    {"text": "/start 你好 https://x.cn @wangjie"},
    {"album": [{"photo": {}, "caption": "a"}, {"video": {}}]},
]


async def people_do_everything(world: Client, user: int, group: int, thread: int) -> None:
    for content in CONTENTS:
        await world.say(user, **content)
        said = await world.say(user, chat_id=group, thread=thread, **content)
    text = await world.say(user, "原来", chat_id=group, reply_to=said[0]["message_id"], quote="a")
    place = {"from_": user, "chat_id": group, "message_id": text["message_id"]}
    await world.post("/edits", **place, text="后来")
    moving = await world.say(user, location={"live_period": 900})
    place |= {"chat_id": user, "message_id": moving["message_id"]}
    await world.post("/edits", **place, location={"latitude": 31.5, "heading": 90})
    await world.post("/edits", **place, stop=True)
    picture = await world.say(user, photo={}, caption="旧图")
    await world.post("/edits", **(place | {"message_id": picture["message_id"]}), photo={}, caption="新图")
    place |= {"chat_id": group, "message_id": text["message_id"]}
    await world.post("/reactions", **place, emoji=["👍"])
    other = await world.make_user("小王", last_name="王", username="xiaowang", language_code="zh-hans")
    for status in ("member", "administrator", "left"):
        await world.post(f"/groups/{group}/members", user_id=other, status=status)
    await world.post("/blocks", user=user, blocked=True)
    await world.post("/blocks", user=user, blocked=False)
    await world.post("/topics", chat_id=group, name="手开")


async def the_bot_sends_everything(world: Client, user: int, group: int, thread: int) -> list[int]:
    bot, topic = world.bot, {"chat_id": group, "message_thread_id": thread}
    photo = {"type": "photo", "media": LINK, "caption": "*a*", "parse_mode": "MarkdownV2"}
    sent = [
        await bot("sendMessage", chat_id=user, text="<b>a</b> https://x.cn", parse_mode="HTML", reply_markup=KEYS),
        await bot("sendMessage", text="a", link_preview_options={"is_disabled": True}, protect_content=True, **topic),
        await bot("sendLocation", chat_id=user, latitude=1, longitude=2.5),
        await bot("sendVenue", chat_id=user, latitude=1, longitude=2.5, title="a", address="b"),
        await bot("sendContact", chat_id=user, phone_number="+1", first_name="a", last_name="b"),
        await bot("sendPoll", chat_id=user, question="?", options=[{"text": "a"}, {"text": "b"}], is_anonymous=False),
        await bot("sendDice", emoji="🎯", **topic),
        *await bot("sendMediaGroup", media=[photo, photo], **topic),
    ]
    sent += [
        await bot(f"send{kind}", chat_id=user, **{kind.lower(): LINK}, disable_notification=True)
        for kind in ("Photo", "Document", "Voice", "Video", "Audio", "Sticker", "Animation")
    ]
    sent.append(await bot("sendVideoNote", chat_id=user, video_note=LINK))
    await bot("sendChatAction", chat_id=user, action="typing")
    return [message["message_id"] for message in sent if message["chat"]["id"] == user]


async def the_bot_changes_everything(world: Client, user: int, group: int, sent: list[int]) -> None:
    bot, first = world.bot, {"chat_id": user, "message_id": sent[0]}
    tap = await world.post("/taps", from_=user, chat_id=user, message_id=sent[0], data="s:1")
    await bot("answerCallbackQuery", callback_query_id=tap["callback_query_id"], text="好")
    await bot("editMessageText", text="b", reply_markup=KEYS, **first)
    await bot("editMessageReplyMarkup", **first)
    await bot("editMessageCaption", chat_id=user, message_id=sent[6], caption="c")
    await bot("editMessageMedia", chat_id=user, message_id=sent[6], media={"type": "video", "media": LINK})
    await bot("setMessageReaction", reaction=[{"type": "emoji", "emoji": "👌"}], **first)
    moving = await bot("sendLocation", chat_id=user, latitude=1, longitude=2, live_period=900)
    place = {"chat_id": user, "message_id": moving["message_id"]}
    await bot("editMessageLiveLocation", latitude=1.5, longitude=2, **place)
    await bot("stopMessageLiveLocation", **place)
    source = {"chat_id": group, "from_chat_id": user}
    await bot("copyMessage", message_id=sent[6], **source)
    await bot("copyMessages", message_ids=sent[1:3], **source)
    await bot("forwardMessage", message_id=sent[6], **source)
    await bot("forwardMessages", message_ids=sent[1:3], **source)
    await bot("pinChatMessage", **first)
    await bot("getChat", chat_id=user)
    await bot("unpinChatMessage", **first)
    await bot("unpinAllChatMessages", chat_id=user)
    await bot("deleteMessage", **first)
    await bot("deleteMessages", chat_id=user, message_ids=sent[1:3])


async def the_bot_runs_its_group(world: Client, user: int, group: int, thread: int) -> None:
    bot, topic = world.bot, {"chat_id": group, "message_thread_id": thread}
    await bot("editForumTopic", name="新名", icon_custom_emoji_id="5", **topic)
    for method in ("closeForumTopic", "reopenForumTopic", "unpinAllForumTopicMessages", "deleteForumTopic"):
        await bot(method, **topic)
    for verb in ("close", "reopen", "hide", "unhide"):
        await bot(f"{verb}GeneralForumTopic", chat_id=group)
    await bot("editGeneralForumTopic", chat_id=group, name="大厅")
    for method in ("getChat", "getChatAdministrators", "getChatMemberCount", "exportChatInviteLink"):
        await bot(method, chat_id=group)
    for method in ("getChatMember", "banChatMember", "getChatMember", "unbanChatMember", "getChatMember"):
        await bot(method, chat_id=group, user_id=user)
    await bot("setMyCommands", commands=[{"command": "help", "description": "帮助"}])
    for method in ("getMe", "getMyCommands", "deleteMyCommands", "getWebhookInfo", "close", "logOut"):
        await bot(method)
    await bot("setWebhook", url="http://127.0.0.1:9/hook")
    await bot("getWebhookInfo")
    await bot("deleteWebhook")


@pytest.fixture
async def story(world: Client) -> Client:
    """A broad scenario: nearly every method and every kind of update."""
    await world.unlimited()
    user = await world.make_resident(last_name="李", username="lilei")
    group = await world.make_group(user)
    thread = await world.make_topic(group)
    await world.updates(allowed_updates=EVERYTHING)
    await people_do_everything(world, user, group, thread)
    said = await world.say(user, photo={})
    await world.bot("getFile", file_id=said["photo"][-1]["file_id"])
    sent = await the_bot_sends_everything(world, user, group, thread)
    await the_bot_changes_everything(world, user, group, sent)
    await the_bot_runs_its_group(world, user, group, thread)
    await world.post(f"/groups/{group}/migrate")
    return world


@pytest.fixture(scope="module")
def aiogram() -> Any:
    """Imported by the worker that needs it: that takes two seconds, which all others would spend too."""
    return import_module("aiogram")


def of_today(value: Any) -> Any:
    """Aiogram's models are a version ahead: a right of administrators that Bot API 10.0 does not know is required."""
    if isinstance(value, list):
        return [of_today(item) for item in value]
    if not isinstance(value, dict):
        return value
    newer = {"can_send_welcome_messages": False} if value.get("status") == "administrator" else {}
    return {key: of_today(item) for key, item in value.items()} | newer


async def test_every_update_is_what_the_specification_says(story: Client):
    updates = [line["update"] for line in await story.get("/updates")]

    assert [problem for update in updates for problem in check_object("Update", update)] == []
    assert set(EVERYTHING) <= {kind for update in updates for kind in update}


async def test_aiogram_understands_every_update(story: Client, aiogram: Any):
    updates = [line["update"] for line in await story.get("/updates")]

    parsed = [aiogram.types.Update.model_validate(of_today(update)) for update in updates]

    assert [update.update_id for update in parsed] == [update["update_id"] for update in updates]
    assert all(update.event_type for update in parsed)


async def test_aiogram_understands_every_result(story: Client, aiogram: Any):
    """The specification has already checked them, each when it came."""
    for method, result in story.results:
        asked = getattr(aiogram.methods, method[0].upper() + method[1:])

        returned: TypeAdapter[Any] = TypeAdapter(asked.__returning__)

        assert returned.validate_python(of_today(result)) is not None


async def test_the_story_uses_every_method(story: Client):
    """But those that answer to nobody else's test."""
    used = {method for method, _ in story.results}

    assert set(spec.SUPPORTED) - used == {"getUpdates", "leaveChat"}


async def test_every_request_of_the_story_is_valid_by_the_specification(story: Client):
    """The checker other tests use must not cry wolf."""
    lines = await story.get("/requests")

    assert [p for line in lines for p in check_request(line["method"], line["params"])] == []


def test_every_supported_method_is_answered():
    assert sandbox.methods.__all__
    assert {method.name for method in METHODS.values()} == set(spec.SUPPORTED)


def test_the_committed_table_is_that_of_the_specification():
    if not botapi_spec.FULL_SPEC.exists():
        assert "CI" not in os.environ, "the specification is missing"
        pytest.skip(f"no specification at {botapi_spec.FULL_SPEC}")
    full = json.loads(botapi_spec.FULL_SPEC.read_text(encoding="utf-8"))

    assert derive(full) == spec.load()


@pytest.mark.parametrize(
    ("method", "params", "problem"),
    [
        ("sendMessage", {"chat_id": 1}, "sendMessage.text: missing"),
        ("sendMessage", {"chat_id": 1, "text": "x", "colour": "red"}, "sendMessage.colour: unknown"),
        ("sendMessage", {"chat_id": 1, "text": 5}, "sendMessage.text: 5 is no String"),
        (
            "sendMessage",
            {"chat_id": 1, "text": "x" * 4097},
            "sendMessage.text: 4097 characters, allowed are 1-4096",
        ),
        ("sendTelepathy", {}, "sendTelepathy: no such method"),
        (
            "answerCallbackQuery",
            {"callback_query_id": "1", "show_alert": "ja"},
            "answerCallbackQuery.show_alert: 'ja' is no Boolean",
        ),
    ],
)
def test_the_checker_finds_what_is_wrong(method, params, problem):
    assert check_request(method, params) == [problem]


def test_the_checker_measures_callback_data_in_bytes():
    keys = json.dumps({"inline_keyboard": [[{"text": "x", "callback_data": "长" * 22}]]})

    (problem,) = check_request("sendMessage", {"chat_id": 1, "text": "x", "reply_markup": keys})

    assert "66 bytes, allowed are 1-64" in problem
