"""The commands about Rasa's model: train it, and have it read messages."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from cli.children import RASA_PYTHON
from service import emergency, kinds
from service.config import ROOT, Settings

NLU = ROOT / "nlu"


class NoModel(Exception):
    """There is no trained model yet; `guanjia train` makes one."""


def train(settings: Settings) -> Path:
    """Train when the data has changed; progress goes to standard output.

    Raises:
        SystemExit: the training failed; its own message says why.
    """
    settings.models_dir.mkdir(parents=True, exist_ok=True)
    command = [str(RASA_PYTHON), str(NLU / "train.py"), "--out", str(settings.models_dir)]
    lowered = ["nice", "-n", "10", *command]
    result = subprocess.run(lowered, cwd=ROOT, check=False)
    if result.returncode:
        sys.exit(result.returncode)
    return newest_model(settings)


def newest_model(settings: Settings) -> Path:
    """The model to serve.

    Raises:
        NoModel: there is none.
    """
    found = sorted(settings.models_dir.glob("*.tar.gz"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise NoModel
    return found[-1]


def parse(settings: Settings, source: IO[str], target: IO[str]) -> int:
    """Read JSON Lines with `text`, write JSON Lines of what was understood; one process of Rasa's reads them all.

    Returns:
        0, or 2 when a line could not be read (its output line says why).
    """
    command = [str(RASA_PYTHON), str(NLU / "parse.py"), "--model", str(newest_model(settings))]
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
