"""Rasa's tools as programs: train, measure, evaluate, parse. They run in Rasa's own Python."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from cli.children import POLITELY, RASA_PYTHON
from cli.progress import show
from cli.site_data import SiteData
from service import emergency, kinds
from service.config import ROOT, Settings

NLU = ROOT / "nlu"
BEHIND_ALL = ("nice", "-n", "19")


class NoModel(Exception):
    """There is no trained model yet; `guanjia train` makes one."""


class NotHere(Exception):
    """Rasa's environment is not on this machine; the application's container has none."""


class ToolFailed(Exception):
    """A tool of Rasa's ended with an error; it has said itself what is wrong."""

    def __init__(self, code: int) -> None:
        super().__init__(f"ended with {code}")
        self.code = code


def is_here() -> bool:
    """Whether Rasa's tools can be run."""
    return RASA_PYTHON.exists()


@dataclass(frozen=True)
class Watch:
    """Who has a model trained and when, as its certificate will say, and who reads what the trainer prints."""

    by: str
    at: datetime
    lines: Callable[[Iterable[str]], str]  # gives the last one, which names the model


def train(settings: Settings, site: SiteData, watch: Watch | None = None) -> str:
    """Train a model from the base data and the site's, unless there is one, and give its name.

    Args:
        settings: where models lie.
        site: what people taught here.
        watch: if left out, it is the user of this process, now, and progress goes to standard output.

    Raises:
        ToolFailed: the data or the training is at fault; what and where stands on standard error.
    """
    settings.models_dir.mkdir(parents=True, exist_ok=True)
    options: list[str | Path] = ["--site", *site.training, "--exam", *site.exam, "--out", settings.models_dir]
    if watch is not None:
        options += ["--by", watch.by, "--at", watch.at.isoformat(timespec="seconds")]
    command = [*POLITELY, *rasa_tool("train", *options)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as trainer:
        assert trainer.stdout is not None
        try:
            made = (watch.lines if watch else show)(trainer.stdout)
        except BaseException:  # told to stop: it does not train on for nobody
            trainer.terminate()
            raise
    if trainer.returncode:
        raise ToolFailed(trainer.returncode)
    return Path(made.removesuffix(" (up to date)")).name.removesuffix(".tar.gz")


def base_hash() -> str:
    """The hash of everything a model of this version is made of, the site's labels left out.

    Raises:
        ToolFailed: the data is not there.
    """
    done = subprocess.run(rasa_tool("train", "--base"), stdout=subprocess.PIPE, text=True, cwd=ROOT, check=False)
    if done.returncode:
        raise ToolFailed(done.returncode)
    return done.stdout.removeprefix("base ").strip()


def measure(files: Iterable[Path], site: SiteData) -> None:
    """Bring the certificates of models up to date: measured on the messages and by the code of today.

    Raises:
        ToolFailed: there is nothing to measure on.
    """
    command = [*POLITELY, *rasa_tool("certificate", *files, "--exam", *site.exam)]
    _run(command, stdout=subprocess.PIPE)


def evaluate(*options: str | Path) -> None:
    """Run nlu/evaluate.py; the report goes to standard output.

    Raises:
        ToolFailed: there is nothing to evaluate.
    """
    _run(rasa_tool("evaluate", "--kinds", json.dumps(dict(kinds.KINDS)), *options))


def report(model: Path, exam: Sequence[Path]) -> dict[str, Any]:
    """The whole report about one model.

    Raises:
        ToolFailed: the model cannot be loaded, or there is nothing to measure it on.
    """
    found: dict[str, Any] = json.loads(
        _run([*POLITELY, *rasa_tool("evaluate", "--model", model, "--json", *exam)], stdout=subprocess.PIPE)
    )
    return found


def read(model: Path, texts: Sequence[str], *, within: float) -> list[dict[str, Any]]:
    """What a model makes of messages, in their order, behind everything else that this machine does.

    Args:
        model: its file.
        texts: none of them empty.
        within: seconds, then the process is ended.

    Raises:
        ToolFailed: the model cannot be loaded.
        TimeoutExpired: it takes longer.
    """
    lines = "".join(json.dumps({"text": text}) + "\n" for text in texts)
    command = [*BEHIND_ALL, *rasa_tool("parse", "--model", model)]
    done = subprocess.run(
        command, input=lines, stdout=subprocess.PIPE, text=True, encoding="utf-8", cwd=ROOT, check=False, timeout=within
    )
    found = [json.loads(line) for line in done.stdout.split("\n") if line]
    if done.returncode or len(found) != len(texts):
        raise ToolFailed(done.returncode)
    return found


def _run(command: Sequence[str], stdout: int | None = None) -> str:
    done = subprocess.run(command, stdout=stdout, text=True, cwd=ROOT, check=False)
    if done.returncode:
        raise ToolFailed(done.returncode)
    return done.stdout or ""


def rasa_tool(tool: str, *options: str | Path) -> list[str]:
    """How to call a tool of Rasa's.

    Raises:
        NotHere: this machine has none.
    """
    if not is_here():
        raise NotHere
    return [str(RASA_PYTHON), str(NLU / f"{tool}.py"), *map(str, options)]


def newest_model(settings: Settings) -> Path:
    """The newest model of the folder, active or not.

    Raises:
        NoModel: there is none.
    """
    found = sorted(settings.models_dir.glob("*.tar.gz"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise NoModel
    return found[-1]


def parse(model: Path, source: IO[str], target: IO[str]) -> int:
    """Read JSON Lines with `text`, write JSON Lines of what was understood; one process of Rasa's reads them all.

    Returns:
        0, or 2 when a line could not be read (its output line says why).
    """
    command = rasa_tool("parse", "--model", model)
    with subprocess.Popen(
        command, stdin=source, stdout=subprocess.PIPE, text=True, env={**os.environ}, cwd=ROOT
    ) as reader:
        assert reader.stdout is not None
        for line in _completed(reader.stdout):
            print(json.dumps(line, ensure_ascii=False), file=target, flush=True)
    return reader.returncode


def _completed(lines: IO[str]) -> Iterator[dict[str, Any]]:
    """Add what the service decides: the kind, and whether it is an emergency."""
    for line in lines:
        understood: dict[str, Any] = json.loads(line)
        if "error" not in understood:
            intent = understood["intent"]
            understood["kind"] = str(kinds.kind_of(intent))
            tripped = emergency.check(understood["text"]) is not None
            understood["emergency"] = tripped or intent == "emergency"
        yield understood
