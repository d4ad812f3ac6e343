"""Everything a resident and a butler can send each other, cell by cell of docs/fidelity.md: nothing lost or altered."""

from __future__ import annotations

import inspect
import re
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any, TypeVar

import pytest
from sqlalchemy import select

from service import typed_lines
from service.models.people import Staff
from service.models.talks import Conversation
from tests.bot.talks import JSON, Talk, talking
from tests.botapi_spec import check_request
from tests.house.tree import need
from tests.sandbox.conftest import server, world  # noqa: F401 - fixtures

SIDES = ("resident", "butler")
HEADINGS = {"resident": "Resident → topic", "butler": "Butler → resident"}
Test = TypeVar("Test", bound=Callable[..., Any])
CELLS: set[tuple[str, str]] = set()  # every cell of the table that some test below looks at
CELLS_IN_PRIVATE: set[tuple[str, str]] = set()  # the same where the butler talks in private


def cell(name: str, *sides: str) -> Callable[[Test], Test]:
    """The test looks at this row of the table, in these directions; with the fixture `talk` in private too."""
    cells = {(name, side) for side in sides or SIDES}
    CELLS.update(cells)

    def looks_at_it(test: Test) -> Test:
        if "talk" in inspect.signature(test).parameters:
            CELLS_IN_PRIVATE.update(cells)
        return test

    return looks_at_it


both = pytest.mark.parametrize("side", SIDES)
BOLD_AND_LINK = [
    {"type": "bold", "offset": 0, "length": 2},
    {"type": "text_link", "offset": 3, "length": 2, "url": "https://example.org/"},
]


@pytest.fixture(params=["group", "private"])
async def talk(request, world, sessions, database_url) -> AsyncIterator[Talk]:  # noqa: F811 - the fixture
    """A resident and the butler who has taken over, in the topic and in private; whatever happens, no file is fetched
    and no call is malformed.
    """
    async with talking(world, sessions, database_url, private=request.param == "private") as talk:
        await talk.begin()
        yield talk
        calls = await world.get("/requests")
        assert [call for call in calls if call["method"] == "getFile"] == []
        assert [problem for call in calls for problem in check_request(call["method"], call["params"])] == []


def facts(message: JSON, kind: str) -> Any:
    """What makes a message of a kind what it is, without the numbers that differ on each side."""
    body = message[kind][-1] if kind == "photo" else message[kind]
    if "file_unique_id" in body:
        return body["file_unique_id"]
    return {name: value for name, value in body.items() if name not in ("id", "total_voter_count")}


def texts(messages: list[JSON]) -> list[str]:
    return [message.get("text") or message.get("caption") or "" for message in messages]


# --- Kinds ----------------------------------------------------------------------------------------------------------

KINDS: dict[str, JSON] = {
    "photo": {"photo": {}, "caption": "厨房"},
    "live photo": {"live_photo": {}, "caption": "会动"},
    "video": {"video": {"duration": 9}, "caption": "漏水"},
    "round video": {"video_note": {}},
    "voice": {"voice": {"duration": 7}},
    "audio": {"audio": {"title": "噪音"}, "caption": "半夜"},
    "file": {"document": {"file_name": "合同.pdf"}, "caption": "合同"},
    "sticker": {"sticker": {"emoji": "👍"}},
    "animation": {"animation": {}, "caption": "动图"},
    "location": {"location": {"latitude": 28.2, "longitude": 112.9}},
    "venue": {"venue": {"latitude": 28.2, "longitude": 112.9, "title": "北门", "address": "花园路1号"}},
    "contact": {"contact": {"phone_number": "+8613800138000", "first_name": "张师傅", "user_id": 4711}},
    "poll": {"poll": {"question": "几点方便？", "options": ["上午", "下午"]}},
    "story": {"other": {"story": {"chat": {"id": -1002, "type": "channel", "title": "新闻"}, "id": 4}}},
}


@both
async def test_every_kind_arrives_as_it_was_sent(talk: Talk, side: str):
    """The same file, place, number or question; a caption with its formatting."""
    for name, content in KINDS.items():
        kind = next(iter(content.get("other", content)))
        marks: JSON = {"entities": BOLD_AND_LINK[:1]} if "caption" in content else {}

        said = await talk.say(side, **content, **marks)

        copy = (await talk.other(side))[-1]
        assert facts(copy, kind) == facts(said, kind), name
        assert copy.get("caption") == content.get("caption")
        assert copy.get("caption_entities", []) == marks.get("entities", [])
        assert "forward_origin" not in copy


for name in KINDS:
    cell(name)(test_every_kind_arrives_as_it_was_sent)


@cell("text with formatting")
@both
async def test_a_text_keeps_its_formatting(talk: Talk, side: str):
    """A price in bold and a link under a word are part of what was said."""
    await talk.say(side, "三点 这里见", entities=BOLD_AND_LINK)

    copy = (await talk.other(side))[-1]
    assert (copy["text"], copy["entities"]) == ("三点 这里见", BOLD_AND_LINK)


