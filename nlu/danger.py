"""What runs of signs weigh in the scale of danger (for service/danger.py): logistic regression, fitted here.

`.venv/bin/python -m cli.danger` calls it with JSON Lines: `stretches` (each a list of runs), `danger`, `voice` (whose),
`language`, `bonus` (what the tripwire's rules add), `enough` (to ring). Standard output is a table of weights for each
language, or with --by-voice a table of what happens to every voice when the weights are fitted without it.
"""

import argparse
import json
import sys
from collections import Counter
from typing import Any, Dict, Iterator, List, NamedTuple, Sequence, Tuple, Union

import numpy as np

Row = Dict[str, Any]

LEAST = 2  # messages a run must be in
KEPT = 30_000  # runs of a language, those that pull most
RARER = 2.0  # the power of the logarithm: how much more a rare run tells than one that everybody uses
PRECISION = 100.0  # the inverse of the regularisation: a message has hundreds of runs, and each may only pull a little
EVERYDAY = "nlu"  # the voice of messages that are not about danger
EVERYDAY_PARTS = 5  # each of them unseen in its turn
SILENT = 3  # runs that nobody knows stand beside every text, so that three signs alone do not shout
FALSE_ALARMS = (0.01, 0.02, 0.03, 0.05, 0.08)  # shares at which the thresholds are told


class Table(NamedTuple):
    """The runs, how rare each is, what it pulls, the rarity of all others, and where the scale begins."""

    places: Dict[str, int]
    rarity: np.ndarray
    pull: np.ndarray
    rarest: float
    start: float


def main() -> None:
    """Fit on everything and print the table, or fit without each voice and print how it fares."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--by-voice", action="store_true", help="leave one voice out after the other")
    arguments = parser.parse_args()
    rows = [json.loads(line) for line in sys.stdin]
    languages = {name: [row for row in rows if row["language"] == name] for name in ("en", "zh")}
    write = by_voice if arguments.by_voice else as_lines
    print("\n".join(line for name, theirs in languages.items() for line in write(name, theirs)))


def fit(rows: Sequence[Row]) -> Table:
    """Fit the weights of a language: once over all runs, and again over those that pulled most."""
    runs = [sorted({run for stretch in row["stretches"] for run in stretch}) for row in rows]
    seen = Counter(run for those in runs for run in those)
    rarest = float(_rarity(len(rows), 1))
    names = [run for run, number in seen.items() if number >= LEAST]
    table = _fitted(names, rows, runs, seen, rarest)
    strongest = np.argsort(-np.abs(table.pull), kind="stable")[:KEPT]
    return _fitted(sorted(names[place] for place in strongest), rows, runs, seen, rarest)


def _fitted(names: List[str], rows: Sequence[Row], runs: List[List[str]], seen: Counter, rarest: float) -> Table:
    from sklearn.linear_model import LogisticRegression

    rarity = _rarity(len(rows), np.array([seen[name] for name in names]))
    table = Table({name: place for place, name in enumerate(names)}, rarity, np.zeros(len(names)), rarest, 0.0)
    danger = np.array([row["danger"] for row in rows])
    model = LogisticRegression(C=PRECISION, max_iter=300, solver="liblinear")
    model.fit(matrix(table, runs), danger)
    return table._replace(pull=model.coef_[0] * rarity, start=float(model.intercept_[0]))


def _rarity(messages: int, seen: Union[int, np.ndarray]) -> np.ndarray:
    return (np.log((1 + messages) / (1 + seen)) + 1) ** RARER


def matrix(table: Table, runs: Sequence[Sequence[str]]):
    """Return a sparse row of length 1 per list of runs; those that are not in the table, or silent, make it shorter."""
    from scipy.sparse import csr_matrix

    values, places, ends = [], [], [0]
    for those in runs:
        known = [table.places[run] for run in those if run in table.places]
        unknown = SILENT + len(those) - len(known)
        values += list(table.rarity[known] / np.sqrt((table.rarity[known] ** 2).sum() + table.rarest**2 * unknown))
        places += known
        ends.append(len(places))
    return csr_matrix((values, places, ends), (len(runs), len(table.places)))


def as_lines(language: str, rows: Sequence[Row]) -> Iterator[str]:
    """Yield the table of a language as service/danger.py reads it."""
    table = fit(rows)
    yield f"**\t{language}\t{table.rarest:.2f}\t{table.start:.2f}\t{SILENT}"
    for name, place in table.places.items():
        yield f"{name}\t{table.rarity[place]:.2f}\t{table.pull[place]:.1f}"


def scores(table: Table, rows: Sequence[Row]) -> np.ndarray:
    """Return what the tripwire would find: the worst stretch of every message, and what the rules add."""
    coefficients = table.pull / table.rarity
    return np.array(
        [
            max(matrix(table, row["stretches"]) @ coefficients, default=-np.inf) + table.start + row["bonus"]
            for row in rows
        ]
    )


def by_voice(language: str, rows: Sequence[Row]) -> Iterator[str]:
    """Yield, per voice, recall and false alarms at the threshold as it is, and recall at shares of false alarms."""
    shares = "".join(f"{share:>7.0%} false: recall (at)" for share in FALSE_ALARMS)
    yield f"{language}: voice    as it is: recall, false{shares}"
    for voice in sorted({row["voice"] for row in rows}):
        those = [row for row in rows if row["voice"] == voice]
        danger = np.array([row["danger"] for row in those])
        if danger.all() or not danger.any():  # a line or two in the other language
            continue
        found, enough = _unseen(rows, voice), those[0]["enough"]
        cells = (_recall(found[danger], found[~danger], share) for share in FALSE_ALARMS)
        told = "".join(f"{recall:19.3f} ({at:5.2f})" for recall, at in cells)
        yield f"{voice:12}{(found[danger] >= enough).mean():22.3f}, {(found[~danger] >= enough).mean():5.3f}{told}"


def _unseen(rows: Sequence[Row], voice: str) -> np.ndarray:
    """Return what would be found in the messages of a voice by weights fitted without them."""
    places = [place for place, row in enumerate(rows) if row["voice"] == voice]
    parts = EVERYDAY_PARTS if voice == EVERYDAY else 1
    found = np.empty(len(places))
    for part in range(parts):
        unseen = places[part::parts]
        hidden = set(unseen)
        table = fit([row for place, row in enumerate(rows) if place not in hidden])
        found[part::parts] = scores(table, [rows[place] for place in unseen])
    return found


def _recall(danger: np.ndarray, harmless: np.ndarray, share: float) -> Tuple[float, float]:
    at = np.sort(harmless)[::-1][int(share * len(harmless))]
    return float((danger > at).mean()), float(at)


if __name__ == "__main__":
    main()
