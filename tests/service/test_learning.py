"""What people make of candidates: in which order they see them, what one label settles, where labels go."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from service import candidates, learning
from service.candidates import Guess
from service.errors import CandidateNotFound, LabelConflicts, UnknownIntent
from service.learning import Labelled
from service.models.understanding import Candidate, CandidateReason, CandidateState, Label, LabelUse
from tests.stage import NOON, Stage

MONTH = timedelta(days=30)
Why = CandidateReason


@pytest.fixture
def notice(stage: Stage):
    """Write a candidate down, and give it."""
    numbers = iter(range(1, 1000))

    def make(
        text: str, *, margin: float | None = 0.1, intent: str = "repair", why: Why = Why.LOW_MARGIN, **facts: Any
    ) -> Candidate:
        source = str(facts.pop("source", f"turn:{next(numbers)}"))
        guess = Guess(intent, 0.4, margin, "guanjia-abc")
        told: dict[str, Any] = {"source": source, "language": "zh", "guess": guess} | facts
        candidates.notice(stage.session, stage.community.id, text, why=why, now=NOON, **told)
        return stage.session.scalars(select(Candidate).where(Candidate.source == source, Candidate.why == why)).one()

    return make


def leaders(stage: Stage, **wanted: Any) -> list[str]:
    return [cluster.candidate.text for cluster in learning.review(stage.session, **wanted)]


def label(stage: Stage, candidate: Candidate, intent: str = "complaint", *, by: str = "li") -> Label:
    return learning.label(stage.session, candidate, intent, by=by, now=NOON)


# --- Review ---------------------------------------------------------------------------------------------------------


def test_what_a_butler_corrected_comes_first_then_what_the_model_hesitated_about_most(stage, notice):
    notice("水压忽大忽小", margin=0.2)
    notice("门口那个灯", margin=0.01)
    notice("物业乱收费", why=Why.CORRECTED, margin=None, detail="complaint")

    assert leaders(stage) == ["物业乱收费", "门口那个灯", "水压忽大忽小"]


def test_alike_messages_are_one_with_its_count_and_go_before_a_single_one(stage, notice):
    notice("门口那个灯", margin=0.1)
    for text in ("楼上又在装修了", "楼上又在装修", "楼上又在装修了！"):
        notice(text, margin=0.1)

    first, second = learning.review(stage.session)

    assert (first.candidate.text, first.count, second.count) == ("楼上又在装修了", 3, 1)


def test_messages_that_are_guessed_this_way_and_that_go_before_unanimous_ones(stage, notice):
    for text, intents in (("门口那个灯", ["repair", "repair"]), ("楼上又在装修", ["repair", "complaint"])):
        for intent in intents:
            notice(text, intent=intent, margin=0.1)

    assert leaders(stage) == ["楼上又在装修", "门口那个灯"]


def test_one_message_noticed_for_two_reasons_counts_once(stage, notice):
    notice("楼上又在装修", source="turn:a")
    notice("楼上又在装修", source="turn:a", why=Why.NEAR_MISS)

    [cluster] = learning.review(stage.session)

    assert (cluster.count, len(cluster.members)) == (1, 2)


def test_two_kinds_that_butlers_chose_for_the_same_words_are_two_questions(stage, notice):
    for source, kind in (("case:1", "complaint"), ("case:2", "inquiry")):
        notice("停车费", why=Why.CORRECTED, detail=kind, source=source)

    assert leaders(stage) == ["停车费", "停车费"]


def test_a_review_can_be_limited_to_a_reason_a_community_and_a_number(stage, notice):
    notice("去年着火的事", why=Why.NEAR_MISS)
    for text in ("门口那个灯", "水压忽大忽小"):
        notice(text)

    assert leaders(stage, why=Why.NEAR_MISS) == ["去年着火的事"]
    assert leaders(stage, community_id=stage.community.id + 1) == []
    assert len(leaders(stage, community_id=stage.community.id, limit=2)) == 2


def test_two_thousand_candidates_are_sorted_in_the_time_somebody_waits(stage, notice):
    """Alike or not: the leaders are found through their bigrams, not pair by pair."""
    texts = [
        f"{chr(0x4E00 + number * 7)}{chr(0x5E00 + number * 3)}号楼的{chr(0x6E00 + number)}坏了" for number in range(500)
    ]
    rows = [
        {"community_id": stage.community.id, "text": text, "language": "zh", "why": Why.LOW_MARGIN,
         "source": f"turn:{number}-{copy}", "noticed_at": NOON, "state": CandidateState.OPEN, "margin": 0.1}
        for number, text in enumerate(texts) for copy in range(4)
    ]  # fmt: skip
    stage.session.execute(insert(Candidate), rows)

    found = learning.review(stage.session, limit=1000)

    assert sum(cluster.count for cluster in found) == 2000


# --- Label ----------------------------------------------------------------------------------------------------------


def test_a_label_goes_to_the_test_set_first(stage, notice):
    candidate = notice("楼上又在装修")

    given = label(stage, candidate)

    assert (given.text, given.intent, given.language, given.use) == ("楼上又在装修", "complaint", "zh", LabelUse.TEST)
    assert (given.labelled_by, given.labelled_at) == ("li", NOON)
    assert (candidate.state, candidate.label_id) == (CandidateState.LABELLED, given.id)


def test_one_label_settles_everything_alike(stage, notice):
    """Only the text that was looked at becomes a label; the others are settled by it."""
    first, *others = [notice(text) for text in ("楼上又在装修了", "楼上又在装修", "楼上又在装修了！")]
    other = notice("门口那个灯")

    given = label(stage, first)

    assert {one.label_id for one in others} == {given.id}
    assert leaders(stage) == [other.text]
    assert learning.test_labels(stage.session) == [Labelled("楼上又在装修了", "complaint", "zh")]


def test_what_a_butler_sorted_otherwise_is_not_settled_along(stage, notice):
    low = notice("楼上又在装修了")
    corrected = notice("楼上又在装修", why=Why.CORRECTED, detail="inquiry", source="case:1")

    label(stage, low, "complaint")

    assert corrected.state is CandidateState.OPEN


@pytest.mark.parametrize("intent", ["", "Repair", "nlu_fallback", "first_choice", "repair; --"])
def test_an_intent_nobody_knows_is_refused_by_name_with_those_there_are(stage, notice, intent):
    with pytest.raises(UnknownIntent) as refused:
        label(stage, notice("灯"), intent)

    assert refused.value.facts["intent"] == intent
    assert "repair, reopen" in str(refused.value.facts["intents"])
    assert learning.test_labels(stage.session) == []


def test_labelling_again_corrects_the_label(stage, notice):
    candidate = notice("楼上又在装修")
    label(stage, candidate, "inquiry")

    again = label(stage, candidate, "complaint", by="wang")

    assert learning.test_labels(stage.session) == [Labelled("楼上又在装修", "complaint", "zh")]
    assert again.labelled_by == "wang"


def test_the_same_words_under_two_labels_are_refused_with_the_other_one(stage, notice):
    """Two people see it differently: they should talk before the model learns either."""
    label(stage, notice("楼上又在装修"), "inquiry")
    corrected = notice("楼上又在装修", why=Why.CORRECTED, detail="complaint", source="case:1")

    with pytest.raises(LabelConflicts) as refused:
        label(stage, corrected, "complaint", by="wang")

    assert refused.value.facts == {"known": "inquiry", "by": "li"}
    assert corrected.state is CandidateState.OPEN


def test_an_ignored_message_and_those_alike_are_seen_no_more(stage, notice):
    first, second = notice("哈哈哈哈"), notice("哈哈哈")

    learning.ignore(stage.session, first)

    assert second.state is CandidateState.IGNORED
    assert leaders(stage) == []


def test_a_number_that_is_no_candidate_is_not_found(stage):
    with pytest.raises(CandidateNotFound):
        learning.access_candidate(stage.session, 10**12)


# --- Promote --------------------------------------------------------------------------------------------------------


def labels(stage: Stage, *texts: str, intent: str = "repair", days_ago: int = 60, language: str = "zh") -> None:
    for place, text in enumerate(texts):
        at = NOON - timedelta(days=days_ago) + timedelta(minutes=place)
        learning.add(stage.session, Labelled(text, intent, language), use=LabelUse.TEST, by="li", at=at)


def promote(stage: Stage) -> list[str]:
    return [each.text for each in learning.promote(stage.session, older_than=MONTH, now=NOON)]


LEAKS = ("厨房水管漏水", "电梯不动了", "门禁失灵", "路灯灭了", "暖气冰凉", "马桶堵住", "窗户关不严")


def test_the_oldest_labels_move_to_training_and_a_third_stays(stage):
    labels(stage, *LEAKS)

    assert promote(stage) == list(LEAKS[:4])
    assert {one.text for one in learning.training_labels(stage.session)} == set(LEAKS[:4])
    assert {one.text for one in learning.test_labels(stage.session)} == set(LEAKS[4:])


def test_nothing_moves_twice_and_the_share_counts_what_has_moved(stage):
    labels(stage, *LEAKS)
    promote(stage)

    assert promote(stage) == []


def test_no_label_is_both_tested_on_and_trained_on(stage):
    labels(stage, *LEAKS)
    promote(stage)

    assert not {*learning.training_labels(stage.session)} & {*learning.test_labels(stage.session)}


def test_young_labels_stay(stage):
    labels(stage, *LEAKS[:4], days_ago=5)

    assert promote(stage) == []


def test_every_intent_and_language_keeps_some(stage):
    """Or the rarer ones would be measured on nothing."""
    labels(stage, *LEAKS)
    labels(stage, "物业乱收费", intent="complaint")
    labels(stage, "the lift is stuck", language="en")

    promote(stage)

    assert {(one.intent, one.language) for one in learning.test_labels(stage.session)} == {
        ("repair", "zh"),
        ("complaint", "zh"),
        ("repair", "en"),
    }


def test_a_text_stays_while_one_like_it_is_tested_on(stage):
    """What was learnt by heart measures nothing."""
    labels(stage, "厨房水管漏水", "电梯不动了", "厨房水管漏水了")

    assert promote(stage) == ["电梯不动了"]


def test_a_label_that_moved_keeps_its_use_when_it_is_corrected(stage, notice):
    """The text has been learnt from; it cannot measure any more."""
    candidate = notice("厨房水管漏水")
    label(stage, candidate, "complaint").labelled_at = NOON - 2 * MONTH
    labels(stage, "电梯不动了", "门禁失灵", intent="complaint", days_ago=40)
    promote(stage)

    label(stage, candidate, "repair")

    assert Labelled("厨房水管漏水", "repair", "zh") in learning.training_labels(stage.session)


# --- From elsewhere -------------------------------------------------------------------------------------------------


def test_a_label_from_elsewhere_settles_the_same_words_and_changes_nothing_when_it_comes_again(stage, notice):
    candidate = notice("楼上又在装修")
    item = Labelled("楼上又在装修", "complaint", "zh")

    added = [learning.add(stage.session, item, use=use, by="li", at=NOON) for use in (LabelUse.TEST, LabelUse.TRAIN)]

    stage.session.refresh(candidate)
    assert (added, candidate.state) == ([True, False], CandidateState.LABELLED)
    assert learning.training_labels(stage.session) == []


def test_a_label_from_elsewhere_that_contradicts_ours_is_refused(stage):
    labels(stage, "楼上又在装修", intent="complaint")

    with pytest.raises(LabelConflicts):
        labels(stage, "楼上又在装修", intent="repair")
