"""The tests keep rules too."""

import ast
from collections.abc import Iterator

import pytest

from tests.house.tree import place, python_files

Function = ast.FunctionDef | ast.AsyncFunctionDef
CHECKING = ("assert_", "check_", "expect")  # a checker may be a function of its own; playwright's is `expect`
PYTEST = {"raises", "warns", "fail"}


def tests_in(tree: ast.Module) -> Iterator[Function]:
    """Every test function of a module, in classes too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield node


def checks_something(test: Function) -> bool:
    """Say whether a test can fail by what it found."""
    return any(isinstance(node, ast.Assert) or is_check(node) for node in ast.walk(test))


def is_check(node: ast.AST) -> bool:
    """Say whether a call is one that fails when something is wrong."""
    if not isinstance(node, ast.Call):
        return False
    name = ast.unparse(node.func).split(".")[-1]
    return name in PYTEST or name.startswith(CHECKING)


@pytest.mark.parametrize("body", ["assert x", "with pytest.raises(E): f()", "assert_told(x)", "expect(page).to_x()"])
def test_a_check_is_recognised(body):
    """The ways in which our tests check."""
    assert checks_something(next(tests_in(ast.parse(f"def test_x():\n    {body}"))))


def test_an_empty_test_is_recognised():
    """A call alone checks nothing."""
    assert not checks_something(next(tests_in(ast.parse("def test_x():\n    f(x)"))))


def test_no_test_without_an_assertion():
    """It would pass for ever."""
    idle = [
        f"{place(path, test)} {test.name}"
        for path, tree in python_files("tests")
        for test in tests_in(tree)
        if not checks_something(test)
    ]

    assert idle == []


def test_no_test_sleeps():
    """A sleep is either too short, then the test is flaky, or too long, then it is slow."""
    sleeping = [
        place(path, node)
        for path, tree in python_files("tests")
        if "faults" not in path.parts  # the long run waits for real processes
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"time.sleep", "sleep"}
    ]

    assert sleeping == []
