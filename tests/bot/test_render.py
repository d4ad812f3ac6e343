"""From our own terms to a Bot API call that Telegram understands."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telegram import TelegramObject

from bot import render
from service import texts
from service.models.queues import Delivery
from service.sending import Parcel
from tests.botapi_spec import check_request

METHODS = {
    "send_message": "sendMessage",
    "edit_message_text": "editMessageText",
    "copy_message": "copyMessage",
    "copy_messages": "copyMessages",
    "forward_message": "forwardMessage",
    "forward_messages": "forwardMessages",
    "send_media_group": "sendMediaGroup",
    "send_location": "sendLocation",
    "edit_message_live_location": "editMessageLiveLocation",
    "stop_message_live_location": "stopMessageLiveLocation",
    "edit_message_caption": "editMessageCaption",
    "edit_message_media": "editMessageMedia",
    "delete_message": "deleteMessage",
    "set_message_reaction": "setMessageReaction",
}
SLOTS = {"case_id": 2**62, "call_back_id": 2**62, "survey_id": 2**62, "conversation_id": 2**62, "outbox_id": 2**62}
SLOTS |= {"request_id": 2**62}


def parcel(act: str = "say", payload: dict[str, Any] | None = None, **facts: Any) -> Parcel:
    base: dict[str, Any] = {
        "id": 1, "lease": uuid4(), "bot_id": 1, "chat_id": 7, "conversation_id": None, "topic_id": None,
        "thread_id": None, "topic_name": None, "topic_card": None, "act": act, "payload": payload or {"text": "您好"},
        "delivery": Delivery.RETRY, "kind": "reply", "attempts": 1, "edits_id": None, "edits_message": None,
    }  # fmt: skip
    return Parcel(**base | facts)


def request(one: Parcel) -> dict[str, Any]:
    """The call's parameters, after Telegram's own specification has agreed with them."""
    method, parameters = render.call(one)
    parameters = {name: plain(value) for name, value in parameters.items()}
    assert check_request(METHODS[method], parameters) == []
    return parameters


def plain(value: Any) -> Any:
    """The library's types as they go over the wire."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value.to_dict() if isinstance(value, TelegramObject) else value


@pytest.mark.parametrize("key", sorted(texts._responses()))
@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_every_sentence_of_ours_is_a_message_telegram_takes(key, language):
    """With its buttons and keys, and as an edit; dialogue buttons get their turn's number later."""
    line = texts.say(key, language=language, **SLOTS)
    payload = line.payload() | {"text": line.text or "…"}

    assert request(parcel("say", payload))["text"]
    assert request(parcel("edit", payload, edits_message=5))["message_id"] == 5


@pytest.mark.parametrize("length", [1, 4095, 4096, 4097, 10_000])
def test_a_card_that_is_too_long_is_clipped_with_a_sign(length):
    """An edit cannot be two messages; lines are cut into pages before they get here."""
    text = request(parcel("edit", {"text": "字" * length}, edits_message=5))["text"]

    assert len(text) == min(length, 4096)
    assert text.endswith("…") == (length > 4096)


def test_a_line_in_a_topic_names_its_thread_and_one_in_general_does_not():
    """General is addressed without a thread."""
    assert request(parcel(thread_id=5))["message_thread_id"] == 5
    assert "message_thread_id" not in request(parcel())


def test_one_message_is_copied_alone_and_an_album_as_one():
    alone = parcel("copy", {"from_chat_id": 5, "message_ids": [9]})
    album = parcel("copy", {"from_chat_id": 5, "message_ids": [9, 3, 7]})

    assert (render.call(alone)[0], request(alone)["message_id"]) == ("copy_message", 9)
    assert (render.call(album)[0], request(album)["message_ids"]) == ("copy_messages", [3, 7, 9])


SOURCE = {"from_chat_id": 5, "message_ids": [9]}
PAIR = [{"kind": "photo", "file_id": "a", "text": "一"}, {"kind": "video", "file_id": "b", "text": ""}]
ACTS: dict[str, dict[str, Any]] = {
    "copy": SOURCE | {"bare": True, "reply": {"message_id": 4, "quote": {"text": "a", "position": 0, "entities": []}}},
    "forward": SOURCE,
    "place": {"latitude": 1.0, "longitude": 2.0, "live_period": 60, "heading": 90},
    "move": {"latitude": 1.0, "longitude": 2.0, "live_period": 60, "on": {"twin": 1}},
    "stop": {"on": {"twin": 1}},
    "caption": {"text": "", "on": {"twin": 1}},
    "swap": {"kind": "photo", "file_id": "x", "text": "一", "on": {"twin": 1}},
    "delete": {"on": {"twin": 1}},
    "react": {"emoji": "👍", "on": {"message_id": 8}},
}


