"""Who is only angry; a wrong yes would throw a matter away."""

from __future__ import annotations

import pytest

from service import moods

ANGRY = ["滚", "滚！！！", "你给我滚", "闭嘴", "他妈的",
         "你们他妈的", "傻逼", "你是傻逼吗", "真烦", "你个破机器人", "操你妈", "神经病啊",
         "fuck off", "Fuck you!!", "shut up", "just shut up", "you are useless", "you're an idiot",
         "what the fuck", "this is bullshit"]  # fmt: skip
NOT = ["垃圾", "垃圾没人收", "水滚了", "滚筒洗衣机坏了", "电梯又他妈坏了", "保安骂人有病", "楼上有病人",
       "草坪没人修", "the fucking lift is broken", "shut up the water", "the shit in the lobby", "go away tomorrow",
       "", "！！！", "你们物业", "useless lock at the gate", "去死的猫",
       "全是狗屎", "狗屎", "都是草", "草", "有病了", "都有病了"]  # fmt: skip


@pytest.mark.parametrize("words", ANGRY)
def test_an_insult_tells_of_no_matter(words):
    assert moods.is_only_angry(words)


def test_no_row_of_words_takes_long_however_it_may_be_cut():
    """真是的 is one word, two and three: every way to cut thirteen of them was tried."""
    assert not moods.is_only_angry("真是的" * 13 + "灯")


@pytest.mark.parametrize("words", NOT)
def test_whoever_says_what_for_is_heard(words):
    assert not moods.is_only_angry(words)
