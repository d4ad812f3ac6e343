"""Edits, deletions, pins, reactions, copies, forwards."""

import pytest

from tests.sandbox.client import Client

TWO_DAYS = 48 * 3600
KEYS = {"inline_keyboard": [[{"text": "满意", "callback_data": "s:1"}]]}


async def test_an_edit_replaces_the_text_and_drops_the_keyboard(world: Client):
    user = await world.make_resident()
    card = await world.bot("sendMessage", chat_id=user, text="旧", reply_markup=KEYS)

    await world.bot("editMessageText", chat_id=user, message_id=card["message_id"], text="新")

    shown = (await world.seen(user))[-1]
    assert shown["text"] == "新"
    assert shown["sandbox"]["edited"] is True
    assert "reply_markup" not in shown


async def test_the_same_again_is_not_modified(world: Client):
    user = await world.make_resident()
    card = await world.bot("sendMessage", chat_id=user, text="<b>旧</b>", parse_mode="HTML", reply_markup=KEYS)
    same = {"chat_id": user, "message_id": card["message_id"], "reply_markup": KEYS}

    text = await world.refusal("editMessageText", text="*旧*", parse_mode="MarkdownV2", **same)
    keys = await world.refusal("editMessageReplyMarkup", **same)

    assert text.description == keys.description
    assert text.description.startswith("Bad Request: message is not modified: specified new message content")


async def test_a_keyboard_can_be_taken_away_alone(world: Client):
    user = await world.make_resident()
    card = await world.bot("sendMessage", chat_id=user, text="旧", reply_markup=KEYS)

    edited = await world.bot("editMessageReplyMarkup", chat_id=user, message_id=card["message_id"])

    assert "reply_markup" not in edited


@pytest.mark.parametrize(
    ("method", "params", "reason"),
    [
        ("editMessageText", {"text": "x"}, "there is no text in the message to edit"),
        ("editMessageText", {"text": "x", "message_id": 999}, "message to edit not found"),
        ("editMessageText", {"text": "x", "message_id": 1}, "message can't be edited"),
        ("deleteMessage", {"message_id": 999}, "message to delete not found"),
        ("pinChatMessage", {"message_id": 999}, "message to pin not found"),
        ("copyMessage", {"message_id": 999}, "message to copy not found"),
        ("forwardMessage", {"message_id": 999}, "message to forward not found"),
        ("setMessageReaction", {"reaction": [{"type": "emoji", "emoji": "✅"}]}, "REACTION_INVALID"),
    ],
)
async def test_what_cannot_be_done_is_refused_with_the_reason(world: Client, method, params, reason):
    user = await world.make_resident()
    photo = await world.bot("sendPhoto", chat_id=user, photo="https://example.org/a.jpg")
    place = {"from_chat_id": user} if method in ("copyMessage", "forwardMessage") else {}

    refused = await world.refusal(method, **({"chat_id": user, "message_id": photo["message_id"]} | place | params))

    assert refused.description == f"Bad Request: {reason}"


async def test_a_caption_is_edited_as_a_caption(world: Client):
    user = await world.make_resident()
    photo = await world.bot("sendPhoto", chat_id=user, photo="https://example.org/a.jpg", caption="前")
    text = await world.bot("sendMessage", chat_id=user, text="字")

    edited = await world.bot("editMessageCaption", chat_id=user, message_id=photo["message_id"], caption="后")
    refused = await world.refusal("editMessageCaption", chat_id=user, message_id=text["message_id"], caption="x")

    assert edited["caption"] == "后"
    assert refused.description == "Bad Request: there is no caption in the message to edit"


async def test_a_file_can_be_replaced(world: Client):
    user = await world.make_resident()
    photo = await world.bot("sendPhoto", chat_id=user, photo="https://example.org/a.jpg")
    media = {"type": "document", "media": "https://example.org/b.pdf", "caption": "账单"}

    edited = await world.bot("editMessageMedia", chat_id=user, message_id=photo["message_id"], media=media)

    assert "photo" not in edited
    assert (edited["document"]["file_name"], edited["caption"]) == ("b.pdf", "账单")


async def test_an_edit_by_a_person_is_told(world: Client):
    user = await world.make_resident()
    said = await world.say(user, "3栋漏水")

    await world.post("/edits", from_=user, chat_id=user, message_id=said["message_id"], text="5栋漏水")

    before, after = await world.updates()
    assert before["message"]["text"] == "3栋漏水"
    assert after["edited_message"]["text"] == "5栋漏水"
    assert after["edited_message"]["edit_date"] >= said["date"]