@cell("dice", "resident")
async def test_dice_of_a_resident_show_what_fell(talk: Talk):
    """Telegram throws a copied die again, so it is forwarded."""
    await talk.resident_says(dice={"value": 6})

    assert (await talk.other("resident"))[-1]["dice"]["value"] == 6


@cell("dice", "butler")
async def test_dice_of_a_butler_are_told_without_telling_who(talk: Talk):
    """A forward would show the butler's own account."""
    await talk.butler_says(dice={"value": 6})

    assert (await talk.other("butler"))[-1]["text"] == "🎲 6"


# --- Albums ---------------------------------------------------------------------------------------------------------

ALBUM: list[JSON] = [{"photo": {}, "caption": "一"}, {"video": {}, "caption": "二"}, {"photo": {}, "caption": "三"}]


def albums_of(messages: list[JSON]) -> list[list[str]]:
    """The captions of the albums among the messages, in order."""
    found: dict[str, list[str]] = {}
    for message in messages:
        if message.get("media_group_id"):
            found.setdefault(message["media_group_id"], []).append(message["caption"])
    return list(found.values())


@cell("album")
@both
async def test_an_album_arrives_as_one_in_its_order(talk: Talk, side: str):
    """Torn apart or turned round, before and after are confused."""
    await talk.say(side, album=ALBUM)

    assert albums_of(await talk.other(side)) == [["一", "二", "三"]]


async def begin_album(talk: Talk, side: str) -> None:
    """Only the first part has come in when the process is killed."""
    place = {} if side == "resident" else talk.desk()
    await talk.world.say(talk.resident if side == "resident" else talk.butler, album=ALBUM, **place)
    await talk.hear(most=1)


@cell("album, process killed between its parts")
@both
async def test_parts_that_come_after_a_restart_join_their_album(talk: Talk, side: str):
    """Killed with the first part in the inbox: Telegram sends the others again."""
    await begin_album(talk, side)

    await talk.settle()

    assert albums_of(await talk.other(side)) == [["一", "二", "三"]]


@cell("album, process killed between its parts")
@both
async def test_parts_that_come_late_join_what_has_not_gone_out(talk: Talk, side: str):
    """Killed with the first part in the outbox."""
    await begin_album(talk, side)
    talk.wait_no_more()
    await talk.handle()

    await talk.hear()
    talk.wait_no_more()
    await talk.handle()
    await talk.settle()

    assert albums_of(await talk.other(side)) == [["一", "二", "三"]]


@cell("album, process killed between its parts")
@both
async def test_parts_that_come_too_late_answer_the_first_ones(talk: Talk, side: str):
    """Nothing can be added to an album that has been sent; nothing is lost, and it shows what belongs together."""
    await begin_album(talk, side)
    talk.wait_no_more()
    await talk.handle()
    await talk.send()

    await talk.settle()

    first, *others = [message for message in await talk.other(side) if "photo" in message or "video" in message]
    assert texts([first, *others]) == ["一", "二", "三"]
    assert others[0]["reply_to_message"]["message_id"] == first["message_id"]


# --- Replies --------------------------------------------------------------------------------------------------------


@cell("reply")
@both
async def test_a_reply_answers_the_twin_of_what_it_answered(talk: Talk, side: str):
    """To the other side's message and to one's own, of whatever kind."""
    await talk.say("butler" if side == "resident" else "resident", photo={}, caption="这里？")
    theirs = (await talk.own(side))[-1]
    mine = await talk.say(side, "稍等")

    for answered in (theirs, mine):
        await talk.say(side, "是的", reply_to=answered["message_id"])
        copy = (await talk.other(side))[-1]

        assert texts([copy["reply_to_message"]]) == texts([answered])


@cell("reply")
@both
async def test_an_album_can_be_an_answer(talk: Talk, side: str):
    """Telegram's copy of an album answers nothing, so it is sent by its file ids."""
    question = await talk.say(side, "看看这些")

    await talk.say(side, album=ALBUM, reply_to=question["message_id"])

    *_, first, _, _ = await talk.other(side)
    assert albums_of(await talk.other(side)) == [["一", "二", "三"]]
    assert first["reply_to_message"]["text"] == "看看这些"


@cell("reply with a quote")
@both
async def test_a_quoted_part_stays_quoted(talk: Talk, side: str):
    """「周六还是周日」: the answer 「好」 is about one of them."""
    question = await talk.say("butler" if side == "resident" else "resident", "周六还是周日？")
    twin = (await talk.own(side))[-1]

    await talk.say(side, "好", reply_to=twin["message_id"], quote="周日")

    copy = (await talk.other(side))[-1]
    assert (copy["quote"]["text"], copy["reply_to_message"]["text"]) == ("周日", question["text"])


@cell("reply to what is gone")
@both
async def test_a_reply_to_a_deleted_twin_arrives_without_it(talk: Talk, side: str):
    """What is said counts more than what it answers."""
    question = await talk.say(side, "周六？")
    copy = (await talk.other(side))[-1]
    chat = talk.place("butler")["chat_id"] if side == "resident" else talk.resident
    await talk.world.post("/deletions", chat_id=chat, message_ids=[copy["message_id"]])

    await talk.say(side, "在吗", reply_to=question["message_id"])

    assert (await talk.other(side))[-1]["text"] == "在吗"


