"""What the commands about models print."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from service.language_models import macro_f1
from service.model_gate import LANGUAGES, Loss, Reason
from service.model_reports import Report, flipped
from service.models.understanding import LanguageModel

NEVER = "  –  "


def explain(reason: Reason) -> str:
    """What speaks against a model, in words."""
    figures = f"{reason.before:.3f} to {reason.after:.3f}"
    match reason.loss:
        case Loss.UNMEASURED:
            return "it has no scores, or could not be loaded when it was measured"
        case Loss.INCOMPARABLE:
            return "it and the active model were measured on different messages"
        case Loss.MACRO_F1:
            return f"{reason.language}: macro-F1 falls from {figures}"
        case Loss.RECALL:
            of = f"of {reason.messages} messages"
            return f"{reason.language}: recall of {reason.intent} falls from {figures} {of}"


def table(models: Sequence[LanguageModel], active: str | None, zone: ZoneInfo) -> Iterator[str]:
    """All models, one a line."""
    yield f"  {'model':22}{'trained':18}{'data':14}{'zh':>7}{'en':>7}  by"
    for model in models:
        scores = [macro_f1(model, language) for language in LANGUAGES]
        shown = "".join(f"{NEVER if score is None else format(score, '.3f'):>7}" for score in scores)
        mark, made = "*" if model.name == active else " ", model.trained_at.astimezone(zone)
        yield f"{mark} {model.name:22}{made:%F %H:%M}  {model.data_hash:14}{shown}  {model.trained_by}"
    yield "* is served; zh, en: macro-F1 on the messages nobody trains on" if models else "  none yet; guanjia train"


def as_fact(model: LanguageModel, active: str | None) -> dict[str, Any]:
    """A model for a program."""
    return {
        "name": model.name,
        "trained_at": model.trained_at.isoformat(),
        "trained_by": model.trained_by,
        "data_hash": model.data_hash,
        "macro_f1": {language: macro_f1(model, language) for language in LANGUAGES},
        "active": model.name == active,
        "scores": model.scores,
    }


def comparison(before: Report, after: Report) -> Iterator[str]:
    """Two reports side by side per language and intent, then every message that flipped."""
    yield f"{'':22}{'messages':>8}{'F1':>15}{'recall':>20}"
    for language in sorted(before["languages"]):
        was, now = before["languages"][language], after["languages"][language]
        yield f"{language:22}{was['messages']:8}{_change(was['macro_f1'], now['macro_f1'])}"
        for intent, row in was["intents"].items():
            new = now["intents"][intent]
            changes = _change(row["f1"], new["f1"]) + _change(row["recall"], new["recall"])
            yield f"  {intent:20}{row['messages']:8}{changes}"
    yield from _flipped("mended", before, after)
    yield from _flipped("broken", after, before)


def _change(before: float, after: float) -> str:
    mark = "=" if before == after else "+" if after > before else "-"
    return f"   {before:.3f} → {after:.3f} {mark}"


def _flipped(title: str, wrong: Report, right: Report) -> Iterator[str]:
    """Messages that one report has wrong and the other has not."""
    found = flipped(wrong, right)
    yield f"\n{title}: {len(found)}"
    for error in found:
        yield f"  {error['intent']:16} taken for {error['predicted']:16} {error['text']}"
