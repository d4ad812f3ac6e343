"""The forms without Rasa: what is asked, what is taken, what is left to other rules."""

import pytest

from actions import facts as gathered
from actions import said_back
from actions.answers import answer
from actions.facts import DECLINED, SOON, Facts, begin
from actions.turns import read
from tests.actions.turns import message, turn
from tests.stage import NOON

KNOWN = {"phone": "13800138000", "place": "3栋2单元1201", "surname": "王"}
FULL = Facts("水管漏水", "3栋2单元1201室", "13800138000", "明天下午")


def question(facts, kind):
    return gathered.question(facts, kind=kind, now=NOON)


def entities(text, *found):
    """Labels with the words they stand for; several of one label."""
    return [
        {"entity": label, "value": words, "start": text.index(words), "end": text.index(words) + len(words)}
        for label, words in found
    ]


def reply(facts, asked, text, intent="inform", kind="repair", **more):
    return answer(facts, asked, turn(text, intent, **more), kind=kind)


def test_everything_in_one_message_leaves_only_the_yes():
    """N8: two turns for who says it all."""
    text = "厨房水管漏水，3栋2单元1201，13800138000，明天下午来"
    facts = begin(turn(text, "repair", location="3栋2单元1201", phone="13800138000", time="明天下午"))

    assert question(facts, kind="repair") == "confirmed"
    assert (facts.location, facts.visit_time) == ("3栋2单元1201室 厨房", "明天下午")


def test_the_record_is_used_and_not_asked_again():
    facts = begin(turn("马桶堵了", "repair", known=KNOWN))

    assert question(facts, kind="repair") == "confirmed"
    assert facts == Facts("马桶堵了", "3栋2单元1201室", "13800138000", None, "王先生/女士")


def test_a_resident_of_the_roster_is_the_contact_with_their_own_title():
    """A surname of two characters is a surname still."""
    facts = begin(turn("马桶堵了", "repair", known=KNOWN | {"surname": "欧阳", "honorific": "女士"}))

    assert facts.contact == "欧阳女士"


def test_one_visit_will_do_for_two_requests():
    """The second of a message begins with what the first has found out."""
    told = {
        "visit_time": "明天下午",
        "visit_from": "2026-11-24T04:00:00+00:00",
        "visit_until": "2026-11-24T10:00:00+00:00",
    }

    facts = begin(turn("客厅灯不亮", "repair", known=KNOWN | told))
    later = begin(turn("客厅灯不亮，后天上午过来", "repair", known=KNOWN | told, time="后天上午"))

    assert (facts.visit_time, facts.visit and facts.visit.begins.isoformat()) == ("明天下午", told["visit_from"])
    assert (later.visit_time, later.visit_from != told["visit_from"]) == ("后天上午", True)


def test_with_nothing_known_five_turns_are_enough():
    """Matter and place are one question, phone and time another."""
    said = [
        ("水管漏水", "inform", {}),
        ("1201", "inform", {"location": "1201"}),
        ("13800138000", "inform", {"phone": "13800138000"}),
        ("/affirm", "affirm", {}),
    ]
    facts = begin(turn("/repair", "repair"))
    for words, intent, entities in said:
        facts = reply(facts, question(facts, kind="repair"), words, intent, **entities)

    assert question(facts, kind="repair") is None
    assert 1 + len(said) == 5


def test_when_the_trouble_began_is_not_when_somebody_may_come():
    facts = begin(turn("今天早上厨房水管漏水", "repair", time="今天早上", location="厨房"))

    assert facts.visit_time is None
    assert facts.matter == "今天早上厨房水管漏水"


def test_how_long_it_has_been_so_is_no_visit_either():
    """「三天了」 in answer to a question must not become the time of a visit."""
    facts = reply(
        Facts("水管漏水", "5栋"), "phone_and_time", "13800138000，都漏三天了", phone="13800138000", time="三天"
    )

    assert facts.visit_time != "三天"


def test_a_plumber_who_is_named_is_not_the_contact():
    facts = begin(turn("邓师傅修过的水泵又停了", "reopen", name="邓", known=KNOWN))

    assert facts.contact == "王先生/女士"


