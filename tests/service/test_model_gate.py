"""The gate, row by row: what a model may lose, and what it may not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from service.model_gate import Loss, Reason, why_not_activate
from service.models.understanding import LanguageModel


def scores(
    *, macro_f1: float = 0.9, measured: str = "same", language: str = "zh", **right: tuple[int, int]
) -> dict[str, Any]:
    """Scores of one language: per intent, how many of how many messages were understood."""
    intents = {name: {"recall": round(good / every, 4), "messages": every} for name, (good, every) in right.items()}
    figures = {"macro_f1": macro_f1, "messages": sum(every for _, every in right.values()), "intents": intents}
    return {"measured": measured, "languages": {language: figures}}


def why_not(after: Mapping[str, Any] | None, before: Mapping[str, Any] | None) -> list[Reason]:
    """Ask the gate about two models with these scores."""
    return why_not_activate(LanguageModel(name="after", scores=after), LanguageModel(name="before", scores=before))


@pytest.mark.parametrize(
    ("before", "after", "refused"),
    [
        (0.9, 0.9, False),
        (0.9, 0.95, False),
        (0.915, 0.91, False),  # exactly half a point, though 0.915 - 0.91 > 0.005 in a computer
        (0.9, 0.8949, True),
    ],
)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_macro_f1_may_fall_by_half_a_point_in_either_language(language, before, after, refused):
    """More than that, residents notice."""
    found = why_not(
        scores(macro_f1=after, language=language, repair=(9, 10)),
        scores(macro_f1=before, language=language, repair=(9, 10)),
    )

    assert [(reason.loss, reason.language) for reason in found] == ([(Loss.MACRO_F1, language)] if refused else [])


@pytest.mark.parametrize(
    ("before", "after", "refused"),
    [
        ((100, 100), (97, 100), False),  # three points
        ((100, 100), (96, 100), True),
        ((20, 20), (19, 20), False),  # five points, but one message: chance
        ((20, 20), (18, 20), True),
        ((1, 1), (0, 1), False),
        ((3, 3), (0, 3), True),
        ((80, 100), (90, 100), False),
    ],
)
def test_an_intent_may_lose_three_points_or_one_message(before, after, refused):
    """Of a few messages one is many points and says nothing."""
    found = why_not(scores(complaint=after), scores(complaint=before))

    assert [(reason.loss, reason.intent) for reason in found] == ([(Loss.RECALL, "complaint")] if refused else [])


@pytest.mark.parametrize("language", ["zh", "en"])
def test_not_one_emergency_more_may_be_missed(language):
    """Somebody may be in the lift."""
    before, after = scores(language=language, emergency=(99, 100)), scores(language=language, emergency=(98, 100))

    assert why_not(after, before) == [Reason(Loss.RECALL, language, "emergency", 0.99, 0.98, 100)]
    assert why_not(before, after) == []


def test_a_model_that_was_never_measured_is_refused():
    """Nobody knows what it would cost."""
    assert [reason.loss for reason in why_not(None, scores(repair=(9, 10)))] == [Loss.UNMEASURED]


@pytest.mark.parametrize("before", [scores(repair=(9, 10)), {"measured": "same", "fault": "EOFError"}])
def test_a_model_that_cannot_be_loaded_is_refused(before):
    """Its certificate says so; that the other one is no better is no reason to serve it."""
    found = why_not({"measured": "same", "fault": "EOFError"}, before)

    assert [reason.loss for reason in found] == [Loss.UNMEASURED]


@pytest.mark.parametrize("before", [scores(measured="last year", repair=(1, 10)), None])
def test_scores_from_different_messages_are_not_compared(before):
    """A harder exam would look like a worse model."""
    assert [reason.loss for reason in why_not(scores(repair=(9, 10)), before)] == [Loss.INCOMPARABLE]


def test_a_model_that_cannot_be_loaded_any_more_has_nothing_to_lose():
    """A new version of Guanjia may not know the parts of an old model; then it serves nobody."""
    assert why_not(None, {"measured": "same", "fault": "ModuleNotFoundError"}) == []


def test_without_an_active_model_nothing_can_be_lost():
    """Any model is better than none."""
    assert why_not_activate(LanguageModel(name="first", scores=None), None) == []
