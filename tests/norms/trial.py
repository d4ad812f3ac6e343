"""Tests of the project, run in a copy of it: what they say of a behaviour that was taken out there.

A library that mutates code (mutmut, cosmic-ray) swaps operators and constants; what is taken out here is a promise, and
half of them stand in domain.yml, tables and SQL.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from tests.house.tree import ROOT, files
from tests.norms.rows import Removal

STARTER = Path(__file__).with_name("starter.py")
SHARED = (".venv", ".tools", "nlu/.venv", "models")  # environments and models: nothing is taken out of them
LONGEST = 1800  # seconds: the whole house has to start for some, and the machine may be busy
BRIEFLY = ("-q", "-m", "", "--maxfail=1", "--hypothesis-profile=any failure")  # also what only a target of its own runs
TESTS_FAILED = 1  # pytest's code for that, and for nothing else

# Where pytest says that an exception was raised, and which; the last one of a failure is the cause.
RAISED = re.compile(r"^(\S+\.py):\d+: (\w+)$", re.MULTILINE)
SAYS_SO = frozenset({"AssertionError", "Failed", "NotInTime"})  # the last: what the house is waited for with
UNPACKED = "values to unpack"  # `[line] = told` says that there is one line


@dataclass(frozen=True)
class Trial:
    """How a run went."""

    code: int  # pytest's exit code
    report: str  # as JUnit writes it; nothing when there was none
    says: str


def make_copy(at: Path) -> Path:
    """The project as it stands, with a repository of its own, because house rules ask git for the files."""
    for path in files():
        target = at / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    for name in SHARED:
        (at / name).symlink_to(ROOT / name)
    subprocess.run(["git", "init", "--quiet", at], check=True)
    return at


@contextmanager
def without(copy: Path, removal: Removal) -> Iterator[None]:
    """Take the behaviour out of the copy for a while."""
    file = copy / removal.file
    as_it_was = file.read_text("utf-8")
    file.write_text(removal.of(as_it_was), "utf-8")
    try:
        yield
    finally:
        file.write_text(as_it_was, "utf-8")


class Trials:
    """Runs tests in the copy, each time up to the first that fails."""

    def __init__(self, copy: Path) -> None:
        self._copy = copy
        self._starter = subprocess.Popen(
            [sys.executable, "-P", STARTER],
            env=_environment(copy),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, tests: Iterable[str], out: Path) -> Trial:
        """Run tests; what it writes goes into a folder."""
        report, says = out / "report.xml", out / "says"
        kept = ("-o", f"cache_dir={ROOT / '.pytest_cache'}", f"--junitxml={report}", f"--basetemp={out / 'temp'}")
        arguments = [*BRIEFLY, *kept, *(f"tests/{test}" for test in tests)]
        order = {"at": str(self._copy), "arguments": arguments, "says": str(says), "longest": LONGEST}
        assert self._starter.stdin is not None
        assert self._starter.stdout is not None
        self._starter.stdin.write(f"{json.dumps(order)}\n")
        self._starter.stdin.flush()
        code = int(self._starter.stdout.readline())
        return Trial(code, report.read_text("utf-8") if report.exists() else "", says.read_text("utf-8"))

    def end(self) -> None:
        """No run follows."""
        self._starter.communicate()


def _environment(copy: Path) -> dict[str, str]:
    """Ours, with a place for byte code beside the copy: most of a run would else be spent on compiling all anew.

    Python tells versions of a file apart by the second, and no run is shorter.
    """
    ours = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return ours | {"PYTHONPYCACHEPREFIX": f"{copy}.bytecode"}


def why_no_proof(trial: Trial) -> str | None:
    """Why a run does not show that a test watches what was taken out; None when it does.

    The test itself has to say so: a module that cannot be imported any more, a fixture that breaks or an error in the
    code that was cut would fail any test.
    """
    found = ET.fromstring(trial.report) if trial.report else ET.Element("nothing")
    broken = [f"broken: {error.get('message')}" for error in found.iter("error")]
    failures = [failure.text or "" for failure in found.iter("failure")]
    if trial.code != TESTS_FAILED or broken or not failures:
        return next(iter(broken), f"no test failed (exit code {trial.code})")
    return next((said for failure in failures if (said := _why_not_its_own_word(failure))), None)


def _why_not_its_own_word(failure: str) -> str | None:
    places = RAISED.findall(failure)
    if not places:
        return f"nobody can say where it failed: {failure[-200:]}"
    file, error = places[-1]
    says_so = error in SAYS_SO or (error == "ValueError" and UNPACKED in failure)
    return None if says_so and file.startswith("tests/") else f"{error} in {file} is no word of the test"
