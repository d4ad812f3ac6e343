"""A candidate that reads along: what is noted and read, when it ends, and that words stay where they were said."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from service import forgetting, language_models, learning, opinions, readings, shadows
from service.errors import CandidateNotFound, ModelServedAlready
from service.models.talks import Message
from service.models.understanding import (
    Candidate,
    CandidateReason,
    CandidateState,
    LabelUse,
    LanguageModel,
    Reading,
    Shadow,
    ShadowEnd,
)
from tests.answered import SERVED, answered
from tests.stage import NOON, Stage

NEW, NEWER = "guanjia-new", "guanjia-newer"
DRIP, WHEN, ALARM = "厨房水管漏水", "物业几点下班", "走廊里有股怪味"
LATER = NOON + timedelta(hours=1)


@pytest.fixture
def models(stage: Stage) -> dict[str, LanguageModel]:
    """One that is served, and two candidates."""
    facts: dict[str, Any] = {"data_hash": "d", "trained_at": NOON, "trained_by": "li", "scores": None}
    made = {name: LanguageModel(name=name, **facts) for name in (SERVED, NEW, NEWER)}
    stage.session.add_all(made.values())
    stage.session.flush()
    language_models.activate(stage.session, SERVED, by="li", now=NOON)
    return made


@pytest.fixture
def shadow(stage: Stage, models) -> Shadow:
    """A candidate reads along."""
    return shadows.begin(stage.session, models[NEW], by="staff:1", now=NOON)


def reads(stage: Stage, shadow: Shadow, *guesses: str) -> list[str]:
    """The candidate reads what waits; gives the words."""
    waiting = readings.unread(stage.session, shadow, limit=100)
    found = dict(zip((number for number, _ in waiting), ((guess, 0.8) for guess in guesses), strict=True))
    readings.settle(stage.session, found)
    stage.session.expire_all()
    return [words for _, words in waiting]


def noted(stage: Stage) -> list[Reading]:
    return list(stage.session.scalars(select(Reading).order_by(Reading.id)))


def test_a_message_is_read_by_the_candidate_too_and_compared(stage: Stage, shadow):
    """What the served model guessed is what was live then."""
    answered(stage, DRIP)
    answered(stage, WHEN)

    assert reads(stage, shadow, "repair", "inquiry") == [DRIP, WHEN]

    assert shadows.tally(stage.session, shadow) == shadows.Tally(read=2, agreed=1, waiting=0)
    [other] = readings.differences(stage.session, shadow, stage.community.id, before=None).rows
    assert (other.words, other.reading.intent, other.reading.guess) == (WHEN, "repair", "inquiry")
    assert (other.reading.confidence, other.reading.guess_confidence) == (0.9, 0.8)


def test_bubbles_and_the_parts_of_a_message_are_read_as_the_served_model_read_them(stage: Stage, shadow):
    """Two requests in one message were two guesses."""
    answered(stage, DRIP, f"顺便问一下，{WHEN}", part=WHEN, place=1)

    assert reads(stage, shadow, "inquiry") == [WHEN]


def test_where_nothing_reads_along_nothing_is_noted(stage: Stage, models):
    """Most of the time: the answer costs what it did."""
    answered(stage, DRIP)

    assert noted(stage) == []


@pytest.mark.parametrize(
    "facts",
    [{"model": NEW}, {"now": NOON + shadows.LASTS}, {"part": "nobody said so"}],
    ids=["its own", "over", "gone"],
)
def test_what_cannot_be_compared_is_not_noted(stage: Stage, shadow, facts):
    """The candidate's own guess, a message after its days, words that do not stand in the turn."""
    answered(stage, DRIP, **facts)

    assert noted(stage) == []


def test_no_more_is_noted_than_it_may_read(stage: Stage, shadow):
    """Without a trainer the table would grow for a week."""
    shadow.last_reading -= shadows.MOST
    stage.session.flush()
    answered(stage, DRIP)
    answered(stage, WHEN)

    assert len(noted(stage)) == 1
    assert shadows.why_over(stage.session, shadow, now=NOON) is None
    reads(stage, shadow, "repair")
    assert shadows.why_over(stage.session, shadow, now=NOON) is ShadowEnd.ENOUGH


def test_no_words_are_kept_with_the_guesses(stage: Stage, shadow):
    """N12: one place to delete them from."""
    answered(stage, DRIP)

    row = stage.session.execute(select(Reading.__table__)).mappings().one()
    assert DRIP not in json.dumps(dict(row), ensure_ascii=False, default=str)


def test_what_was_edited_or_deleted_meanwhile_is_not_read(stage: Stage, shadow):
    """Its guess would be about other words."""
    for words, change in ((DRIP, "厨房水管不漏了"), (WHEN, None)):
        _, turn = answered(stage, words)
        line = stage.session.scalars(select(Message).where(Message.inbox_id == turn)).one()
        if change is None:
            stage.session.delete(line)
        else:
            line.text = change
    answered(stage, ALARM)

    assert reads(stage, shadow, "emergency") == [ALARM]
    assert len(noted(stage)) == 1


def test_what_was_deleted_after_it_was_read_is_listed_without_words(stage: Stage, shadow):
    """The figure stays, the words are gone, and nobody can label them."""
    _, turn = answered(stage, WHEN)
    reads(stage, shadow, "inquiry")
    stage.session.delete(stage.session.scalars(select(Message).where(Message.inbox_id == turn)).one())
    stage.session.flush()

    [other] = readings.differences(stage.session, shadow, stage.community.id, before=None).rows
    assert other.words is None
    with pytest.raises(CandidateNotFound):
        readings.access_candidate(stage.session, other.reading.id, community_id=stage.community.id, now=LATER)


