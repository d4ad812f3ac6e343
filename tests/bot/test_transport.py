"""Calls over a real socket, and what is known of them when they fail."""

from __future__ import annotations

import asyncio
import socket
from datetime import timedelta

import pytest
from aiohttp import web
from telegram import Bot
from telegram.error import BadRequest, ChatMigrated, Forbidden, NetworkError, RetryAfter, TelegramError, TimedOut

from bot.transport import AiohttpRequest, certainly_not_sent, make_bot, retry_after
from tests.bot.servers import Telegram, listening, refusal, serving

TOKEN = "100001:TEST"


async def call(url: str, *, read_timeout: float = 20.0) -> TelegramError | None:
    """Send a message; what went wrong, if anything."""
    bot = make_bot(TOKEN, url)
    request = AiohttpRequest(connections=2, read_timeout=read_timeout)
    bot._request = (request, request)
    await request.initialize()
    try:
        await bot.send_message(7, "您好")
    except TelegramError as error:
        return error
    finally:
        await request.shutdown()
    return None


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


async def test_a_call_arrives_as_a_form_telegram_reads():
    telegram = Telegram()
    async with serving(telegram.handle) as url:
        assert await call(url) is None

    assert telegram.calls == [("sendMessage", {"chat_id": "7", "text": "您好"})]


async def test_a_file_goes_along_in_a_part_of_its_own():
    arrived: dict[str, object] = {}

    async def take(request: web.Request) -> web.StreamResponse:
        for name, value in (await request.post()).items():
            arrived[name] = (value.filename, value.file.read()) if isinstance(value, web.FileField) else value
        message = {"message_id": 1, "date": 1, "chat": {"id": 7, "type": "private"}}
        return web.json_response({"ok": True, "result": message})

    async with serving(take) as url:
        bot = make_bot(TOKEN, url)
        await bot._request[1].initialize()
        await bot.send_document(7, "姓名".encode(), filename="guanjia.json", caption="请查收")
        await bot._request[1].shutdown()

    assert (arrived["chat_id"], arrived["caption"]) == ("7", "请查收")
    assert ("guanjia.json", "姓名".encode()) in arrived.values()


async def test_a_refused_connection_was_certainly_not_sent():
    error = await call(f"http://127.0.0.1:{free_port()}")

    assert isinstance(error, NetworkError)
    assert certainly_not_sent(error)


async def test_a_connection_that_ends_mid_way_may_have_been_sent():
    """The message may be in the resident's chat already."""

    async def take_and_hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    async with listening(take_and_hang_up) as url:
        error = await call(url)

    assert isinstance(error, NetworkError)
    assert not certainly_not_sent(error)


async def test_an_answer_that_breaks_off_may_have_been_sent():
    async def answer_half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"ok":')
        await writer.drain()
        writer.close()

    async with listening(answer_half) as url:
        error = await call(url)

    assert isinstance(error, NetworkError)
    assert not certainly_not_sent(error)


async def test_an_answer_that_never_comes_may_have_been_sent():
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with listening(say_nothing) as url:
        error = await call(url, read_timeout=0.1)

    assert isinstance(error, TimedOut)
    assert not certainly_not_sent(error)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refusal(400, "Bad Request: message text is empty"), BadRequest),
        (refusal(403, "Forbidden: bot was blocked by the user"), Forbidden),
        (refusal(429, "Too Many Requests: retry after 5", retry_after=5), RetryAfter),
        (refusal(400, "Bad Request: group chat was upgraded", migrate_to_chat_id=-1005), ChatMigrated),
        (refusal(500, "Internal Server Error"), NetworkError),
        (web.Response(status=502, text="<html>nginx</html>"), NetworkError),
        (web.Response(status=504, text=""), NetworkError),
    ],
)
async def test_telegrams_answers_have_their_classes_and_were_all_received(answer, kind):
    telegram = Telegram(answers=[answer])
    async with serving(telegram.handle) as url:
        error = await call(url)

    assert isinstance(error, kind)
    assert not (isinstance(error, NetworkError) and certainly_not_sent(error))


@pytest.mark.parametrize("seconds", [35, timedelta(seconds=35)])
def test_how_long_to_wait_is_seconds_in_either_spelling(seconds):
    assert retry_after(RetryAfter(seconds)) == 35


@pytest.mark.parametrize("url", ["https://api.telegram.org", "http://127.0.0.1:8081/"])
def test_the_bot_speaks_to_telegram_or_to_a_look_alike(url):
    bot: Bot = make_bot(TOKEN, url)

    assert bot.base_url == f"{url.rstrip('/')}/bot{TOKEN}"
    assert bot.base_file_url == f"{url.rstrip('/')}/file/bot{TOKEN}"