@cell("reply to a line of the bot's", "resident")
async def test_what_the_bot_said_is_told_with_the_answer(talk: Talk):
    """The butler has not seen it: it stands nowhere in the topic."""
    line = next(message for message in await talk.own("resident") if "系统有点忙" in message["text"])

    await talk.resident_says("什么时候？", reply_to=line["message_id"])

    note, copy = (await talk.other("resident"))[-2:]
    assert "系统有点忙" in note["text"]
    assert copy["text"] == "什么时候？"


@cell("reply to a canned phrase", "resident")
async def test_an_answer_to_a_canned_phrase_answers_the_note_that_shows_it(talk: Talk):
    """The butler has only tapped on it; the note is what they have of it."""
    await talk.butler_says("/say sorry")
    note = (await talk.own("butler"))[-1]

    await talk.resident_says("没关系", reply_to=(await talk.chat())[-1]["message_id"])

    copy = (await talk.other("resident"))[-1]
    assert (copy["text"], copy["reply_to_message"]["message_id"]) == ("没关系", note["message_id"])


# --- Edits ----------------------------------------------------------------------------------------------------------


@cell("edited text")
@both
async def test_an_edit_changes_the_twin_with_its_formatting(talk: Talk, side: str):
    """Telegram marks it as edited on both sides."""
    said = await talk.say(side, "三点")

    await talk.edit(side, said, text="四点 这里见", entities=BOLD_AND_LINK)

    copy = next(message for message in await talk.other(side) if message.get("text") == "四点 这里见")
    assert copy["entities"] == BOLD_AND_LINK
    assert copy["sandbox"]["edited"]


@cell("edited text", "resident")
async def test_staff_read_what_a_line_said_before(talk: Talk):
    """Somebody may have acted on it; in a long topic a changed line far above is not noticed."""
    said = await talk.resident_says("3栋")

    await talk.edit("resident", said, text="5栋")

    note = (await talk.other("resident"))[-1]
    assert "3栋" in note["text"]
    assert note["reply_to_message"]["text"] == "5栋"
    assert talk.rows("SELECT earlier->0->>'text', text FROM messages WHERE text = '5栋'") == [("3栋", "5栋")]


@cell("edited text", "butler")
async def test_residents_are_not_told_what_a_butler_wrote_before(talk: Talk):
    """Only the record keeps it; a corrected slip is no news."""
    said = await talk.butler_says("李先生")
    lines = len(await talk.chat())

    await talk.edit("butler", said, text="王先生")

    assert len(await talk.chat()) == lines
    assert talk.rows("SELECT earlier->0->>'text' FROM messages WHERE text = '王先生'") == [("李先生",)]


@cell("edited caption")
@both
async def test_a_caption_is_corrected_below_the_twin(talk: Talk, side: str):
    """Of pictures too, also when it is taken away altogether."""
    said = await talk.say(side, photo={}, caption="3栋")

    await talk.edit(side, said, caption="5栋", entities=BOLD_AND_LINK[:1])

    copy = next(message for message in await talk.other(side) if "photo" in message)
    assert (copy["caption"], copy["caption_entities"]) == ("5栋", BOLD_AND_LINK[:1])


@cell("another file in its place")
@both
async def test_a_swapped_file_is_swapped_at_the_twin(talk: Talk, side: str):
    """The wrong photo must not stay on the other side; the record keeps both."""
    said = await talk.say(side, photo={}, caption="错的")

    await talk.edit(side, said, video={}, caption="对的")

    copy = next(message for message in await talk.other(side) if "video" in message)
    assert copy["caption"] == "对的"
    assert not any("photo" in message for message in await talk.other(side))
    kinds = talk.rows("SELECT earlier->0->'media'->>'kind', media->>'kind' FROM messages WHERE text = '对的'")
    assert kinds == [("photo", "video")]


@cell("edited before it went out")
@both
async def test_an_edit_that_overtakes_its_line_leaves_the_last_wording(talk: Talk, side: str):
    """A burst waits for the budget; meanwhile people correct themselves."""
    place = {} if side == "resident" else talk.desk()
    said = await talk.world.say(talk.resident if side == "resident" else talk.butler, "三", **place)
    await talk.hear()
    await talk.handle()
    for words in ("四", "五"):
        await talk.world.post("/edits", **talk.place(side), message_id=said["message_id"], text=words)
        await talk.hear()
        await talk.handle()

    await talk.settle()

    assert [text for text in texts(await talk.other(side)) if text in ("三", "四", "五")] == ["五"]


async def burst(talk: Talk, *words: str) -> list[JSON]:
    """The resident's lines that wait together, because the budget is spent; then they go."""
    said = []
    for line in words:
        said.append(await talk.world.say(talk.resident, line))
        await talk.hear()
        await talk.handle()
    await talk.settle()
    return said