@pytest.mark.parametrize("act", ACTS)
def test_whatever_is_passed_on_is_a_call_telegram_takes(act):
    """By the specification; a live location's period is its own, a move does not prolong it."""
    sent = request(parcel(act, ACTS[act], on_message=7))

    assert sent["chat_id"] == 7
    assert ("live_period" in sent) == (act == "place")


def test_only_an_album_that_answers_something_is_sent_by_its_file_ids():
    """Telegram's own copy keeps more; but it can answer nothing."""
    album = {"from_chat_id": 5, "message_ids": [8, 9], "media": PAIR}

    assert render.call(parcel("copy", album))[0] == "copy_messages"
    assert request(parcel("copy", album | {"reply": {"twin": 1}}, reply_message=3))["media"][0]["caption"] == "一"


def test_what_is_to_be_changed_is_looked_up_when_it_is_sent():
    """Its number is known only then; a reaction to an original knows it before."""
    assert render.target(parcel("delete", ACTS["delete"], on_message=7)) == 7
    assert render.target(parcel("delete", ACTS["delete"])) is None
    assert render.target(parcel("react", ACTS["react"])) == 8


def test_an_edit_without_buttons_takes_the_old_ones_away():
    """A finished work order must not be finished again."""
    edit = parcel("edit", {"text": "✔️"}, edits_message=5)

    assert request(edit)["reply_markup"] == {"inline_keyboard": []}


def test_big_keys_stay_and_fit_the_screen():
    markup = request(parcel(payload={"text": "您好", "menu": ("报修", "投诉", "咨询", "转人工", "我的工单")}))[
        "reply_markup"
    ]

    assert markup["is_persistent"]
    assert markup["resize_keyboard"]
    assert [[key["text"] for key in row] for row in markup["keyboard"]] == [
        ["报修", "投诉", "咨询"],
        ["转人工", "我的工单"],
    ]


def test_buttons_are_never_lost_to_the_menu():
    """One kind of keys a message. The big ones persist below the chat; a button stands on its message or nowhere."""
    payload = {
        "text": "您的访客码",
        "buttons": [{"title": "外婆 · 482913", "copy": "482913"}],
        "menu": ("报修", "转人工"),
    }

    markup = request(parcel(payload=payload))["reply_markup"]

    assert markup == {"inline_keyboard": [[{"text": "外婆 · 482913", "copy_text": {"text": "482913"}}]]}


@given(st.lists(st.text(min_size=1, max_size=30), max_size=12))
def test_rows_keep_every_key_in_its_order_and_none_is_empty(titles):
    rows = render.in_rows([{"text": title} for title in titles])

    assert [key["text"] for row in rows for key in row] == titles
    assert all(rows)


def test_short_keys_share_a_row_and_long_ones_do_not():
    stars = [{"text": f"⭐{n}"} for n in range(1, 6)]
    long = [{"text": "这一项是很长的说明文字"}, {"text": "另一项也是很长的说明文字"}]

    assert len(render.in_rows(stars)) <= 2
    assert len(render.in_rows(long)) == 2


def test_the_key_that_shares_ones_number_stands_above_the_usual_ones():
    """Telegram shows it only as a key of its own, in a private chat."""
    markup = request(parcel(payload={"text": "您好", "menu": ("报修", "转人工"), "contact_key": "📱 分享手机号"}))[
        "reply_markup"
    ]

    assert markup["keyboard"] == [
        [{"text": "📱 分享手机号", "request_contact": True}],
        [{"text": "报修"}, {"text": "转人工"}],
    ]


def test_a_file_is_a_document_with_its_name():
    method, parameters = render.call(
        parcel("document", {"text": "您的资料", "file_name": "guanjia.json", "content": '{"姓名": 1}'})
    )

    assert (method, parameters["filename"], parameters["caption"]) == ("send_document", "guanjia.json", "您的资料")
    assert parameters["document"].decode() == '{"姓名": 1}'