async def test_a_deletion_by_a_person_is_not_told(world: Client):
    user = await world.make_resident()
    said = await world.say(user, "算了")
    await world.updates()

    await world.post("/deletions", chat_id=user, message_ids=[said["message_id"]])

    assert await world.updates() == []
    assert said["message_id"] not in [message["message_id"] for message in await world.seen(user)]
    everything = await world.seen(user, "?include_deleted=true")
    assert everything[-1]["sandbox"]["deleted"] is True


async def test_a_message_can_be_deleted_for_two_days(world: Client):
    user = await world.make_resident()
    old = await world.bot("sendMessage", chat_id=user, text="旧")
    await world.post("/clock", advance=TWO_DAYS + 1)
    new = await world.bot("sendMessage", chat_id=user, text="新")

    assert await world.bot("deleteMessage", chat_id=user, message_id=new["message_id"])

    refused = await world.refusal("deleteMessage", chat_id=user, message_id=old["message_id"])
    assert refused.description == "Bad Request: message can't be deleted for everyone"


async def test_a_list_of_deletions_passes_over_what_it_cannot_delete(world: Client):
    user = await world.make_resident()
    sent = await world.bot("sendMessage", chat_id=user, text="x")

    assert await world.bot("deleteMessages", chat_id=user, message_ids=[sent["message_id"], 999])

    assert [message["text"] for message in await world.seen(user)] == ["/start"]


async def test_a_pin_shows_and_the_bot_hears_of_it(world: Client):
    group = await world.make_group(await world.make_user())
    card = await world.bot("sendMessage", chat_id=group, text="值班表")

    await world.bot("pinChatMessage", chat_id=group, message_id=card["message_id"])
    pinned = await world.bot("getChat", chat_id=group)
    await world.bot("unpinChatMessage", chat_id=group)

    assert pinned["pinned_message"]["text"] == "值班表"
    assert (await world.updates())[0]["message"]["pinned_message"]["text"] == "值班表"
    assert "pinned_message" not in await world.bot("getChat", chat_id=group)
    assert await world.bot("unpinAllChatMessages", chat_id=group)


async def test_a_reaction_of_the_bot_shows(world: Client):
    user = await world.make_resident()
    said = await world.say(user, "谢谢")

    await world.bot(
        "setMessageReaction",
        chat_id=user,
        message_id=said["message_id"],
        reaction=[{"type": "emoji", "emoji": "❤"}],
    )

    assert (await world.seen(user))[-1]["sandbox"]["reactions"] == [{"emoji": "❤", "count": 1, "users": [100001]}]


async def test_a_copy_is_the_bots_own_and_leaves_no_trace_of_the_author(world: Client):
    user = await world.make_resident()
    group = await world.make_group(await world.make_user("王姐"))
    said = await world.say(user, photo={}, caption="漏水")

    sent = await world.bot("copyMessage", chat_id=group, from_chat_id=user, message_id=said["message_id"])

    copy = (await world.seen(group))[-1]
    assert set(sent) == {"message_id"}
    assert (copy["caption"], copy["from"]["is_bot"]) == ("漏水", True)
    assert "forward_origin" not in copy


async def test_a_copy_may_carry_another_caption(world: Client):
    user = await world.make_resident()
    said = await world.say(user, photo={}, caption="漏水")

    await world.bot("copyMessage", chat_id=user, from_chat_id=user, message_id=said["message_id"], caption="3-2-501")

    assert (await world.seen(user))[-1]["caption"] == "3-2-501"


async def test_an_album_is_copied_as_an_album(world: Client):
    user = await world.make_resident()
    album = await world.say(user, album=[{"photo": {}}, {"photo": {}, "caption": "厨房"}])
    ids = [message["message_id"] for message in album]

    sent = await world.bot("copyMessages", chat_id=user, from_chat_id=user, message_ids=[*ids, 999])

    copies = (await world.seen(user))[-2:]
    assert [copy["message_id"] for copy in sent] == [copy["message_id"] for copy in copies]
    assert copies[0]["media_group_id"] == copies[1]["media_group_id"] != album[0]["media_group_id"]


async def test_a_forward_names_its_author(world: Client):
    user = await world.make_resident()
    said = await world.say(user, "我要投诉")

    sent = await world.bot("forwardMessage", chat_id=user, from_chat_id=user, message_id=said["message_id"])
    again = await world.bot("forwardMessages", chat_id=user, from_chat_id=user, message_ids=[sent["message_id"]])

    assert sent["forward_origin"]["sender_user"]["id"] == user
    assert len(again) == 1
    assert (await world.seen(user))[-1]["forward_origin"] == sent["forward_origin"]


async def test_identifiers_to_copy_must_rise(world: Client):
    user = await world.make_resident()

    refused = await world.refusal("copyMessages", chat_id=user, from_chat_id=user, message_ids=[2, 1])

    assert refused.code == 400