@cell("lines that wait together", "resident")
async def test_lines_that_wait_together_arrive_as_one_message(talk: Talk):
    """A group takes twenty events a minute; a burst costs one of them."""
    await burst(talk, "漏水了", "在厨房", "快来")

    assert texts(await talk.other("resident"))[-1] == "漏水了\n在厨房\n快来"


@cell("edit of one of them", "resident")
async def test_editing_one_of_them_changes_that_line(talk: Talk):
    said = await burst(talk, "三栋", "一单元", "快来")

    await talk.edit("resident", said[1], text="二单元")

    copy, was = (await talk.other("resident"))[-2:]
    assert copy["text"] == "三栋\n二单元\n快来"
    assert "一单元" in was["text"]
    assert was["reply_to_message"]["message_id"] == copy["message_id"]


@cell("reply to them", "resident")
async def test_a_butler_answers_the_last_of_them_or_the_one_that_is_quoted(talk: Talk):
    said = await burst(talk, "三栋", "一单元", "快来")
    copy = (await talk.other("resident"))[-1]["message_id"]

    await talk.butler_says("好的", reply_to=copy)
    await talk.butler_says("一单元？", reply_to=copy, quote="一单元")

    last, quoted = (await talk.other("butler"))[-2:]
    assert last["reply_to_message"]["message_id"] == said[2]["message_id"]
    assert quoted["reply_to_message"]["message_id"] == said[1]["message_id"]
    assert quoted["quote"]["text"] == "一单元"


@cell("edit of what is gone", "resident")
async def test_an_edit_whose_twin_is_gone_is_said_afresh(talk: Talk):
    """Somebody has tidied the topic up; the correction matters all the same."""
    said = await talk.resident_says("3栋")
    copy = (await talk.other("resident"))[-1]
    await talk.world.post("/deletions", chat_id=talk.place("butler")["chat_id"], message_ids=[copy["message_id"]])

    await talk.edit("resident", said, text="5栋")

    assert any("5栋" in text for text in texts(await talk.other("resident")))


@cell("edit of what is gone", "butler")
async def test_a_butler_hears_that_a_correction_did_not_arrive(talk: Talk):
    """The resident has deleted their copy."""
    said = await talk.butler_says("三点")
    copy = (await talk.other("butler"))[-1]
    await talk.world.post("/deletions", chat_id=talk.resident, message_ids=[copy["message_id"]])

    await talk.edit("butler", said, text="四点")

    assert "没有到住户" in (await talk.own("butler"))[-1]["text"]


@cell("line edited into an internal note", "butler")
async def test_a_line_cannot_become_an_internal_note(talk: Talk):
    """What is meant for colleagues must never reach the resident by an edit."""
    said = await talk.butler_says("三点到")

    await talk.edit("butler", said, text="//他很难缠")

    assert "//他很难缠" not in texts(await talk.chat())
    assert "/undo" in (await talk.own("butler"))[-1]["text"]


# --- Live locations -------------------------------------------------------------------------------------------------


def point(message: JSON) -> tuple[float, bool]:
    return message["location"]["latitude"], "live_period" in message["location"]


@cell("live location")
@both
async def test_a_live_location_moves_on_the_other_side_too(talk: Talk, side: str):
    """A copy would stand still, so it is sent as a live location of its own; when it stops, that stops as well."""
    said = await talk.say(side, location={"latitude": 28.0, "longitude": 112.9, "live_period": 900})
    copy = (await talk.other(side))[-1]

    await talk.edit(side, said, location={"latitude": 28.1, "longitude": 112.9, "heading": 90})
    moved = next(one for one in await talk.other(side) if one["message_id"] == copy["message_id"])
    await talk.edit(side, said, location={"latitude": 28.2, "longitude": 112.9}, stop=True)
    stopped = next(one for one in await talk.other(side) if one["message_id"] == copy["message_id"])

    assert [point(one) for one in (copy, moved, stopped)] == [(28.0, True), (28.1, True), (28.2, False)]
    assert (await talk.other(side))[-1]["message_id"] == copy["message_id"]


@cell("live location")
@both
async def test_moves_in_quick_succession_are_one_call(talk: Talk, side: str):
    """All of a group shares twenty calls a minute; a walking plumber must not use them up."""
    said = await talk.say(side, location={"latitude": 28.0, "longitude": 112.9, "live_period": 900})

    for step in range(1, 6):
        place = {"latitude": 28.0 + step / 10, "longitude": 112.9}
        await talk.world.post("/edits", **talk.place(side), message_id=said["message_id"], location=place)
        await talk.hear()
        await talk.handle()
        await talk.send()
    before = await talk.calls("editMessageLiveLocation")
    await talk.settle()

    assert before == []
    assert len(await talk.calls("editMessageLiveLocation")) == 1
    assert point((await talk.other(side))[-1]) == (28.5, True)


# --- Forwards -------------------------------------------------------------------------------------------------------

ORIGINS: dict[str, JSON] = {
    "person": {"type": "user", "date": 1, "sender_user": {"id": 7, "is_bot": False, "first_name": "老张"}},
    "hidden": {"type": "hidden_user", "date": 1, "sender_user_name": "老张"},
    "channel": {"type": "channel", "date": 1, "message_id": 3,
                "chat": {"id": -1003, "type": "channel", "title": "供水公司"}},
}  # fmt: skip


