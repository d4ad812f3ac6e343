"""What a message says."""

import pytest

from actions import turns
from tests.actions.turns import turn


@pytest.mark.parametrize(
    "text", ["报修", "我要报修", "您好，麻烦帮我报修一下", "I want to report a repair", "你好", "🙏🙏", "..."]
)
def test_words_that_only_announce_say_nothing_new(text):
    assert turn(text).says_nothing_new


@pytest.mark.parametrize("text", ["水管", "漏水", "灯", "my toilet is clogged", "没电", "电梯不动"])
def test_a_single_word_about_the_matter_says_something(text):
    assert not turn(text).says_nothing_new


def test_recognised_pieces_are_left_out_of_the_rest():
    said = turn("我要报修，3栋2单元1201，13800138000", location="3栋2单元1201", phone="13800138000")

    assert said.says_nothing_new


def test_a_tap_has_no_words():
    said = turn("/affirm", "affirm")

    assert (said.tapped, said.text) == (True, "")


def test_offsets_hold_after_leading_spaces():
    """The channel keeps the text as it came, so that entities fit; the dialogue strips it."""
    said = turn("  我在5栋", location="5栋")

    assert said.text == "我在5栋"
    assert said.rest == ""


@pytest.mark.parametrize(
    ("text", "ahead"), [("明天下午漏水", True), ("今天早上开始漏水", False), ("什么时候都行", True)]
)
def test_a_time_is_a_visit_when_it_lies_ahead(text, ahead):
    """Since this morning: that is not when the plumber may come."""
    assert turn(text).speaks_of_a_visit is ahead


@pytest.mark.parametrize(
    ("text", "facts", "matter"),
    [
        ("我家厨房水管漏水，在3栋2单元1201", {"厨房": "location", "3栋2单元1201": "location"}, "我家厨房水管漏水"),
        (
            "插座没电了，1栋2单元901，13300133000，尽快",
            {"1栋2单元901": "location", "13300133000": "phone"},
            "插座没电了",
        ),
        (
            "my AC is broken, call 13812340101, tomorrow",
            {"13812340101": "phone", "tomorrow": "time"},
            "my AC is broken",
        ),
        ("灯不亮，门也关不上", {}, "灯不亮，门也关不上"),
        ("3栋2单元1201", {"3栋2单元1201": "location"}, "3栋2单元1201"),
    ],
)
def test_the_matter_is_said_without_clauses_that_are_only_facts(text, facts, matter):
    """The facts stand in slots of their own; twice they make the card long."""
    entities = tuple(
        turns.Entity(label, words, text.index(words), text.index(words) + len(words)) for words, label in facts.items()
    )

    assert turns.Turn(text, entities=entities).matter == matter


@pytest.mark.parametrize(
    "words",
    ["三天", "一个多礼拜", "半个月", "两年多", "好几天", "3-5天", "for three days", "a week", "since last night"],
)
def test_how_long_it_has_been_so_is_no_moment(words):
    """「三天了」 says how bad it is; a visit in three days would be a misunderstanding."""
    said = turn(f"漏水，{words}了", time=words)

    assert said.found("time") == []
    assert said.matter == f"漏水，{words}了"


@pytest.mark.parametrize("words", ["三天后", "半小时内", "十月", "周一", "两点", "in two hours"])
def test_a_moment_that_is_counted_from_now_stays_one(words):
    assert turn(f"请{words}来", time=words).found("time") == [words]


@pytest.mark.parametrize(
    ("text", "name", "contact"),
    [
        ("我姓王", "王", "王"),
        ("联系王女士 13800138000", "王", "王女士"),
        ("找陳太太", "陳", "陳太太"),
        ("ask for Mrs. Chen", "Chen", "Mrs Chen"),
        ("my name is Priya Nair", "Priya Nair", "Priya Nair"),
        ("宋经理说今天来", "宋", None),
        ("邓师傅电话多少", "邓", None),
        ("butler Zhou promised noon", "Zhou", None),
    ],
)
def test_a_contact_keeps_the_title_and_staff_are_none(text, name, contact):
    """The span is the bare name; how somebody wants to be called stands beside it."""
    assert turn(text, name=name).contact == contact


def test_a_title_beside_the_name_says_nothing_new():
    assert turn("王女士，13800138000", name="王", phone="13800138000").says_nothing_new
