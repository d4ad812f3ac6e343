"""What a resident says when it is settled; a wrong yes would take a butler away in the middle of a talk."""

from __future__ import annotations

import pytest

from service import settled

SETTLED = ["没事了", "没事了。", "解决了，谢谢", "好的，已经解决了，谢谢您！", "问题解决了 谢谢 再见",
           "It's solved, thanks!", "that's all, thank you", "搞定了～", "谢谢，没别的事了"]  # fmt: skip
NOT = ["解决了吗", "没解决", "还没解决了", "解决了一半", "没事了吗？", "谢谢", "好的", "", "…", "灯修好了但是水管没有",
       "is it solved?", "not solved", "没事了没事了没事了" * 20, "你们解决了没有", "别说没事了"]  # fmt: skip
ONLY_WHILE_WAITING = ["好了", "可以了", "已经好了，谢谢"]
NO_PERSON = ["不用了，谢谢", "算了不用人工了", "算了，不用人工了", "算了", "不等了",
             "never mind", "Never mind, no need for a person", "no need for a human",
             "I don't need a person any more, thanks"]  # fmt: skip


COURTESIES = ["谢谢", "好的，谢谢您！", "收到", "OK", "ok bye", "Thanks a lot!", "👍", "👍🏽👍🏽", "谢谢🙏", "❤️",
              "嗯嗯", "好好好", "谢谢师傅，辛苦了～", "晚安", "行", "可以", "got it, thank you"]  # fmt: skip
NO_COURTESIES = ["", "…", "？", "好的？", "ok?", "谢谢，几点来", "好的，那水呢", "在吗", "麻烦您快一点", "可以吗",
                 "没解决", "bye the way", "算了", "8", "👎", "谢谢" * 40]  # fmt: skip


@pytest.mark.parametrize("words", COURTESIES)
def test_nobody_waits_for_an_answer_to_a_courtesy(words):
    assert settled.is_courtesy(words)


@pytest.mark.parametrize("words", NO_COURTESIES)
def test_whatever_says_more_asks_for_an_answer(words):
    """A wrong yes would hand somebody who waits back to the assistant."""
    assert not settled.is_courtesy(words)


@pytest.mark.parametrize("words", SETTLED)
@pytest.mark.parametrize("waiting", [True, False])
def test_it_is_heard(words, waiting):
    assert settled.is_settled(words, waiting=waiting)


@pytest.mark.parametrize("words", NOT)
@pytest.mark.parametrize("waiting", [True, False])
def test_a_question_a_no_and_more_than_that_are_not(words, waiting):
    assert not settled.is_settled(words, waiting=waiting)


@pytest.mark.parametrize("words", ONLY_WHILE_WAITING)
def test_what_might_answer_a_butler_counts_only_before_one_has_spoken(words):
    assert settled.is_settled(words, waiting=True)
    assert not settled.is_settled(words, waiting=False)


@pytest.mark.parametrize("words", NO_PERSON)
def test_who_wants_no_person_any_more_has_nothing_solved_by_that(words):
    """「很高兴问题已经解决」 was the answer to it."""
    assert settled.wants_no_person(words)
    assert not settled.is_settled(words, waiting=True)


@pytest.mark.parametrize("words", ["算了不修了", "不用人工了吗", "什么时候不用等了", "never mind the noise", ""])
def test_more_than_that_takes_no_wish_back(words):
    assert not settled.wants_no_person(words)


def test_a_row_of_roses_with_words_behind_it_is_no_courtesy_and_found_out_at_once():
    """Every way to cut it was tried, while the talk was locked."""
    assert settled.is_courtesy("🌹" * 50)
    assert not settled.is_courtesy("🌹" * 50 + "几点")
