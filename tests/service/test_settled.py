"""What a resident says when it is settled; a wrong yes would take a butler away in the middle of a talk."""

from __future__ import annotations

import pytest

from service import settled

SETTLED = ["没事了", "没事了。", "解决了，谢谢", "好的，已经解决了，谢谢您！", "问题解决了 谢谢 再见",
           "It's solved, thanks!", "that's all, thank you", "搞定了～", "谢谢，没别的事了"]  # fmt: skip
NOT = ["解决了吗", "没解决", "还没解决了", "解决了一半", "没事了吗？", "谢谢", "好的", "", "…", "灯修好了但是水管没有",
       "is it solved?", "not solved", "没事了没事了没事了" * 20, "你们解决了没有", "别说没事了"]  # fmt: skip
ONLY_WHILE_WAITING = ["好了", "不用了，谢谢", "可以了", "never mind", "算了不用人工了"]


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
