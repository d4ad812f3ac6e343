"""Words of time, read: a wide table, and anything at all."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from service.when import When, resolve
from service.when_words import table

DATA = Path(__file__).parent / "data"
ZONES = ["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Apia", "UTC"]
WORDS = [str(word) for row in table()["words"] for word in row["words"]]
NUMBERED = ["三点半", "10点", "3:30", "9pm", "周六", "下周三", "next monday", "12月3号", "31号", "2月", "3 dec"]
COUNTED = ["下个月", "两天内", "半小时后", "in 3 weeks", "十个月前", "half past two"]

nows = st.datetimes(datetime(2020, 1, 1), datetime(2035, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - see timezones


def phrases(name):
    """Every phrase of a table: its words, when and where they were said, and what they mean."""
    for scene in yaml.safe_load((DATA / name).read_text("utf-8")):
        for words, meaning in scene["means"].items():
            said = f"{words}, said {scene['now']} in {scene['zone']}, {'ahead' if scene['ahead'] else 'past'}"
            yield pytest.param(scene, words, meaning, id=said)


def shown(when, *, now, zone):
    """A meaning as the tables write it."""
    if when is None:
        return "none"
    begins = _clock(when.begins, now, zone)
    if when.ends == when.begins:
        return begins
    ends = _clock(when.ends, now, zone, is_end=True) if when.ends else ""
    return f"{begins}..{ends.removeprefix(begins.rpartition(' ')[0] + ' ')}"


def _clock(moment, now, zone, *, is_end=False):
    local = moment.astimezone(zone)
    midnight = is_end and f"{local:%H:%M}" == "00:00"
    day = local - timedelta(days=midnight)
    year = "" if day.year == now.year else f"{day:%Y}-"
    return f"{year}{day:%m-%d} {'24:00' if midnight else f'{local:%H:%M}'}"


@pytest.mark.parametrize(("scene", "words", "meaning"), [*phrases("when.yml"), *phrases("when_held_out.yml")])
def test_words_of_time_mean_what_people_mean(scene, words, meaning):
    zone = ZoneInfo(scene["zone"])
    now = datetime.fromisoformat(scene["now"]).replace(tzinfo=zone)

    when = resolve(words, now=now, timezone=scene["zone"], ahead=scene["ahead"])

    assert shown(when, now=now, zone=zone) == meaning


@given(st.text(max_size=200), nows, st.sampled_from(ZONES), st.booleans())
def test_any_text_can_be_read(words, now, zone, ahead):
    """Residents send anything."""
    assert_sound(resolve(words, now=now, timezone=zone, ahead=ahead))


@given(st.lists(st.sampled_from(WORDS + NUMBERED + COUNTED), max_size=6), nows, st.sampled_from(ZONES), st.booleans())
def test_any_heap_of_words_of_time_can_be_read(words, now, zone, ahead):
    """Also in an order and a combination that nobody would say."""
    assert_sound(resolve(" ".join(words), now=now, timezone=zone, ahead=ahead))


def assert_sound(when):
    """Nothing, or aware moments in their order."""
    assert when is None or when.begins.tzinfo is UTC
    assert when is None or when.ends is None or when.begins <= when.ends


def test_seconds_do_not_make_this_minute_the_past():
    """At half a minute past three, "three" is now."""
    now = datetime(2026, 11, 28, 7, 0, 30, tzinfo=UTC)

    when = resolve("三点", now=now, timezone="Asia/Shanghai")

    assert when is not None
    assert when.begins == now.replace(second=0)
    assert not when.is_over(now)


def test_a_named_day_that_is_over_is_said_to_be_over():
    """The caller asks again instead of moving 今天上午 to tomorrow."""
    now = datetime(2026, 11, 28, 7, tzinfo=UTC)

    when = resolve("今天上午", now=now, timezone="Asia/Shanghai")

    assert when is not None
    assert when.is_over(now)


@pytest.mark.parametrize("later", [timedelta(0), timedelta(hours=12)])
def test_what_has_no_end_is_not_over(later):
    now = datetime(2026, 11, 28, tzinfo=UTC)

    assert not When(now, None).is_over(now + later)


def test_clocks_that_go_back_do_not_turn_an_interval_around():
    """In New York 1:45 plus half an hour is 1:15, an hour later."""
    now = datetime(2026, 11, 1, 5, 45, tzinfo=UTC)

    when = resolve("半小时内", now=now, timezone="America/New_York")

    assert when == When(now, now + timedelta(minutes=30))