@pytest.mark.parametrize(
    "guess", ["affirm", "greet", "inform", "out_of_scope", "nlu_fallback", "repair", "praise", "inquiry"]
)
def test_an_answer_is_taken_whatever_it_was_taken_for(guess):
    """A weak guess of the classifier must not cost the resident's words (N3)."""
    facts = reply(Facts(), "matter_and_place", "水管", guess, sure=0.35)

    assert facts.matter == "水管"


def test_a_number_is_taken_for_a_phone_even_when_it_reads_like_goodbye():
    """886 and the like are how people say goodbye."""
    facts = reply(Facts("灯坏了", "5栋"), "phone_and_time", "138001380", "goodbye")

    assert facts.phone == "138001380"


@pytest.mark.parametrize(
    ("asked", "text", "intent"),
    [
        ("location", "取消吧不修了", "cancel"),
        ("matter", "我找王管家说话", "request_human"),
        ("phone_and_time", "着火了", "emergency"),
        ("location", "物业费一平多少钱", "inquiry"),
        ("confirmed", "/complaint", "complaint"),
        ("confirmed", "我要投诉", "complaint"),
        ("matter", "/urge", "urge"),
    ],
)
def test_what_is_no_answer_goes_to_its_own_rule(asked, text, intent):
    assert reply(Facts("灯坏了"), asked, text, intent) is None


@pytest.mark.parametrize("intent", ["cancel", "request_human", "inquiry"])
def test_a_plain_fact_is_an_answer_whatever_the_guess(intent):
    facts = reply(Facts("灯坏了"), "location", "5栋", intent, location="5栋")

    assert facts.location == "5栋"


def test_a_correction_is_heard_at_any_moment():
    """「不对，是5栋」 while the phone is asked."""
    facts = reply(Facts("水管漏水", "3栋2单元1201室"), "phone_and_time", "不对，是5栋", "correct", location="5栋")

    assert facts.location == "5栋2单元1201室"


def test_a_corrected_address_stands_beside_the_words_it_corrects():
    """Staff must not read building 5 in the matter and 6 in the place without a reason."""
    facts = reply(Facts("5栋电梯坏了", "5栋 电梯", "1"), "confirmed", "是6栋", "correct", location="6栋")

    assert facts.matter == "5栋电梯坏了\n是6栋"


def test_yes_opens_and_no_asks_what_to_change():
    assert reply(FULL, "confirmed", "/affirm", "affirm").confirmed is True
    assert reply(FULL, "confirmed", "对的，谢谢", "thanks").confirmed is True
    no = reply(FULL, "confirmed", "/deny", "deny")
    assert question(no, kind="repair") == "change"
    assert question(reply(no, "change", "/affirm", "affirm"), kind="repair") is None


@pytest.mark.parametrize("guess", ["affirm", "deny", "inform", "thanks"])
def test_more_than_a_yes_is_kept_and_said_back(guess):
    facts = reply(FULL, "confirmed", "麻烦师傅再带一把人字梯过来", guess)

    assert facts.matter == "水管漏水\n麻烦师傅再带一把人字梯过来"
    assert question(facts, kind="repair") == "confirmed"


def test_a_small_wish_beside_a_yes_is_kept():
    """The classifier hears the yes; the ladder would be forgotten."""
    facts = reply(FULL, "confirmed", "好的，麻烦带个梯子", "affirm", sure=0.68)

    assert facts.matter == "水管漏水\n好的，麻烦带个梯子"


@pytest.mark.parametrize("text", ["好的就这样", "yes please go ahead", "嗯嗯"])
def test_a_plain_yes_needs_no_second_one(text):
    assert reply(FULL, "confirmed", text, "affirm", sure=0.97).confirmed is True


def test_a_correction_of_the_summary_is_said_back():
    changed = reply(FULL, "change", "后天上午", time="后天上午")

    assert changed.visit_time == "后天上午"
    assert question(changed, kind="repair") == "confirmed"


