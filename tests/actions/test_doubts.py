"""What makes no sense is read back once; what was said twice, or with a yes, holds."""

from __future__ import annotations

from typing import Any

import pytest

from actions.facts import DECLINED, SOON
from tests.actions.test_forms import ACTIVATED, slots_after
from tests.actions.turns import message

OPEN = {"matter": "灯坏了", "location": "3栋2单元1201", "visit_time": SOON}
DOUBTED = {**OPEN, "doubt": "phone", "doubted": "123"}


@pytest.mark.parametrize("asked", ["phone", "phone_and_time"])
@pytest.mark.parametrize("number", ["123", "1380013800", "138001380000"])
def test_a_number_nobody_can_ring_is_read_back(asked, number):
    """It went into the case, or was asked for again as if nothing had been said."""
    slots = slots_after(message(number), requested_slot=asked, **OPEN)

    assert (slots["requested_slot"], slots["doubted"], slots.get("phone")) == ("phone_again", number, None)


@pytest.mark.parametrize("number", ["13800138000", "85551234", "0731-85551234", "4008001234"])
def test_a_number_that_can_be_rung_is_taken(number):
    slots = slots_after(message(number, phone=number), requested_slot="phone", **OPEN)

    assert (slots["requested_slot"], slots["phone"]) == ("confirmed", number)


@pytest.mark.parametrize(
    ("answer", "phone"),
    [
        (message("123"), "123"),
        (message("没错", "affirm"), "123"),
        (message("13800138000", phone="13800138000"), "13800138000"),
        (message("没有电话", "deny"), DECLINED),
    ],
)
def test_the_answer_to_it_holds_whatever_it_is(answer, phone):
    """Whoever lives here knows it better; asked twice they would go away."""
    slots = slots_after(answer, requested_slot="phone_again", **DOUBTED)

    assert (slots["requested_slot"], slots["phone"], slots["doubt"]) == ("confirmed", phone, None)


@pytest.mark.parametrize(
    ("words", "building", "language"),
    [("9999栋1单元101", "9999栋", "zh"), ("building 9999 unit 1 room 101", "building 9999", "en")],
)
def test_a_building_nobody_has_is_read_back_with_the_room_in_it(words, building, language):
    """It was left out without a word, and the plumber sent to another building's room 101."""
    latest = message(words, known={"language": language}, location=words.removeprefix(building).strip())
    slots = slots_after(latest, requested_slot="location", matter="灯坏了")

    assert (slots["requested_slot"], slots["doubted"], slots.get("location")) == ("place_again", words, None)


@pytest.mark.parametrize("words", ["3栋1502号楼上漏水", "我是1302号楼下的，漏水了", "3单元1502号楼道灯坏了"])
def test_what_is_above_a_room_is_no_building(words):
    slots = slots_after(message(words, "repair"), ACTIVATED)

    assert slots.get("doubt") is None


def test_a_building_nobody_has_beside_a_number_nobody_can_ring_are_both_no_facts():
    slots = slots_after(message("9999栋1单元101，电话12345", "repair", phone="12345"), ACTIVATED, matter="灯坏了")

    assert (slots["doubt"], slots.get("phone")) == ("place", None)


def test_a_building_nobody_has_is_read_back_in_the_first_message_too():
    slots = slots_after(message("9999栋的路灯不亮", "repair"), ACTIVATED)

    assert (slots["requested_slot"], slots["doubted"]) == ("place_again", "9999栋")


@pytest.mark.parametrize(
    ("answer", "place"),
    [(message("99栋1单元101", location="99栋1单元101"), "99栋1单元101室"), (message("没错", "affirm"), "9999栋")],
)
def test_the_place_that_was_read_back_is_put_right_or_holds(answer: Any, place: str):
    slots = slots_after(answer, requested_slot="place_again", matter="灯坏了", doubt="place", doubted="9999栋")

    assert (slots["location"], slots["doubt"]) == (place, None)
