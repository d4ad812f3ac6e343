"""What a butler reads before the first word to the resident, and the replies that are suggested."""

from __future__ import annotations

from datetime import timedelta

import pytest

from service import cards, cases, clocks, phrases, surveys, texts
from service.cards import Understood
from service.models.follow_ups import Survey
from service.models.talks import Conversation
from tests.stage import NOON, Stage


def card(
    stage: Stage, talk: Conversation, *, reason: str = "asked", understood: Understood | None = None
) -> texts.Line:
    stage.session.flush()
    return cards.card(stage.session, talk, reason=reason, understood=understood, now=NOON + timedelta(hours=3))


def test_everything_that_is_known_stands_on_the_card(stage):
    talk = stage.resident(surname="王", honorific="女士", place="3栋2单元1201", phone="13800138000", language="en")
    case = stage.case(talk)
    stage.hears(talk, "Nobody came")
    understood = Understood("complaint", 0.874, {"location": "3栋", "visit_time": "明天上午"})

    told = card(stage, talk, reason="complaint", understood=understood).text

    for fact in ("王女士", "3栋2单元1201", "13800138000", "英文", "住户投诉", "complaint",
                 "87%", "地点 3栋", "时间 明天上午", case.number, "3 小时", "Nobody came"):  # fmt: skip
        assert fact in told


def test_an_open_case_stands_with_its_promise_and_a_broken_one_says_so(stage):
    """The butler reads what the resident was told, before saying anything else."""
    talk = stage.resident()
    stage.case(talk)
    due = clocks.outlook(stage.session, cases.of_resident(stage.session, talk)[0]).due
    assert due == NOON + timedelta(hours=2)

    in_time = cards.card(stage.session, talk, reason="asked", understood=None, now=due).text
    late = cards.card(stage.session, talk, reason="asked", understood=None, now=due + timedelta(minutes=1)).text

    assert "答应 11月23日 周一 14:00 前\n" in in_time
    assert "14:00 前，已超时" in late


def test_a_finished_case_promises_nothing_any_more(stage):
    talk = stage.resident()
    case = stage.case(talk, state="finished")

    told = card(stage, talk).text

    assert case.number in told
    assert "答应" not in told


def test_a_case_that_is_over_is_not_on_it(stage):
    talk = stage.resident()
    case = stage.case(talk, state="closed")

    assert case.number not in card(stage, talk).text


def test_past_ratings_are_on_it_newest_first(stage):
    talk = stage.resident()
    for stars, now in ((5, NOON), (1, NOON + timedelta(days=15))):
        case = stage.case(talk, state="finished")
        surveys.ask(stage.session, case, now=now)
        survey = stage.session.query(Survey).filter_by(case_id=case.id).one()
        surveys.rate(stage.session, talk, survey.id, stars=stars, key=f"rate:{stars}", now=now)

    assert "1, 5" in card(stage, talk).text


@pytest.mark.parametrize(("hours", "words"), [(0, "0 分钟"), (0.5, "30 分钟"), (5, "5 小时"), (50, "2 天")])
def test_the_clock_of_a_case_shows_its_largest_unit(hours, words):
    assert cards._span(timedelta(hours=hours)) == words


def test_only_the_last_ten_lines_are_on_it(stage):
    talk = stage.resident()
    for number in range(12):
        stage.hears(talk, f"第{number:02}句")

    told = card(stage, talk).text

    assert [f"第{number:02}句" in told for number in (1, 2, 11)] == [False, True, True]


def test_suggested_replies_stand_in_full_with_a_key_to_send_and_one_to_change(stage):
    talk = stage.resident()

    line = card(stage, talk, reason="complaint")

    data = [button.data for button in line.buttons]
    assert f"p:{talk.id}:sorry" in data
    assert f"e:{talk.id}:sorry" in data
    assert "非常抱歉" in line.text


def test_the_data_of_every_key_fits_telegram(stage):
    """64 bytes, also with a long name in Chinese and a long number."""
    name = "长" * (phrases.MOST_NAME_BYTES // 3)

    assert len(f"p:{10**10}:{name}".encode()) <= 64


# --- Canned phrases -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", [*phrases.SUITS, "asked", "rating"])
def test_what_is_suggested_can_be_sent(stage, reason):
    """For a resident of whom nothing is known yet, too."""
    talk, member = stage.resident(), stage.member()

    ready = phrases.suggest(stage.session, talk, None, reason=reason)

    assert ready
    for one in ready:
        assert phrases.fill(stage.session, talk, member, one.name).text == one.text
        assert "{" not in one.text


@pytest.mark.parametrize("name", phrases.DEFAULTS)
@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_every_common_phrase_can_be_filled_once_all_is_known(stage, name, language):
    talk = stage.resident(surname="王", honorific="女士", place="3栋2单元1201", phone="13800138000", language=language)
    stage.case(talk)

    assert "{" not in phrases.fill(stage.session, talk, stage.member(), name).text


@pytest.mark.parametrize("name", phrases.DEFAULTS)
@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_a_common_phrase_names_only_slots_that_something_fills(name, language):
    assert phrases._wrong_slots(texts.template(f"utter_canned_{name}", language=language)) == []
