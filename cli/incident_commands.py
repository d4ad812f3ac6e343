"""`guanjia incidents`: what fails for many at once, as staff enter it with /incident."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import typer

from cli.starting import community as community_of
from cli.starting import operator, settings_for

if TYPE_CHECKING:
    from service.models.incidents import Incident

app = typer.Typer()
incidents_app = typer.Typer(help="What fails for many at once: who reports it is told.", no_args_is_help=True)
app.add_typer(incidents_app, name="incidents")


@incidents_app.command("list")
def show() -> None:
    """Show the incidents that have not ended, and how many residents wait for each."""
    from service import incidents

    with community_of(settings_for("incidents", token=False)) as (session, community):
        for incident in incidents.open_ones(session, community.id):
            until = incident.expected_until
            expected = f", expected until {until.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if until else ""
            typer.echo(f"{_name(incident)}{expected}; {incidents.joined(session, incident)} residents joined")


@incidents_app.command("enter")
def enter(
    words: Annotated[str, typer.Argument(help="As behind /incident: building 3 no water until 6pm")],
) -> None:
    """Make an incident known; the same trouble in the same places again is brought up to date."""
    from service import incident_words, incidents
    from service.errors import IncidentNotClear

    now = datetime.now(UTC)
    with community_of(settings_for("incidents", token=False)) as (session, community):
        try:
            entry = incident_words.read(words, now=now, timezone=community.timezone)
        except IncidentNotClear as error:
            sys.exit(str(error))
        source = f"operator:{uuid4()}"
        incident = incidents.enter(session, community, entry, by=operator(), source=source, now=now)
        typer.echo(_name(incident))


@incidents_app.command("end")
def end(number: Annotated[int, typer.Argument(help="As `guanjia incidents list` shows it.")]) -> None:
    """Say that an incident is over: everybody who was joined to it is told, and asked whether theirs is mended."""
    from service import incidents
    from service.errors import IncidentNotFound

    with community_of(settings_for("incidents", token=False)) as (session, community):
        try:
            incident = incidents.access_incident(session, community.id, number)
        except IncidentNotFound as error:
            sys.exit(str(error))
        count = incidents.end(session, incident, now=datetime.now(UTC))
        typer.echo(f"{_name(incident)} is over; {count} residents will be told")


def _name(incident: Incident) -> str:
    from service import incidents

    return f"{incident.id}: {incidents.places(incident, 'en')}, {incidents.name(incident, 'en')}"
