"""What Rasa is told after each message of a form."""

from typing import Any

import pytest
from rasa_sdk import Tracker

from actions.forms import validate
from tests.actions.turns import message

ACTIVATED = {"event": "active_loop", "name": "repair_form"}
REJECTED = {"event": "action_execution_rejected", "name": "repair_form"}


def tracker(latest: dict[str, Any], *after: dict[str, Any], **slots: Any) -> Tracker:
    """Rasa's tracker in the middle of a form's turn."""
    events = [{"event": "user", "text": latest["text"]}, *after]
    return Tracker("1", slots, latest, events, False, None, {"name": "repair_form"}, "repair_form")


def slots_after(*given: Any, **slots: Any) -> dict[str, Any]:
    return {event["name"]: event["value"] for event in validate("repair", tracker(*given, **slots))}


def test_a_new_matter_forgets_the_old_one():
    """A form that was called off leaves its slots behind."""
    old = {"matter": "旧事", "location": "9栋", "phone": "13900139000", "confirmed": True}

    slots = slots_after(message("厨房水管漏水", "repair"), ACTIVATED, **old)

    assert slots["matter"] == "厨房水管漏水"
    assert (slots["location"], slots["phone"], slots["confirmed"]) == (None, None, None)
    assert slots["requested_slot"] == "location"


def test_a_message_for_another_rule_is_answered_with_nothing():
    """Rasa takes that for a refusal of the form and looks at the rules."""
    latest = message("转人工", "request_human")

    assert validate("repair", tracker(latest, requested_slot="location", matter="灯坏了")) == []


def test_back_from_another_rule_the_same_is_asked_again():
    """The question in between must not be read as an answer."""
    latest = message("物业费多少钱", "inquiry")

    slots = slots_after(latest, REJECTED, requested_slot="location", matter="灯坏了")

    assert slots == {"requested_slot": "location"}


def test_what_is_put_off_is_heard_and_the_same_is_asked_again():
    """It waits until the form is done (nlu/agenda.py); as an answer it would become a time for the visit."""
    latest = message("楼道灯也坏了，还有狗一直叫", "repair", known={"part": True, "put_off": "yes"})

    slots = slots_after(latest, requested_slot="phone_and_time", matter="水管漏水", location="5栋")

    assert slots == {"confirmed": None, "requested_slot": "phone_and_time"}


@pytest.mark.parametrize("intent", ["inquiry", "urge", "praise", "suggestion", "request_service", "reopen"])
def test_a_part_that_is_no_answer_goes_to_its_own_rule(intent):
    """Alone such words may be an answer; cut from a message that asks for several things they are not."""
    latest = message("管家小陈特别耐心", intent, sure=0.5, known={"part": True})

    assert validate("repair", tracker(latest, requested_slot="location", matter="灯坏了")) == []


@pytest.mark.parametrize("intent", ["inform", "affirm", "deny", "correct"])
def test_a_part_that_is_an_answer_is_for_the_form(intent):
    latest = message("3栋", intent, known={"part": True}, location="3栋")

    assert slots_after(latest, requested_slot="location", matter="灯坏了")["location"] == "3栋"


def test_small_talk_is_met_with_the_question_again():
    """A form that fills no slot is taken for a refusal, so there is always one."""
    slots = slots_after(message("你好", "greet"), requested_slot="location", matter="灯坏了")

    assert slots == {"confirmed": None, "requested_slot": "location"}


def test_the_facts_are_said_back_when_they_are_complete():
    latest = message("13800138000", phone="13800138000")

    slots = slots_after(latest, requested_slot="phone", matter="灯坏了", location="5栋", visit_time="明天")

    assert slots["requested_slot"] == "confirmed"
    assert "13800138000" in slots["summary"]


def test_a_yes_ends_the_form():
    full = {"matter": "灯坏了", "location": "5栋", "phone": "1", "requested_slot": "confirmed"}

    slots = slots_after(message("/affirm", "affirm"), **full)

    assert slots == {"confirmed": True, "requested_slot": None}


