"""`guanjia residents`: the household archive, filled from a roster; invitations for accounts."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar

import typer

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from cli.progress import Steps
    from service.config import Settings
    from service.models.archive import Household
    from service.models.communities import Community
    from service.roster import Taken as Moved
    from service.table_cells import Taken

app = typer.Typer()
residents = typer.Typer(help="The household archive: who lives where.", no_args_is_help=True)
app.add_typer(residents, name="residents")
Of = Annotated[str | None, typer.Option("--community", help="Its name; default: the one of the settings.")]
Opened = TypeVar("Opened")
Outcome = TypeVar("Outcome", bound="Taken")
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
    from service import roster, roster_file

    sheet = _opened(file, roster_file.open_roster)

    def act(session: Session, whose: Community, steps: Steps) -> Moved:
        return roster.take_in(
            session,
            whose,
            steps.counted(sheet.read()),
            now=datetime.now(UTC),
            complete=complete,
            new_buildings=new_buildings,
            many_moved_out=yes,
            step=steps.step,
        )

    taken = _carried_out(file, act, community=community, rows=sheet.total, dry_run=dry_run)
    _report(file, report, taken, dry_run=dry_run, summary=_people)


@residents.command("ledger")
def ledger(
    file: Annotated[Path, typer.Argument(help="Fees, parking or visitor codes; docs/operations.md shows the columns.")],
    community: Of = None,
    as_of: Annotated[
        datetime | None, typer.Option(help="The day the data is of; default: today.", formats=["%Y-%m-%d"])
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
    complete: Annotated[bool, typer.Option("--complete", help="Households not in the file have nothing.")] = False,
    report: Annotated[Path | None, typer.Option(help="Where to write what is gone and what is wrong.")] = None,
) -> None:
    """Take over what the property system holds of households: all of a file, or none and what is wrong, row by row."""
    from service import ledger_file, ledger_import

    kind, sheet = _opened(file, ledger_file.open_ledger)

    def act(session: Session, whose: Community, steps: Steps) -> Taken:
        rows, day = steps.counted(sheet.read()), as_of.date() if as_of else None
        return ledger_import.take_in(session, whose, kind, rows, as_of=day, complete=complete, now=datetime.now(UTC))

    taken = _carried_out(file, act, community=community, rows=sheet.total, dry_run=dry_run)
    _report(file, report, taken, dry_run=dry_run, summary=partial(_entries, kind))


def _carried_out(
    file: Path,
    act: Callable[[Session, Community, Steps], Outcome],
    *,
    community: str | None,
    rows: int,
    dry_run: bool,
) -> Outcome:
    """Do it in one transaction, which stays only when nothing is wrong; an end with the reason when it is refused."""
    from cli import database
    from cli.progress import Steps
    from cli.starting import settings_for
    from service import communities
    from service.errors import ServiceError

    settings = settings_for("residents", token=False)
    try:
        with database.sessions(settings) as sessions, sessions() as session:
            whose = communities.access_by_name(session, community, bot_id=_own(settings, session, community))
            with Steps(rows) as steps:
                taken = act(session, whose, steps)
                stays = not (taken.problems or dry_run)
                steps.step("commit" if stays else "nothing was written")
                session.commit() if stays else session.rollback()
    except ServiceError as error:
        sys.exit(f"{file}: {_words(error.response, **error.facts)}")
    return taken


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


def _opened(file: Path, open_file: Callable[[bytes], Opened]) -> Opened:
    from service.errors import TableUnreadable

    try:
        return open_file(file.read_bytes())
    except OSError as error:
        sys.exit(f"{file}: {error.strerror}")
    except TableUnreadable as error:
        sys.exit(f"{file}: {_words(error.response, **error.facts)}")


def _own(settings: Settings, session: Session, community: str | None) -> int | None:
    """The settings' own community, made if it is not there yet; None when another one is named."""
    from service import communities

    if community not in (None, settings.community):
        return None
    return communities.settle_in(session, settings.bot_id, communities.profile(settings)).bot_id


def _report(
    file: Path,
    report: Path | None,
    taken: Outcome,
    *,
    dry_run: bool,
    summary: Callable[[Outcome], Iterator[str]],
) -> NoReturn:
    """The summary; everything in detail stands in the report. Ends with 1 when something was wrong."""
    from cli import roster_report

    target = report or file.with_name(f"{file.name}.report.csv")
    roster_report.write(target, taken.problems, taken.changes)
    for problem in taken.problems[:SHOWN]:
        words = _words(problem.phrase, **problem.facts)
        typer.echo(f"{file}:{problem.row}: {words}", err=True)
    if taken.problems:
        typer.echo(f"{len(taken.problems)} problems, all in {target}; nothing was written", err=True)
        sys.exit(1)
    for line in summary(taken):
        typer.echo(line)
    typer.echo(f"details in {target}")
    if dry_run:
        typer.echo("a dry run: nothing was written")
    sys.exit(0)


def _people(taken: Moved) -> Iterator[str]:
    yield f"{taken.rows} people: {taken.added} new, {taken.same} as they were"
    for kind in ("changed", "renamed", "back", "moved_out", "missing", "shared_phone"):
        if taken.count(kind):
            yield f"{taken.count(kind):8} {kind.replace('_', ' ')}"
    yield f"{taken.buildings} new buildings, {taken.households} new households"


def _entries(kind: str, taken: Taken) -> Iterator[str]:
    yield f"{kind.replace('_', ' ')} of {taken.households} households: {taken.added} new, {taken.same} as they were"
    if taken.changes:
        yield f"{len(taken.changes):8} gone"


def _words(key: str, **facts: object) -> str:
    from service import texts

    return texts.words(key, language="en", **facts)
