"""When messages are alike: the measure of nlu/examples.py, on which one label for many of them rests."""

from __future__ import annotations

import pytest

from service.likeness import Crowd, bigrams, digest


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("电梯又停了", "电梯又停了！"),
        ("ＡＢＣ 电梯", "abc 电梯"),
        ("the lift is out again", "The lift is out again"),
        ("转人工", "转人工"),
        ("好", " 好 "),
        ("👍", "👍"),
    ],
)
def test_the_same_words_in_another_dress_are_alike(one, other):
    assert Crowd([other]).alike(one) == [0]


@pytest.mark.parametrize(
    ("one", "other"),
    [("修好了", "没修好"), ("电梯坏了", "水管漏了"), ("好", "不"), ("", "好"), ("lift is out", "when is the lift out")],
)
def test_other_words_are_not(one, other):
    assert Crowd([other]).alike(one) == []


def test_a_group_is_alike_to_its_leader_and_not_chained_on():
    """A step at a time, anything is alike to anything."""
    chain = ["厨房水管漏水了", "厨房水管漏水了呀快来", "厨房水管漏水了呀快来修一下"]

    groups = list(Crowd(chain).groups(may_join=lambda *_: True))

    assert groups == [[0, 1], [2]]


def test_whoever_may_not_join_leads_a_group_of_their_own():
    groups = list(Crowd(["电梯停了", "电梯停了", "电梯停了"]).groups(may_join=lambda _, place: place != 1))

    assert groups == [[0, 2], [1]]


def test_a_text_of_any_length_has_a_short_name():
    assert (len(digest("字" * 10_000)), digest("a") == digest("b")) == (64, False)


def test_the_pairs_of_a_text_are_those_that_the_corpus_check_counts():
    assert bigrams("水管漏 水") == {"水管", "管漏", "漏 ", " 水"}
