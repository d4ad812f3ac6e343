"""From our own terms to a Bot API call that Telegram understands."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import render
from service import texts
from service.models import Delivery
from service.outbox import Parcel
from tests.botapi_spec import check_request

METHODS = {
    "send_message": "sendMessage",
    "edit_message_text": "editMessageText",
    "copy_message": "copyMessage",
    "copy_messages": "copyMessages",
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
    assert check_request(METHODS[method], parameters) == []
    return parameters


@pytest.mark.parametrize("key", sorted(texts._responses()))
@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_every_sentence_of_ours_is_a_message_telegram_takes(key, language):
    """With its buttons and keys, and as an edit; dialogue buttons get their turn's number later."""
    line = texts.say(key, language=language, **SLOTS)
    payload = line.payload() | {"text": line.text or "…"}

    assert request(parcel("say", payload))["text"]
    assert request(parcel("edit", payload, edits_message=5))["message_id"] == 5


@pytest.mark.parametrize("length", [1, 4095, 4096, 4097, 10_000])
def test_a_long_text_is_clipped_with_a_sign(length):
    text = request(parcel(payload={"text": "字" * length}))["text"]

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
