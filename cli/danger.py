"""Fit the weights of the tripwire: `python -m cli.danger`. How well they carry over: `python -m cli.danger --by-voice`.

The messages are those that teach the understanding, those about danger, and the exam that is looked at. scikit-learn is
in Rasa's environment, so nlu/danger.py does the sums.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from cli.understanding import rasa_tool
from service import danger, emergency, spelling
from service.config import ROOT

DANGER = ROOT / "nlu/data/danger"
LABELLED = {  # voice → messages, most telling first: a text counts for the first that has it
    "voices": DANGER / "voices.jsonl",  # names its voices
    "tripwire": DANGER / "tripwire.jsonl",  # too; the classifier is not taught these, its training has no room for more
    "wordings": DANGER / "wordings.jsonl",
    "first": DANGER / "first.jsonl",
    "exam": ROOT / "nlu/exams/emergency.jsonl",
}
EVERYDAY = ROOT / "nlu/data/nlu"
ENTITY = re.compile(r"\[([^]]*)](?:{[^}]*}|\([^)]*\))")


def main() -> None:
    """Write the table of weights, or print the table of voices."""
    options = sys.argv[1:]
    lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows())
    done = subprocess.run(rasa_tool("danger", *options), input=lines, stdout=subprocess.PIPE, text=True, check=True)
    if options:
        print(done.stdout, end="")
    else:
        Path(danger.__file__).with_suffix(".tsv").write_text(done.stdout, "utf-8")


def rows() -> Iterator[dict[str, Any]]:
    """Every labelled message once, as nlu/danger.py reads it."""
    known: set[str] = set()
    for text, is_danger, voice in _messages():
        spelt = spelling.plain(text)
        if spelt not in known:
            known.add(spelt)
            language = danger.language_of(spelt)
            yield {
                "stretches": [sorted(danger.terms(stretch)) for stretch in danger.stretches(spelt)],
                "danger": is_danger,
                "voice": voice,
                "language": language,
                "bonus": emergency.bonus(text),
                "enough": emergency.SCALE["enough"][language],
            }


def _messages() -> Iterator[tuple[str, bool, str]]:
    for name, path in LABELLED.items():
        for line in path.read_text("utf-8").splitlines():
            row = json.loads(line)
            yield row["text"], row["emergency"], row.get("voice", name)
    for path in sorted(EVERYDAY.glob("*/*.yml")):
        for entry in yaml.safe_load(path.read_text("utf-8"))["nlu"]:
            for line in entry["examples"].splitlines():
                yield ENTITY.sub(r"\1", line.removeprefix("- ")), entry["intent"] == "emergency", "nlu"


if __name__ == "__main__":
    main()