def test_whoever_is_forgotten_leaves_no_guess_behind(stage: Stage, shadow):
    """N12 reaches what models made of their words; the neighbours' stay."""
    talk, turn = answered(stage, DRIP)
    answered(stage, WHEN)

    forgetting.forget(stage.session, talk, before=turn, key=f"turn:{turn}", now=LATER)

    assert len(noted(stage)) == 1
    assert reads(stage, shadow, "inquiry") == [WHEN]


def test_the_words_of_another_community_are_counted_and_not_shown(stage: Stage, shadow):
    """One model for the site, but everybody reads their own residents only."""
    neighbours = stage.another_community()
    answered(stage, WHEN)
    reads(stage, shadow, "inquiry")

    [reading] = noted(stage)
    assert readings.differences(stage.session, shadow, neighbours.id, before=None).rows == []
    with pytest.raises(CandidateNotFound):
        readings.access_candidate(stage.session, reading.id, community_id=neighbours.id, now=LATER)


def test_a_difference_becomes_a_label_and_is_shown_with_it(stage: Stage, shadow):
    """The candidate is in doubt where it differs: that is where a label is worth most."""
    answered(stage, WHEN)
    reads(stage, shadow, "inquiry")
    [reading] = noted(stage)

    def look() -> Any:
        return readings.access_candidate(stage.session, reading.id, community_id=stage.community.id, now=LATER)

    candidate = look()
    assert (candidate.why, candidate.text, candidate.intent) == (CandidateReason.SHADOW, WHEN, "repair")
    assert (candidate.detail, candidate.state) == ("inquiry", CandidateState.OPEN)
    opinions.say(stage.session, candidate, "inquiry", by="staff:1", seen="open", now=LATER)

    [other] = readings.differences(stage.session, shadow, stage.community.id, before=None).rows
    assert other.label is not None
    assert other.label.intent == "inquiry"
    assert look() is candidate


def test_what_was_labelled_before_needs_no_second_label(stage: Stage, shadow):
    """The words are the same, whoever says them."""
    item = learning.Labelled(WHEN, "inquiry", "zh")
    learning.add(stage.session, item, use=LabelUse.TEST, by="li", at=NOON)
    answered(stage, WHEN)
    reads(stage, shadow, "inquiry")

    [reading] = noted(stage)
    found = readings.access_candidate(stage.session, reading.id, community_id=stage.community.id, now=LATER)
    assert found.state is CandidateState.LABELLED


def test_another_candidate_takes_the_place_of_the_first_whose_figures_stay(stage: Stage, models, shadow):
    """One at a time: two would cost twice and say nothing of each other."""
    answered(stage, DRIP)
    reads(stage, shadow, "repair")
    answered(stage, WHEN)

    newer = shadows.begin(stage.session, models[NEWER], by="staff:2", now=LATER)

    assert (shadow.why, shadow.ended_at, shadow.ended_by) == (ShadowEnd.REPLACED, LATER, "staff:2")
    assert (shadow.messages, shadow.agreed) == (1, 1)
    assert shadows.current(stage.session) is newer
    assert [reading.guess for reading in noted(stage)] == ["repair"]  # what it had not read it never will


def test_beginning_again_changes_nothing(stage: Stage, models, shadow):
    """Two people, one idea."""
    assert shadows.begin(stage.session, models[NEW], by="staff:2", now=LATER) is shadow
    assert shadow.begun_by == "staff:1"


def test_the_served_model_does_not_read_along_with_itself(stage: Stage, models):
    with pytest.raises(ModelServedAlready):
        shadows.begin(stage.session, models[SERVED], by="staff:1", now=NOON)


@pytest.mark.parametrize(
    ("now", "activated", "why"),
    [(LATER, None, None), (NOON + shadows.LASTS, None, ShadowEnd.OVER), (LATER, NEW, ShadowEnd.SERVED)],
)
def test_it_ends_by_itself(stage: Stage, shadow, now: datetime, activated, why):
    """Nobody has to remember it."""
    if activated:
        language_models.activate(stage.session, activated, by="li", now=LATER, force=True, reason="fine")

    assert shadows.why_over(stage.session, shadow, now=now) is why


def test_readings_are_deleted_in_the_end_and_their_figures_stay(stage: Stage, shadow):
    """Guesses about residents are not kept for ever."""
    answered(stage, DRIP)
    reads(stage, shadow, "repair")
    shadows.end(stage.session, shadow.id, ShadowEnd.STOPPED, by="staff:1", now=NOON)

    shadows.drop_old(stage.session, now=NOON + shadows.KEPT_FOR)
    assert len(noted(stage)) == 1
    shadows.drop_old(stage.session, now=NOON + shadows.KEPT_FOR + timedelta(seconds=1))

    assert noted(stage) == []
    assert shadows.tally(stage.session, shadow) == shadows.Tally(read=1, agreed=1, waiting=0)


def test_the_reasons_of_the_answer_are_not_mixed_with_it(stage: Stage, shadow):
    """A reading is no candidate: nobody is asked to label what nobody looked at."""
    answered(stage, DRIP)

    assert stage.session.query(Candidate).count() == 0
