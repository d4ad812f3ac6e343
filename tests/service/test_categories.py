"""The category, its department and its call-back, from a resident's words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.categories import DEPARTMENTS, LONGEST, call_back_hours, categories, categorise

MATTERS = {
    "gas": ["燃气表没电了打不着火", "煤气灶不点火", "the gas valve is stiff"],
    "lift": ["电梯坏了", "2单元电梯按了没反应", "The lift is out of order", "both elevators stopped"],
    "heating": ["暖气不热", "暖气片漏水", "地暖有一路是凉的", "radiator stays cold"],
    "water": [
        "厨房水管漏水",
        "马桶堵了",
        "家里没水了",
        "水压太小",
        "卫生间地漏返水",
        "kitchen tap drips",
        "leaking pipe",
    ],
    "electricity": ["家里跳闸了", "楼道灯不亮", "车库的灯坏了", "电梯里灯不亮", "插座没电", "no power since noon"],
    "noise": ["楼上半夜太吵", "装修电钻声太吵了", "广场舞扰民", "loud music at midnight"],
    "renovation": ["楼上装修砸承重墙", "楼道墙面需要粉刷", "neighbour's renovation without a permit"],
    "parking": ["有人乱停车占我车位", "道闸不抬杆", "地库充电桩坏了", "someone parked in my parking space"],
    "pets": ["遛狗不牵绳", "狗叫了一晚上", "dog barks all night"],
    "security": ["保安睡觉没人管", "楼上高空抛物", "监控坏了", "a suspicious stranger in the lobby"],
    "access": ["3栋2单元门禁刷不了", "单元门关不上", "对讲没声音", "my access card stopped working"],
    "greening": ["树枝挡住窗户了", "草坪枯死了没人浇水", "please trim the hedge"],
    "cleaning": ["垃圾没人收", "楼道好脏没人打扫", "电梯里有尿", "garbage everywhere in the stairwell"],
    "network": ["家里断网了", "地库没信号", "broadband is down"],
    "charges": ["物业费怎么多收了", "发票什么时候开", "the management fee is wrong"],
    "public_area": ["外墙瓷砖松了", "井盖翘起来了", "滑梯坏了", "a crack in the lobby ceiling"],
    "other": ["你好", "hello", "", "🙂"],
}


@pytest.mark.parametrize(("key", "text"), [(key, text) for key, texts in MATTERS.items() for text in texts])
def test_a_matter_goes_to_its_category(key, text):
    """The word for the trouble outweighs the word for the place."""
    assert categorise(text).key == key


def test_every_category_has_a_sentence_above():
    """So that none is only decoration."""
    assert set(MATTERS) == set(categories())


@pytest.mark.parametrize("category", categories().values(), ids=lambda category: category.key)
def test_every_category_names_a_department_and_a_delay(category):
    """A case without a department would reach nobody; a call-back after a month would surprise."""
    assert category.department in DEPARTMENTS
    assert 0 < category.call_back_hours <= 168


@pytest.mark.parametrize(
    ("key", "hours"), [("lift", 2), ("water", 24), ("electricity", 24), ("renovation", 168), ("gone", 48)]
)
def test_the_call_back_waits_until_the_fix_has_shown_itself(key, hours):
    """A lift shows it at once, paint after a week; a category that was dropped waits like `other`."""
    assert call_back_hours(key) == hours


def test_a_fixture_that_was_recognised_counts_once_more():
    """The understanding saw what it is about where the words alone are undecided."""
    assert categorise("这里坏了", fixtures=["电梯"]).key == "lift"


def test_a_word_stands_in_one_category_only():
    """Otherwise the later one would silently win."""
    words = [word for words in _words_by_category() for word in words]

    assert len(words) == len(set(words))


def test_a_word_may_hide_only_itself():
    """热水器 is water; the letters "light" inside "delighted" are nothing."""
    assert categorise("I am delighted").key == "other"


@given(st.text(max_size=300), st.lists(st.text(max_size=10), max_size=3))
def test_any_text_has_a_category(text, fixtures):
    """A case is opened whatever the resident wrote."""
    assert categorise(text, fixtures).key in categories()


def test_a_very_long_text_is_read_from_its_beginning():
    """The time stays bounded."""
    assert categorise("x" * LONGEST + "电梯").key == "other"


def _words_by_category():
    from service.categories import _table  # noqa: PLC0415

    return [[*row["decides"], *row["hints"]] for row in _table().values()]


def test_the_neighbours_next_door_are_no_door():
    """The complaint went to those who mend locks."""
    assert categorise("the people next door scream all night").key == "noise"
