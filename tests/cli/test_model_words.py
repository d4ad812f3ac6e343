"""What is printed about models."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from cli import model_words
from service.model_gate import Loss, Reason
from service.models.understanding import LanguageModel
from tests.stage import NOON

SHANGHAI = ZoneInfo("Asia/Shanghai")


def report(recall: float, *wrong: tuple[str, str]) -> dict[str, object]:
    """A report on one intent, with the messages it has wrong."""
    intents = {"repair": {"precision": 1.0, "recall": recall, "f1": recall, "messages": 4}}
    language = {"messages": 4, "macro_f1": recall, "intents": intents}
    errors = [{"text": text, "intent": "repair", "predicted": predicted} for text, predicted in wrong]
    return {"languages": {"zh": language}, "errors": errors}


@pytest.mark.parametrize("loss", Loss)
def test_every_loss_has_its_words(loss):
    """A refusal without a reason helps nobody."""
    assert model_words.explain(Reason(loss, "zh", "complaint", 0.9, 0.8, 33))


def test_a_loss_names_language_intent_and_figures():
    words = model_words.explain(Reason(Loss.RECALL, "en", "emergency", 1.0, 0.98, 50))

    assert words == "en: recall of emergency falls from 1.000 to 0.980 of 50 messages"


def test_the_table_marks_the_active_model_and_tells_the_time_of_the_community():
    scores = {"languages": {"zh": {"macro_f1": 0.923}}}
    facts = {"data_hash": "abc", "trained_at": NOON, "trained_by": "wang"}
    models = [LanguageModel(name="guanjia-1", scores=scores, **facts), LanguageModel(name="guanjia-2", **facts)]

    lines = list(model_words.table(models, "guanjia-1", SHANGHAI))

    assert lines[1].split() == ["*", "guanjia-1", "2026-11-23", "12:00", "abc", "0.923", "–", "wang"]
    assert lines[2].split()[:1] == ["guanjia-2"]


def test_a_comparison_tells_messages_that_flipped_both_ways():
    """A better score may hide what got worse."""
    before, after = report(0.5, ("a", "greet"), ("b", "urge")), report(0.5, ("b", "urge"), ("c", "inform"))

    lines = "\n".join(model_words.comparison(before, after)).splitlines()

    mended, broken = lines.index("mended: 1"), lines.index("broken: 1")
    assert lines[mended + 1].split() == ["repair", "taken", "for", "greet", "a"]
    assert lines[broken + 1].split() == ["repair", "taken", "for", "inform", "c"]


def test_a_comparison_shows_each_intent_before_and_after():
    lines = list(model_words.comparison(report(0.5), report(0.75)))

    assert lines[2].split() == ["repair", "4", "0.500", "→", "0.750", "+", "0.500", "→", "0.750", "+"]