@cell("forwarded", "resident")
@pytest.mark.parametrize("origin", ORIGINS.values(), ids=ORIGINS)
async def test_staff_see_where_a_forward_comes_from(talk: Talk, origin: JSON):
    """It is not the resident who says it."""
    await talk.resident_says("明天停水", forward_origin=origin)

    copy = (await talk.other("resident"))[-1]
    assert (copy["text"], copy["forward_origin"]) == ("明天停水", origin)
    assert talk.rows("SELECT forwarded_from FROM messages WHERE text = '明天停水'") in ([("老张",)], [("供水公司",)])


@cell("forwarded", "butler")
@pytest.mark.parametrize(("origin", "named"), [("person", False), ("hidden", False), ("channel", True)])
async def test_a_resident_hears_that_it_is_forwarded_but_not_from_which_person(talk: Talk, origin: str, *, named: bool):
    """A notice of the water company says so; what a colleague or a neighbour wrote does not name them (N12)."""
    await talk.butler_says("明天停水", forward_origin=ORIGINS[origin])

    heading, copy = (await talk.other("butler"))[-2:]
    assert "转发" in heading["text"]
    assert ("供水公司" in heading["text"]) == named
    assert "老张" not in heading["text"]
    assert (copy["text"], "forward_origin" in copy) == ("明天停水", False)


# --- Too long, too large, impossible --------------------------------------------------------------------------------

LONG = "很长的说明。" * 300


@cell("caption too long for a bot")
@both
async def test_a_long_caption_follows_as_a_text_and_nothing_is_cut(talk: Talk, side: str):
    """People with Premium write more below a picture than a bot may."""
    await talk.say(side, photo={}, caption=LONG, entities=BOLD_AND_LINK[:1])

    picture, words = (await talk.other(side))[-2:]
    assert "photo" in picture
    assert "caption" not in picture
    assert (words["text"], words["entities"]) == (LONG, BOLD_AND_LINK[:1])
    assert words["reply_to_message"]["message_id"] == picture["message_id"]


@cell("caption too long for a bot")
@both
async def test_long_captions_of_an_album_follow_in_order(talk: Talk, side: str):
    """Telegram takes captions off a copied album all or none."""
    await talk.say(side, album=[{"photo": {}, "caption": LONG}, {"photo": {}}, {"photo": {}, "caption": "短"}])

    *pictures, first, second = (await talk.other(side))[-5:]
    assert [("photo" in one, "caption" in one) for one in pictures] == [(True, False)] * 3
    assert texts([first, second]) == [LONG, "短"]
    assert second["reply_to_message"]["message_id"] == pictures[2]["message_id"]


@cell("caption too long for a bot")
@both
async def test_an_edit_finds_the_caption_that_went_apart(talk: Talk, side: str):
    """Shorter again, it stays where it stands; one that grows too long goes apart."""
    said = await talk.say(side, photo={}, caption=LONG)
    await talk.edit(side, said, caption="短了")
    grown = await talk.say(side, photo={}, caption="短的")
    await talk.edit(side, grown, caption="长" * 1025)

    said_there = [text for text in texts(await talk.other(side)) if "✏️" not in text]
    assert said_there[-4:] == ["", "短了", "", "长" * 1025]


@cell("caption too long for a bot")
@both
async def test_a_caption_that_went_apart_goes_with_its_words(talk: Talk, side: str):
    """Taken away and written again, it stands below the picture, where it fits now."""
    said = await talk.say(side, photo={}, caption=LONG)
    await talk.edit(side, said, photo={})
    gone = [text for text in texts(await talk.other(side)) if "✏️" not in text]

    await talk.edit(side, said, caption="短的")

    there = [text for text in texts(await talk.other(side)) if "✏️" not in text]
    assert (gone[-1], there[-1]) == ("", "短的")
    assert "photo" in next(one for one in await talk.other(side) if one.get("caption") == "短的")


@cell("file of any size")
@both
async def test_a_file_is_passed_on_whatever_its_size(talk: Talk, side: str):
    """A bot downloads 20 MB at the most; nothing is downloaded here (the fixture looks)."""
    said = await talk.say(side, video={"file_size": 3_000_000_000})

    assert facts((await talk.other(side))[-1], "video") == facts(said, "video")


REFUSALS = {
    "too large": "Request Entity Too Large",
    "not wanted": "VOICE_MESSAGES_FORBIDDEN",
    "of some other reason": "WEBPAGE_MEDIA_EMPTY",
}