def test_soon_is_one_tap_and_the_phone_is_asked_alone():
    facts = reply(Facts("灯坏了", "5栋"), "phone_and_time", "/inform", "inform")

    assert facts.visit_time == SOON
    assert question(facts, kind="repair") == "phone"


@pytest.mark.parametrize("asked", ["phone_and_time", "phone"])
def test_nobody_has_to_leave_a_phone(asked):
    facts = reply(Facts("灯坏了", "5栋", visit_time=None), asked, "没有", "deny")

    assert facts.phone == DECLINED
    assert question(facts, kind="repair") == "confirmed"


def test_a_free_time_is_kept_in_the_residents_words():
    facts = reply(Facts("灯坏了", "5栋"), "phone_and_time", "什么时候都行", "inquiry")

    assert facts.visit_time == "什么时候都行"


def test_phone_and_a_free_time_fit_in_one_message():
    facts = reply(Facts("灯坏了", "5栋"), "phone_and_time", "13800138000，什么时候都行", phone="13800138000")

    assert (facts.phone, facts.visit_time) == ("13800138000", "什么时候都行")


def test_a_place_nobody_knows_is_taken_as_it_was_said():
    facts = reply(Facts("路灯坏了"), "location", "喷泉旁边那一盏", "inform")

    assert facts.location == "喷泉旁边那一盏"


def test_the_room_of_the_matter_joins_the_address():
    facts = reply(Facts("厨房水管漏水"), "location", "3栋2单元1201", location="3栋2单元1201")

    assert facts.location == "3栋2单元1201室 厨房"


def test_more_trouble_does_not_move_the_case():
    facts = reply(FULL, "confirmed", "卧室的灯也坏了", "repair", location="卧室")

    assert facts.location == FULL.location
    assert facts.matter == "水管漏水\n卧室的灯也坏了"


def test_a_complaint_asks_for_no_phone():
    assert question(Facts("太吵了"), kind="complaint") == "location"
    assert question(Facts("太吵了", "5栋"), kind="complaint") == "confirmed"


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("kind", ["repair", "complaint"])
def test_the_facts_are_said_back(kind, language):
    """N7: matter, place, person and what will be done, none of them blank."""
    words = said_back.summary(Facts("水管漏水", "5栋"), turn("/inform", known={"language": language}), kind=kind)

    assert "水管漏水" in words
    assert "5栋" in words
    assert all(line.split("：" if language == "zh" else ": ", 1)[1] for line in words.splitlines())


def test_more_of_the_trouble_is_no_place():
    """Asked where it is, somebody who is cross says again what is wrong: it is kept, and the place asked once more."""
    facts = reply(Facts("物业没人管"), "location", "电话打了三遍也没人接", "complaint")

    assert (facts.matter, facts.location) == ("物业没人管\n电话打了三遍也没人接", None)
    again = reply(facts, "location", "电话打了三遍也没人接", "complaint")
    assert again.location is not None, "said once more it is taken for what it is meant to be"


def test_what_was_charged_lies_nowhere():
    """「物业费太贵了」 is not asked in which building it is."""
    assert question(Facts("物业费收得太贵了"), kind="complaint") == "confirmed"


@pytest.mark.parametrize("asked", ["phone_and_time", "phone"])
def test_an_address_that_is_said_again_is_no_telephone_number(asked):
    """「9栋1单元312」 has five digits, and a worker would have rung 91312."""
    facts = reply(Facts("灯坏了", "9栋1单元312室"), asked, "9栋1单元312", location="9栋1单元312")

    assert facts.phone in (None, "-")


def test_an_edited_line_is_no_answer_but_replaces_what_it_told():
    """「3栋」 became 「5栋」 while a telephone number was asked for; it is said back before it is registered."""
    facts = Facts("3栋楼道灯不亮", "3栋", "13800138000", "明天下午", confirmed=False)

    told = reply(facts, "phone", "5栋楼道灯不亮", "repair", location="5栋", known={"was": "3栋楼道灯不亮"})

    assert (told.matter, told.location, told.confirmed) == ("5栋楼道灯不亮", "5栋", None)
    assert (told.phone, told.visit_time) == ("13800138000", "明天下午")


