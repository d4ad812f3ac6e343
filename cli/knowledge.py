"""The commands with which staff write answers: `guanjia knowledge`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.labels import By
from cli.starting import operator

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from service.knowledge import Reason
    from service.models.communities import Community

app = typer.Typer(help="Answers to residents' questions: the community's own, above the base.", no_args_is_help=True)
Base = Annotated[bool, typer.Option("--base", help="The base that every community inherits, not the community's own.")]
Number = Annotated[int, typer.Argument(help="Its number, as `guanjia knowledge questions` shows it.")]


@app.command("import")
def take_in(
    file: Annotated[Path, typer.Argument(help="As `knowledge export` writes it; docs/knowledge.md shows the form.")],
    base: Base = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
    by: By = None,
) -> None:
    """Take the entries of a file over: all of them, or none and a list of what is wrong, line by line."""
    from datetime import UTC, datetime

    from service import knowledge_file, texts

    try:
        content = file.read_bytes()
    except OSError as error:
        sys.exit(f"{file}: {error.strerror}")
    with _community() as (session, ours):
        taken = knowledge_file.take_in(
            session, None if base else ours, content, by=by or operator(), now=datetime.now(UTC), dry_run=dry_run
        )
    for problem in taken.problems:
        words = texts.words(problem.phrase, language="en", **problem.facts)
        typer.echo(f"{file}:{problem.line}: {words}", err=True)
    if taken.problems:
        sys.exit(1)
    counted = f"{taken.new} new, {taken.changed} changed, {taken.known} here already"
    typer.echo(f"{counted}{'; nothing was written' if dry_run else ''}")


@app.command("export")
def export(file: Annotated[str, typer.Argument(help="Where to; - is standard output.")], base: Base = False) -> None:
    """Write the community's own entries and facts, or the base, into a file that `import` reads."""
    from service import knowledge_file

    with _community() as (session, ours):
        content = knowledge_file.write(session, None if base else ours)
    if file == "-":
        typer.echo(content, nl=False)
        return
    try:
        Path(file).write_text(content, "utf-8")
    except OSError as error:
        sys.exit(f"{file}: {error.strerror}")


@app.command("list")
def show() -> None:
    """Show every entry the community has: whose it is, whether it is offered, where it comes from."""
    from datetime import UTC, datetime

    from service import knowledge_check

    with _community() as (session, ours):
        for checked in knowledge_check.check(session, ours, now=datetime.now(UTC)):
            entry = checked.entry
            owner, state = ("base" if entry.is_base else "own"), ("offered" if checked.is_offered else "kept back")
            source = entry.source.name.get("en", entry.source.kind) if entry.source else "no source"
            typer.echo(f"{entry.key:24} {owner:4} {state:9} {'+'.join(entry.wordings):5} {source}")


@app.command("check")
def check() -> None:
    """Say what is expired, has no source, or waits for a fact of the community; ends with 1 if one is kept back."""
    from datetime import UTC, datetime

    from service import knowledge_check

    with _community() as (session, ours):
        everything = knowledge_check.check(session, ours, now=datetime.now(UTC))
    for checked in everything:
        for reason in checked.reasons:
            typer.echo(f"{checked.entry.key}: {_words(reason)}")
    kept_back = sum(not checked.is_offered for checked in everything)
    typer.echo(f"{len(everything)} entries, {kept_back} of them kept back")
    sys.exit(1 if kept_back else 0)


@app.command("history")
def history(key: Annotated[str, typer.Argument(help="The entry.")], base: Base = False) -> None:
    """Show everything an entry has been, by whom and when, the newest first."""
    from service import knowledge_entries, marked_yaml

    with _community() as (session, ours):
        edits = knowledge_entries.history(session, None if base else ours.id, key)
    for edit in edits:
        typer.echo(f"--- {edit.at:%F %T} UTC {edit.by}")
        typer.echo(marked_yaml.written(edit.content), nl=False)
    if not edits:
        sys.exit(f"{key}: no such entry{'' if base else ' of the community itself; --base looks into the base'}")


@app.command("questions")
def questions() -> None:
    """Show what residents asked and no entry answers, what most of them ask first."""
    from cli import review
    from service import unanswered

    with _community() as (session, ours):
        for asked in unanswered.review(session, ours.id):
            first, *more = review.lines(asked.question.text)
            typer.echo(f"{asked.question.id:8} ×{asked.count:<4} {first}")
            for line in more:
                typer.echo(f"{'':15}{line}")


@app.command("learn")
def learn(
    number: Number,
    answer: Annotated[str | None, typer.Option(help="What to say; default: what a butler answered.")] = None,
    question: Annotated[str | None, typer.Option(help="How it is offered; default: as it was asked.")] = None,
    key: Annotated[str | None, typer.Option(help="Names the entry; default: q and the number.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    by: By = None,
) -> None:
    """Make an entry of a question and what a butler answered, after showing it: it may name somebody."""
    from datetime import UTC, datetime

    from service import marked_yaml, unanswered
    from service.knowledge_file import is_key

    if key is not None and not is_key(key):
        sys.exit(f"--key {key}: letters a-z, digits and _ only (example: pool_hours)")
    with _community() as (session, ours):
        asked = unanswered.access_question(session, ours.id, number)
        told = answer or unanswered.answered_by_a_butler(session, asked)
        content = unanswered.as_entry(asked, told, question=question, now=datetime.now(UTC))
        typer.echo(marked_yaml.written(content), nl=False)
        if not (yes or (sys.stdin.isatty() and typer.confirm("Say this to everybody who asks?"))):
            sys.exit("nothing was written; --yes writes it")
        unanswered.learn(session, asked, key or f"q{number}", content, by=by or operator(), now=datetime.now(UTC))


@app.command("ignore")
def ignore(number: Number) -> None:
    """Put a question aside, with those alike to it: it is for nobody else."""
    from service import unanswered

    with _community() as (session, ours):
        unanswered.ignore(session, unanswered.access_question(session, ours.id, number))


@contextmanager
def _community() -> Iterator[tuple[Session, Community]]:
    """One transaction, with the base of this version and the community of the settings in it."""
    from datetime import UTC, datetime

    from cli.starting import settings_for, transaction
    from service import communities, knowledge_base, texts
    from service.errors import ServiceError

    settings = settings_for("knowledge", token=False)
    try:
        with transaction(settings) as session:
            knowledge_base.bring_up_to_date(session, now=datetime.now(UTC))
            yield session, communities.settle_in(session, settings.bot_id, communities.profile(settings))
    except ServiceError as error:
        sys.exit(texts.words(error.response, language="en", **error.facts))


def _words(reason: Reason) -> str:
    from service import texts

    return texts.words(reason.phrase, language="en", **reason.facts)
