"""Files: both ways, and only for the bot that got them."""

import base64
import io
from typing import Any

import aiohttp
import pytest

from tests.sandbox.client import OTHER_TOKEN, Client, Refused

FILES = {
    "sendPhoto": "photo",
    "sendDocument": "document",
    "sendVoice": "voice",
    "sendVideo": "video",
    "sendVideoNote": "video_note",
    "sendAudio": "audio",
    "sendSticker": "sticker",
    "sendAnimation": "animation",
}
MEGABYTE = 1024 * 1024


async def upload(world: Client, method: str, fields: dict[str, Any], **files: bytes):
    form = aiohttp.FormData({name: str(value) for name, value in fields.items()})
    for name, data in files.items():
        form.add_field(name, io.BytesIO(data), filename=f"{name}.bin")
    async with world.http.post(world.url(method), data=form) as answer:
        body = await answer.json()
        if not body["ok"]:
            raise Refused(body)
        return body["result"]


async def download(world: Client, file_id: str) -> bytes:
    file = await world.bot("getFile", file_id=file_id)
    async with world.http.get(f"{world.base}/file/bot100001:TESTTOKEN/{file['file_path']}") as answer:
        assert answer.status == 200
        return await answer.read()


def only(content):
    """The file of a message; of a photo the largest size."""
    return content[-1] if isinstance(content, list) else content


@pytest.mark.parametrize(("method", "kind"), FILES.items())
async def test_what_is_uploaded_can_be_downloaded_and_sent_again_by_id(world: Client, method, kind):
    user = await world.make_resident()

    sent = await upload(world, method, {"chat_id": user}, **{kind: b"bytes of a file"})
    file_id = only(sent[kind])["file_id"]
    again = await world.bot(method, chat_id=user, **{kind: file_id})

    assert await download(world, file_id) == b"bytes of a file"
    assert only(again[kind])["file_unique_id"] == only(sent[kind])["file_unique_id"]


@pytest.mark.parametrize("kind", FILES.values())
async def test_what_a_person_sends_can_be_downloaded(world: Client, kind):
    user = await world.make_resident()
    data = base64.b64encode(b"from the phone").decode()

    await world.say(user, **{kind: {"bytes": data}})

    (update,) = await world.updates()
    assert await download(world, only(update["message"][kind])["file_id"]) == b"from the phone"


async def test_a_photo_without_bytes_is_a_picture(world: Client):
    user = await world.make_resident()

    said = await world.say(user, photo={}, caption="看")

    assert (await download(world, said["photo"][-1]["file_id"])).startswith(b"\x89PNG")
    (shown,) = (await world.seen(user))[-1]["sandbox"]["files"]
    async with world.http.get(world.base + shown["url"]) as answer:
        assert answer.status == 200


async def test_a_file_id_is_worth_nothing_to_another_bot(world: Client):
    user = await world.make_resident()
    await world.say(user, "/start", token=OTHER_TOKEN)
    said = await world.say(user, photo={})
    file_id = said["photo"][-1]["file_id"]

    get = await world.refusal("getFile", token=OTHER_TOKEN, file_id=file_id)
    send = await world.refusal("sendPhoto", token=OTHER_TOKEN, chat_id=user, photo=file_id)

    assert get.description == "Bad Request: wrong file_id or the file is temporarily unavailable"
    assert send.description.startswith("Bad Request: wrong remote file identifier specified")


async def test_two_bots_in_one_group_get_an_id_each(world: Client):
    user = await world.make_user()
    group = await world.make_group(user)
    await world.post(f"/groups/{group}/members", user_id=100002, status="administrator")
    await world.updates(token=OTHER_TOKEN)

    await world.say(user, chat_id=group, photo={})

    mine = (await world.updates())[-1]["message"]["photo"][-1]
    theirs = (await world.updates(token=OTHER_TOKEN))[-1]["message"]["photo"][-1]
    assert mine["file_unique_id"] == theirs["file_unique_id"]
    assert mine["file_id"] != theirs["file_id"]
    assert await world.bot("getFile", token=OTHER_TOKEN, file_id=theirs["file_id"])


async def test_a_bot_downloads_up_to_twenty_megabytes_but_relays_any_size(world: Client):
    user = await world.make_resident()
    said = await world.say(user, video={"file_size": 21 * MEGABYTE})

    refused = await world.refusal("getFile", file_id=said["video"]["file_id"])

    assert refused.description == "Bad Request: file is too big"
    assert await world.bot("copyMessage", chat_id=user, from_chat_id=user, message_id=said["message_id"])


async def test_an_album_uploaded_at_once_is_tied_together(world: Client):
    user = await world.make_resident()
    media = '[{"type": "photo", "media": "attach://one", "caption": "前"}, {"type": "photo", "media": "attach://two"}]'

    sent = await upload(world, "sendMediaGroup", {"chat_id": user, "media": media}, one=b"1", two=b"2")

    assert sent[0]["media_group_id"] == sent[1]["media_group_id"]
    assert await download(world, sent[1]["photo"][-1]["file_id"]) == b"2"


async def test_an_album_of_a_person_comes_as_several_updates_with_one_group(world: Client):
    user = await world.make_resident()

    await world.say(user, album=[{"photo": {}, "caption": "厨房"}, {"video": {}}, {"photo": {}}])

    updates = await world.updates()
    assert len({update["message"]["media_group_id"] for update in updates}) == 1
    assert len(updates) == 3


@pytest.mark.parametrize("count", [1, 11])
async def test_an_album_has_two_to_ten_items(world: Client, count):
    user = await world.make_resident()
    media = [{"type": "photo", "media": "https://example.org/a.jpg"}] * count
    await world.unlimited()

    assert (await world.refusal("sendMediaGroup", chat_id=user, media=media)).code == 400


async def test_a_caption_has_an_end(world: Client):
    user = await world.make_resident()

    refused = await world.refusal("sendPhoto", chat_id=user, photo="https://example.org/a.jpg", caption="长" * 1025)

    assert refused.description == "Bad Request: message caption is too long"


async def test_a_file_of_one_kind_is_not_sent_as_another(world: Client):
    user = await world.make_resident()
    said = await world.say(user, voice={"duration": 7})

    refused = await world.refusal("sendPhoto", chat_id=user, photo=said["voice"]["file_id"])
    kept = await world.bot("sendVoice", chat_id=user, voice=said["voice"]["file_id"])

    assert refused.description == "Bad Request: can't use file of type Voice as Photo"
    assert kept["voice"]["duration"] == 7


async def test_a_photo_of_more_than_ten_megabytes_is_refused(world: Client):
    user = await world.make_resident()

    with pytest.raises(Refused, match="file is too big"):
        await upload(world, "sendPhoto", {"chat_id": user}, photo=bytes(10 * MEGABYTE + 1))


async def test_a_wrong_token_downloads_nothing(world: Client):
    async with world.http.get(f"{world.base}/file/bot1:NOBODY/photos/file_1.jpg") as answer:
        assert answer.status == 401


async def test_an_album_may_mix_photos_and_videos(world: Client):
    """The specification writes it as five kinds of lists and means one list of five kinds."""
    user = await world.make_resident()
    said = [await world.say(user, photo={}), await world.say(user, video={})]
    ids = [only(said[0]["photo"])["file_id"], said[1]["video"]["file_id"]]
    media = [{"type": "photo", "media": ids[0]}, {"type": "video", "media": ids[1]}]

    sent = await world.bot("sendMediaGroup", chat_id=user, media=media)

    assert ["photo" in sent[0], "video" in sent[1]] == [True, True]