@cell("refused by Telegram")
@both
@pytest.mark.parametrize("why", REFUSALS)
async def test_what_telegram_refuses_is_explained_to_both(talk: Talk, side: str, why: str):
    """Neither waits for an answer to something the other never saw."""
    await talk.world.post("/faults", kind="error_400", method="copyMessage", description=REFUSALS[why], count=1)

    said = await talk.say(side, voice={})
    await talk.say(side, "还在吗")

    there, here = texts(await talk.other(side)), texts(await talk.own(side))
    assert there[-1] == "还在吗"
    assert any("语音" in text for text in there[-3:])
    assert any("语音" in text for text in here[-2:])
    if side == "butler":
        note = next(one for one in await talk.own(side) if "语音" in one.get("text", ""))
        assert note["reply_to_message"]["message_id"] == said["message_id"]
        assert ("太大" in note["text"]) == (why == "too large")


@cell("protected or otherwise not to be copied")
@both
@pytest.mark.parametrize("content", [{"text": "保密", "protected": True}, {"other": {"paid_media": {
    "star_count": 5, "paid_media": [{"type": "preview"}]}}}], ids=["protected", "paid"])  # fmt: skip
async def test_what_cannot_be_copied_is_announced(talk: Talk, side: str, content: JSON):
    """Silence would be taken for having arrived."""
    before = len(await talk.topic())

    await talk.say(side, **content)

    assert len(await talk.topic()) > before
    assert (await talk.topic())[-1]["text"].removeprefix("▎王芳：").startswith(("📎", "❗"))
    if side == "resident":
        assert "换一种方式" in (await talk.chat())[-1]["text"]


@cell("kind that does not exist yet")
@both
async def test_a_kind_nobody_knows_is_announced(talk: Talk, side: str):
    """Telegram adds some every few months."""
    await talk.say(side, other={"hologram": {"file_id": "x"}})

    assert "新类型消息" in (await talk.topic())[-1]["text"]
    assert ("新类型消息" in (await talk.chat())[-1].get("text", "")) == (side == "resident")


@cell("deleted before it went out")
@both
async def test_what_was_deleted_at_once_is_no_riddle(talk: Talk, side: str):
    """Staff hear that there was something; a resident hears nothing of what never came."""
    place = {} if side == "resident" else talk.desk()
    who = talk.resident if side == "resident" else talk.butler
    said = await talk.world.say(who, "说错了", **place)
    lines = len(await talk.chat())
    chat = talk.resident if side == "resident" else talk.place("butler")["chat_id"]
    await talk.world.post("/deletions", chat_id=chat, message_ids=[said["message_id"]])

    await talk.settle()

    assert "说错了" not in texts(await talk.other(side))
    assert len(await talk.chat()) in (lines, lines - 1)
    assert (await talk.topic())[-1]["text"].removeprefix("▎王芳：").startswith(("🗑", "❗"))


@cell("deleted before it went out")
async def test_an_album_of_which_one_was_deleted_is_told_to_be_incomplete(talk: Talk):
    """Telegram passes over what is gone without a word."""
    said = await talk.world.say(talk.resident, album=ALBUM)
    await talk.world.post("/deletions", chat_id=talk.resident, message_ids=[said[1]["message_id"]])

    await talk.settle()

    *album, note = (await talk.other("resident"))[-3:]
    assert texts(album) == ["一", "三"]
    assert "1 条没有送到" in note["text"]


# --- Reactions ------------------------------------------------------------------------------------------------------


def emoji_on(message: JSON) -> list[str]:
    return [one["emoji"] for one in message["sandbox"]["reactions"]]


@cell("reaction")
@both
async def test_an_emoji_shows_on_the_other_side_and_goes_away_again(talk: Talk, side: str):
    """A thumb up is an answer; so is taking it back."""
    said = await talk.say("butler" if side == "resident" else "resident", "周六三点可以吗？")
    copy = (await talk.own(side))[-1]

    await talk.react(side, copy["message_id"], "👍")
    seen = [one for one in (await talk.topic() + await talk.chat()) if one["message_id"] == said["message_id"]]
    await talk.react(side, copy["message_id"])
    later = [one for one in (await talk.topic() + await talk.chat()) if one["message_id"] == said["message_id"]]

    original = [one for one in seen if one.get("text") == said["text"]]
    assert [emoji_on(one) for one in original] == [["👍"]]
    assert [emoji_on(one) for one in later if one.get("text") == said["text"]] == [[]]


@cell("reaction")
@both
async def test_an_emoji_on_ones_own_line_shows_on_its_twin(talk: Talk, side: str):
    """Whoever reads it there sees what it means here."""
    said = await talk.say(side, "终于好了")

    await talk.react(side, said["message_id"], "🎉")

    assert emoji_on((await talk.other(side))[-1]) == ["🎉"]


# --- Taking back ----------------------------------------------------------------------------------------------------


async def take_back(talk: Talk, message: JSON, command: str) -> None:
    """By the emoji on the message, or a command in reply to it."""
    if command == "🙊":
        await talk.react("butler", message["message_id"], command)
    else:
        await talk.butler_says(command, reply_to=message["message_id"])


