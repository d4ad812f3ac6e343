"""The commands about models of the understanding: train, evaluate, compare, activate, roll back; read messages."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.starting import settings_for

if TYPE_CHECKING:
    from cli.models import Shelf

app = typer.Typer()

Name = Annotated[str, typer.Argument(help="A model, as `guanjia models` lists it.")]


@contextmanager
def _ends_with_advice() -> Iterator[None]:
    """What goes wrong ends the command with what it was and what to do about it."""
    from cli import models, understanding
    from service import errors, model_files

    advice: dict[type[Exception], Callable[[Any], str | int]] = {
        models.DatabaseAway: lambda e: f"the database does not answer ({e}); run: guanjia doctor --only database",
        model_files.BadModel: lambda e: f"{e}; put a good copy there, or train again",
        errors.ModelNotFound: lambda e: f"{e.facts['name']}: there is no such model; guanjia models lists them",
        errors.ReasonMissing: lambda _: "--force: say why; the reason is kept",
        errors.NoEarlierModel: lambda _: "no other model was active before; guanjia models lists those there are",
        understanding.NoModel: lambda _: "no model yet; run: guanjia train",
        understanding.NotHere: lambda _: "Rasa is not installed here; run: make setup (containers: docs/operations.md)",
        understanding.ToolFailed: lambda e: e.code,
    }
    try:
        yield
    except tuple(advice) as error:
        sys.exit(next(say(error) for kind, say in advice.items() if isinstance(error, kind)))


@contextmanager
def _shelf(command: str) -> Iterator[Shelf]:
    from cli import models

    with _ends_with_advice(), models.shelf(settings_for(command, token=False)) as shelf:
        yield shelf


def _plain(name: str) -> str:
    """A name as people copy it: from the list, or from the folder."""
    return Path(name).name.removesuffix(".tar.gz")


@app.command()
def train(
    write: Annotated[
        Path | None, typer.Option(help="Only write this site's labels here, for Rasa's tools on another machine.")
    ] = None,
) -> None:
    """Train the understanding on nlu/data and this site's labels; does nothing when neither has changed."""
    from cli import models, site_data

    with _shelf("train") as shelf:
        if write is not None:
            write.mkdir(mode=0o700, parents=True, exist_ok=True)
            site_data.write(shelf.sessions, write)
            return
        name = models.train(shelf)
        active = shelf.active()
        typer.echo(shelf.file(name))
        if active == name:
            typer.echo("served now")
        else:
            typer.echo(f"not served yet; next: guanjia compare {active} {name}, then guanjia activate {name}")


@app.command()
def models(json_: Annotated[bool, typer.Option("--json", help="For a program.")] = False) -> None:
    """List the models: when and from what they were trained, how well they understand, which is served."""
    from cli import model_words
    from service import language_models

    with _shelf("models") as shelf, shelf.recorded() as session:
        found, active = language_models.every(session), language_models.active(session)
        name = active.name if active else None
        if json_:
            facts = [model_words.as_fact(model, name) for model in found]
            typer.echo(json.dumps(facts, ensure_ascii=False, indent=1))
        else:
            typer.echo("\n".join(model_words.table(found, name, shelf.settings.zone)))


@app.command()
def evaluate(
    files: Annotated[
        list[Path] | None, typer.Argument(help="JSON Lines with `text` and `intent`; the frozen sets if left out.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="A model; the active one if left out.")] = None,
    cross_validate: Annotated[bool, typer.Option(help="The recipe against its own training data.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="For a program.")] = False,
    picture: Annotated[Path | None, typer.Option(help="Draw the confusion matrix into this file.")] = None,
) -> None:
    """Say how well messages are understood: F1, precision and recall per intent, confusions, calibration, latency."""
    from cli import models, understanding

    if missing := [str(file) for file in files or () if not file.is_file()]:
        sys.exit(f"no such file: {', '.join(missing)}")
    options = ["--json"] if json_ else []
    if picture is not None:
        options += ["--picture", str(picture.absolute())]
    settings = settings_for("evaluate", token=False)
    with _ends_with_advice():
        if cross_validate:
            understanding.evaluate("--cross-validate", *options)
        else:
            exam = [file.absolute() for file in files or ()]
            models.evaluate(settings, _plain(model) if model else None, exam, options)


@app.command()
def compare(a: Name, b: Name) -> None:
    """Compare two models on the messages nobody trains on: per intent, and every message that flipped."""
    from cli import model_words, models

    with _shelf("compare") as shelf:
        before, after, losses = models.compare(shelf, _plain(a), _plain(b))
    typer.echo("\n".join(model_words.comparison(before, after)))
    verdict = [f"  {model_words.explain(loss)}" for loss in losses] or ["  it may be activated"]
    typer.echo("\n".join([f"\nthe gate, with {_plain(a)} served, says to {_plain(b)}:", *verdict]))


@app.command()
def activate(
    name: Annotated[str | None, typer.Argument(help="A model, as `guanjia models` lists it.")] = None,
    force: Annotated[str | None, typer.Option(metavar="REASON", help="Pass the gate by; the reason is kept.")] = None,
    upgrade: Annotated[bool, typer.Option(help="The newest, if it came with a new version and is no worse.")] = False,
) -> None:
    """Have a model served from now on, if it understands no less than the one that is."""
    from cli import model_words, models
    from service import errors

    if (name is None) != upgrade:
        sys.exit("name one model, or say --upgrade")
    with _shelf("activate") as shelf:
        if name is None:
            typer.echo(_upgraded(shelf))
            return
        try:
            models.activate(shelf, _plain(name), reason=force)
        except errors.ModelRefused as refused:
            losses = "".join(f"\n  {model_words.explain(loss)}" for loss in refused.losses)
            sys.exit(f"{_plain(name)} is not activated:{losses}\nto do it all the same, say why: --force 'the reason'")
        typer.echo(f"{_plain(name)} is active; every Rasa follows within some seconds")


def _upgraded(shelf: Shelf) -> str:
    from cli import upgrading
    from service import language_models

    with shelf.recorded() as session:
        newest = [model.name for model in language_models.every(session)[:1]]
    activated = [name for name in newest if upgrading.promote(shelf, name, by="upgrade")]
    return f"{activated[0]} is active now" if activated else f"nothing to do; served is {shelf.active() or 'none'}"


@app.command()
def rollback() -> None:
    """Have the model served again that was active before."""
    from cli import models

    with _shelf("rollback") as shelf:
        typer.echo(f"{models.rollback(shelf)} is active again; every Rasa follows within some seconds")


@app.command()
def parse(
    file: Annotated[Path | None, typer.Argument(help="JSON Lines with `text`; standard input when left out.")] = None,
    model: Annotated[str | None, typer.Option(help="A model; the newest of the folder if left out.")] = None,
) -> None:
    """Say what messages mean: JSON Lines with `text` in, with intent, kind, emergency and entities out."""
    from cli import understanding
    from service.language_models import file_of
    from service.model_files import BadModel, check_file

    settings = settings_for("parse", token=False)
    try:
        path = file_of(settings.models_dir, _plain(model)) if model else understanding.newest_model(settings)
        check_file(path)
        if file is None:
            sys.exit(understanding.parse(path, sys.stdin, sys.stdout))
        with file.open(encoding="utf-8", errors="surrogateescape") as source:
            sys.exit(understanding.parse(path, source, sys.stdout))
    except understanding.NoModel:
        sys.exit("no model yet; run: guanjia train")
    except BadModel as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"{file}: {error.strerror}")
