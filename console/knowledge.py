"""Answers to what residents ask: read as they are said, written with history; and what nobody has answered yet."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from console.doors import deed, page
from console.troubles import Kind, Trouble
from console.understanding import who
from console.visit import Visit
from service import knowledge, knowledge_check, knowledge_entries, knowledge_file, unanswered
from service.errors import NoAnswerYet
from service.knowledge import Reader
from service.knowledge_entries import Content
from service.marked_yaml import Problem
from service.models.knowledge import KnowledgeEdit, KnowledgeEntry
from service.staff import Right
from service.texts import LANGUAGES

HOME = "/knowledge"
LISTS = ("questions", "documents")  # fields with a text on each line


def listing(visit: Visit) -> Response:
    """Every answer the community has, its own and inherited ones, with what keeps it from being said."""
    checked = knowledge_check.check(visit.session, visit.community, now=visit.now)
    return visit.page("knowledge/list.html", checked=checked, key="", may_write=visit.may(Right.KNOWLEDGE))


def entry(visit: Visit) -> Response:
    """An answer: as residents read it, as staff write it, and everything it has been."""
    key = _key(visit.asked("key"))
    row, edits = _row(visit, key)
    if row is None and not visit.may(Right.KNOWLEDGE):
        raise Trouble(Kind.NOT_FOUND)
    return _editor(visit, key, row.content if row else {}, edits)


def save(visit: Visit) -> Response:
    """Write an answer as the community's own; what was there stays in the history."""
    key = _key(visit.said("key"))
    row, edits = _row(visit, key)
    content = _content(visit, row.content if row else {})
    found = knowledge_file.read_one(key, content)
    visit.check_version(edits[0].id if edits else 0)
    if found.problems:
        return _editor(visit, key, content, edits, problems=found.problems)
    return _put(visit, key, found.entries[0][2])


def withdraw(visit: Visit) -> Response:
    """Say it no more, not even if it is inherited."""
    key = _key(visit.said("key"))
    _, edits = _row(visit, key)
    visit.check_version(edits[0].id if edits else 0)
    return _put(visit, key, {"withdrawn": True})


def restore(visit: Visit) -> Response:
    """Have an answer be what it was after one of its edits."""
    key = _key(visit.said("key"))
    _, edits = _row(visit, key)
    was = next((edit for edit in edits if str(edit.id) == visit.said("edit")), None)
    if was is None:
        raise Trouble(Kind.NOT_FOUND)
    visit.check_version(edits[0].id)
    return _put(visit, key, was.content)


def questions(visit: Visit) -> Response:
    """What residents asked and no answer holds, what most of them ask first."""
    asked = unanswered.review(visit.session, visit.community.id)
    return visit.page("knowledge/questions.html", asked=asked, may_write=visit.may(Right.KNOWLEDGE))


def question(visit: Visit) -> Response:
    """One of them, with what a butler answered, to be made an entry."""
    asked = unanswered.access_question(visit.session, visit.community.id, visit.id())
    try:
        answer = unanswered.answered_by_a_butler(visit.session, asked)
    except NoAnswerYet:
        answer = ""
    return _question(visit, asked, visit.asked("key") or f"q{asked.question.id}", asked.question.text, answer)


