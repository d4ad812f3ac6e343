"""What models make of the messages nobody trains on, kept so that any two can be compared without Rasa.

Messages of the site stand in a report by the digest of their words: they are looked up when it is shown, to the
community they came from, and are gone when their resident is forgotten (N12).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service.likeness import digest
from service.models.understanding import Candidate, Label, LanguageModel, ModelReport

SITE = "site-test-labels"  # the set of this site's own messages, by its file's name

Report = Mapping[str, Any]


@dataclass(frozen=True)
class Comparison:
    """Two models on the same messages: the reports, and what flipped with the words of it."""

    before: Report
    after: Report
    mended: Sequence[Report]
    broken: Sequence[Report]


def keep(session: Session, model: LanguageModel, report: Report, *, now: datetime) -> None:
    """Keep what `nlu/evaluate.py` found, in the place of what was found before; words of the site stay outside.

    Args:
        session: the caller's transaction.
        model: measured by the code and on the messages of its scores.
        report: the whole report.
        now: the moment, aware UTC.
    """
    errors = [_without_words(error) for error in report["errors"]]
    measured = (model.scores or {}).get("measured", "")
    facts = {"measured": measured, "report": {**report, "errors": errors}, "at": now}
    statement = insert(ModelReport).values(model_id=model.id, **facts)
    session.execute(statement.on_conflict_do_update(index_elements=["model_id"], set_=facts))


def compare(session: Session, community_id: int, before: LanguageModel, after: LanguageModel) -> Comparison | None:
    """Two models side by side; None when one was not measured, or they were on different messages."""
    old, new = (session.get(ModelReport, model.id) for model in (before, after))
    if old is None or new is None or old.measured != new.measured:
        return None
    mended, broken = flipped(old.report, new.report), flipped(new.report, old.report)
    words = _words(session, community_id, [*mended, *broken])
    return Comparison(old.report, new.report, *([_with_words(one, words) for one in each] for each in (mended, broken)))


def flipped(wrong: Report, right: Report) -> list[Report]:
    """Messages that one report has wrong and the other has not."""
    also_wrong = {(_key(error), error["intent"]) for error in right["errors"]}
    return [error for error in wrong["errors"] if (_key(error), error["intent"]) not in also_wrong]


def parts(found: Comparison) -> list[str]:
    """The languages and sets of which both reports have all figures: Chinese first, the site's own messages last."""
    both = [name for name in _measured(found.after) if name in _measured(found.before)]
    return sorted(both, key=lambda name: (name in found.after["sets"], name == SITE, name != "zh", name))


def part(report: Report, name: str) -> Report:
    """What a report says of a language or a set."""
    return _measured(report)[name]


def is_in(error: Report, name: str) -> bool:
    """Whether a message belongs to a language or a set."""
    return name in (error.get("set"), error.get("language"))


def _measured(report: Report) -> dict[str, Report]:
    every = {**report["languages"], **report["sets"]}
    return {name: figures for name, figures in every.items() if "intents" in figures}


def matrix(report: Report) -> tuple[list[str], list[tuple[str, Sequence[tuple[int, float]]]]]:
    """The confusion matrix: what messages were taken for, and of every intent how many, and which share, for each."""
    taken = {(row["intent"], row["predicted"]): row["messages"] for row in report["confusions"]}
    columns: list[str] = sorted({*report["intents"], *(predicted for _, predicted in taken)})
    rows: list[tuple[str, Sequence[tuple[int, float]]]] = []
    for intent, row in sorted(report["intents"].items()):
        taken[intent, intent] = round(row["recall"] * row["messages"])
        counts = [taken.get((intent, predicted), 0) for predicted in columns]
        rows.append((intent, [(count, count / max(1, row["messages"])) for count in counts]))
    return columns, rows


def _without_words(error: Report) -> Report:
    if error.get("set") != SITE:
        return error
    return {name: value for name, value in error.items() if name != "text"} | {"digest": digest(error["text"])}


def _with_words(error: Report, words: Mapping[str, str]) -> Report:
    """The words are None where they are another community's, or forgotten."""
    return {**error, "text": error.get("text", words.get(_key(error)))}


def _key(error: Report) -> str:
    return str(error.get("digest") or error["text"])


def _words(session: Session, community_id: int, errors: Sequence[Report]) -> dict[str, str]:
    """The words of those messages that came from this community."""
    ours = exists().where(Candidate.label_id == Label.id, Candidate.community_id == community_id)
    wanted = {error["digest"] for error in errors if "digest" in error}
    found = select(Label.digest, Label.text).where(Label.digest.in_(wanted), ours)
    return {row.digest: row.text for row in session.execute(found)}
