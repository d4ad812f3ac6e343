"""The sender against a Telegram that answers as it pleases: what is written down about every outcome."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from sqlalchemy import event, text

from bot.sender import Sender
from bot.transport import make_bot
from bot.wake import Wake
from service import conversations, outbox, sending, topics
from service.db import Sessions
from service.models.communities import Topic
from service.models.queues import Delivery, OutboxRow, OutboxState
from service.texts import Line
from tests.bot.servers import Telegram, refusal, serving
from tests.botapi_spec import check_request
from tests.service.test_outbox import write
from tests.stage import BOT_ID, NOON, PLENTY, STAFF_CHAT, Stage


class Post:
    """A sender, its Telegram, and what is in the outbox."""

    def __init__(self, sender: Sender, telegram: Telegram, sessions: Sessions) -> None:
        self.sender = sender
        self.telegram = telegram
        self.sessions = sessions

    def write(self, words: str = "您好", **facts: Any) -> int:
        with self.sessions.begin() as session:
            return int(write(Stage(session), words, **facts))

    async def round(self) -> None:
        """Send what may go out now, and wait until the outcomes are written down."""
        with self.sessions.begin() as session:
            parcels = self.sender.take(session, 16)
        await asyncio.gather(*map(self.sender.work, parcels))

    def row(self, row_id: int) -> OutboxRow:
        with self.sessions.begin() as session:
            return session.get_one(OutboxRow, row_id)

    def methods(self) -> list[str]:
        return [method for method, _ in self.telegram.calls]


@pytest.fixture
async def post(sessions: Sessions, database_url: str) -> AsyncIterator[Post]:
    telegram = Telegram()
    async with serving(telegram.handle) as url, sender_for(url, sessions, database_url) as sender:
        yield Post(sender, telegram, sessions)
    for method, parameters in telegram.calls:
        assert check_request(method, parameters) == []


@asynccontextmanager
async def sender_for(url: str, sessions: Sessions, database_url: str) -> AsyncIterator[Sender]:
    bot = make_bot(f"{BOT_ID}:TEST", url)
    for request in bot._request:
        await request.initialize()
    yield Sender(bot, sessions, Wake(database_url, outbox.CHANNEL), rates=PLENTY, now=lambda: NOON)
    for request in bot._request:
        await request.shutdown()


async def test_a_line_is_sent_and_its_message_is_known(post):
    row = post.write()

    await post.round()

    assert (post.row(row).state, post.row(row).message_id) == (OutboxState.SENT, 1001)


async def test_what_arrives_together_is_written_down_together(post):
    """Each of a hundred thousand lines had a transaction of its own, and the next waited for it."""
    rows = [post.write(chat_id=chat) for chat in range(7, 12)]
    with post.sessions.begin() as session:
        parcels = post.sender.take(session, len(rows))
    outcomes = [await post.sender.call(parcel) for parcel in parcels]
    written: list[str] = []
    event.listen(post.sessions.kw["bind"], "after_cursor_execute", lambda *facts: written.append(facts[2]))

    with post.sessions.begin() as session:
        post.sender.settle(session, outcomes)

    assert len(written) == 1
    assert {post.row(row).state for row in rows} == {OutboxState.SENT}


@pytest.mark.parametrize(
    ("code", "description", "expected"),
    [
        (400, "Bad Request: message is not modified: specified new message content", OutboxState.SENT),
        (400, "Bad Request: message to edit not found", OutboxState.DROPPED),
        (400, "Bad Request: message to copy not found", OutboxState.DROPPED),
        (400, "Bad Request: not enough rights to manage pinned messages in the chat", OutboxState.DROPPED),
        (400, "Bad Request: message text is empty", OutboxState.DEAD),
        (400, "Bad Request: chat not found", OutboxState.DROPPED),
        (403, "Forbidden: bot was blocked by the user", OutboxState.DROPPED),
        (403, "Forbidden: user is deactivated", OutboxState.DROPPED),
        (401, "Unauthorized", OutboxState.PENDING),
        (500, "Internal Server Error", OutboxState.PENDING),
        (502, "Bad Gateway", OutboxState.PENDING),
    ],
)
async def test_what_telegram_answers_decides_what_becomes_of_a_line(post, code, description, expected):
    post.telegram.answers = [refusal(code, description)]
    row = post.write()

    await post.round()

    assert post.row(row).state is expected, post.row(row).reason


@pytest.mark.parametrize(
    "answer",
    [
        refusal(500, "Internal Server Error"),
        web.Response(status=502, text="<html>nginx</html>"),
        web.Response(status=200, text="<html>hotel wifi</html>"),
        web.Response(status=200, text='{"ok": true, "resu'),
    ],
    ids=["500", "502", "200 of another server", "200 cut off"],
)
@pytest.mark.parametrize("delivery", [Delivery.AT_LEAST_ONCE, Delivery.AT_MOST_ONCE])
async def test_an_answer_that_says_nothing_leaves_the_delivery_uncertain(post, answer, delivery):
    """Telegram may have taken it: its class decides, and no line to a person is given up."""
    copy = web.Response(status=answer.status, text=answer.text, content_type=answer.content_type)
    post.telegram.answers = [copy]
    row = post.write(delivery=delivery)

    await post.round()

    once = delivery is Delivery.AT_MOST_ONCE
    assert post.row(row).state is (OutboxState.UNCONFIRMED if once else OutboxState.PENDING)


async def test_a_refused_connection_is_tried_again_whatever_it_was(sessions, database_url):
    async with sender_for("http://127.0.0.1:9", sessions, database_url) as sender:
        post = Post(sender, Telegram(), sessions)
        row = post.write(delivery=Delivery.AT_MOST_ONCE)
        await post.round()

    assert (post.row(row).state, post.row(row).attempts) == (OutboxState.PENDING, 1)


async def test_a_429_is_obeyed_for_that_chat(post):
    post.telegram.answers = [refusal(429, "Too Many Requests: retry after 30", retry_after=30)]
    row = post.write()

    await post.round()
    await post.round()

    assert (post.row(row).state, post.methods()) == (OutboxState.PENDING, ["sendMessage"])
    with post.sessions.begin() as session:
        assert 25 < (sending.seconds_to_next(session, BOT_ID, PLENTY) or 0) <= 30


async def test_a_blocked_resident_is_out_of_reach_and_staff_are_told_once(post):
    with post.sessions.begin() as session:
        stage = Stage(session)
        talk = stage.resident(chat_id=7)
        for number in range(3):
            conversations.tell(session, talk, Line(str(number)), key=f"k{number}", now=NOON)
    post.telegram.answers = [refusal(403, "Forbidden: bot was blocked by the user")]

    await post.round()

    with post.sessions.begin() as session:
        rows = Stage(session).outbox()
        assert [row.state for row in rows if row.chat_id == 7] == [OutboxState.DROPPED] * 3
        assert len([row for row in rows if row.kind == "note"]) == 1


async def test_a_topic_is_made_before_its_first_line(post):
    with post.sessions.begin() as session:
        topic = topics.open_topic(session, Stage(session).community.id, "王芳")
    row = post.write(chat_id=STAFF_CHAT, topic_id=topic.id)

    await post.round()
    await post.round()

    assert post.methods() == ["createForumTopic", "sendMessage"]
    assert post.telegram.calls[1][1]["message_thread_id"] == "1001"
    assert post.row(row).state is OutboxState.SENT


async def test_a_topic_whose_making_is_uncertain_does_not_make_its_work_order_uncertain(post):
    """W2: the work order itself was certainly not sent; nobody has to be asked."""
    post.telegram.answers = [refusal(500, "Internal Server Error")]
    with post.sessions.begin() as session:
        topic = topics.open_topic(session, Stage(session).community.id, "王芳")
    row = post.write(chat_id=STAFF_CHAT, topic_id=topic.id, delivery=Delivery.AT_MOST_ONCE)

    await post.round()

    assert post.row(row).state is OutboxState.PENDING


async def test_a_deleted_topic_is_made_again_with_its_card_first(post):
    with post.sessions.begin() as session:
        card = {"text": "👤 王芳"}
        topic = topics.open_topic(session, Stage(session).community.id, "王芳", card=card)
        topics.made(session, topic.id, 5)
    post.write("住户的话", chat_id=STAFF_CHAT, topic_id=topic.id)
    post.telegram.answers = [refusal(400, "Bad Request: message thread not found")]

    for _ in range(4):
        await post.round()

    assert post.methods() == ["sendMessage", "createForumTopic", "sendMessage", "sendMessage"]
    assert [call["text"] for method, call in post.telegram.calls[2:]] == ["👤 王芳", "住户的话"]
    with post.sessions.begin() as session:
        assert session.get_one(Topic, topic.id).thread_id == 1002


async def test_a_rename_does_not_bring_a_deleted_topic_back(post):
    """Staff put it away; only a line that somebody is to read makes it again."""
    with post.sessions.begin() as session:
        topic = topics.open_topic(session, Stage(session).community.id, "王芳", card={"text": "👤 王芳"})
        topics.made(session, topic.id, 5)
    named = {"act": "rename", "payload": {"name": "💬 王芳"}, "chat_id": STAFF_CHAT, "topic_id": topic.id}
    rows = [post.write(**named), post.write(**named)]
    post.telegram.answers = [refusal(400, "Bad Request: message thread not found")]

    for _ in range(3):
        await post.round()

    assert post.methods() == ["editForumTopic"]
    assert [post.row(row).state for row in rows] == [OutboxState.DROPPED] * 2


async def test_a_topic_that_has_the_name_already_is_fine(post):
    with post.sessions.begin() as session:
        topic = topics.open_topic(session, Stage(session).community.id, "王芳")
        topics.made(session, topic.id, 5)
    post.telegram.answers = [refusal(400, "Bad Request: TOPIC_NOT_MODIFIED")]
    row = post.write(act="rename", payload={"name": "王芳"}, chat_id=STAFF_CHAT, topic_id=topic.id)

    await post.round()

    assert post.row(row).state is OutboxState.SENT


async def test_a_migrated_group_is_followed_by_what_waits(post):
    with post.sessions.begin() as session:
        Stage(session)
    row = post.write(chat_id=STAFF_CHAT)
    moved = {"migrate_to_chat_id": STAFF_CHAT - 5}
    post.telegram.answers = [refusal(400, "Bad Request: group chat was upgraded to a supergroup chat", **moved)]

    await post.round()
    await post.round()

    assert [call["chat_id"] for _, call in post.telegram.calls] == [str(STAFF_CHAT), str(STAFF_CHAT - 5)]
    assert post.row(row).state is OutboxState.SENT


async def test_an_edit_of_what_never_arrived_is_dropped_without_a_call(post):
    target = post.write()
    post.telegram.answers = [refusal(400, "Bad Request: message text is empty")]
    edit = post.write("新", act="edit", edits_id=target)

    await post.round()
    await post.round()

    assert post.row(edit).state is OutboxState.DROPPED
    assert post.methods() == ["sendMessage"]


async def test_the_board_is_written_without_a_sound_and_pinned(post):
    user = {"id": 9, "is_bot": False, "first_name": "李雷"}
    mention = {"type": "text_mention", "offset": 0, "length": 2, "user": user}
    said = post.write(chat_id=STAFF_CHAT, payload={"text": "李雷", "entities": [mention], "silent": True})
    post.write(chat_id=STAFF_CHAT, act="pin", payload={}, edits_id=said)

    await post.round()
    await post.round()

    (sent, line), (pinned, what) = post.telegram.calls
    assert (sent, line["disable_notification"], pinned, what["message_id"]) == (
        "sendMessage", "true", "pinChatMessage", "1001",
    )  # fmt: skip
    assert json.loads(line["entities"]) == [mention]


async def test_an_album_is_copied_in_one_call(post):
    post.write(act="copy", payload={"from_chat_id": 5, "message_ids": [3, 1, 2]})

    await post.round()

    [(method, call)] = post.telegram.calls
    assert (method, json.loads(call["message_ids"])) == ("copyMessages", [1, 2, 3])


async def test_a_row_nobody_can_render_is_dead_and_holds_back_nothing(post):
    bad = post.write(payload={"words": "a payload without a text"})
    good = post.write("二")

    await post.round()
    await post.round()

    assert (post.row(bad).state, post.row(good).state) == (OutboxState.DEAD, OutboxState.SENT)


async def test_lines_taken_in_a_commit_whose_answer_was_lost_go_out_all_the_same(post):
    """The database was killed in between: the sender lives, and nobody else would ever free what it seems to hold."""
    first, second = post.write("您好"), post.write("请讲")
    with post.sessions.begin() as session:
        post.sender.take(session, 16)  # and nobody hears of it

    with post.sessions.begin() as session:
        post.sender.free_orphans(session)
    await post.round()
    await post.round()

    assert [post.row(row).state for row in (first, second)] == [OutboxState.SENT] * 2


async def test_what_goes_out_is_marked_before_telegram_is_called(post, database_url):
    """Killed between the two, the row says that it may have arrived."""
    states: list[str] = []
    telegram = Telegram()

    async def look(request: web.Request) -> web.StreamResponse:
        with post.sessions.begin() as session:
            states.extend(session.scalars(text("SELECT state FROM outbox")))
        return await telegram.handle(request)

    async with serving(look) as url, sender_for(url, post.sessions, database_url) as sender:
        post.write()
        await Post(sender, telegram, post.sessions).round()

    assert states == ["sending"]
