"""What ingress may know of an update before it is kept: nothing here may ever fail."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from telegram import Update

from bot.arrivals import ALBUM_WAIT, MOST_BYTES, arrival, callback_query_id
from bot.handlers import route
from bot.handlers.route import Unreadable
from service.inbox import Arrival
from tests.bot.updates import JSON, RESIDENT, message, photo, staff_message, tap

WAIT = 1.0
KEYS = st.sampled_from(
    ["update_id", "message", "edited_message", "callback_query", "my_chat_member", "chat", "id", "type", "from", "text",
     "date", "message_id", "media_group_id", "data", "message_thread_id", "is_topic_message", "photo", "caption"]
)  # fmt: skip
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["private", "/", "火"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=15,
)
UPDATES = st.dictionaries(KEYS, VALUES, max_size=5).map(lambda found: {"update_id": 1, **found})


def arrived(update: JSON) -> Arrival:
    return arrival(json.dumps(update).encode(), fragment_wait=WAIT)


def of(body: JSON, kind: str = "message") -> Arrival:
    return arrived({"update_id": 1, kind: body})


def check_kept(kept: Arrival) -> None:
    """What the inbox can take: numbers and names that fit their columns and indexes."""
    assert (kept.update_id is None) == (kept.dead is not None)
    assert kept.update_id is None or -(2**63) <= kept.update_id < 2**63
    assert 0 <= kept.wait <= 1.5
    assert len(kept.lane) <= 100
    assert "\x00" not in kept.lane


# --- Totality -------------------------------------------------------------------------------------------------------


@given(st.binary(max_size=200))
@example(b"")
@example(b"null")
@example(b"[]")
@example(b'"update_id"')
@example(b'{"update_id": "x"}')
@example(b'{"update_id": null}')
@example(b'{"update_id": 1e999}')
@example(b'{"update_id": NaN}')
@example(b'{"update_id": 99999999999999999999}')
@example(b"\xff\xfe{\x00}\x00")
@example(b"[" * 100_000)
@example(b'{"update_id":' + b"9" * 5000 + b"}")
def test_any_bytes_can_be_kept(raw):
    check_kept(arrival(raw, fragment_wait=WAIT))
    callback_query_id(raw)


@given(UPDATES)
@settings(max_examples=300)
@example({"update_id": 1, "message": {"chat": {"id": 10**3000, "type": "private"}}})
@example(
    {"update_id": 1, "message": {"chat": {"id": -(10**3000)}, "message_thread_id": 10**3000, "is_topic_message": 1}}
)
@example({"update_id": 1, "message": {"chat": {"id": True, "type": "private"}}})
@example({"update_id": 1, "message": {"chat": {"id": 1, "type": "private"}, "text": "\ud800"}})
@example({"update_id": True})
@example({"update_id": 1.9})
@example({"update_id": "7"})
def test_any_update_can_be_kept(update):
    raw = json.dumps(update).encode()
    check_kept(arrival(raw, fragment_wait=WAIT))
    callback_query_id(raw)


@given(UPDATES)
@settings(max_examples=300)
def test_any_update_is_read_or_is_unreadable(update):
    """Five attempts at something that nobody will ever understand hold back the lane for seconds."""
    try:
        read: object = route.parse(json.dumps(update).encode())
    except Unreadable as error:
        read = error
    assert isinstance(read, Update | Unreadable)


@pytest.mark.parametrize("number", [True, 1.9, "7", None, [], {}, 2**63, -(2**63) - 1])
def test_only_a_whole_number_is_a_number_of_an_update(number):
    """「true」 is no 1: it would take the place of the real update of that number."""
    kept = arrived({"update_id": number, "message": message()})

    assert kept.dead is not None


def test_what_is_too_large_is_cut_and_kept_as_a_dead_letter():
    kept = arrival(b"x" * (MOST_BYTES + 1), fragment_wait=WAIT)

    assert kept.dead is not None
    assert len(kept.raw) <= 1024


def test_the_largest_update_is_still_read():
    update = {"update_id": 1, "message": message("x" * (MOST_BYTES - 1000))}

    assert arrived(update).dead is None


# --- Lanes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "kind", "lane"),
    [
        (message(), "message", "chat:5001"),
        (message(), "edited_message", "chat:5001"),
        (tap("x"), "callback_query", "chat:5001"),
        ({"chat": {"id": 5001, "type": "private"}}, "my_chat_member", "chat:5001"),
        (staff_message("x", thread=7), "message", "group:-1001000000001:7"),
        (staff_message("x"), "message", "group:-1001000000001:0"),
        (staff_message("x") | {"message_thread_id": 7}, "message", "group:-1001000000001:0"),
        (tap("x", on=staff_message("x", thread=7)), "callback_query", "group:-1001000000001:7"),
        ({"id": "1"}, "poll", "other"),
    ],
)
def test_a_lane_is_a_residents_chat_or_a_staff_topic(body, kind, lane):
    """A reply in a plain group has a thread too; only a topic's message is one of a topic."""
    assert of(body, kind).lane == lane


# --- Patience -------------------------------------------------------------------------------------------------------

COMPLETE = [
    "厨房水管漏水，在3栋2单元1201", "你好", "转人工", "报修", "确认", "/start", "水管漏了。", "3栋", "ok", "thank you",
    "着火了", "救命", "the kitchen pipe is leaking", "在吗", "13800138000", " ", "谢谢", "My cases", "?",
]  # fmt: skip
FRAGMENTS = ["那个", "水管", "我家", "师傅", "hello there", "my pipe", "👍"]


@pytest.mark.parametrize("text", COMPLETE)
def test_who_has_said_everything_is_answered_at_once(text):
    """0 s for buttons, commands, emergencies and messages that are complete and clear."""
    assert of(message(text)).wait == 0


@pytest.mark.parametrize("text", FRAGMENTS)
def test_a_fragment_waits_for_its_next_bubble(text):
    kept = of(message(text))

    assert (kept.wait, kept.joins, kept.fragment_in) == (WAIT, True, RESIDENT)


@pytest.mark.parametrize("text", ["/start", "转人工", "My cases"])
def test_commands_and_big_keys_are_turns_of_their_own(text):
    assert not of(message(text)).joins


def test_the_parts_of_an_album_are_joined():
    kept = of(photo(media_group_id="a"))

    assert (kept.wait, kept.joins, kept.fragment_in) == (ALBUM_WAIT, True, None)


@pytest.mark.parametrize("kind", ["edited_message", "callback_query"])
def test_edits_and_taps_never_wait(kind):
    body = tap("x") if kind == "callback_query" else message("那个")

    assert (of(body, kind).wait, of(body, kind).joins) == (0, False)


def test_staff_are_never_waited_for():
    """Every line of theirs is a line to a resident."""
    assert (of(staff_message("那个", thread=7)).wait, of(staff_message("那个", thread=7)).joins) == (0, False)


def test_a_taps_id_is_found_for_the_answer_that_stops_the_spinning():
    assert callback_query_id(json.dumps({"update_id": 1, "callback_query": {"id": "77"}}).encode()) == "77"
    assert callback_query_id(json.dumps({"update_id": 1, "callback_query": {"id": 77}}).encode()) is None
