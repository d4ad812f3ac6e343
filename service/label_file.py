"""Labels as a file: Rasa's own form for examples, with who said so, when, and what for, as their metadata.

    nlu:
    - intent: repair
      examples:
      - text: 厨房水管漏水
        metadata: {use: test, by: li, at: '2026-11-23T12:00:00+08:00', language: zh}

Rasa's short form, `examples: |` with a dash before each text, is read too; what `metadata` does not say beside the
examples or beside their intent is said by whoever reads the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any

import yaml
from sqlalchemy import select
from sqlalchemy.orm import Session

from service import language, learning
from service.candidates import LONGEST
from service.kinds import KINDS
from service.learning import Labelled
from service.marked_yaml import Problem, Wrong, fields_of, is_storable, items_of, line_of, parse, text_of, written
from service.models.understanding import Label, LabelUse
from service.texts import LANGUAGES

USES = tuple(LabelUse)
MOMENT = "at: '2026-11-23T12:00:00+08:00'"  # an example, for whoever has written something else


@dataclass(frozen=True)
class Entry:
    """One label of a file, and the line it stands in."""

    line: int
    item: Labelled
    use: LabelUse
    by: str
    at: datetime


@dataclass
class Taken:
    """What became of a file: nothing is taken while there are problems."""

    new: int = 0
    known: int = 0
    problems: list[Problem] = field(default_factory=list)


def write(session: Session) -> str:
    """Every label of the site, as a file that `take_in` reads."""
    labels = session.scalars(select(Label).order_by(Label.intent, Label.digest)).all()
    intents = [
        {"intent": intent, "examples": [_example(label) for label in those]}
        for intent, those in groupby(labels, key=lambda label: label.intent)
    ]
    content = {"version": "3.1", "nlu": intents}
    return written(content)


def take_in(session: Session, content: bytes, *, by: str, now: datetime, dry_run: bool = False) -> Taken:
    """Take over the labels of a file, all of them or none; what is here already stays as it is.

    Args:
        session: the caller's transaction.
        content: the file.
        by: who is said to have labelled what the file does not say it of.
        now: the moment, aware UTC, for the same.
        dry_run: only look.
    """
    entries, problems = read(content, by=by, now=now)
    ours = {entry.line: learning.find(session, entry.item.text) for entry in entries}
    for entry in entries:
        label = ours[entry.line]
        if label is not None and label.intent != entry.item.intent:
            facts: dict[str, object] = {"known": label.intent, "by": label.labelled_by}
            problems.append(Problem(entry.line, "utter_staff_label_conflicts", facts))
    if problems:
        return Taken(problems=sorted(problems, key=lambda problem: problem.line))
    new = [entry for entry in entries if ours[entry.line] is None]
    for entry in [] if dry_run else entries:
        learning.add(session, entry.item, use=entry.use, by=entry.by, at=entry.at)
    return Taken(new=len(new), known=len(entries) - len(new))


def read(content: bytes, *, by: str, now: datetime) -> tuple[list[Entry], list[Problem]]:
    """The labels of a file, and everything that is wrong in it, line by line.

    Args:
        content: the file.
        by: who has labelled where the file does not say it.
        now: when, for the same.
    """
    try:
        found = list(_entries(parse(content), {"by": by, "at": now.isoformat()}))
    except Wrong as wrong:
        return [], [wrong.problem]
    entries = [entry for entry in found if isinstance(entry, Entry)]
    problems = [problem for problem in found if isinstance(problem, Problem)]
    return entries, [*problems, *_repeated(entries)]


def _example(label: Label) -> dict[str, Any]:
    at = label.labelled_at.isoformat()
    about = {"use": str(label.use), "by": label.labelled_by, "at": at, "language": label.language}
    return {"text": label.text, "metadata": about}


def _entries(root: yaml.Node, about: Mapping[str, str]) -> Iterator[Entry | Problem]:
    for node in items_of(fields_of(root, expected="nlu: [...]").get("nlu"), root, expected="nlu: [...]"):
        try:
            yield from _intent(node, about)
        except Wrong as wrong:
            yield wrong.problem


def _intent(node: yaml.Node, about: Mapping[str, str]) -> Iterator[Entry | Problem]:
    fields = fields_of(node, expected="- intent: repair")
    intent = text_of(fields.get("intent"), node, expected="- intent: repair")
    if intent not in KINDS:
        raise Wrong(line_of(fields["intent"]), "utter_staff_unknown_intent", intent=intent, intents=", ".join(KINDS))
    told = {**about, **_about(fields)}
    examples = fields.get("examples")
    is_short = isinstance(examples, yaml.ScalarNode) and examples.style == "|"
    for example in _lines(examples) if is_short else items_of(examples, node, expected="examples: [...]"):
        try:
            yield _entry(example, intent, told)
        except Wrong as wrong:
            yield wrong.problem


def _lines(block: yaml.Node | None) -> Iterator[yaml.Node]:
    """The lines of Rasa's short form as if each were an example of its own."""
    assert block is not None
    for number, text in enumerate(block.value.split("\n"), line_of(block)):
        mark = yaml.Mark("", 0, number, 0, None, 0)
        if text.strip():
            yield yaml.ScalarNode("tag:yaml.org,2002:str", text, mark, mark)


def _entry(node: yaml.Node, intent: str, about: Mapping[str, str]) -> Entry:
    if isinstance(node, yaml.ScalarNode):
        fields, text = {}, node.value.removeprefix("- ").strip() if node.value.startswith("- ") else ""
    else:
        fields = fields_of(node, expected="- text: ...")
        text = text_of(fields.get("text"), node, expected="- text: ...").strip()
    told = {"use": LabelUse.TEST, "language": language.detect(text, before="en")}
    told |= {**about, **_about(fields)}
    at = _moment(told["at"])
    allowed = {
        f"- text: 1-{LONGEST}": 0 < len(text) <= LONGEST and is_storable(text),
        f"use: {' | '.join(USES)}": told["use"] in USES,
        f"language: {' | '.join(LANGUAGES)}": told["language"] in LANGUAGES,
        "by: li": is_storable(told["by"]),
        MOMENT: at is not None,
    }
    wrong = next((expected for expected, holds in allowed.items() if not holds), None)
    if wrong is not None or at is None:
        raise Wrong(line_of(node), "utter_staff_file_shape", expected=wrong)
    return Entry(line_of(node), Labelled(text, intent, told["language"]), LabelUse(told["use"]), told["by"], at)


def _repeated(entries: Sequence[Entry]) -> Iterator[Problem]:
    first: dict[str, Entry] = {}
    for entry in entries:
        other = first.setdefault(entry.item.text, entry)
        if other.item.intent != entry.item.intent:
            yield Problem(entry.line, "utter_staff_file_conflict", {"line": other.line, "known": other.item.intent})
        elif other is not entry:
            yield Problem(entry.line, "utter_staff_file_twice", {"line": other.line})


def _about(fields: Mapping[str, yaml.Node]) -> dict[str, str]:
    """What `metadata` says; what it leaves empty it does not say."""
    if "metadata" not in fields:
        return {}
    expected = f"metadata: {{use: test, by: li, {MOMENT}}}"
    told = fields_of(fields["metadata"], expected=expected)
    values = {name: text_of(node, node, expected=expected) for name, node in told.items()}
    return {name: value for name, value in values.items() if value}


def _moment(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo is not None else None
