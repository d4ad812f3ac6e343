"""What a message says."""

import pytest

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
