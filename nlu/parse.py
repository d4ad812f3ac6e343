"""Understand messages: `nlu/.venv/bin/python nlu/parse.py --model models/x.tar.gz < in.jsonl > out.jsonl`.

One JSON object with `text` per line in, one line out, in order: {text, intent, confidence, entities: [{start, end,
label, value}]}, offsets in characters of the text as given. A line that is no message gives {"line", "error"} and the
work goes on. Exit code 0: every line understood; 2: some lines were not messages; 1: no such model or file.
"""

import argparse
import json
import sys
from itertools import islice
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator

import launcher

BATCH = 200  # lines


def main() -> int:
    """Parse as the command line says."""
    arguments = _arguments()
    model = newest_model(arguments.model)
    lines = _opened(arguments.file)
    launcher.prepare()
    launcher.hush_tools()
    from understanding import Understanding

    understanding = Understanding(model)
    bad = 0
    with lines:
        for result in parsed(understanding, lines):
            bad += "error" in result
            sys.stdout.write(json.dumps(result, ensure_ascii=False) + "\n")
    return 2 if bad else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, nargs="?", help="JSON Lines; standard input when not given")
    parser.add_argument("--model", type=Path, default=launcher.HOME.parent / "models", help="file, or folder: newest")
    sys.stdout.reconfigure(encoding="utf-8", errors="replace")
    return parser.parse_args()


def newest_model(path: Path) -> Path:
    """Return the model itself, or the youngest of a folder."""
    models = sorted(path.glob("*.tar.gz"), key=lambda model: model.stat().st_mtime) if path.is_dir() else [path]
    if not models or not models[-1].is_file():
        sys.exit(f"no model at {path}; train one with nlu/train.py")
    return models[-1]


def _opened(path: Any) -> Any:
    if path is None:
        return sys.stdin.buffer
    if not path.is_file():
        sys.exit(f"no such file: {path}")
    return path.open("rb")


def parsed(understanding: Any, lines: Iterable[bytes]) -> Iterator[Dict[str, Any]]:
    """Yield one result per line that is not blank, a batch at a time."""
    numbered = ((number, line) for number, line in enumerate(lines, 1) if line.strip())
    while batch := list(islice(numbered, BATCH)):
        read = [read_line(number, line) for number, line in batch]
        results = iter(understanding.parse([item["text"] for item in read if "error" not in item]))
        yield from (item if "error" in item else next(results) for item in read)


def read_line(number: int, line: bytes) -> Dict[str, Any]:
    """Return the object of a line, or what is wrong with it."""
    try:
        item = json.loads(line)
    except (ValueError, RecursionError):
        return {"line": number, "error": "not JSON"}
    text = item.get("text") if isinstance(item, dict) else None
    if not isinstance(text, str):
        return {"line": number, "error": "no text"}
    if not text.strip():
        return {"line": number, "error": "empty text"}
    return item


if __name__ == "__main__":
    sys.exit(main())
