"""A model's certificate, `guanjia-<hash>.json` beside its file: what it was made of, by whom, how well it understands.

`nlu/.venv/bin/python nlu/certificate.py models/guanjia-x.tar.gz ...` measures models whose certificate speaks of other
messages or of older code, and leaves the others alone. The application reads the certificates into its database, so
that a machine without a database may train, and one without Rasa may compare. Exit code 0, or 1: no such model, or no
messages to measure it on.
"""

import argparse
import getpass
import hashlib
import json
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Dict, Iterable, List, Sequence

import launcher

HOME = launcher.HOME
MEASURES_WITH = ("components/*.py",)  # a model of last year is read by the code of today


def exams() -> List[Path]:
    """Return the frozen sets that every model is measured on."""
    return sorted((HOME / "exams").glob("*.jsonl"))


def path_for(model: Path) -> Path:
    """Return where a model's certificate lies."""
    return model.with_name(model.name.replace(".tar.gz", ".json"))


def digest(files: Iterable[Path]) -> str:
    """Return twelve hex digits of what files hold, names left out."""
    found = hashlib.sha256()
    for file in files:
        found.update(hashlib.sha256(file.read_bytes()).digest())
    return found.hexdigest()[:12]


def read(model: Path) -> Dict[str, Any]:
    """Return a model's certificate; one that is missing or broken says nothing."""
    try:
        found = json.loads(path_for(model).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write(model: Path, certificate: Dict[str, Any]) -> None:
    """Put the certificate beside the model, whole or not at all."""
    path = path_for(model)
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(certificate, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    draft.replace(path)


def issue(model: Path, exam: Sequence[Path], **facts: str) -> Dict[str, Any]:
    """Return the certificate of a model that was trained just now; `facts` may say by whom and when instead."""
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    return {"trained_at": now, "trained_by": _user(), **facts, "scores": measure(model, exam)}


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have a number and no name
        return "unknown"


def measure(model: Path, exam: Sequence[Path]) -> Any:
    """Return the scores per language, or what is wrong with the model; None when there is nothing to measure it on."""
    if not exam:
        return None
    command = [sys.executable, str(HOME / "evaluate.py"), "--model", str(model), "--json", *map(str, exam)]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    if done.returncode:
        fault = (done.stderr.strip() or "no answer").splitlines()[-1]
        return {"measured": measured_with(exam), "fault": fault}
    languages = json.loads(done.stdout)["languages"]
    wanted = ("messages", "macro_f1", "accuracy", "intents")
    scores = {language: {name: found[name] for name in wanted} for language, found in languages.items()}
    return {"measured": measured_with(exam), "languages": scores}


def measured_with(exam: Sequence[Path]) -> str:
    """Return what makes scores comparable: the same messages, read by the same code."""
    return digest([*exam, *(file for pattern in MEASURES_WITH for file in sorted(HOME.glob(pattern)))])


def renew(model: Path, exam: Sequence[Path]) -> None:
    """Measure a model again if its scores could not be compared with those of today."""
    known = read(model)
    if exam and (known.get("scores") or {}).get("measured") != measured_with(exam):
        print(f"measuring {model.name}", flush=True)
        write(model, {**known, "scores": measure(model, exam)})


def main() -> None:
    """Measure as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, nargs="+", help="files of models")
    parser.add_argument("--exam", type=Path, nargs="+", default=exams(), help="JSON Lines with text and intent")
    arguments = parser.parse_args()
    missing = [str(path) for path in (*arguments.model, *arguments.exam) if not path.is_file()]
    if missing:
        sys.exit(f"certificate: no such file: {', '.join(missing)}")
    for model in arguments.model:
        renew(model, arguments.exam)


if __name__ == "__main__":
    main()
