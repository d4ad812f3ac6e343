"""When somebody may come, written down for its readers."""

from datetime import UTC, datetime

import pytest

from service import visits
from service.when import When, resolve

NOW = datetime(2026, 11, 27, 2, tzinfo=UTC)  # Friday, 10:00 in Shanghai
ZONE = "Asia/Shanghai"

WRITTEN = {
    "明天下午三点": ("11月28日 周六 15:00", "Sat 28 Nov, 15:00"),
    "周六上午": ("11月28日 周六 08:00–12:00", "Sat 28 Nov, 08:00–12:00"),
    "tomorrow after 6": ("11月28日 周六 18:00以后", "Sat 28 Nov, from 18:00"),
    "明早九点前": ("11月28日 周六 09:00以前", "Sat 28 Nov, before 09:00"),
    "明天": ("11月28日 周六", "Sat 28 Nov"),
    "周末": ("11月28日 周六至11月29日 周日", "Sat 28 Nov to Sun 29 Nov"),
    "夜里": ("11月27日 周五 22:00至11月28日 周六 06:00", "Fri 27 Nov, 22:00 to Sat 28 Nov, 06:00"),
    "明天以后": ("11月29日 周日起", "from Sun 29 Nov on"),
    "1月3号": ("1月3日 周日", "Sun 3 Jan"),
}


@pytest.mark.parametrize(("words", "zh", "en"), [(words, *shown) for words, shown in WRITTEN.items()])
def test_a_time_is_written_as_short_as_it_can_be_said(words, zh, en):
    when = resolve(words, now=NOW, timezone=ZONE)
    assert when is not None

    assert visits.display(when, timezone=ZONE, language="zh") == zh
    assert visits.display(when, timezone=ZONE, language="en") == en


def test_the_words_stand_before_what_they_mean():
    when = When(datetime(2026, 11, 28, 7, tzinfo=UTC), datetime(2026, 11, 28, 7, tzinfo=UTC))

    assert visits.written("明天下午三点", when, timezone=ZONE, language="zh") == "明天下午三点（11月28日 周六 15:00）"


@pytest.mark.parametrize("words", [None, "尽快"])
def test_words_without_a_clear_meaning_stand_alone(words):
    assert visits.written(words, None, timezone=ZONE, language="zh") == words
