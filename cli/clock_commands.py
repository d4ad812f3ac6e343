"""`guanjia clocks`: targets shown, tried on past cases, set and forgotten."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from cli.calendar_commands import read
from cli.starting import community as community_of
from cli.starting import refusals, settings_for

if TYPE_CHECKING:
    from service.targets import Target
    from service.what_if import Comparison

app = typer.Typer()
clocks = typer.Typer(help="What is promised until when, and whether it was kept.", no_args_is_help=True)
app.add_typer(clocks, name="clocks")

Kind = Annotated[str, typer.Argument(help="repair, complaint, inquiry …")]
Clock = Annotated[str, typer.Argument(help="accept, arrive, finish, first_answer, written_answer, answer or progress.")]
Category = Annotated[str | None, typer.Option(help="Only for this category of cases.")]
Urgency = Annotated[int | None, typer.Option(help="Only from this urgency up: 1 reopened or urged, 2 emergency.")]
NUMBERS = 10  # case numbers that are named


@clocks.command("show")
def show() -> None:
    """Show every target; * marks the community's own."""
    from service import targets

    with community_of(settings_for("clocks", token=False)) as (session, community):
        rows = targets.of(session, community.id).rows
    for row in sorted(rows, key=lambda row: (row.kind, row.clock, row.rank)):
        typer.echo(f"{'*' if row.own else ' '} {_words(row)}")


@clocks.command("set")
def keep(
    kind: Kind,
    clock: Clock,
    minutes: Annotated[int, typer.Argument(help="Of service time; more than 0.")],
    category: Category = None,
    urgency: Urgency = None,
    always: Annotated[bool, typer.Option("--always", help="Every minute of day and night counts.")] = False,
) -> None:
    """Make this a target of the community, and set the running clocks anew."""
    from service import clocks, targets
    from service.targets import Target

    with refusals(), community_of(settings_for("clocks", token=False)) as (session, community):
        targets.keep(session, community.id, Target(kind, clock, minutes, category, urgency, always))
        count = clocks.rebuild(session, community.id)
    typer.echo(f"kept; {count} cases at work have their clocks set anew")


@clocks.command("forget")
def forget(kind: Kind, clock: Clock, category: Category = None, urgency: Urgency = None) -> None:
    """Forget a target of the community: the one that everybody has holds again."""
    from service import clocks, targets
    from service.targets import Target

    with community_of(settings_for("clocks", token=False)) as (session, community):
        if not targets.forget(session, community.id, Target(kind, clock, 1, category, urgency)):
            sys.exit("there is no such target of the community's own; guanjia clocks show marks them *")
        count = clocks.rebuild(session, community.id)
    typer.echo(f"forgotten; {count} cases at work have their clocks set anew")


@clocks.command("rebuild")
def rebuild() -> None:
    """Set the clocks of every case at work anew; nothing changes unless something is wrong."""
    from service import clocks

    with community_of(settings_for("clocks", token=False)) as (session, community):
        typer.echo(f"{clocks.rebuild(session, community.id)} cases")


@clocks.command("what-if")
def what_if(
    change: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KIND.CLOCK[.CATEGORY]=MINUTES", help="A target to try; may be repeated."),
    ] = None,
    calendar: Annotated[Path | None, typer.Option(help="A calendar file to try.")] = None,
    days: Annotated[int, typer.Option(help="How far to look back.", min=1)] = 90,
) -> None:
    """Show which past cases would have been late under another target or calendar. Nothing is saved."""
    from service import calendars, clocks, targets
    from service import what_if as trying
    from service.clocks import Rules

    changes = [_target(words) for words in change or []]
    reading = read(calendar) if calendar else None
    if not changes and reading is None:
        sys.exit("what-if: name a change with --set or --calendar")
    now = datetime.now(UTC)
    with refusals(), community_of(settings_for("clocks", token=False)) as (session, community):
        held = clocks.rules(session, community.id)
        hours = calendars.imagine(session, community, reading) if reading else held.calendar
        hours.next_opening(now)
        instead = Rules(hours, held.targets.changed(targets.check(one) for one in changes))
        since = now - timedelta(days=days)
        rows = trying.compare(session, community.id, instead=instead, since=since, now=now)
        zone = ZoneInfo(community.timezone)
    typer.echo(f"cases opened since {since.astimezone(zone):%Y-%m-%d}: late now → late then, of all")
    for row in rows:
        typer.echo(_line(row))
    if not rows:
        typer.echo("none")


def _line(row: Comparison) -> str:
    told = f"{row.kind + ' ' + row.clock:28}{row.late:5} → {row.would_be_late:<5} of {row.runs}"
    for sign, numbers in (("+", row.newly_late), ("-", row.no_longer_late)):
        if numbers:
            more = f" and {len(numbers) - NUMBERS} more" if len(numbers) > NUMBERS else ""
            told += f"  {sign} {' '.join(numbers[:NUMBERS])}{more}"
    return told


def _target(words: str) -> Target:
    """A target as `--set` names it: repair.finish=240, repair.finish.lift=120."""
    from service.targets import Target

    name, _, minutes = words.partition("=")
    parts = name.split(".")
    if len(parts) not in (2, 3) or not minutes.lstrip("-").isdecimal():
        sys.exit(f'--set "{words}": write it like repair.finish=240 or repair.finish.lift=120')
    category = parts[2] if len(parts) == 3 else None
    return Target(parts[0], parts[1], int(minutes), category, own=True)


def _words(row: Target) -> str:
    conditions = [f"category {row.category}" if row.category else "", f"urgency {row.urgency}+" if row.urgency else ""]
    told = f"{row.kind:16}{row.clock:16}{row.minutes:6} min {'always' if row.always else 'service'}"
    return f"{told:54}{', '.join(filter(None, conditions))}".rstrip()
