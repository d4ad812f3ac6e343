"""When somebody may come, as the forms take it: said back with day and clock, asked again when it is over."""

from datetime import UTC, datetime

import pytest

from actions import said_back
from actions.answers import answer
from actions.facts import SOON, Facts, begin, question
from service.when import When
from tests.actions.turns import turn

NOW = datetime(2026, 11, 27, 7, tzinfo=UTC)  # Friday, 15:00 in Shanghai
KNOWN = {"now": NOW.isoformat()}
ASKED = Facts("水管漏水", "5栋", "13800138000")


def at(day, hour):
    """A moment of November in Shanghai."""
    return datetime(2026, 11, day, hour - 8, tzinfo=UTC)


def reply(facts, asked, text, intent="inform", language="zh", **entities):
    message = turn(text, intent, known=KNOWN | {"language": language}, **entities)
    told = answer(facts, asked, message, kind="repair")
    assert told is not None
    return told


def asked_next(facts):
    return question(facts, kind="repair", now=NOW)


def summary(facts, language="zh"):
    return said_back.summary(facts, turn("/inform", known=KNOWN | {"language": language}), kind="repair")


def test_a_visit_time_is_said_back_with_its_day_and_clock():
    """Resident and worker read the same thing."""
    facts = reply(ASKED, "phone_and_time", "明天下午三点", time="明天下午三点")

    assert facts.visit == When(at(28, 15), at(28, 15))
    assert "时间：明天下午三点（11月28日 周六 15:00）" in summary(facts)


def test_english_words_are_said_back_in_english():
    facts = reply(ASKED, "phone_and_time", "tomorrow after 6", language="en", time="tomorrow after 6")

    assert "Time: tomorrow after 6 (Sat 28 Nov, from 18:00)" in summary(facts, "en")


@pytest.mark.parametrize("words", ["我爱人在家的时候", "工作日", "明天7点"])
def test_words_that_nobody_should_guess_are_kept_as_they_are(words):
    facts = reply(ASKED, "phone_and_time", words, time=words)

    assert (facts.visit_time, facts.visit) == (words, None)
    assert f"时间：{words}\n" in summary(facts)


def test_soon_is_no_time():
    facts = reply(Facts("灯坏了", "5栋"), "phone_and_time", "/inform")

    assert (facts.visit_time, facts.visit) == (SOON, None)


def test_a_time_that_is_over_is_asked_again():
    """今天上午 at three in the afternoon is a slip; a case with it would be of no use to anybody."""
    facts = reply(ASKED, "phone_and_time", "今天上午过来吧", time="今天上午")

    assert facts.visit_time == "今天上午"
    assert asked_next(facts) == "another_time"


def test_the_time_instead_is_taken_and_said_back():
    over = reply(ASKED, "phone_and_time", "今天上午", time="今天上午")

    facts = reply(over, "another_time", "那明天上午", time="明天上午")

    assert facts.visit == When(at(28, 8), at(28, 12))
    assert asked_next(facts) == "confirmed"


def test_the_same_slip_again_is_asked_again():
    over = reply(ASKED, "phone_and_time", "今天上午", time="今天上午")

    assert asked_next(reply(over, "another_time", "今天上午", time="今天上午")) == "another_time"


@pytest.mark.parametrize(("text", "intent"), [("/inform", "inform"), ("没有", "deny")])
def test_who_names_no_other_time_is_visited_soon(text, intent):
    over = reply(ASKED, "phone_and_time", "今天上午", time="今天上午")

    facts = reply(over, "another_time", text, intent)

    assert (facts.visit_time, asked_next(facts)) == (SOON, "confirmed")


def test_a_time_that_went_by_before_the_yes_is_asked_again_and_said_back():
    """半小时内 is nothing to register an hour later."""
    told = reply(ASKED, "phone_and_time", "半小时内", time="半小时内")
    late = {"now": "2026-11-27T09:00:00+00:00"}

    yes = answer(told, "confirmed", turn("/affirm", "affirm", known=late), kind="repair")
    assert yes is not None
    assert question(yes, kind="repair", now=datetime(2026, 11, 27, 9, tzinfo=UTC)) == "another_time"

    facts = reply(yes, "another_time", "明天", time="明天")
    assert (facts.confirmed, asked_next(facts)) == (None, "confirmed")


def test_a_correction_moves_the_day():
    facts = reply(ASKED, "phone_and_time", "明天下午三点", time="明天下午三点")

    changed = reply(facts, "confirmed", "改成后天上午", "correct", time="后天上午")

    assert changed.visit == When(at(29, 8), at(29, 12))
    assert asked_next(changed) == "confirmed"


def test_a_correction_of_the_hour_keeps_the_day():
    """「改成四点」 is four o'clock of the day that was talked of, not of today."""
    facts = reply(ASKED, "phone_and_time", "明天下午三点", time="明天下午三点")

    changed = reply(facts, "confirmed", "改成四点", "correct", time="四点")

    assert changed.visit == When(at(28, 16), at(28, 16))


def test_when_the_trouble_began_does_not_overwrite_when_somebody_may_come():
    facts = reply(ASKED, "phone_and_time", "明天下午三点", time="明天下午三点")

    told = reply(facts, "confirmed", "昨晚就开始滴水了", "repair", time="昨晚")

    assert told.visit_time == "明天下午三点"


@pytest.mark.parametrize(
    ("text", "time", "visit_time"),
    [
        ("昨晚十点多厨房漏水，麻烦派人来看", "昨晚十点多", None),
        ("厨房漏水，今晚八点在家", "今晚八点", "今晚八点"),
        ("厨房漏水，12月3号上午", "12月3号上午", "12月3号上午"),
        ("今天厨房漏水", "今天", None),
        ("周三厨房漏水", "周三", None),
        ("厨房8月开始漏水", "8月开始", None),
    ],
)
def test_a_first_message_tells_the_trouble_from_the_visit(text, time, visit_time):
    """What lies behind is when it began; what can only lie ahead is when somebody may come."""
    facts = begin(turn(text, "repair", known=KNOWN, time=time))

    assert facts.visit_time == visit_time


def test_a_weekday_added_when_the_matter_has_been_told_is_when_a_visit_suits():
    """It would be lost otherwise (N3): no part of the matter, and no visit either."""
    words = "书房窗户把手松了，16栋2单元1005，周二上午"
    message = turn(words, "repair", known=KNOWN, location="16栋2单元1005", time="周二上午")

    facts = begin(message)

    assert (facts.matter, facts.visit_time) == ("书房窗户把手松了", "周二上午")


def test_a_weekday_inside_the_matter_is_when_the_trouble_began():
    """Nobody is sent on a day that was told as the past."""
    facts = begin(turn("周二上午开始水管一直漏水，3栋1201", "repair", known=KNOWN, location="3栋1201", time="周二上午"))

    assert facts.visit_time is None
