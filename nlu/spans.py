"""How well are places, times, phones, things and names found?

`nlu/.venv/bin/python nlu/spans.py labelled.jsonl … [--json] [--errors]` runs the rules of nlu/lexicon over JSON Lines
of `{"text", "spans": [[label, words], …]}` and prints precision, recall and F1 per label: exact when both ends are
right, overlap when the pieces touch. Exit code 0, or 1 when there is nothing to measure.
"""

import argparse
import json
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Sequence

import launcher
from components.rules import STRENGTH, Rules, Span, read_lexicon
from components.text import language_of, normalise
from examples import BadData, read_messages

SIDES = ("expected", "found")


class Marked(NamedTuple):
    """One message with the spans that people and rules see in it."""

    text: str
    expected: List[Span]
    found: List[Span]


def main() -> None:
    """Measure as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, nargs="+", help="JSON Lines with text and spans")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--errors", action="store_true", help="print every message that is not as expected")
    arguments = parser.parse_args()
    try:
        marked = list(mark(arguments.file))
    except BadData as error:
        sys.exit(f"spans: {error}")
    if not marked:
        sys.exit("spans: no line with text and spans")
    found = report(marked)
    print(json.dumps(found, ensure_ascii=False, indent=1) if arguments.json else as_text(found))
    if arguments.errors:
        print("\n".join(errors(marked)))


def mark(files: Sequence[Path]) -> Iterator[Marked]:
    """Yield every labelled message with what the rules find in it."""
    rules = Rules(read_lexicon())
    for item in (item for path in files for item in read_messages(path)):
        if isinstance(item.get("spans"), list):
            found = [span._replace(value="") for span in rules.find(normalise(item["text"]))]
            yield Marked(item["text"], located(item["text"], item["spans"]), found)


def located(text: str, spans: Sequence[Sequence[str]]) -> List[Span]:
    """Return where the words stand: in order, whole words rather than parts of them.

    Raises:
        BadData: the text has no such words.
    """
    places: List[Span] = []
    for label, words in spans:
        behind = places[-1].end if places else 0
        pattern = re.compile(rf"(?<![A-Za-z]){re.escape(words)}(?![A-Za-z])")
        at = pattern.search(text, behind) or pattern.search(text) or re.search(re.escape(words), text)
        if at is None:
            raise BadData(f"no {words} in: {text}")
        start = at.start()
        places.append(Span(start, start + len(words), label, ""))
    return places


def report(marked: Sequence[Marked]) -> Dict[str, Any]:
    """Return the figures of every label, over everything and per language."""
    languages = {language: [m for m in marked if language_of(m.text) == language] for language in ("zh", "en")}
    figures = {name: {"messages": len(those), **_figures(those)} for name, those in languages.items() if those}
    return {"messages": len(marked), **_figures(marked), "languages": figures}


def _figures(marked: Sequence[Marked]) -> Dict[str, Any]:
    return {"exact": _scores(marked, Span.__eq__), "overlap": _scores(marked, _touch)}


def _touch(one: Span, other: Span) -> bool:
    return one.label == other.label and one.start < other.end and other.start < one.end


def _scores(marked: Sequence[Marked], same: Callable[[Span, Span], bool]) -> Dict[str, Dict[str, float]]:
    counts: Counter = Counter()
    for message in marked:
        for side, those, others in zip(SIDES, message[1:], message[:0:-1], strict=True):
            for span in those:
                counts[span.label, side] += 1
                counts[span.label, side, "right"] += any(same(span, other) for other in others)
    return {label: _score(counts, label) for label in STRENGTH}


def _score(counts: Counter, label: str) -> Dict[str, float]:
    recall, precision = (
        counts[label, side, "right"] / counts[label, side] if counts[label, side] else 1.0 for side in SIDES
    )
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    rounded = {"precision": round(precision, 4), "recall": round(recall, 4), "f1": round(f1, 4)}
    return {**rounded, **{side: counts[label, side] for side in SIDES}}


def as_text(found: Dict[str, Any]) -> str:
    """Write the figures as a table."""
    lines = ["                      exact P    R     F1    overlap F1  expected  found"]
    for name, figures in {"all": found, **found["languages"]}.items():
        for label, row in figures["exact"].items():
            marks = "  ".join(f"{row[key]:.3f}" for key in ("precision", "recall", "f1"))
            overlap = figures["overlap"][label]["f1"]
            lines.append(f"{name:4}{label:16}  {marks}   {overlap:.3f}  {row['expected']:9}  {row['found']:5}")
    return "\n".join(lines)


def errors(marked: Sequence[Marked]) -> Iterator[str]:
    """Yield, per message that differs, what was missed and what was found instead."""
    for message in marked:
        missed, extra = (
            [f"{span.label} {message.text[span.start : span.end]}" for span in those if span not in others]
            for those, others in ((message.expected, message.found), (message.found, message.expected))
        )
        if missed or extra:
            yield f"{message.text}\n    - {', '.join(missed)}\n    + {', '.join(extra)}"


if __name__ == "__main__":
    launcher.prepare()
    main()
