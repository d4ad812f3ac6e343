"""The commands of `guanjia`; each imports what it needs itself, so that `--help` and health checks start at once."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from typing import Annotated

import typer

from cli import (
    bench_commands,
    calendar_commands,
    clock_commands,
    console_commands,
    export_commands,
    incident_commands,
    labels,
    model_commands,
    people,
    resident_commands,
    schedule_commands,
    transcripts,
    visit_commands,
)
from cli import knowledge as knowledge_commands
from cli.starting import settings_for, transaction

app = typer.Typer(help="小管家: the assistant of a housing community.", no_args_is_help=True, add_completion=False)
db = typer.Typer(help="The database.", no_args_is_help=True)
dead = typer.Typer(help="Dead letters: what could not be handled or sent.", no_args_is_help=True)
app.add_typer(db, name="db")
app.add_typer(dead, name="dead")
app.add_typer(knowledge_commands.app, name="knowledge")
app.add_typer(console_commands.app, name="console")
app.add_typer(labels.app)
app.add_typer(bench_commands.app, name="bench")
app.add_typer(model_commands.app)
app.add_typer(calendar_commands.app)
app.add_typer(clock_commands.app)
app.add_typer(visit_commands.app)
app.add_typer(schedule_commands.app)
app.add_typer(export_commands.app)
app.add_typer(incident_commands.app)
app.add_typer(people.app)
app.add_typer(transcripts.app)
app.add_typer(resident_commands.app)


def main() -> None:
    """Run the command line."""
    app()


@app.command()
def serve() -> None:
    """Run everything on this machine under one supervisor."""
    from cli import children, database, supervisor, upgrading

    settings = settings_for("serve")
    with database.opened(settings) as url:
        upgrading.prepare(settings, url)
        family = children.children(settings, database_url=url, rasa_database_url=database.rasa_url(url))
        asyncio.run(supervisor.run(family))


def _run_roles(name: str, *roles: str) -> None:
    import uvloop

    from bot import process
    from cli import database

    settings = settings_for(name)
    with database.opened(settings) as url:
        uvloop.run(process.run(settings, database_url=url, roles=roles))


@app.command()
def bot() -> None:
    """Ingress, worker and sender in one process: what residents wait for."""
    _run_roles("bot", "ingress", "worker", "sender")


@app.command()
def ingress() -> None:
    """Only fetch or receive updates and keep them."""
    _run_roles("ingress", "ingress")


@app.command()
def worker() -> None:
    """Only handle what is in the inbox."""
    _run_roles("worker", "worker")


@app.command()
def sender() -> None:
    """Only send what is in the outbox."""
    _run_roles("sender", "sender")


@app.command()
def scheduler() -> None:
    """Only wake what is due."""
    _run_roles("scheduler", "scheduler")


@app.command()
def actions() -> None:
    """Rasa's action server."""
    from actions import server
    from cli import database, upgrading

    settings = settings_for("actions", token=False)
    with database.opened(settings) as url:
        upgrading.write_base(url)
        os.environ["GUANJIA_DATABASE_URL"] = url
        server.serve(settings.actions_host, settings.actions_port)


@app.command()
def trainer() -> None:
    """Train what staff ask for in the console; needs Rasa on this machine."""
    from cli import database
    from cli import trainer as training

    settings = settings_for("trainer", token=False)
    with database.opened(settings) as url:
        training.run(settings, url)


@app.command()
def rasa() -> None:
    """Rasa's server; it asks the action server for the active model."""
    from cli import children, database, upgrading

    settings = settings_for("rasa", token=False)
    with database.opened(settings) as url:
        upgrading.prepare(settings, url)
        family = children.children(settings, database_url=url, rasa_database_url=database.rasa_url(url))
        child = next(child for child in family if child.name == "rasa")
        if settings.database_url is not None:
            os.execve(child.command[0], list(child.command), dict(child.environment))  # noqa: S606 - no shell wanted
        sys.exit(subprocess.run(child.command, env=dict(child.environment), check=False).returncode)


@db.command()
def upgrade() -> None:
    """Bring the database up to date, and make the one of Rasa's tracker."""
    from cli import database

    settings = settings_for("db", token=False)
    with database.opened(settings) as url:
        database.rasa_url(url)
        typer.echo("the database is up to date")


@app.command()
def talk() -> None:
    """Talk to the assistant in the terminal, without Telegram."""
    from cli import talk as talking

    asyncio.run(talking.run(settings_for("talk", token=False)))


@app.command()
def demo(
    port: Annotated[int, typer.Option(help="Port of the look-alike's page; 0 takes a free one.")] = 8081,
    stay: Annotated[
        bool | None, typer.Option("--stay/--once", help="Go on after the story; default: in a terminal, yes.")
    ] = None,
) -> None:
    """Play the main job on a Telegram look-alike on this machine."""
    from cli import demo as playing

    settings = settings_for("demo", token=False)
    staying = sys.stdout.isatty() if stay is None else stay
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(asyncio.run(playing.run(settings, port=port or playing.free_port(), stay=staying)))


@app.command()
def doctor(
    only: Annotated[list[str] | None, typer.Option(help="Look only at this; may be given several times.")] = None,
) -> None:
    """Look at everything that is needed, from the token to each process; say how to mend what is wrong."""
    from cli import doctor as examining

    settings = settings_for("doctor", token=False)
    unknown = set(only or ()) - set(examining.NAMES)
    if unknown:
        sys.exit(f"no such check: {', '.join(sorted(unknown))}; there are: {', '.join(examining.NAMES)}")
    findings = asyncio.run(examining.examine(settings, list(only or ())))
    for name, finding in findings:
        typer.echo(f"{'ok ' if finding.well else 'BAD'} {name:9} {finding.what}")
        if not finding.well:
            typer.echo(f"              → {finding.mend}")
    sys.exit(0 if all(finding.well for _, finding in findings) else 1)


@dead.command("list")
def dead_list() -> None:
    """Show what could not be handled or sent, and why; never what people wrote."""
    from service import inbox, outbox

    settings = settings_for("dead", token=False)
    with transaction(settings) as session:
        for row in inbox.dead(session, settings.bot_id):
            typer.echo(f"in  {row.id:8} {row.received_at:%F %T} {row.lane:24} {row.error}")
        for parcel in outbox.dead_rows(session, settings.bot_id):
            typer.echo(f"out {parcel.id:8} {parcel.created_at:%F %T} {parcel.lane:24} {parcel.kind}: {parcel.reason}")


@dead.command("retry")
def dead_retry(
    way: Annotated[str, typer.Argument(help="in or out, as `guanjia dead list` shows it.")],
    number: Annotated[int, typer.Argument(help="The number of the row.")],
) -> None:
    """Have a dead letter handled, or sent, again."""
    from service import inbox, outbox

    settings = settings_for("dead", token=False)
    revive = {"in": inbox.revive, "out": outbox.revive}.get(way)
    if revive is None:
        sys.exit(f"{way}: say in or out (example: guanjia dead retry in 42)")
    with transaction(settings) as session:
        done = revive(session, settings.bot_id, number)
    sys.exit(0 if done else f"{way} {number}: no such dead letter, or it cannot be read at all")
