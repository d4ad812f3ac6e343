"""`guanjia calendar`: the community's hours, holidays and working days in lieu."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from cli.starting import community as community_of
from cli.starting import settings_for

if TYPE_CHECKING:
    from service.calendar_file import Reading

app = typer.Typer()
calendar = typer.Typer(help="When the community works: hours, holidays, working days in lieu.", no_args_is_help=True)
app.add_typer(calendar, name="calendar")
File = Annotated[Path, typer.Argument(help="CSV (day,hours,name) or iCal; docs/clocks.md shows both.")]


@calendar.command("import")
def take_in(
    file: File, dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False
) -> None:
    """Take hours and special days of a file over: all of them, or none and a list of what is wrong, row by row."""
    from service import calendars, clocks, proposals, texts
    from service.errors import ServiceError

    reading = read(file)
    now = datetime.now(UTC)
    with community_of(settings_for("calendar", token=False)) as (session, community):
        try:
            calendars.take_in(session, community, reading, now=now)
        except ServiceError as error:
            sys.exit(f"{file}: {texts.words(error.response, language='en', **error.facts)}")
        opens = calendars.of(session, community).next_opening(now).astimezone(ZoneInfo(community.timezone))
        clocks.rebuild(session, community.id)
        closed = [case.number for case in proposals.tell_closed(session, community, now=now)]
        if dry_run:
            session.rollback()
    left_out = f", {reading.left_out} events left out that name neither a day off nor a working day"
    typer.echo(
        f"{len(reading.week)} weekdays, {len(reading.days)} days{left_out if reading.left_out else ''};"
        f" next opening {opens:%Y-%m-%d %H:%M}"
        f"{'; nothing was written' if dry_run else ''}"
    )
    if closed:
        typer.echo(
            f"visits that were agreed for hours that are closed now, as their departments read: {', '.join(closed)}"
        )


@calendar.command("show")
def show() -> None:
    """Show the hours of the week and the special days from today on."""
    from service import calendars
    from service.business_time import write_hours
    from service.errors import NotEnoughServiceTime

    now = datetime.now(UTC)
    with community_of(settings_for("calendar", token=False)) as (session, community):
        zone = ZoneInfo(community.timezone)
        hours = calendars.of(session, community)
        typer.echo(f"{community.name}, {community.timezone}")
        for name, frames in zip(WEEKDAYS, hours.week, strict=True):
            typer.echo(f"{name:11}{write_hours(frames) or 'closed'}")
        for row in calendars.special_days(session, community, since=now.astimezone(zone).date()):
            typer.echo(f"{row.day} {row.hours or 'closed':24}{row.name or ''}".rstrip())
        try:
            opens = hours.next_opening(now)
        except NotEnoughServiceTime:
            typer.echo("it never opens again")
            return
    typer.echo("open now" if opens == now else f"closed now, opens {opens.astimezone(zone):%Y-%m-%d %H:%M}")


WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@calendar.command("forget")
def forget() -> None:
    """Forget imported hours and days: the desk's hours of the settings hold again, every day."""
    from service import calendars, clocks, proposals

    with community_of(settings_for("calendar", token=False)) as (session, community):
        calendars.forget(session, community)
        clocks.rebuild(session, community.id)
        proposals.tell_closed(session, community, now=datetime.now(UTC))
    typer.echo("the desk's hours of the settings hold")


def read(file: Path) -> Reading:
    """What a calendar file says, or an end with everything that is wrong with it."""
    from service import calendar_file, texts

    try:
        reading = calendar_file.read(file.read_bytes())
    except OSError as error:
        sys.exit(f"{file}: {error.strerror}")
    for problem in reading.problems:
        words = texts.words(problem.phrase, language="en", **problem.facts)
        typer.echo(f"{file}:{f'{problem.row}:' if problem.row else ''} {words}", err=True)
    if reading.problems:
        sys.exit(1)
    return reading