def test_an_edit_that_asks_something_else_is_for_its_own_rule():
    asked = {"was": "水管漏水", "turn": "8"}

    assert reply(FULL, "phone", "物业费怎么交", "inquiry", known=asked) is None


def test_the_edited_answer_to_a_question_takes_the_place_of_the_first():
    told = reply(FULL, "confirmed", "13900139000", phone="13900139000", known={"was": "13900139001"})

    assert (told.phone, told.matter) == ("13900139000", FULL.matter)


def test_what_a_message_takes_back_itself_does_not_hold():
    """「45栋，不对，46栋」 would have sent somebody to the wrong building."""
    text = "45栋 不对 46栋2单元801"
    heard = read(
        message(text, "inform") | {"entities": entities(text, ("location", "45栋"), ("location", "46栋2单元801"))}
    )

    told = answer(Facts("水龙头漏水"), "location", heard, kind="repair")

    assert told is not None
    assert told.location == "46栋2单元801室"


def test_not_the_kitchen_but_the_bathroom_is_also_what_the_matter_says():
    text = "不是厨房 是卫生间的水龙头"
    heard = read(message(text, "correct") | {"entities": entities(text, ("location", "厨房"), ("location", "卫生间"))})
    facts = Facts("厨房水龙头漏水", "3栋2单元1201室 厨房", "13800138000", "明天", confirmed=False)

    told = answer(facts, "confirmed", heard, kind="repair")

    assert told is not None
    assert (told.matter, told.location) == ("卫生间水龙头漏水", "3栋2单元1201室 卫生间")


def test_two_rooms_of_one_message_both_hold_when_neither_is_taken_back():
    text = "厨房和卫生间都漏水"
    heard = read(message(text, "repair") | {"entities": entities(text, ("location", "厨房"), ("location", "卫生间"))})

    assert heard.found("location") == ["厨房", "卫生间"]


@pytest.mark.parametrize("text", ["对了还有", "哎我说你们那个谁"])
def test_a_lead_in_is_no_matter(text):
    """What is to come is asked for, instead of being registered without it."""
    assert begin(turn(text, "complaint")).matter is None
    assert reply(FULL, "confirmed", text, "affirm", sure=0.56).matter == FULL.matter


def test_another_trouble_is_no_time_for_a_visit():
    """「第三次报修下水道了」 stood as the time on a work order."""
    told = reply(Facts("楼道灯不亮", "3栋"), "phone_and_time", "这下水道都报修三次了", "repair")

    assert told.visit_time is None
    assert "下水道" in told.matter


def test_whatever_hour_suits_is_an_answer_and_no_question():
    told = reply(Facts("楼道灯不亮", "3栋"), "phone_and_time", "随便什么时候", "inquiry", sure=0.71)

    assert told.visit_time == "随便什么时候"


def test_a_bare_number_corrects_the_room_that_was_said_back():
    """The worker would have rung at 602, with "no sorry 603" standing under the matter."""
    told = reply(FULL, "confirmed", "no sorry 603", "deny", sure=0.5)
    nowhere = reply(Facts("水管漏水", "大堂", "13800138000", "明天下午"), "confirmed", "603", "inform")

    assert (told.location, told.matter, told.confirmed) == ("3栋2单元603室", FULL.matter, None)
    assert nowhere.location == "大堂"


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("人呢", {}),
        ("https://example.com/abc", {}),
        ("13766660001", {"phone": "13766660001"}),
        ("hello??", {}),
    ],
)
def test_what_says_nothing_of_a_place_is_asked_again(text, more):
    """Somebody would be sent to 「人呢」."""
    facts = reply(Facts("灯坏了"), "location", text, "inform", **more)

    assert facts.location is None
    assert facts.phone == more.get("phone")


