"""Reports of models: words of residents stay outside, and two are only compared on the same messages."""

from __future__ import annotations

import json
from typing import Any

from service import candidates, learning, model_reports
from service.model_reports import Comparison
from service.models.understanding import CandidateReason, LabelUse, LanguageModel, ModelReport
from tests.stage import NOON, Stage

OURS, THEIRS = "我家的波斯地毯泡水了", "月亮湾的话"


def model(stage: Stage, name: str, measured: str = "m") -> LanguageModel:
    facts: dict[str, Any] = {"data_hash": "d", "trained_at": NOON, "trained_by": "li"}
    made = LanguageModel(name=name, scores={"measured": measured}, **facts)
    stage.session.add(made)
    stage.session.flush()
    return made


def wrong(text: str, exam: str = "chat") -> dict[str, Any]:
    return {"text": text, "intent": "repair", "predicted": "urge", "confidence": 0.4, "set": exam}


def report(*errors: dict[str, Any]) -> dict[str, Any]:
    rows = {"repair": {"recall": 0.75, "messages": 4}, "urge": {"recall": 1.0, "messages": 1}}
    return {
        "errors": list(errors),
        "intents": rows,
        "confusions": [{"intent": "repair", "predicted": "urge", "messages": 1}],
    }


def labelled(stage: Stage, text: str, community_id: int) -> None:
    """A message of a community, labelled."""
    learning.add(stage.session, learning.Labelled(text, "repair", "zh"), use=LabelUse.TEST, by="li", at=NOON)
    facts: dict[str, Any] = {"why": CandidateReason.REPHRASE, "language": "zh", "now": NOON}
    candidates.notice(stage.session, community_id, text, source=f"turn:{text}", **facts)


def test_messages_flip_both_ways(stage: Stage):
    """What was mended does not weigh out what was broken: people look at both."""
    old, new = model(stage, "a"), model(stage, "b")
    model_reports.keep(stage.session, old, report(wrong("甲"), wrong("乙")), now=NOON)
    model_reports.keep(stage.session, new, report(wrong("乙"), wrong("丙")), now=NOON)

    found = model_reports.compare(stage.session, stage.community.id, old, new)

    assert found is not None
    assert [each["text"] for each in found.mended] == ["甲"]
    assert [each["text"] for each in found.broken] == ["丙"]


def test_words_of_residents_are_looked_up_by_those_they_wrote_to_and_stand_in_no_report(stage: Stage):
    """Forgetting a resident deletes labels; a report must not remember them (N12)."""
    labelled(stage, OURS, stage.community.id)
    labelled(stage, THEIRS, stage.another_community().id)
    old, new = model(stage, "a"), model(stage, "b")
    model_reports.keep(stage.session, old, report(), now=NOON)
    errors = [wrong(text, model_reports.SITE) for text in (OURS, THEIRS, "没有标注的话")]
    model_reports.keep(stage.session, new, report(*errors), now=NOON)

    found = model_reports.compare(stage.session, stage.community.id, old, new)

    assert found is not None
    assert [each["text"] for each in found.broken] == [OURS, None, None]
    kept = json.dumps(stage.session.get_one(ModelReport, new.id).report, ensure_ascii=False)
    assert not any(text in kept for text in (OURS, THEIRS))


def test_models_that_were_measured_on_different_messages_are_not_compared(stage: Stage):
    """A better score on easier messages says nothing."""
    old, new, never = model(stage, "a"), model(stage, "b", "others"), model(stage, "c")
    for each in (old, new):
        model_reports.keep(stage.session, each, report(), now=NOON)

    assert model_reports.compare(stage.session, stage.community.id, old, new) is None
    assert model_reports.compare(stage.session, stage.community.id, old, never) is None


def test_the_matrix_counts_what_is_right_too():
    """The report only lists what was confused."""
    assert model_reports.matrix(report()) == (
        ["repair", "urge"],
        [("repair", [(3, 0.75), (1, 0.25)]), ("urge", [(0, 0.0), (1, 1.0)])],
    )


def test_the_matrix_has_a_column_for_what_was_never_meant():
    """A set of emergencies only is taken for other things too."""
    figures = {**report(), "intents": {"repair": {"recall": 0.75, "messages": 4}}}

    assert model_reports.matrix(figures) == (["repair", "urge"], [("repair", [(3, 0.75), (1, 0.25)])])


def test_languages_and_sets_are_looked_at_one_by_one():
    """Chinese and English, the emergencies, the site's own messages; a report of last year has no figures for a set."""
    figures: dict[str, Any] = {"intents": {}}
    every = {"languages": {"en": figures, "zh": figures}, "sets": {model_reports.SITE: figures, "emergency": figures}}
    older = {"languages": {"en": figures, "zh": figures}, "sets": {"emergency": {"messages": 3}}}

    assert model_reports.parts(Comparison(every, every, [], [])) == ["zh", "en", "emergency", model_reports.SITE]
    assert model_reports.parts(Comparison(older, every, [], [])) == ["zh", "en"]
