"""Real client libraries find nothing strange."""

from collections.abc import AsyncIterator

import pytest
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, InputMediaPhoto, Update
from telegram.constants import ParseMode
from telegram.error import BadRequest, ChatMigrated, Conflict, Forbidden, InvalidToken, NetworkError, RetryAfter

from tests.sandbox.client import TOKEN, Client


@pytest.fixture
async def bot(world: Client) -> AsyncIterator[Bot]:
    """python-telegram-bot against the sandbox."""
    async with Bot(TOKEN, base_url=f"{world.base}/bot", base_file_url=f"{world.base}/file/bot") as ready:
        yield ready


async def test_it_sends_edits_and_deletes(world: Client, bot: Bot):
    user = await world.make_resident()
    keys = InlineKeyboardMarkup([[InlineKeyboardButton("满意", callback_data="s:1")]])

    message = await bot.send_message(user, "<b>您好</b>", parse_mode=ParseMode.HTML, reply_markup=keys)
    edited = await message.edit_text("再见")
    deleted = await message.delete()

    assert message.parse_entities() == {message.entities[0]: "您好"}
    assert isinstance(edited, type(message))
    assert edited.text == "再见"
    assert deleted is True


async def test_it_polls_and_answers_a_tap(world: Client, bot: Bot):
    user = await world.make_resident()
    keys = InlineKeyboardMarkup([[InlineKeyboardButton("满意", callback_data="s:1")]])
    message = await bot.send_message(user, "?", reply_markup=keys)
    tap = await world.post("/taps", from_=user, chat_id=user, message_id=message.message_id, data="s:1")

    (update,) = await bot.get_updates(allowed_updates=Update.ALL_TYPES)
    assert update.callback_query is not None
    await update.callback_query.answer("谢谢")

    assert (await world.get(f"/taps/{tap['callback_query_id']}"))["text"] == "谢谢"


async def test_it_uploads_albums_and_downloads_files(world: Client, bot: Bot):
    user = await world.make_resident()

    sent = await bot.send_media_group(user, [InputMediaPhoto(b"one"), InputMediaPhoto(b"two", caption="二")])
    file = await bot.get_file(sent[1].photo[-1].file_id)

    assert bytes(await file.download_as_bytearray()) == b"two"
    assert sent[1].caption == "二"


async def test_it_makes_topics_and_finds_them_gone(world: Client, bot: Bot):
    group = await world.make_group(await world.make_user())
    topic = await bot.create_forum_topic(group, "3-2-501")
    await world.sim("DELETE", f"/topics/{group}/{topic.message_thread_id}")

    with pytest.raises(BadRequest, match="Message thread not found"):
        await bot.send_message(group, "x", message_thread_id=topic.message_thread_id)


async def test_it_copies(world: Client, bot: Bot):
    user = await world.make_resident()
    said = await world.say(user, voice={})

    assert (await bot.copy_message(user, user, said["message_id"])).message_id > said["message_id"]


@pytest.mark.filterwarnings("ignore:.*retry_after.*timedelta")  # the library's own plans
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"kind": "error_429", "retry_after": 3}, RetryAfter),
        ({"kind": "error_403"}, Forbidden),
        ({"kind": "error_5xx"}, NetworkError),
        ({"kind": "error_5xx", "code": 500}, NetworkError),
        ({"kind": "reset_before"}, NetworkError),
        ({"kind": "reset_after"}, NetworkError),
    ],
)
async def test_it_raises_its_own_error_for_every_fault(world: Client, bot: Bot, fault, error):
    user = await world.make_resident()
    await world.post("/faults", method="sendMessage", count=1, **fault)

    with pytest.raises(error):
        await bot.send_message(user, "x")


async def test_it_recognises_a_migration(world: Client, bot: Bot):
    group = await world.make_group(await world.make_user())
    new = (await world.post(f"/groups/{group}/migrate"))["id"]

    with pytest.raises(ChatMigrated) as moved:
        await bot.send_message(group, "x")

    assert moved.value.new_chat_id == new


async def test_it_recognises_a_conflict(world: Client, bot: Bot):
    await bot.set_webhook("http://127.0.0.1:9/hook")

    with pytest.raises(Conflict):
        await bot.get_updates()


async def test_it_recognises_a_wrong_token(world: Client):
    with pytest.raises(InvalidToken):
        async with Bot("1:NOBODY", base_url=f"{world.base}/bot"):
            pytest.fail("entered")
