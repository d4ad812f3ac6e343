"""The commands of `guanjia`."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from bot import process
from cli import children, database, logs, supervisor, understanding
from service.config import Settings, SettingsError, load

app = typer.Typer(help="小管家: the assistant of a housing community.", no_args_is_help=True, add_completion=False)
db = typer.Typer(help="The database.", no_args_is_help=True)
app.add_typer(db, name="db")


def main() -> None:
    """Run the command line."""
    app()


def settings_for(name: str, *, token: bool = True) -> Settings:
    """The settings of the process `name`, or an end with what is wrong and how to mend it."""
    logs.set_up(name)
    try:
        settings = load()
    except SettingsError as error:
        sys.exit(f"{error}\nSet it in the environment or in .env; .env.example shows every setting.")
    if token and settings.bot_token is None:
        sys.exit("GUANJIA_BOT_TOKEN: is needed (example: GUANJIA_BOT_TOKEN=123456:ABC-DEF; @BotFather gives one)")
    if settings.webhook_url is not None and settings.webhook_secret is None:
        sys.exit("GUANJIA_WEBHOOK_SECRET: is needed with GUANJIA_WEBHOOK_URL (example: a long random word)")
    return settings


@app.command()
def serve() -> None:
    """Run everything on this machine under one supervisor."""
    settings = settings_for("serve")
    model = understanding.train(settings)
    with database.opened(settings) as url:
        family = children.children(settings, database_url=url, rasa_database_url=database.rasa_url(url), model=model)
        asyncio.run(supervisor.run(family))


def _run_roles(name: str, *roles: str) -> None:
    settings = settings_for(name)
    with database.opened(settings) as url:
        asyncio.run(process.run(settings, database_url=url, roles=roles or process.ROLES))


@app.command()
def bot() -> None:
    """Ingress, worker, sender and scheduler in one process."""
    _run_roles("bot")


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
    from actions import server  # noqa: PLC0415 - rasa_sdk takes a second to import; only this command needs it

    settings = settings_for("actions", token=False)
    with database.opened(settings) as url:
        os.environ["GUANJIA_DATABASE_URL"] = url
        server.serve(settings.actions_host, settings.actions_port)


@app.command()
def rasa() -> None:
    """Rasa's server with the newest model."""
    settings = settings_for("rasa", token=False)
    model = understanding.train(settings)
    with database.opened(settings) as url:
        family = children.children(settings, database_url=url, rasa_database_url=database.rasa_url(url), model=model)
        child = next(child for child in family if child.name == "rasa")
        if settings.database_url is not None:
            os.execve(child.command[0], list(child.command), dict(child.environment))  # noqa: S606 - no shell wanted
        sys.exit(subprocess.run(child.command, env=dict(child.environment), check=False).returncode)


@db.command()
def upgrade() -> None:
    """Bring the database up to date."""
    settings = settings_for("db", token=False)
    with database.opened(settings):
        typer.echo("the database is up to date")


@app.command()
def train() -> None:
    """Train the understanding; does nothing when the data has not changed."""
    typer.echo(understanding.train(settings_for("train", token=False)))


@app.command()
def parse(
    file: Annotated[Path | None, typer.Argument(help="JSON Lines with `text`; standard input when left out.")] = None,
) -> None:
    """Say what messages mean: JSON Lines with `text` in, with intent, kind, emergency and entities out."""
    settings = settings_for("parse", token=False)
    try:
        if file is None:
            sys.exit(understanding.parse(settings, sys.stdin, sys.stdout))
        with file.open(encoding="utf-8", errors="surrogateescape") as source:
            sys.exit(understanding.parse(settings, source, sys.stdout))
    except understanding.NoModel:
        sys.exit("no model yet; run: guanjia train")
    except OSError as error:
        sys.exit(f"{file}: {error.strerror}")
