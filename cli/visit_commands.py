"""`guanjia visits`: how many visits a department takes in one window."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cli.starting import community as community_of
from cli.starting import settings_for

app = typer.Typer()
visits = typer.Typer(help="Appointments: how many visits a department takes in one window.", no_args_is_help=True)
app.add_typer(visits, name="visits")

MOST = 100  # visits in one window; more is a slip of the keyboard
Department = Annotated[str, typer.Argument(help="engineering, order, cleaning or service.")]


@visits.command("show")
def show() -> None:
    """Show every department's places in a window; * marks those that were set."""
    from service import communities

    with community_of(settings_for("visits", token=False)) as (session, community):
        for key in communities.DEPARTMENTS:
            places = communities.department(session, community.id, key).visit_places
            mark, most = (" ", community.visits_per_window) if places is None else ("*", places)
            typer.echo(f"{mark} {key:12} {most} in {community.visit_minutes} minutes")


@visits.command("set")
def keep(department: Department, places: Annotated[int, typer.Argument(help="0: it makes no appointments.")]) -> None:
    """Say how many visits a department takes in one window; what is agreed already stays."""
    if not 0 <= places <= MOST:
        sys.exit(f"{places}: say 0 to {MOST} (example: guanjia visits set engineering 4)")
    _say(department, places)


@visits.command("forget")
def forget(department: Department) -> None:
    """Go back to GUANJIA_VISITS_PER_WINDOW."""
    _say(department, None)


def _say(department: str, places: int | None) -> None:
    from service import communities

    if department not in communities.DEPARTMENTS:
        sys.exit(f"{department}: say {', '.join(communities.DEPARTMENTS)} (example: guanjia visits set engineering 4)")
    with community_of(settings_for("visits", token=False)) as (session, community):
        communities.department(session, community.id, department).visit_places = places
    typer.echo("kept" if places is not None else "forgotten")
