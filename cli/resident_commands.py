"""`guanjia residents`: the household archive, filled from a roster; invitations for accounts."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from service.config import Settings
    from service.models import Community, Household
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


Building = Annotated[str | None, typer.Option(help="Only this building, by its number or letter.")]
Unit = Annotated[str | None, typer.Option(help="Only this unit of it.")]
Room = Annotated[str | None, typer.Option(help="Only this room.")]


@residents.command("invite")
def invite(
    out: Annotated[Path, typer.Option(help="The page to print, as HTML. It is a bunch of keys.")],
    building: Building = None,
    unit: Unit = None,
    room: Room = None,
    community: Of = None,
    days: Annotated[int, typer.Option(help="How many days the links are good for.", min=1, max=365)] = 30,
    bot_name: Annotated[str | None, typer.Option(help="The bot's name without @; default: Telegram is asked.")] = None,
) -> None:
    """Make a one-time invitation for every household, on a page with QR codes; earlier ones end."""
    from datetime import UTC, datetime, timedelta

    from cli.starting import settings_for
    from service import archive, invitations
    from service.invitation_sheet import Strip, link, page

    settings = settings_for("residents", token=bot_name is None)
    name = bot_name or _bot_name(settings)
    now = datetime.now(UTC)
    until = now + timedelta(days=days)
    with _chosen(settings, community, building, unit, room) as (session, whose, doors):
        strips = [
            Strip(archive.place(door, "zh"), link(name, invitations.invite(session, door, now=now, valid=until - now)))
            for door in doors
        ]
        last_day = f"{archive.today(session, whose.id, now=until):%Y-%m-%d}"
        _write_privately(out, page(strips, community=whose.name, until=last_day))
        archive.log_community(session, whose.id, "invited", actor="operator", now=now, households=len(doors))
    typer.echo(f"{len(strips)} invitations, good until {last_day}, in {out}")


@residents.command("revoke")
def revoke(building: Building = None, unit: Unit = None, room: Room = None, community: Of = None) -> None:
    """End invitations that nobody has used; those sheets open nothing any more."""
    from datetime import UTC, datetime

    from cli.starting import settings_for
    from service import archive, invitations

    settings, now = settings_for("residents", token=False), datetime.now(UTC)
    with _chosen(settings, community, building, unit, room) as (session, whose, doors):
        ended = invitations.revoke(session, doors, now=now)
        archive.log_community(session, whose.id, "revoked", actor="operator", now=now, invitations=ended)
    typer.echo(f"{ended} invitations ended")


@contextmanager
def _chosen(
    settings: Settings, community: str | None, building: str | None, unit: str | None, room: str | None
) -> Iterator[tuple[Session, Community, Sequence[Household]]]:
    """One transaction, the community, and the households that are meant; an end when there are none."""
    from cli.starting import transaction
    from service import communities, invitations
    from service.errors import ServiceError

    with transaction(settings) as session:
        try:
            whose = communities.access_by_name(session, community, bot_id=_own(settings, session, community))
        except ServiceError as error:
            sys.exit(_words(error.response, **error.facts))
        doors = invitations.households(session, whose.id, building=building, unit=unit, room=room)
        if not doors:
            sys.exit("no such household in the archive; guanjia residents import fills it")
        yield session, whose, doors


def _bot_name(settings: Settings) -> str:
    """How Telegram calls our bot."""
    import asyncio

    from bot import checkup

    assert settings.bot_token is not None
    telegram = checkup.Telegram(settings.bot_token.get_secret_value(), str(settings.bot_api_url))
    try:
        return asyncio.run(checkup.username(telegram))
    except (checkup.TokenUnknown, checkup.NoAnswer) as error:
        sys.exit(f"Telegram does not say the bot's name ({error}); give it with --bot-name")


def _write_privately(file: Path, content: str) -> None:
    """Write a file that only its owner may read."""
    try:
        file.unlink(missing_ok=True)
        file.touch(mode=0o600)
        file.write_text(content, "utf-8")
    except OSError as error:
        sys.exit(f"{file}: {error.strerror}")


def _opened(file: Path) -> Sheet:
    from service import roster_file

    try:
        return roster_file.open_roster(file.read_bytes())
    except OSError as error:
        sys.exit(f"{file}: {error.strerror}")


def _own(settings: Settings, session: Session, community: str | None) -> int | None:
    """The settings' own community, made if it is not there yet; None when another one is named."""
    from service import communities

    if community not in (None, settings.community):
        return None
    return communities.settle_in(session, settings.bot_id, communities.profile(settings)).bot_id


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
