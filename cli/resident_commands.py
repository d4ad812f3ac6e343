"""`guanjia residents`: the household archive, filled from a roster; invitations for accounts."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from service.config import Settings
    from service.roster import Taken
    from service.roster_file import Sheet

app = typer.Typer()
residents = typer.Typer(help="The household archive: who lives where.", no_args_is_help=True)
app.add_typer(residents, name="residents")
Of = Annotated[str | None, typer.Option("--community", help="Its name; default: the one of the settings.")]
SHOWN = 20  # problems that are told in the terminal; the report file holds them all


@residents.command("import")
def take_in(
    file: Annotated[Path, typer.Argument(help="A roster as .xlsx or .csv; docs/operations.md shows its columns.")],
    community: Of = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
    complete: Annotated[bool, typer.Option("--complete", help="Who is not in the file has moved out.")] = False,
    new_buildings: Annotated[bool, typer.Option("--new-buildings", help="Unknown buildings are no mistake.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="More than a fifth moving out is no mistake.")] = False,
    report: Annotated[Path | None, typer.Option(help="Where to write what changes and what is wrong.")] = None,
) -> None:
    """Take the people of a roster over: all of them, or none and a list of what is wrong, row by row."""
    from datetime import UTC, datetime

    from cli import database, roster_report
    from cli.progress import Steps
    from cli.starting import settings_for
    from service import communities, roster
    from service.errors import ServiceError

    settings = settings_for("residents", token=False)
    target = report or file.with_name(f"{file.name}.report.csv")
    try:
        sheet = _opened(file)
        with database.sessions(settings) as sessions, sessions() as session:
            whose = communities.access_by_name(session, community, bot_id=_own(settings, session, community))
            with Steps(sheet.total) as steps:
                taken = roster.take_in(
                    session,
                    whose,
                    steps.counted(sheet.read()),
                    now=datetime.now(UTC),
                    complete=complete,
                    new_buildings=new_buildings,
                    many_moved_out=yes,
                    step=steps.step,
                )
                wrong = bool(taken.problems)
                steps.step("nothing was written" if wrong or dry_run else "commit")
                session.rollback() if wrong or dry_run else session.commit()
    except ServiceError as error:
        sys.exit(f"{file}: {_words(error.response, **error.facts)}")
    roster_report.write(target, taken)
    _tell(file, target, taken, dry_run=dry_run)
    sys.exit(1 if taken.problems else 0)


def _opened(file: Path) -> Sheet:
    from service import roster_file

    try:
        return roster_file.open_roster(file.read_bytes())
    except OSError as error:
        sys.exit(f"{file}: {error.strerror}")


def _own(settings: Settings, session: Any, community: str | None) -> int | None:
    """The settings' own community, made if it is not there yet; None when another one is named."""
    from bot import process
    from service import communities

    if community not in (None, settings.community):
        return None
    return communities.settle_in(session, settings.bot_id, process.profile(settings)).bot_id


def _tell(file: Path, target: Path, taken: Taken, *, dry_run: bool) -> None:
    """The summary; everything in detail stands in the report."""
    for problem in taken.problems[:SHOWN]:
        words = _words(problem.phrase, **problem.facts)
        typer.echo(f"{file}:{problem.row}: {words}", err=True)
    if taken.problems:
        typer.echo(f"{len(taken.problems)} problems, all in {target}; nothing was written", err=True)
        return
    typer.echo(f"{taken.rows} people: {taken.added} new, {taken.same} as they were")
    for kind in ("changed", "renamed", "back", "moved_out", "missing", "shared_phone"):
        if taken.count(kind):
            typer.echo(f"{taken.count(kind):8} {kind.replace('_', ' ')}")
    typer.echo(f"{taken.buildings} new buildings, {taken.households} new households; details in {target}")
    if dry_run:
        typer.echo("a dry run: nothing was written")


def _words(key: str, **facts: object) -> str:
    from service import texts

    return texts.words(key, language="en", **facts)
