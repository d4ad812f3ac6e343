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