def test_a_room_of_nobody_knows_which_home_is_kept_and_the_home_is_asked():
    """Every home has a kitchen; the room still reaches the address that comes next."""
    facts = reply(Facts("漏水"), "location", "厨房", location="厨房")
    assert (facts.location, question(facts, kind="repair")) == (None, "location")

    facts = reply(facts, "location", "22栋1单元501", location="22栋1单元501")

    assert facts.location == "22栋1单元501室 厨房"


@pytest.mark.parametrize("text", ["电话嘛 我记不到咯", "我没有手机", "I don't have a mobile", "不想留电话"])
@pytest.mark.parametrize("guess", ["inform", "cancel", "request_human", "deny"])
def test_who_leaves_no_number_names_no_time_and_calls_nothing_off(text, guess):
    facts = reply(Facts("灯坏了", "5栋"), "phone_and_time", text, guess, sure=0.6)

    assert (facts.phone, facts.visit_time) == (DECLINED, SOON)


def test_the_number_of_a_son_is_a_number():
    text = "I don't have a mobile, call my son 13800138222"
    facts = reply(Facts("tap drips", "5栋"), "phone_and_time", text, phone="13800138222")

    assert (facts.phone, facts.visit_time) == ("13800138222", SOON)


def test_a_complaint_whose_author_leaves_no_number_is_said_back_and_not_dropped():
    facts = reply(
        Facts("the kids jump all day", "20栋"),
        "confirmed",
        "I don't want to leave my number",
        "cancel",
        kind="complaint",
    )

    assert (facts.phone, question(facts, kind="complaint")) == (DECLINED, "confirmed")


def test_what_stands_beside_the_recognised_words_of_an_address_is_part_of_it():
    """The understanding found only the room; somebody would look for it in every building."""
    text = "the fifth building, flat 302"
    facts = reply(Facts("bell is silent"), "location", text, location="flat 302", known={"language": "en"})

    assert facts.location == "Building 5, Room 302"


def test_who_says_where_it_is_and_that_something_else_is_broken_is_heard_in_both():
    """Cross people answer the question with the next grievance."""
    facts = reply(Facts("你们物业都是废物吧"), "location", "电梯又他妈坏了，7栋2单元", "reopen", location="7栋2单元")

    assert facts.location == "7栋2单元 电梯"
    assert facts.matter == "你们物业都是废物吧\n电梯又他妈坏了"


def test_a_spot_of_a_home_that_is_not_known_yet_stays_in_the_matter():
    """Bubbles: 我家, 厨房, 水龙头, 一直滴水; the address comes later, and the plumber still finds the kitchen."""
    facts = begin(turn("我家，厨房，水龙头，一直滴水", "repair", location="厨房", fixture="水龙头"))

    facts = reply(facts, "location", "3栋2单元1209", location="3栋2单元1209")

    assert facts.location == "3栋2单元1209室 厨房"


@pytest.mark.parametrize("asked", ["phone_and_time", "phone"])
def test_another_place_is_no_answer_to_a_number_or_a_time(asked):
    """「99栋」 is put right, and what was asked is still open."""
    before = Facts("灯坏了", "99栋99单元9999室", visit_time=SOON if asked == "phone" else None)

    facts = reply(before, asked, "3栋2单元1211", location="3栋2单元1211")

    assert facts.location == "3栋2单元1211室"
    assert question(facts, kind="repair") == asked


def test_a_number_with_too_few_digits_is_asked_for_again():
    """It was taken for a refusal, and nobody could ring."""
    facts = reply(Facts("灯坏了", "3栋", visit_time=SOON), "phone", "my number is 555", "correct")

    assert question(facts, kind="repair") == "phone"


@pytest.mark.parametrize(
    ("digits", "phone"), [("110", "13800138000"), ("9" * 18, "13800138000"), ("07318888888", "07318888888")]
)
def test_a_bare_number_beside_what_is_said_back_is_a_phone_or_nothing(digits, phone):
    """No room 110, and no 「999…」 in the matter."""
    facts = reply(FULL, "confirmed", digits, "out_of_scope")

    assert (facts.matter, facts.location, facts.phone) == (FULL.matter, FULL.location, phone)
