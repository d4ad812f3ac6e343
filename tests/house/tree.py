"""What the house's rules look at: the files of the project, as git sees them, and their syntax."""

import ast
import os
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("cli", "bot", "actions", "console", "service", "sandbox")


def need(name: str) -> Path:
    """Return a path of the project; where it is missing, the rule about it is skipped, but never in CI."""
    path = ROOT / name
    if not path.exists():
        missing = pytest.fail if os.environ.get("CI") else pytest.skip
        missing(f"{name} does not exist yet")
    return path


@cache
def files() -> tuple[Path, ...]:
    """List every file that is or would be committed."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )
    return tuple(path for name in sorted(listed.stdout.split("\0")) if name and (path := ROOT / name).is_file())


def python_files(*rooms: str) -> Iterator[tuple[Path, ast.Module]]:
    """Every Python file below the rooms, parsed."""
    for path in files():
        if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in rooms:
            yield path, parse(path)


@cache
def parse(path: Path) -> ast.Module:
    """The syntax tree of a file, parsed once."""
    return ast.parse(path.read_text("utf-8"), str(path))


def place(path: Path, node: ast.AST) -> str:
    """`file:line`, as editors open it."""
    return f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"


def docstrings(tree: ast.Module) -> set[ast.Constant]:
    """The constants that are docstrings, so that rules about strings can leave them out."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    firsts = (node.body[0] for node in ast.walk(tree) if isinstance(node, documented) and node.body)
    return {first.value for first in firsts if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)}


def strings(tree: ast.Module) -> Iterator[ast.Constant]:
    """Every string literal that is not a docstring, pieces of f-strings included."""
    told = docstrings(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in told:
            yield node
