"""Who may be written to: blocks, strangers, groups that move, members."""

from tests.sandbox.client import OTHER_TOKEN, Client


async def test_a_bot_cannot_begin_a_conversation(world: Client):
    user = await world.make_user()

    refused = await world.refusal("sendMessage", chat_id=user, text="您好")

    assert (refused.code, refused.description) == (403, "Forbidden: bot can't initiate conversation with a user")


async def test_an_unknown_chat_is_not_found(world: Client):
    for chat in (424242, -100424242, "@nobody"):
        refused = await world.refusal("sendMessage", chat_id=chat, text="x")
        assert (refused.code, refused.description) == (400, "Bad Request: chat not found")


async def test_a_block_forbids_sending_and_is_told(world: Client):
    user = await world.make_resident()

    await world.post("/blocks", user=user, blocked=True)

    refused = await world.refusal("sendMessage", chat_id=user, text="x")
    assert (refused.code, refused.description) == (403, "Forbidden: bot was blocked by the user")
    (update,) = await world.updates()
    change = update["my_chat_member"]
    assert (change["old_chat_member"]["status"], change["new_chat_member"]["status"]) == ("member", "kicked")


async def test_an_unblock_lets_the_bot_write_again(world: Client):
    user = await world.make_resident()
    await world.post("/blocks", user=user, blocked=True)

    await world.post("/blocks", user=user, blocked=False)

    assert await world.bot("sendMessage", chat_id=user, text="x")
    assert (await world.updates())[-1]["my_chat_member"]["new_chat_member"]["status"] == "member"


async def test_who_writes_no_longer_blocks(world: Client):
    user = await world.make_resident()
    await world.post("/blocks", user=user, blocked=True)

    await world.say(user, "我回来了")

    assert await world.bot("sendMessage", chat_id=user, text="欢迎")


async def test_a_migrated_group_names_its_new_id(world: Client):
    user = await world.make_user()
    old = await world.make_group(user)
    thread = await world.make_topic(old)

    new = (await world.post(f"/groups/{old}/migrate"))["id"]

    refused = await world.refusal("sendMessage", chat_id=old, text="x")
    assert refused.description == "Bad Request: group chat was upgraded to a supergroup chat"
    assert refused.parameters == {"migrate_to_chat_id": new}
    left, arrived = await world.updates()
    assert (left["message"]["chat"]["id"], left["message"]["migrate_to_chat_id"]) == (old, new)
    assert (arrived["message"]["chat"]["id"], arrived["message"]["migrate_from_chat_id"]) == (new, old)
    assert await world.bot("sendMessage", chat_id=new, message_thread_id=thread, text="还在")


async def test_a_person_outside_a_group_cannot_write_there(world: Client):
    group = await world.make_group(await world.make_user())
    stranger = await world.make_user("陌生人")

    await world.sim("POST", "/messages", {"from": stranger, "chat_id": group, "text": "x"}, status=403)

    assert await world.updates() == []


async def test_a_new_member_is_announced_and_a_leaving_one_too(world: Client):
    user, group = await world.make_user("小王"), await world.make_group()

    await world.post(f"/groups/{group}/members", user_id=user, status="member")
    await world.post(f"/groups/{group}/members", user_id=user, status="left")

    came, went = await world.updates()
    assert came["message"]["new_chat_members"][0]["id"] == user
    assert went["message"]["left_chat_member"]["id"] == user


async def test_the_bot_is_administrator_in_its_group(world: Client):
    boss, user = await world.make_user("王姐"), await world.make_user()
    group = await world.make_group(user, admins=[boss])

    me = await world.bot("getMe")
    admins = await world.bot("getChatAdministrators", chat_id=group)

    assert [(a["user"]["id"], a["status"]) for a in admins] == [(boss, "creator"), (me["id"], "administrator")]
    assert await world.bot("getChatMemberCount", chat_id=group) == 3
    member = await world.bot("getChatMember", chat_id=group, user_id=user)
    assert member["status"] == "member"


async def test_a_bot_that_was_thrown_out_is_told_so(world: Client):
    group = await world.make_group(await world.make_user())
    me = await world.bot("getMe")

    await world.post(f"/groups/{group}/members", user_id=me["id"], status="kicked")

    refused = await world.refusal("sendMessage", chat_id=group, text="x")
    assert refused.description == "Forbidden: bot was kicked from the supergroup chat"
    assert (await world.updates())[0]["my_chat_member"]["new_chat_member"]["status"] == "kicked"


async def test_a_ban_removes_a_member(world: Client):
    user = await world.make_user()
    group = await world.make_group(user)

    await world.bot("banChatMember", chat_id=group, user_id=user)
    banned = await world.bot("getChatMember", chat_id=group, user_id=user)
    await world.bot("unbanChatMember", chat_id=group, user_id=user, only_if_banned=True)
    free = await world.bot("getChatMember", chat_id=group, user_id=user)

    assert (banned["status"], free["status"]) == ("kicked", "left")


async def test_a_bot_that_left_finds_no_chat(world: Client):
    group = await world.make_group(await world.make_user())

    await world.bot("leaveChat", chat_id=group)

    assert (await world.refusal("sendMessage", chat_id=group, text="x")).code == 403


async def test_two_bots_have_separate_chats_with_one_person(world: Client):
    user = await world.make_resident()

    refused = await world.refusal("sendMessage", token=OTHER_TOKEN, chat_id=user, text="x")

    assert refused.code == 403
    assert await world.updates(token=OTHER_TOKEN) == []


async def test_a_bot_does_not_hear_another_bot(world: Client):
    group = await world.make_group(await world.make_user())
    await world.post(f"/groups/{group}/members", user_id=100002, status="administrator")

    await world.bot("sendMessage", token=OTHER_TOKEN, chat_id=group, text="x")

    assert await world.updates() == []


async def test_a_group_of_another_bot_is_not_found(world: Client):
    group = await world.make_group(await world.make_user(), token=OTHER_TOKEN)

    assert (await world.refusal("getChat", chat_id=group)).description == "Bad Request: chat not found"
