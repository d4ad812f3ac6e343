"""Processes are killed in the middle of what residents and butlers send each other: albums, replies, edits, undo."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults.harness import Stack, until
from tests.faults.people import Message, Person, text_of

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def begin(wang: Person, li: Person) -> None:
    """The butler has taken over."""
    await wang.says("转人工")
    await li.sees("👤", topic=wang.name)
    await li.says("您好，请讲。", topic=wang.name)
    await wang.sees("请讲")


def captions(messages: list[Message]) -> dict[Any, list[str]]:
    """What stands below the pictures, album by album."""
    found: dict[Any, list[str]] = {}
    for message in messages:
        if message.get("photo"):
            found.setdefault(message.get("media_group_id"), []).append(text_of(message))
    return found


async def test_an_album_cut_in_two_by_kills_arrives_as_one(stack: Stack, wang: Person, li: Person):
    """The first part is in the inbox, the others are still with Telegram, when everything dies."""
    await begin(wang, li)
    await stack.settled()
    await stack.hold_down("worker")
    await wang.sends(photo={}, caption="一", media_group_id="album")
    await stack.until_row("SELECT 1 FROM inbox WHERE done_at IS NULL AND dead_at IS NULL")
    await stack.hold_down("ingress")
    for words in ("二", "三"):
        await wang.sends(photo={}, caption=words, media_group_id="album")

    stack.start(["ingress"])
    await stack.up("ingress")
    stack.start(["worker"])
    await stack.settled(within=60)

    found = captions([one for one in await li.messages(topic=wang.name) if one["from"]["is_bot"]])
    assert list(found.values()) == [["一", "二", "三"]]
    assert None not in found


async def test_replies_edits_and_undo_find_their_twins_after_kills(stack: Stack, wang: Person, li: Person):
    """What belongs together is in the database, not in a process."""
    await begin(wang, li)
    said = await wang.says("3栋")
    await li.sees("3栋", topic=wang.name)
    sent = await li.says("发错人了", topic=wang.name)
    await wang.sees("发错人了")
    await stack.settled()

    for name in ("worker", "sender", "ingress"):
        stack.kill(name)
    own = {"from_": wang.id, "chat_id": wang.id}
    await stack.post("edits", **own, message_id=said["message_id"], text="5栋")
    await stack.post("messages", **own, text="就是这里", reply_to=said["message_id"])
    place = {"chat_id": stack.group, "thread": sent["message_thread_id"]}
    await stack.post("messages", from_=li.id, text="/undo", reply_to=sent["message_id"], **place)
    await until(lambda: _texts(li, wang.name, "就是这里"), "the reply never came", within=60)
    await stack.settled(within=60)

    topic = {text_of(message): message for message in await li.messages(topic=wang.name)}
    assert text_of(topic["就是这里"]["reply_to_message"]) == "5栋"
    assert "3栋" not in topic
    assert "发错人了" not in [text_of(message) for message in await wang.messages()]


async def _texts(person: Person, topic: str, wanted: str) -> bool:
    return wanted in [text_of(message) for message in await person.messages(topic=topic)]