def learn(visit: Visit) -> Response:
    """Make an entry of a question and its answer, and settle all that are alike."""
    asked = unanswered.access_question(visit.session, visit.community.id, visit.id())
    key, first, answer = (visit.said(name) for name in ("key", "question", "answer"))
    content = unanswered.as_entry(asked, answer, question=first, now=visit.now)
    problems = knowledge_file.read_one(key, content).problems
    if problems or len(answer) > knowledge_entries.LONGEST_ANSWER:
        return _question(visit, asked, key, first, answer, problems=problems, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    unanswered.learn(visit.session, asked, key, content, by=who(visit), now=visit.now)
    return visit.back(_address(key), told="knowledge.kept")


def ignore(visit: Visit) -> Response:
    """Put a question aside: it is for no one else."""
    unanswered.ignore(visit.session, unanswered.access_question(visit.session, visit.community.id, visit.id()))
    return visit.back(f"{HOME}/questions", told="knowledge.ignored")


def _key(word: str) -> str:
    if not knowledge_file.is_key(word):
        raise Trouble(Kind.NOT_FOUND)
    return word


def _row(visit: Visit, key: str) -> tuple[KnowledgeEntry | None, list[KnowledgeEdit]]:
    """What is said now, the community's own before the base's, and the edits of both, the newest first."""
    owners = (visit.community.id, None)
    rows = [row for owner in owners if (row := knowledge_entries.find(visit.session, owner, key))]
    edits = [edit for owner in owners for edit in knowledge_entries.history(visit.session, owner, key)]
    visit.about = rows[0].id if rows else None
    return (rows[0] if rows else None), edits


def _put(visit: Visit, key: str, content: Content) -> Response:
    edit = knowledge_entries.put(visit.session, visit.community.id, key, content, by=who(visit), now=visit.now)
    visit.about = edit.entry_id if edit else visit.about
    return visit.back(_address(key), told="knowledge.kept" if edit else "knowledge.unchanged")


def _address(key: str) -> str:
    return f"{HOME}/entry?{urlencode({'key': key})}"


def _editor(
    visit: Visit, key: str, content: Content, edits: list[KnowledgeEdit], *, problems: list[Problem] | None = None
) -> Response:
    return visit.page(
        "knowledge/entry.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK,
        key=key,
        content=content,
        edits=edits,
        version=edits[0].id if edits else 0,
        problems=problems or [],
        previews=[] if problems else _previews(visit, key),
        languages=LANGUAGES,
        sources=knowledge_file.SOURCES,
        may_write=visit.may(Right.KNOWLEDGE),
    )


def _previews(visit: Visit, key: str) -> list[tuple[str, str | None, knowledge.Reason | None]]:
    """In each language what a resident would read now, or what keeps it from being said."""
    said = knowledge_entries.of_community(visit.session, visit.community.id).get(key)
    if said is None or said.personal is not None:
        return []
    shown = []
    for language in LANGUAGES:
        reader = Reader(visit.community, language, visit.now)
        reason = knowledge.why_not_offered(said, language, facts=set(reader.facts), today=reader.today)
        shown.append((language, None if reason else knowledge.worded(reader, said).text, reason))
    return shown


def _content(visit: Visit, before: Content) -> Content:
    """What the form says, empty fields left out; what it has no field for stays."""
    content: Content = {name: before[name] for name in ("personal",) if name in before}
    valid = _filled(visit, "valid", {"from": "from", "until": "until"})
    source = _filled(visit, "source", {"kind": "kind", "zh": "zh", "en": "en", "date": "date"})
    if source.get("kind") == "practice":
        source = {"kind": "practice"}
    told: dict[str, Any] = {"valid": valid, "source": source}
    for language in LANGUAGES:
        wording = _filled(visit, language, {name: name for name in (*LISTS, "answer", "contact")})
        for name in set(LISTS) & wording.keys():
            wording[name] = [line for each in wording[name].splitlines() if (line := each.strip())]
        told[language] = wording
    return content | {name: part for name, part in told.items() if part}


def _filled(visit: Visit, prefix: str, names: dict[str, str]) -> dict[str, Any]:
    said = {name: visit.said(f"{prefix}_{field}") for name, field in names.items()}
    return {name: words for name, words in said.items() if words}


def _question(
    visit: Visit,
    asked: unanswered.Asked,
    key: str,
    first: str,
    answer: str,
    *,
    problems: list[Problem] | None = None,
    status: int = HTTPStatus.OK,
) -> Response:
    facts = {"asked": asked, "key": key, "first": first, "answer": answer, "problems": problems or []}
    longest = knowledge_entries.LONGEST_ANSWER
    return visit.page(
        "knowledge/question.html", status=status, longest=longest, may_write=visit.may(Right.KNOWLEDGE), **facts
    )


DOORS = (
    page(HOME, listing, Right.TEACH),
    page(f"{HOME}/entry", entry, Right.TEACH),
    deed(f"{HOME}/entry", save, Right.KNOWLEDGE, act="write", object="answer"),
    deed(f"{HOME}/withdraw", withdraw, Right.KNOWLEDGE, act="withdraw", object="answer"),
    deed(f"{HOME}/restore", restore, Right.KNOWLEDGE, act="restore", object="answer"),
    page(f"{HOME}/questions", questions, Right.TEACH, shows="question"),
    page(f"{HOME}/questions/{{id:int}}", question, Right.TEACH, shows="question"),
    deed(f"{HOME}/questions/{{id:int}}/learn", learn, Right.KNOWLEDGE, act="learn", object="question"),
    deed(f"{HOME}/questions/{{id:int}}/ignore", ignore, Right.KNOWLEDGE, act="ignore", object="question"),
)
