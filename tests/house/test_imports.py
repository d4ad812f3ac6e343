"""The import contracts of pyproject.toml: kept by the code, and each seen to break when somebody breaks it."""

import ast
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.house.tree import ROOMS, ROOT, need, python_files

CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
CONTRACTS = {contract["id"]: contract["name"] for contract in CONFIG["contracts"]}
ROOTS = CONFIG["root_packages"]

# Contract, the file somebody writes into, and what they write.
VIOLATIONS = [
    ("rooms", "service/errors.py", "import bot"),
    ("rooms", "service/errors.py", "import cli"),
    ("rooms", "bot/__init__.py", "import actions"),
    ("rooms", "bot/__init__.py", "import cli"),
    ("rooms", "actions/__init__.py", "import bot"),
    ("rooms", "console/__init__.py", "import bot"),
    ("rooms", "bot/__init__.py", "import console"),
    ("floors", "service/errors.py", "from service import models"),
    ("floors", "service/outbox.py", "from service import inbox"),
    ("floors", "service/a_module_without_a_floor.py", ""),
    ("service-is-plain", "service/errors.py", "import asyncio"),
    ("service-is-plain", "service/errors.py", "import httpx"),
    ("sandbox-imports-nothing-of-ours", "sandbox/__init__.py", "from service import errors"),
    ("sandbox-imports-nothing-of-ours", "sandbox/__init__.py", "import nlu"),
    *(("nothing-imports-the-sandbox", f"{room}/__init__.py", "import sandbox") for room in ROOTS if room != "sandbox"),
    ("nothing-imports-the-sandbox", "actions/__init__.py", "import rasa.shared"),
    ("nothing-imports-the-sandbox", "cli/__init__.py", "import nlu.channel"),
    *(("telegram", f"{room}/__init__.py", "import telegram") for room in ROOTS if room != "bot"),
    *(("rasa-sdk", f"{room}/__init__.py", "from rasa_sdk import Action") for room in ROOTS if room != "actions"),
    *(("web", f"{room}/__init__.py", "import starlette") for room in ROOTS if room not in ("sandbox", "console")),
    ("web", "bot/__init__.py", "import jinja2"),
]


def lint(folder: Path, *options: str) -> tuple[int, str]:
    """Run the linter in `folder` as `make lint` does, and return its exit code and what it printed."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache", *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def house(tmp_path):
    """Make a copy of the rooms in which one may misbehave."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for room in ROOTS:
        shutil.copytree(need(room), tmp_path / room, ignore=shutil.ignore_patterns("__pycache__", "static"))
    return tmp_path


def plant(house: Path, file: str, line: str) -> None:
    """Write `line` at the end of `file`, as a hurried colleague would."""
    path = house / file
    path.touch()
    path.write_text(f"{path.read_text('utf-8')}\n{line}\n", "utf-8")


def test_the_house_keeps_every_contract(house):
    """The same check as `make lint`, so that `make test` alone shows it too."""
    code, printed = lint(house)

    assert code == 0, printed


@pytest.mark.parametrize(("contract", "file", "line"), VIOLATIONS)
def test_a_contract_breaks_when_violated(house, contract, file, line):
    """A contract that never fails checks nothing: a wrong module name or a typing error would leave it silent."""
    plant(house, file, line)

    code, printed = lint(house, "--contract", contract)

    assert code != 0
    assert f"{CONTRACTS[contract]} BROKEN" in " ".join(printed.split())


def test_every_contract_has_a_violation():
    """Whoever adds a contract also shows how it breaks."""
    assert {contract for contract, _, _ in VIOLATIONS} == set(CONTRACTS)


def test_ingress_may_use_a_web_framework(house):
    """The one door of bot to the web; the contract must leave it open."""
    plant(house, "bot/ingress.py", "import starlette.applications")

    code, printed = lint(house, "--contract", "web")

    assert code == 0, printed


def test_every_room_is_under_contract():
    """A new room is invisible to the linter until it is listed."""
    rooms = {room for room in ROOMS if (ROOT / room).is_dir()}
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}

    assert packages | rooms <= set(ROOTS)


def foreign_imports(tree: ast.Module) -> set[str]:
    """The rooms of ours that a module imports."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(node.module or "")
    return {name.split(".")[0] for name in names} & set(ROOMS)


@pytest.mark.parametrize("line", ["import service", "from service.models import Case", "import bot.rasa as rasa"])
def test_an_import_of_ours_is_seen(line):
    """The check below stands outside import-linter, because Rasa's room has another Python."""
    assert foreign_imports(ast.parse(line))


def test_rasas_room_imports_nothing_of_ours():
    """It runs in an environment where nothing of ours is installed, and must stay replaceable."""
    need("nlu")

    assert {path.name: found for path, tree in python_files("nlu") if (found := foreign_imports(tree))} == {}
