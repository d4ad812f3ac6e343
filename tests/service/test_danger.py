"""How much words sound like danger."""

from __future__ import annotations

from service import danger


def test_a_run_is_signs_in_a_row():
    """A Chinese character is a sign, a Latin word too; any number is the same, a longer word has a family."""
    assert danger.terms("3楼 burning") >= {"^", "0", "0 楼", "^ 0 楼", "楼 burning $", "<burn", "<burnin"}


def test_a_short_message_is_weighed_as_a_whole():
    assert danger.stretches("我家漏水了。昨天就漏。今天更大") == ["我家漏水了。昨天就漏。今天更大"]


def test_a_story_is_weighed_sentence_by_sentence():
    """What else somebody tells must not make a fire sound harmless."""
    story = "物业费的事我想说一下.\n" * 20

    assert "他倒下了." in danger.stretches(f"{story}他倒下了.{story}")


def test_nothing_is_no_stretch():
    assert danger.stretches("  \n") == []


def test_words_nobody_has_seen_pull_nowhere():
    """They only make what is known weigh less, as in a long sentence."""
    assert danger.score("qqqq wwww") > danger.score("could you fix the lamp please")
    assert danger.score("着火了") > danger.score("着火了 龘龖爨麤")


def test_danger_sounds_worse_than_what_only_has_its_words():
    assert danger.score("楼道里全是浓烟") > 0 > danger.score("楼道里有人抽烟")
