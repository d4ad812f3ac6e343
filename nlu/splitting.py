"""How well are messages with several requests told from those with one?

`nlu/.venv/bin/python nlu/splitting.py nlu/exams/parts.jsonl`: a model against JSON Lines of text and parts.
--untouched data/nlu also counts how many training examples, each of which is one request, are torn apart. --json prints
the figures and every error for a program. Exit code 0, or 1 when there is nothing to measure.
"""

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Dict, Iterable, List, Sequence

import launcher
from parse import newest_model, read_line

COLUMNS = ("several", "found", "cut_right", "intents_right", "one", "torn")


def main() -> None:
    """Measure as the command line says."""
    arguments = _arguments()
    launcher.prepare()
    launcher.hush_tools()
    from understanding import Understanding

    items = [item for path in arguments.file for item in _messages(path)]
    if not items:
        sys.exit("splitting: no line with text and parts")
    understanding = Understanding(newest_model(arguments.model))
    found = report(items, [_parts(one, item) for one, item in zip(_read(understanding, items), items, strict=True)])
    if arguments.untouched:
        found["untouched"] = untouched(understanding, arguments.untouched)
    print(json.dumps(found, ensure_ascii=False, indent=1) if arguments.json else as_text(found))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, nargs="+", help="JSON Lines with text and parts")
    parser.add_argument("--model", type=Path, default=launcher.HOME.parent / "models", help="file, or folder: newest")
    parser.add_argument("--untouched", type=Path, help="training data that nothing should be torn in")
    parser.add_argument("--json", action="store_true", help="print figures and errors as JSON")
    arguments = parser.parse_args()
    missing = [str(path) for path in arguments.file if not path.is_file()]
    if missing:
        parser.error(f"no such file: {', '.join(missing)}")
    return arguments


def _messages(path: Path) -> List[Dict[str, Any]]:
    with path.open("rb") as lines:
        items = [read_line(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    return [item for item in items if item.get("parts")]


def _read(understanding: Any, items: Sequence[Dict[str, Any]]) -> List[Dict[str, Any]]:
    return understanding.read([item["text"] for item in items])


def _parts(parsed: Dict[str, Any], item: Dict[str, Any]) -> List[str]:
    """Return the intents of the parts; one message is an answer to a question of ours where the item says so."""
    parts = parsed.get("parts_when_asked" if item.get("form") else "parts") or [{"intent": parsed.get("intent")}]
    return [part["intent"]["name"] for part in parts]


def report(items: Sequence[Dict[str, Any]], found: Sequence[List[str]]) -> Dict[str, Any]:
    """Return the figures per group and all errors.

    Args:
        items: labelled messages; `language`, `half` and `form` name the groups; parts without intents are only counted.
        found: the intents of the parts of each.
    """
    groups: Dict[str, Counter] = {}
    errors = []
    for item, intents in zip(items, found, strict=True):
        wanted = [part.get("intent", "?") for part in item["parts"]]
        kind = "answers" if item.get("form") else item.get("language", "all")
        for name in {kind, f"{kind} {item.get('half', '')}".strip()}:
            groups.setdefault(name, Counter()).update(_counts(wanted, intents))
        if len(wanted) != len(intents):
            errors.append({"text": item["text"], "wanted": wanted, "found": intents, "half": item.get("half")})
    return {"groups": {name: {c: groups[name][c] for c in COLUMNS} for name in sorted(groups)}, "errors": errors}


def _counts(wanted: List[str], found: List[str]) -> Dict[str, int]:
    if len(wanted) == 1:
        return {"one": 1, "torn": len(found) > 1}
    return {
        "several": 1,
        "found": len(found) > 1,
        "cut_right": len(found) == len(wanted),
        "intents_right": found == wanted,
    }


def untouched(understanding: Any, folder: Path) -> Dict[str, Any]:
    """Return how many training examples there are, and those that were torn apart."""
    from examples import read_examples

    texts = [example.text for example in read_examples(folder)]
    torn = [text for text, one in zip(texts, understanding.read(texts), strict=True) if one.get("parts")]
    return {"messages": len(texts), "torn": torn}


def as_text(found: Dict[str, Any]) -> str:
    """Return the figures as a Markdown table, and the errors."""
    return "\n".join(_lines(found))


def _lines(found: Dict[str, Any]) -> Iterable[str]:
    yield "| messages | " + " | ".join(column.replace("_", " ") for column in COLUMNS) + " |"
    yield "|---|" + "---|" * len(COLUMNS)
    for name, row in found["groups"].items():
        yield f"| {name} | " + " | ".join(str(row[column]) for column in COLUMNS) + " |"
    for error in found["errors"]:
        yield f"{error['half']}: {' + '.join(error['wanted'])}, found {' + '.join(error['found'])}: {error['text']!r}"
    if "untouched" in found:
        torn = found["untouched"]["torn"]
        yield f"of {found['untouched']['messages']} training examples {len(torn)} torn: {torn}"


if __name__ == "__main__":
    main()
