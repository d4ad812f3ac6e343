"""Forum topics as they really behave."""

from tests.sandbox.client import Client


async def test_the_bot_hears_of_its_own_topic(world: Client):
    group = await world.make_group(await world.make_user())

    topic = await world.bot("createForumTopic", chat_id=group, name="3-2-501", icon_color=16766590)

    (update,) = await world.updates()
    assert update["message"]["forum_topic_created"] == {"name": "3-2-501", "icon_color": 16766590}
    assert update["message"]["message_thread_id"] == topic["message_thread_id"]
    assert update["message"]["from"]["is_bot"] is True


async def test_a_thread_id_is_never_that_of_the_general_topic(world: Client):
    group = await world.make_group(await world.make_user())

    assert await world.make_topic(group) > 1


async def test_every_message_in_a_topic_replies_to_its_creation(world: Client):
    user = await world.make_user()
    group = await world.make_group(user)
    thread = await world.make_topic(group)

    await world.say(user, "我来处理", chat_id=group, thread=thread)

    (update,) = await world.updates()
    assert update["message"]["is_topic_message"] is True
    assert update["message"]["message_thread_id"] == thread
    assert update["message"]["reply_to_message"]["message_id"] == thread
    assert "forum_topic_created" in update["message"]["reply_to_message"]


async def test_a_real_reply_in_a_topic_names_the_message_it_answers(world: Client):
    user = await world.make_user()
    group = await world.make_group(user)
    thread = await world.make_topic(group)
    card = await world.bot("sendMessage", chat_id=group, message_thread_id=thread, text="工单")

    await world.say(user, "收到", chat_id=group, reply_to=card["message_id"])

    (update,) = await world.updates()
    assert update["message"]["reply_to_message"]["text"] == "工单"
    assert update["message"]["message_thread_id"] == thread


async def test_the_general_topic_is_addressed_without_a_thread(world: Client):
    group = await world.make_group(await world.make_user())

    sent = await world.bot("sendMessage", chat_id=group, text="公告")

    assert "message_thread_id" not in sent
    refused = await world.refusal("sendMessage", chat_id=group, message_thread_id=1, text="公告")
    assert refused.description == "Bad Request: message thread not found"


async def test_a_send_to_a_deleted_topic_finds_no_thread_and_nobody_told_the_bot(world: Client):
    group = await world.make_group(await world.make_user())
    thread = await world.make_topic(group)
    await world.bot("sendMessage", chat_id=group, message_thread_id=thread, text="工单")
    await world.sim("DELETE", f"/topics/{group}/{thread}")

    refused = await world.refusal("sendMessage", chat_id=group, message_thread_id=thread, text="工单")

    assert (refused.code, refused.description) == (400, "Bad Request: message thread not found")
    assert await world.updates() == []
    assert await world.seen(group) == []


async def test_the_bot_may_delete_a_topic(world: Client):
    group = await world.make_group(await world.make_user())
    thread = await world.make_topic(group)

    assert await world.bot("deleteForumTopic", chat_id=group, message_thread_id=thread)

    assert (await world.get("/chats"))[-1]["topics"] == []


async def test_a_topic_made_by_hand_reaches_the_bot(world: Client):
    group = await world.make_group(await world.make_user())

    topic = await world.post("/topics", chat_id=group, name="闲聊")

    (update,) = await world.updates()
    assert update["message"]["message_thread_id"] == topic["message_thread_id"]
    assert update["message"]["from"]["is_bot"] is False


async def test_closing_and_reopening_by_hand_reaches_the_bot(world: Client):
    user = await world.make_user()
    group = await world.make_group(user)
    thread = await world.make_topic(group)

    await world.post(f"/topics/{group}/{thread}/close")
    body = {"from": user, "chat_id": group, "thread": thread, "text": "?"}
    await world.sim("POST", "/messages", body, status=403)
    await world.post(f"/topics/{group}/{thread}/reopen")

    closed, reopened = await world.updates()
    assert "forum_topic_closed" in closed["message"]
    assert "forum_topic_reopened" in reopened["message"]


async def test_a_rename_is_told_and_the_same_name_refused(world: Client):
    group = await world.make_group(await world.make_user())
    thread = await world.make_topic(group, "旧")

    await world.bot("editForumTopic", chat_id=group, message_thread_id=thread, name="新")
    refused = await world.refusal("editForumTopic", chat_id=group, message_thread_id=thread, name="新")

    (update,) = await world.updates()
    assert update["message"]["forum_topic_edited"] == {"name": "新"}
    assert refused.description == "Bad Request: TOPIC_NOT_MODIFIED"


async def test_a_closed_topic_cannot_be_closed_again(world: Client):
    group = await world.make_group(await world.make_user())
    thread = await world.make_topic(group)
    await world.bot("closeForumTopic", chat_id=group, message_thread_id=thread)

    refused = await world.refusal("closeForumTopic", chat_id=group, message_thread_id=thread)

    assert refused.description == "Bad Request: TOPIC_NOT_MODIFIED"
    assert await world.bot("reopenForumTopic", chat_id=group, message_thread_id=thread)


async def test_a_group_without_topics_has_none_to_make(world: Client):
    group = await world.make_group(await world.make_user(), is_forum=False)

    refused = await world.refusal("createForumTopic", chat_id=group, name="x")

    assert refused.description == "Bad Request: the chat is not a forum"


async def test_a_topic_name_has_an_end(world: Client):
    group = await world.make_group(await world.make_user())

    refused = await world.refusal("createForumTopic", chat_id=group, name="长" * 129)

    assert refused.code == 400


async def test_messages_can_be_listed_by_topic(world: Client):
    group = await world.make_group(await world.make_user())
    thread = await world.make_topic(group)
    await world.bot("sendMessage", chat_id=group, message_thread_id=thread, text="里")
    await world.bot("sendMessage", chat_id=group, text="外")

    inside = await world.seen(group, f"?thread={thread}")
    outside = await world.seen(group, "?thread=0")

    assert [message.get("text") for message in inside] == [None, "里"]
    assert [message["text"] for message in outside] == ["外"]