@cell("taken back", "butler")
@pytest.mark.parametrize("command", ["/undo", "/撤回", "🙊"])
async def test_a_butler_takes_a_line_back(talk: Talk, command: str):
    """Sent to the wrong resident: it disappears there, and the record says who did it when."""
    said = await talk.butler_says("发错人了")

    await take_back(talk, said, command)

    assert "发错人了" not in texts(await talk.chat())
    note = (await talk.own("butler"))[-1]
    assert "已撤回" in note["text"]
    assert note["reply_to_message"]["text"] == "发错人了"
    kept = "SELECT withdrawn_at, number FROM messages JOIN staff ON staff.id = withdrawn_by_id WHERE text = '发错人了'"
    assert talk.rows(kept) == [(talk.clock[0], 101)]


@cell("taken back", "butler")
@pytest.mark.parametrize("command", ["/undo", "🙊"])
async def test_a_canned_phrase_is_taken_back_at_the_note_that_shows_it(talk: Talk, command: str):
    """One tap sends it, and a tap goes wrong easily."""
    await talk.butler_says("/say sorry")
    note, phrase = (await talk.own("butler"))[-1], (await talk.chat())[-1]["text"]

    await take_back(talk, note, command)

    assert phrase not in texts(await talk.chat())
    told = (await talk.own("butler"))[-1]
    assert "已撤回" in told["text"]
    assert told["reply_to_message"]["message_id"] == note["message_id"]
    kept = "SELECT withdrawn_at, number FROM messages JOIN staff ON staff.id = withdrawn_by_id WHERE text = :phrase"
    assert talk.rows(kept, phrase=phrase) == [(talk.clock[0], 101)]


@cell("taken back", "butler")
async def test_what_was_typed_in_the_browser_is_taken_back_in_the_topic(talk: Talk):
    """There it stands for all to see, wherever the talk takes place."""
    with talk.sessions.begin() as session:
        member = session.scalars(select(Staff)).one()
        conversation = session.scalars(select(Conversation).where(Conversation.butler_id == member.id)).one()
        typed_lines.say(session, conversation, member, "发错人了", key="form", now=talk.clock[0])
    await talk.settle()
    in_topic = {"chat_id": talk.group, "thread": talk.thread}
    note = (await talk.world.seen(talk.group, f"?thread={talk.thread}"))[-1]

    await talk.world.say(talk.butler, "/undo", **in_topic, reply_to=note["message_id"])
    await talk.settle()

    assert "发错人了" in note["text"]
    assert "发错人了" not in texts(await talk.chat())
    assert "已撤回" in (await talk.world.seen(talk.group, f"?thread={talk.thread}"))[-1]["text"]


@cell("taken back", "butler")
async def test_when_telegram_will_not_delete_a_phrase_the_record_says_so(talk: Talk):
    """A phrase is a line like others."""
    await talk.butler_says("/say sorry")
    note = (await talk.own("butler"))[-1]
    description = "message can't be deleted for everyone"
    await talk.world.post("/faults", kind="error_400", method="deleteMessage", description=description, count=1)

    await take_back(talk, note, "/undo")

    assert "没有撤回" in (await talk.own("butler"))[-1]["text"]
    assert talk.rows("SELECT count(*) FROM messages WHERE withdrawn_at IS NOT NULL") == [(0,)]


@cell("refused by Telegram", "butler")
async def test_a_phrase_that_telegram_refuses_is_told_at_the_note_that_shows_it(talk: Talk):
    """A phrase that was tapped is as little lost as a line that was typed."""
    await talk.world.post("/faults", kind="error_400", method="sendMessage", description="TEXT_STRANGE", count=1)

    await talk.butler_says("/say sorry")

    assert any("没有送到" in text for text in texts(await talk.own("butler"))[-2:])


@cell("taken back", "butler")
async def test_an_album_with_its_captions_is_taken_back_as_one(talk: Talk):
    """It was sent as one."""
    before = len(await talk.chat())
    said = await talk.butler_says(album=[{"photo": {}, "caption": LONG}, {"photo": {}}])

    await talk.butler_says("/undo", reply_to=said[1]["message_id"])

    assert len(await talk.chat()) == before
    assert [text for text in texts(await talk.own("butler")) if "已撤回" in text] == [(await talk.topic())[-1]["text"]]


@cell("taken back", "butler")
async def test_a_line_that_has_not_gone_out_never_does(talk: Talk):
    """Caught in time: the resident's telephone does not even ring."""
    said = await talk.world.say(talk.butler, "别发", **talk.desk())
    await talk.hear()
    await talk.handle()
    await talk.world.say(talk.butler, "/undo", **talk.desk(), reply_to=said["message_id"])

    await talk.hear()
    await talk.handle()
    await talk.settle()

    assert "别发" not in [call["params"].get("text") for call in await talk.calls("sendMessage")]
    assert len(await talk.calls("copyMessage")) == 1, "only the first line was copied"
    assert "已撤回" in (await talk.own("butler"))[-1]["text"]


@cell("taken back", "butler")
async def test_what_is_older_than_two_days_stays_and_staff_know(talk: Talk):
    """Telegram deletes nothing older for a bot."""
    said = await talk.butler_says("前天说的")
    talk.later(timedelta(hours=49))
    await talk.world.post("/clock", advance=49 * 3600)

    await talk.butler_says("/undo", reply_to=said["message_id"])

    assert "前天说的" in texts(await talk.chat())
    assert "48 小时" in (await talk.own("butler"))[-1]["text"]


