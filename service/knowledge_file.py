"""Entries of the knowledge base as a file that staff write.

    facts: {fee_per_m2: {zh: 2.8元/平方米·月, en: 2.80 yuan per m² and month}}
    entries:
      - key: fee_rate
        valid: {from: 2026-01-01, until: 2026-12-31}     # both may be left out
        source: {kind: estate, zh: 本小区公示的收费标准, en: the published rates, date: 2026-01-01}
        zh: {questions: [物业费多少钱一平方米], answer: '{community}的标准是{fee_per_m2}。', documents: [], contact: ''}
        en: {questions: [How much is the property fee], answer: 'It is {fee_per_m2}.'}
      - {key: pets, withdrawn: true}                      # hides the entry of the base

`source: practice` is short for what property services commonly do. A file is taken as a whole or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from string import Formatter
from typing import Any

import yaml
from sqlalchemy.orm import Session

from service import knowledge_entries, ledger
from service.knowledge_entries import LONGEST_ANSWER, LONGEST_QUESTION, PLACEHOLDER, Content
from service.marked_yaml import Problem, Wrong, fields_of, is_storable, items_of, line_of, parse, text_of, written
from service.models.communities import Community
from service.texts import LANGUAGES

LONGEST_KEY = 64  # characters
SOURCES = ("law", "estate", "practice")
PERSONAL = ("cases", *ledger.KINDS)  # what can be answered from a resident's own data
DAY = "date: 2026-11-23"  # an example, for whoever has written something else
FILE = "entries: [...]"
ENTRY = "- key: fee_rate"
WORDING = "zh: {questions: [...], answer: ...}"

Facts = dict[str, dict[str, str]]  # placeholder → language → words


@dataclass(frozen=True)
class Read:
    """What stands in a file, each entry with its line, and everything that is wrong in it."""

    entries: list[tuple[int, str, Content]] = field(default_factory=list)
    facts: Facts = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True)
class Taken:
    """What became of a file: nothing is taken while there are problems."""

    new: int = 0
    changed: int = 0
    known: int = 0
    problems: list[Problem] = field(default_factory=list)


def take_in(
    session: Session, community: Community | None, content: bytes, *, by: str, now: datetime, dry_run: bool = False
) -> Taken:
    """Take over the entries and facts of a file, all of them or none; entries it does not name stay as they are.

    Args:
        session: the caller's transaction.
        community: whose; None is the base, which has no facts.
        content: the file.
        by: who says so.
        now: the moment, aware UTC.
        dry_run: only look.
    """
    found, owner = read(content, has_facts=community is not None), community.id if community else None
    if found.problems:
        return Taken(problems=found.problems)
    before = {row.key: row.content for row in knowledge_entries.own(session, owner)}
    new = sum(key not in before for _, key, _ in found.entries)
    known = sum(before.get(key) == told for _, key, told in found.entries)
    if not dry_run:
        for _, key, told in found.entries:
            knowledge_entries.put(session, owner, key, told, by=by, now=now)
        if community is not None:
            community.facts = {**community.facts, **found.facts}
    return Taken(new=new, changed=len(found.entries) - new - known, known=known)


def write(session: Session, community: Community | None) -> str:
    """The own entries of a community, or the base, as a file that `take_in` reads."""
    rows = knowledge_entries.own(session, community.id if community else None)
    content: dict[str, Any] = {"facts": community.facts} if community and community.facts else {}
    content["entries"] = [{"key": row.key, **row.content} for row in rows]
    return written(content)


def read(content: bytes, *, has_facts: bool = True) -> Read:
    """The entries of a file, and everything that is wrong in it, line by line."""
    found = Read()
    try:
        root = parse(content)
        top = fields_of(root, expected=FILE)
        _known(top, ("entries", "facts") if has_facts else ("entries",))
        if "facts" in top:
            found.facts.update(_facts(top["facts"]))
        nodes = items_of(top.get("entries"), root, expected=FILE)
    except Wrong as wrong:
        found.problems.append(wrong.problem)
        return found
    for node in nodes:
        try:
            key, told = _entry(node)
        except Wrong as wrong:
            found.problems.append(wrong.problem)
        else:
            found.entries.append((line_of(node), key, told))
    found.problems.extend(_repeated(found.entries))
    return found


def read_one(key: str, content: Content) -> Read:
    """An entry that was written elsewhere than in a file, by the same rules; lines of problems mean nothing."""
    return read(written({"entries": [{"key": key, **content}]}).encode())


def is_key(word: str) -> bool:
    """Whether a word can name an entry: a slot of the dialogue holds several of them between spaces."""
    return len(word) <= LONGEST_KEY and PLACEHOLDER.fullmatch(word) is not None


def _repeated(entries: Sequence[tuple[int, str, Content]]) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for line, key, _ in entries:
        if first.setdefault(key, line) != line:
            yield Problem(line, "utter_staff_knowledge_twice", {"name": key, "line": first[key]})


def _entry(node: yaml.Node) -> tuple[str, Content]:
    told = fields_of(node, expected=ENTRY)
    _known(told, ("key", "withdrawn", *READ))
    key = text_of(told.get("key"), node, expected=ENTRY)
    _must(is_key(key), told["key"], "key: a-z 0-9 _")
    if "withdrawn" in told:
        _must(text_of(told["withdrawn"], node, expected=ENTRY) == "true", told["withdrawn"], "withdrawn: true")
        return key, {"withdrawn": True}
    _must(any(language in told for language in LANGUAGES), node, WORDING)
    return key, {name: read_part(told[name]) for name, read_part in READ.items() if name in told}


def _wording(node: yaml.Node) -> Content:
    told = fields_of(node, expected=WORDING)
    _known(told, ("questions", "answer", "documents", "contact"))
    questions = [_text(each, LONGEST_QUESTION) for each in items_of(told.get("questions"), node, expected=WORDING)]
    _must(questions, told["questions"], "questions: [...]")
    answer = told.get("answer") or node
    text_of(told.get("answer"), node, expected=WORDING)
    found: Content = {"questions": questions, "answer": _with_placeholders(answer, LONGEST_ANSWER)}
    if "documents" in told:
        listed = items_of(told["documents"], node, expected="documents: [...]")
        found["documents"] = [_with_placeholders(each, LONGEST_QUESTION) for each in listed]
    if "contact" in told:
        found["contact"] = _with_placeholders(told["contact"], LONGEST_QUESTION)
    return found


def _source(node: yaml.Node) -> Content:
    if isinstance(node, yaml.ScalarNode):
        _must(node.value == "practice", node, "source: practice | {kind: ...}")
        return {"kind": "practice"}
    told = fields_of(node, expected="source: {kind: law, zh: ..., en: ..., date: ...}")
    _known(told, ("kind", "date", *LANGUAGES))
    kind = text_of(told.get("kind"), node, expected=f"kind: {' | '.join(SOURCES)}")
    _must(kind in SOURCES, node, f"kind: {' | '.join(SOURCES)}")
    named = {language: _text(told[language], LONGEST_QUESTION) for language in LANGUAGES if language in told}
    _must(named or kind == "practice", node, "source: {kind: law, zh: ..., en: ..., date: ...}")
    return {"kind": kind, **named, **({"date": _day(told["date"])} if "date" in told else {})}


def _valid(node: yaml.Node) -> Content:
    told = fields_of(node, expected="valid: {from: 2026-01-01, until: 2026-12-31}")
    _known(told, ("from", "until"))
    days = {name: _day(value) for name, value in told.items()}
    _must(days.get("from", "") <= days.get("until", "9"), node, "from <= until")
    return days


def _personal(node: yaml.Node) -> str:
    kind = text_of(node, node, expected=f"personal: {' | '.join(PERSONAL)}")
    _must(kind in PERSONAL, node, f"personal: {' | '.join(PERSONAL)}")
    return kind


# The parts of an entry in the order in which an export shows them.
READ: Mapping[str, Callable[[yaml.Node], Any]] = {
    "valid": _valid,
    "source": _source,
    "personal": _personal,
    **dict.fromkeys(LANGUAGES, _wording),
}


def _facts(node: yaml.Node) -> Iterator[tuple[str, dict[str, str]]]:
    expected = "fee_per_m2: {zh: ..., en: ...}"
    for name, value in fields_of(node, expected=expected).items():
        _must(PLACEHOLDER.fullmatch(name), value, expected)
        told = fields_of(value, expected=expected)
        _known(told, LANGUAGES)
        yield name, {language: _text(words, LONGEST_QUESTION) for language, words in told.items()}


def _with_placeholders(node: yaml.Node, longest: int) -> str:
    text = _text(node, longest)
    try:
        names = [name for _, name, _, _ in Formatter().parse(text) if name is not None]
    except ValueError:
        names = [""]
    _must(all(map(PLACEHOLDER.fullmatch, names)), node, "{phone}, {{ }}")
    return text


def _text(node: yaml.Node, longest: int) -> str:
    expected = f"1-{longest}"
    text = text_of(node, node, expected=expected).strip()
    if not text or len(text) > longest:
        raise Wrong(line_of(node), "utter_staff_knowledge_length", longest=longest, length=len(text))
    _must(is_storable(text), node, expected)
    return text


def _day(node: yaml.Node) -> str:
    try:
        return date.fromisoformat(text_of(node, node, expected=DAY)).isoformat()
    except ValueError:
        raise Wrong(line_of(node), "utter_staff_file_shape", expected=DAY) from None


def _known(told: Mapping[str, yaml.Node], names: tuple[str, ...]) -> None:
    """A misspelt field would be lost without a word."""
    odd = next((name for name in told if name not in names), None)
    if odd is not None:
        raise Wrong(line_of(told[odd]), "utter_staff_knowledge_field", field=odd, fields=", ".join(names))


def _must(holds: object, node: yaml.Node, expected: str) -> None:
    if not holds:
        raise Wrong(line_of(node), "utter_staff_file_shape", expected=expected)
