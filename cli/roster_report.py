"""What an import changes and what is wrong with its file, as a CSV that Excel opens."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

from service import texts
from service.table_cells import Change, Problem

HEADER = ("row", "kind", "household", "name", *texts.LANGUAGES)
FORMULA = "=+-@\t"  # a cell that begins with one of these would be run by a spreadsheet program


def write(file: Path, problems: Iterable[Problem], changes: Iterable[Change]) -> None:
    """Write the report; it names people, so only its owner may read it."""
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    with file.open("w", encoding="utf-8-sig", newline="") as out:
        lines = csv.writer(out)
        lines.writerow(HEADER)
        for cells in _lines(problems, changes):
            lines.writerow([f"'{cell}" if cell.startswith(tuple(FORMULA)) else cell for cell in cells])


def _lines(problems: Iterable[Problem], changes: Iterable[Change]) -> Iterator[list[str]]:
    for problem in problems:
        yield [str(problem.row), "problem", "", "", *_both(problem.phrase, **problem.facts)]
    for change in changes:
        said = _both(f"utter_roster_change_{change.kind}", detail=change.detail)
        yield [str(change.row or ""), change.kind, change.place, change.name, *said]


def _both(key: str, **facts: object) -> list[str]:
    return [texts.words(key, language=language, **facts) for language in texts.LANGUAGES]