@cell("taken back", "butler")
async def test_when_telegram_will_not_delete_the_record_says_so(talk: Talk):
    """Staff must not believe that it is gone."""
    said = await talk.butler_says("删不掉")
    description = "message can't be deleted for everyone"
    await talk.world.post("/faults", kind="error_400", method="deleteMessage", description=description, count=1)

    await talk.butler_says("/undo", reply_to=said["message_id"])

    assert "没有撤回" in (await talk.own("butler"))[-1]["text"]
    assert talk.rows("SELECT withdrawn_at FROM messages WHERE text = '删不掉'") == [(None,)]


@cell("taken back", "butler")
@pytest.mark.parametrize("meant", ["nothing", "the resident's line", "a note", "twice"])
async def test_there_may_be_nothing_to_take_back(talk: Talk, meant: str):
    """A short answer that says how it is done; nothing changes."""
    await talk.resident_says("您好")
    theirs = (await talk.other("resident"))[-1]
    note = await talk.butler_says("//他在家")
    mine = await talk.butler_says("好的")
    if meant == "twice":
        await talk.butler_says("/undo", reply_to=mine["message_id"])
    lines = texts(await talk.chat())
    target = {"nothing": {}, "the resident's line": {"reply_to": theirs["message_id"]},
              "a note": {"reply_to": note["message_id"]}, "twice": {"reply_to": mine["message_id"]}}[meant]  # fmt: skip

    await talk.butler_says("/undo", **target)

    assert texts(await talk.chat()) == lines
    assert "没有可以撤回" in (await talk.own("butler"))[-1]["text"]


# --- The ground moves -----------------------------------------------------------------------------------------------


@cell("topic deleted")
@both
async def test_a_deleted_topic_is_made_again_with_its_card(world, sessions, database_url, side: str):  # noqa: F811
    """Somebody tidies up: the talk goes on in a new topic, whichever side speaks first, and the old twins are gone."""
    async with talking(world, sessions, database_url) as talk:
        await talk.begin("着火了！")
        await talk.resident_says("3栋")
        await talk.world.sim("DELETE", f"/topics/{talk.group}/{talk.thread}")

        await talk.resident_says("4栋了")
        await talk.resident_says("快来", reply_to=(await talk.chat())[0]["message_id"])

        group = next(chat for chat in await talk.world.get("/chats") if chat["id"] == talk.group)
        talk.thread = group["topics"][-1]["message_thread_id"]
        card, *lines = texts((await talk.topic())[1:])
        assert "着火了" in card
        assert lines == ["4栋了", "快来"]
        if side == "butler":
            await talk.butler_says("马上到")
            assert (await talk.chat())[-1]["text"] == "马上到"


@cell("resident has blocked the bot", "butler")
async def test_a_block_is_shown_once_and_ends_what_was_planned(talk: Talk):
    """Staff phone instead; every follow-up says why it was not sent."""
    await talk.world.post("/blocks", user=talk.resident, blocked=True)
    await talk.settle()
    await talk.world.post("/blocks", user=talk.resident, blocked=True)
    await talk.settle()
    shown = [text for text in texts(await talk.own("butler")) if "回访已取消" in text]

    await talk.butler_says("一")

    assert len(shown) == 1
    assert "停用了机器人" in (await talk.own("butler"))[-1]["text"], "whoever types all the same hears it"
    assert "一" not in texts(await talk.chat())
    waiting = "SELECT count(*) FROM outbox WHERE state = 'pending' AND chat_id = :chat"
    assert talk.rows(waiting, chat=talk.resident) == [(0,)]


@cell("group has a new id")
@both
async def test_the_talk_goes_on_in_a_group_with_a_new_id(talk: Talk, side: str):
    """What waits goes there; what answers a message of the old group arrives without it."""
    before = await talk.say(side, "搬家前")
    moved = await talk.world.post(f"/groups/{talk.group}/migrate")
    talk.group = int(moved["id"])

    await talk.resident_says("搬家后", **({"reply_to": before["message_id"]} if side == "resident" else {}))
    await talk.butler_says("收到")

    assert "搬家后" in texts(await talk.topic())
    assert (await talk.chat())[-1]["text"] == "收到"


# --- The table ------------------------------------------------------------------------------------------------------


def test_the_table_in_the_docs_has_every_cell_that_is_tested_and_no_other():
    """A cell nobody tests is a promise nobody keeps."""
    page = need("docs/fidelity.md").read_text("utf-8")
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", page, re.MULTILINE)
    (_, *headings), *body = rows

    promised = {
        (name, side) for name, *ways in body for side, way in zip(SIDES, ways, strict=True) if way.strip() != "—"
    }

    assert headings == list(HEADINGS.values())
    assert promised == CELLS
    assert re.findall(r"Only in the topic: ([^.]+)\.", page) == [
        ", ".join(sorted({name for name, _ in CELLS - CELLS_IN_PRIVATE}))
    ]
