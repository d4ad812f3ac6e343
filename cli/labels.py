"""The commands with which a site teaches its model: `guanjia review` and `guanjia labels`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.starting import operator

if TYPE_CHECKING:
    from service.config import Settings

app = typer.Typer()
labels = typer.Typer(help="What people said messages mean: this site's labels.", no_args_is_help=True)
app.add_typer(labels, name="labels")
By = Annotated[str | None, typer.Option(help="Who says so; default: the user of this machine.")]


@app.command()
def review(
    limit: Annotated[int, typer.Option(help="How many clusters of alike messages.", min=1)] = 20,
    why: Annotated[str | None, typer.Option(help="Only: corrected, rephrase, low_margin or near_miss.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Only list them, for other programs.")] = False,
    label: Annotated[list[str] | None, typer.Option(metavar="ID=INTENT", help="Label one; may be repeated.")] = None,
    ignore: Annotated[list[int] | None, typer.Option(metavar="ID", help="Ignore one; may be repeated.")] = None,
    by: By = None,
) -> None:
    """Look at messages that were understood badly, the most telling first, and say what they mean."""
    from cli import database, review
    from service import db, learning

    wanted = review.reason(why)
    if not (as_json or label or ignore or sys.stdin.isatty()):
        sys.exit("review: needs a terminal; without one there are --json, --label and --ignore")
    with database.sessions(_settings("review")) as sessions:
        review.settle(sessions, labels=label or [], ignored=ignore or [], by=by or operator())
        if (label or ignore) and not as_json:
            return
        with db.transaction(sessions) as session:
            clusters = learning.review(session, limit=limit, why=wanted)
        if as_json:
            typer.echo(review.as_json(clusters))
            return
        review.Desk(sessions, by or operator(), ask=lambda: input("> "), say=typer.echo).review(clusters)
        typer.echo("nothing to review" if not clusters else "that was all for now")


@labels.command("export")
def export(file: Annotated[str, typer.Argument(help="Where to; - is standard output.")]) -> None:
    """Write every label into a file, in Rasa's own form. It holds what residents wrote: only you may read it."""
    from cli import database
    from service import db, label_file

    settings = _settings("labels")
    with database.sessions(settings) as sessions, db.transaction(sessions) as session:
        content = label_file.write(session)
    if file == "-":
        typer.echo(content, nl=False)
        return
    try:
        Path(file).touch(mode=0o600)
        Path(file).write_text(content, "utf-8")
    except OSError as error:
        sys.exit(f"{file}: {error.strerror}")


@labels.command("import")
def take_in(
    file: Annotated[Path, typer.Argument(help="As `labels export` writes it, or Rasa's short form.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
    by: By = None,
) -> None:
    """Take the labels of a file over: all of them, or none and a list of what is wrong, line by line."""
    from datetime import UTC, datetime

    from cli import database
    from service import db, label_file, texts

    settings = _settings("labels")
    try:
        content = file.read_bytes()
    except OSError as error:
        sys.exit(f"{file}: {error.strerror}")
    with database.sessions(settings) as sessions, db.transaction(sessions) as session:
        taken = label_file.take_in(session, content, by=by or operator(), now=datetime.now(UTC), dry_run=dry_run)
    for problem in taken.problems:
        words = texts.words(problem.phrase, language="en", **problem.facts)
        typer.echo(f"{file}:{problem.line}: {words}", err=True)
    if taken.problems:
        sys.exit(1)
    typer.echo(f"{taken.new} new, {taken.known} here already{'; nothing was written' if dry_run else ''}")


@labels.command("promote")
def promote(
    older_than: Annotated[int, typer.Option(metavar="DAYS", help="How long a label must have measured.", min=0)] = 30,
) -> None:
    """Move the older labels from the test set to training; the newest third of each intent stays."""
    from collections import Counter
    from datetime import UTC, datetime, timedelta

    from cli import database
    from service import db, learning

    settings = _settings("labels")
    with database.sessions(settings) as sessions, db.transaction(sessions) as session:
        moved = learning.promote(session, older_than=timedelta(days=older_than), now=datetime.now(UTC))
    counted = Counter(f"{label.intent} {label.language}" for label in moved)
    for name, count in sorted(counted.items()):
        typer.echo(f"{count:5} {name}")
    typer.echo(f"{len(moved)} moved to training")


def _settings(name: str) -> Settings:
    from cli.starting import settings_for

    return settings_for(name, token=False)
