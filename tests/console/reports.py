"""Models with scores and reports, as training and measuring leave them behind."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from service import language_models, model_reports
from service.models.understanding import LanguageModel
from tests.cli.shelf import put
from tests.stage import NOON, Stage

OLD, NEW = "guanjia-old", "guanjia-new"
MISSED = "厨房有煤气味"
ROW = {"precision": 0.9, "f1": 0.9, "messages": 10}
MEASURES = {"messages": 10, "macro_f1": 0.9, "accuracy": 0.9}


def scores(recall: float) -> dict[str, Any]:
    """As a certificate has them."""
    return {"measured": "m", "languages": {"zh": {**MEASURES, "intents": {"emergency": {**ROW, "recall": recall}}}}}


def report(recall: float, *errors: str) -> dict[str, Any]:
    """As nlu/evaluate.py gives it."""
    figures = {
        **MEASURES,
        "intents": {"emergency": {**ROW, "recall": recall}},
        "confusions": [],
        "calibration": [{"from": 0.9, "messages": 10, "right": 0.8, "confidence": 0.95}],
        "calibration_error": 0.15,
    }
    facts = {"intent": "emergency", "predicted": "repair", "confidence": 0.4, "set": "emergency", "language": "zh"}
    return {
        **figures,
        "languages": {"zh": figures, "en": figures},
        "sets": {"emergency": figures, model_reports.SITE: figures},
        "errors": [{"text": text, **facts} for text in errors],
    }


def old_is_served(stage: Stage, folder: Path) -> LanguageModel:
    """A model is active that misses nothing."""
    put(folder, OLD, scores=scores(1.0))
    language_models.record(stage.session, folder)
    model = language_models.activate(stage.session, OLD, by="li", now=NOON)
    model_reports.keep(stage.session, model, report(1.0), now=NOON)
    return model


def new_is_measured(stage: Stage, folder: Path, *, recall: float, missed: tuple[str, ...] = ()) -> LanguageModel:
    """Another one was trained an hour later, and measured on the same messages."""
    put(folder, NEW, scores=scores(recall), trained_at=(NOON + timedelta(hours=1)).isoformat())
    language_models.record(stage.session, folder)
    model = language_models.access_model(stage.session, NEW)
    model_reports.keep(stage.session, model, report(recall, *missed), now=NOON)
    return model
