"""`guanjia bench`: what it takes, measured; one sub-command a question."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.starting import settings_for

if TYPE_CHECKING:
    from collections.abc import Mapping

app = typer.Typer(help="Measure throughput and latency beside stock Rasa, or one thing by a sub-command.")

Json = Annotated[Path | None, typer.Option("--json", help="Write the figures here too.")]
Seconds = Annotated[float, typer.Option("--steady", help="Seconds of the latency run.")]


@app.callback(invoke_without_command=True)
def everything(
    context: typer.Context,
    people: Annotated[int, typer.Option(help="Residents who talk at once.")] = 200,
    steady: Seconds = 60.0,
    ingress: Annotated[int, typer.Option(help="Updates posted at the webhook.")] = 5000,
    json_file: Json = None,
) -> None:
    """The whole house beside stock Rasa, as a table."""
    if context.invoked_subcommand is None:
        from cli import bench

        settings_for("bench", token=False)
        _keep(asyncio.run(bench.run(people=people, steady_seconds=steady, ingress=ingress)), json_file)


@app.command()
def pace(rate: Annotated[float, typer.Argument()] = 20.0, *, steady: Seconds = 60.0, json_file: Json = None) -> None:
    """Only the latency of the house, at so many messages a second."""
    from cli import bench

    settings_for("bench", token=False)
    _keep(asyncio.run(bench.at_rate(rate, seconds=steady)), json_file)


@app.command()
def swaps(count: Annotated[int, typer.Argument()] = 20, *, json_file: Json = None) -> None:
    """Swap the model under load, so many times: nobody may notice."""
    from cli import bench_swaps

    _keep(asyncio.run(bench_swaps.run(settings_for("bench", token=False), swaps=count)), json_file)


@app.command()
def training(
    rate: Annotated[float, typer.Argument(help="Messages a second.")] = 5.0, *, json_file: Json = None
) -> None:
    """Train, compare and activate while residents write: how long it takes, and who notices."""
    from cli import bench_training

    _keep(asyncio.run(bench_training.run(settings_for("bench", token=False), rate=rate)), json_file)


@app.command()
def backlog(
    rows: Annotated[int, typer.Argument()] = 100_000, *, steady: Seconds = 100.0, json_file: Json = None
) -> None:
    """Work off so many call-backs that fell due in a week, while residents talk."""
    from cli import bench_backlog

    settings_for("bench", token=False)
    _keep(asyncio.run(bench_backlog.run(rows, seconds=steady)), json_file)


@app.command()
def sweeps(rows: Annotated[int, typer.Argument()] = 1_000_000, *, json_file: Json = None) -> None:
    """Sweep among so many rows of each kind of which none is due."""
    from cli import bench_sweeps

    settings_for("bench", token=False)
    _keep(bench_sweeps.run(rows), json_file)


@app.command()
def roster(people: Annotated[int, typer.Argument()] = 100_000, *, json_file: Json = None) -> None:
    """Import a roster of so many people."""
    from cli import bench_roster

    settings_for("bench", token=False)
    _keep(bench_roster.run(people), json_file)


@app.command()
def knowledge(entries: Annotated[int, typer.Argument(min=200)] = 5000, *, json_file: Json = None) -> None:
    """Ask questions of so many entries: right answers, and time."""
    from cli import bench_knowledge

    settings_for("bench", token=False)
    _keep(bench_knowledge.run(entries=entries), json_file)


@app.command()
def console(
    messages: Annotated[int, typer.Argument()] = 1_000_000,
    *,
    cases: int = 200_000,
    households: int = 50_000,
    requests: Annotated[int, typer.Option(min=1, help="Of each page.")] = 25,
    json_file: Json = None,
) -> None:
    """Ask for every page of the console over two years of a large community."""
    from cli import bench_console

    settings_for("bench", token=False)
    _keep(
        bench_console.run(messages=messages, cases=cases, households=households, requests=requests),
        json_file,
    )


@app.command()
def takeover(
    talks: Annotated[int, typer.Argument()] = 60,
    *,
    minutes: Annotated[float, typer.Option(help="Over which those talks begin.")] = 10.0,
    steady_minutes: Annotated[float, typer.Option(help="Of one talk at ten lines a minute.")] = 3.0,
    mode: Annotated[str, typer.Option(help="Talks in the group, in private, or both one after the other.")] = "both",
    json_file: Json = None,
) -> None:
    """So many residents' talks with butlers, in real time, while Telegram takes twenty events a minute."""
    from cli import bench_takeover

    settings_for("bench", token=False)
    modes = bench_takeover.MODES if mode == "both" else (mode,)
    playing = bench_takeover.run(people=talks, minutes=minutes, steady_minutes=steady_minutes, modes=modes)
    _keep(asyncio.run(playing), json_file)


def _keep(figures: Mapping[str, Any], file: Path | None) -> None:
    if file is not None:
        file.write_text(json.dumps(figures, indent=2), "utf-8")
