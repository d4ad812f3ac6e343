"""The gate before a model is served: how much it may lose against the one that is served now.

Scores are those of `nlu/certificate.py`: per language macro-F1 and the recall of every intent, on the frozen sets and
the site's own test messages. Recall is counted in messages, because one of three is 33 points and says little: an
intent may always lose one message, and more only within its points. An emergency may lose none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from service.models.understanding import LanguageModel

LANGUAGES = ("zh", "en")
Scores = Mapping[str, Any]


class Loss(StrEnum):
    """What speaks against serving a model."""

    UNMEASURED = "unmeasured"  # it has no scores, or could not be loaded when it was measured
    INCOMPARABLE = "incomparable"  # the two were measured on different messages, or by different code
    MACRO_F1 = "macro_f1"
    RECALL = "recall"


@dataclass(frozen=True)
class Limit:
    """How far a measure may fall, and how many messages fewer are never held against a model."""

    may_fall: float  # of 1: 0.005 is half a point
    messages: int = 0


MACRO_F1 = Limit(0.005)
RECALL: Mapping[str, Limit] = MappingProxyType({"emergency": Limit(0.0)})
OTHER_RECALL = Limit(0.03, messages=1)


@dataclass(frozen=True)
class Reason:
    """One loss, with its figures: shares of 1, and of how many messages."""

    loss: Loss
    language: str = ""
    intent: str = ""
    before: float = 0.0
    after: float = 0.0
    messages: int = 0


def why_not_activate(candidate: LanguageModel, active: LanguageModel | None) -> list[Reason]:
    """What the candidate loses against the active model; nothing when it may be served.

    With no active model, or one that the code of today cannot load, there is nothing to lose.

    Args:
        candidate: the model somebody wants to serve.
        active: the one that is served now.
    """
    if active is None or (_is_broken(active) and not _is_broken(candidate)):
        return []
    after, before = _measured(candidate), _measured(active)
    if after is None:
        return [Reason(Loss.UNMEASURED)]
    if before is None or after["measured"] != before["measured"]:
        return [Reason(Loss.INCOMPARABLE)]
    spoken = [language for language in LANGUAGES if language in before["languages"]]
    return [r for name in spoken for r in _losses(name, after["languages"][name], before["languages"][name])]


def _is_broken(model: LanguageModel) -> bool:
    """Whether the code of today could not load it."""
    return bool(model.scores and "fault" in model.scores)


def _measured(model: LanguageModel) -> Scores | None:
    return model.scores if model.scores and "languages" in model.scores else None


def _losses(language: str, after: Scores, before: Scores) -> Iterator[Reason]:
    if _fell(before["macro_f1"], after["macro_f1"]) > MACRO_F1.may_fall:
        figures = {"before": before["macro_f1"], "after": after["macro_f1"], "messages": before["messages"]}
        yield Reason(Loss.MACRO_F1, language, **figures)
    for intent, was in before["intents"].items():
        now, limit = after["intents"][intent], RECALL.get(intent, OTHER_RECALL)
        messages = was["messages"]
        fewer = round((was["recall"] - now["recall"]) * messages)
        if fewer > limit.messages and _fell(was["recall"], now["recall"]) > limit.may_fall:
            yield Reason(Loss.RECALL, language, intent, was["recall"], now["recall"], messages)


def _fell(before: float, after: float) -> float:
    """How far a share fell; scores have four decimals, so the fifth is an error of arithmetic."""
    return round(before - after, 4)