def test_the_hour_of_a_complaint_is_what_happened_and_no_wish_for_a_visit():
    """「半夜两点还在跳」 was lost from the complaint and became the visit of the repair after it."""
    latest = message("半夜两点还在跳", "out_of_scope", time="半夜两点")
    given = tracker(latest, requested_slot="confirmed", matter="楼上太吵了", location="3栋", phone="13800138000")

    slots = {event["name"]: event["value"] for event in validate("complaint", given)}

    assert slots["matter"] == "楼上太吵了\n半夜两点还在跳"
    assert "visit_time" not in slots


def test_any_day_said_late_is_the_time_and_no_more_of_the_matter():
    slots = slots_after(
        message("随便哪天都行"), requested_slot="confirmed", matter="门铃不响", location="3栋", phone="13800138000"
    )

    assert slots["visit_time"] == "随便哪天都行"
    assert "matter" not in slots


@pytest.mark.parametrize("text", ["算了还是报一下吧", "actually please report it", "不取消了"])
def test_what_was_called_off_is_taken_up_again_as_it_was(text):
    """Nobody tells the same twice because they changed their mind."""
    off = {"matter": "灯坏了", "location": "5栋", "phone": "1", "visit_time": "明天", "confirmed": False}

    slots = slots_after(message(text, "repair"), ACTIVATED, **off)

    assert slots["requested_slot"] == "confirmed"
    assert "灯坏了" in slots["summary"]
    assert "matter" not in slots


FILLED = {"matter": "厨房水管漏水", "location": "3栋2单元1201室"}


@pytest.mark.parametrize(
    ("words", "intent"), [("afternoon", "greet"), ("any time", "nlu_fallback"), ("下午", "greet"), ("都行", "affirm")]
)
@pytest.mark.parametrize("asked", ["phone_and_time", "another_time"])
def test_a_bare_time_is_the_answer_to_when_we_may_come(words, intent, asked):
    """Whatever it sounds like where nobody has asked."""
    slots = slots_after(message(words, intent), requested_slot=asked, **FILLED)

    assert slots["visit_time"] == words
    assert slots["visit_from"] is not None


def test_a_yes_to_what_is_said_back_is_no_time():
    """「都可以」 agrees."""
    told = FILLED | {"phone": "13800138000", "visit_time": "asap"}

    slots = slots_after(message("都可以", "affirm"), requested_slot="confirmed", **told)

    assert "visit_time" not in slots


@pytest.mark.parametrize("asked", ["location", "phone_and_time", "another_time", "confirmed", "change"])
def test_a_card_is_a_number_whatever_was_asked(asked):
    """Their own or somebody else's; and nothing else was answered with it."""
    latest = message("/share_phone", "share_phone", known={"phone": "13900139000", "card": "张女士"})
    told = {name: value for name, value in FILLED.items() if (asked, name) != ("location", "location")}
    told |= {"visit_time": "asap"} if asked in {"confirmed", "change"} else {}

    slots = slots_after(latest, requested_slot=asked, **told)

    assert (slots["phone"], slots["contact"], slots["confirmed"]) == ("13900139000", "张女士", None)
    assert "visit_time" not in slots


PUZZLED = [
    ("什么意思", "out_of_scope"),
    ("啥意思啊？", "inquiry"),
    ("what do you mean?", "out_of_scope"),
    ("huh", "deny"),
]


@pytest.mark.parametrize(("words", "intent"), PUZZLED)
@pytest.mark.parametrize("asked", ["location", "phone_and_time", "phone", "confirmed"])
def test_who_asks_what_we_mean_has_answered_nothing(words, intent, asked):
    """「什么意思」 was a telephone number that somebody would rather not leave, or more of the matter."""
    told = {name: value for name, value in FILLED.items() if (asked, name) != ("location", "location")}
    told |= {"visit_time": "asap"} if asked in {"phone", "confirmed"} else {}
    told |= {"phone": "13900139000"} if asked == "confirmed" else {}

    slots = slots_after(message(words, intent), requested_slot=asked, **told)

    assert slots["requested_slot"] == asked
    assert not slots.keys() & {"matter", "location", "phone", "visit_time"}


@pytest.mark.parametrize("words", ["就我家", "我家里", "my place"])
def test_home_is_no_place_while_nobody_knows_where_it_is(words):
    """It stood on the work order, and the worker stood before no door."""
    told = {name: value for name, value in FILLED.items() if name != "location"}

    slots = slots_after(message(words), requested_slot="location", **told)

    assert "location" not in slots
    assert slots["requested_slot"] == "location"


def test_a_card_is_no_yes_to_the_same_thing():
    """It would have urged a case that they may not mean."""
    latest = message("/share_phone", "share_phone", known={"phone": "13900139000"})

    slots = slots_after(latest, requested_slot="same_thing", already="case:1", **FILLED)

    assert slots["confirmed"] is None
    assert slots["requested_slot"] == "same_thing"


@pytest.mark.parametrize(
    ("asked", "words", "intent"),
    [
        ("location", "actually it's the AC", "inform"),
        ("phone_and_time", "no wait, the heater after all", "cancel"),
        ("phone_and_time", "等下，不是空调，是热水器", "inform"),
        ("phone", "哦不对还是空调吧", "correct"),
    ],
)
def test_who_puts_the_matter_right_answers_nothing_else_and_calls_nothing_off(asked, words, intent):
    """The AC is nowhere to go to, and "no wait" lost everything that had been told."""
    told = {"matter": "The heater is broken"} if asked == "location" else FILLED
    told = told | ({"visit_time": "asap"} if asked == "phone" else {})

    slots = slots_after(message(words, intent), requested_slot=asked, **told)

    assert slots["matter"] == f"{told['matter']}\n{words}"
    assert slots["requested_slot"] == asked
    assert not {"location", "visit_time", "phone"} & slots.keys()


@pytest.mark.parametrize("words", ["no wait, cancel that", "不对，算了，还是不报了"])
def test_who_takes_it_all_back_is_heard(words):
    """However they begin."""
    assert validate("repair", tracker(message(words, "cancel"), requested_slot="phone_and_time", **FILLED)) == []


def test_who_is_in_a_hurry_names_no_time():
    """It would have stood on the work order as the hour of the visit."""
    slots = slots_after(message("i'm at work, hurry", "urge"), requested_slot="phone_and_time", **FILLED)

    assert slots["visit_time"] == "asap"


def test_who_wants_to_be_written_to_here_leaves_no_number_and_calls_nobody():
    """The understanding takes it for the wish to speak with somebody."""
    told = FILLED | {"phone": "13800138000", "visit_time": "asap"}

    slots = slots_after(message("just message me here", "request_human"), requested_slot="confirmed", **told)

    assert (slots["phone"], slots["requested_slot"]) == ("-", "confirmed")


@pytest.mark.parametrize("found", [{}, {"object": "灯"}])
def test_one_character_among_words_that_say_nothing_is_the_matter(found):
    """「我家那个灯」 left a work order that said 「坏啦」."""
    slots = slots_after(message("小伙子啊，我家那个灯，就是那个，坏啦", "repair", **found), ACTIVATED)

    assert "灯" in slots["matter"]


def test_a_wish_for_haste_is_no_part_of_the_matter():
    """It stands as the time."""
    assert slots_after(message("卧室门关不上，尽快", "repair"), ACTIVATED)["matter"] == "卧室门关不上"


def test_a_room_behind_its_floor_is_part_of_the_address():
    """Half of it was recognised, and the craftsman stood on the third floor before three doors."""
    told = {"matter": "灯坏了", "location": "10栋"}

    slots = slots_after(message("3楼302", location="3楼"), requested_slot="phone_and_time", **told)

    assert slots["location"] == "10栋302室 3楼"


def test_what_only_looks_like_a_place_is_the_matter_put_right():
    """The understanding marks "the AC" as a place, and the craftsman is sent to the AC."""
    latest = message("actually it's the AC", "inform", location="the AC")

    slots = slots_after(latest, requested_slot="location", matter="The heater is broken")

    assert (slots.get("location"), slots["requested_slot"]) == (None, "location")
    assert slots["matter"].endswith("the AC")
