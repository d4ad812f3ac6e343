"""What service/ promises in its first line: no clock, never commits."""

import ast

import pytest

from tests.house.tree import need, place, python_files

CLOCKS = {"now", "utcnow", "today", "time", "time_ns", "monotonic", "localtime"}
CLOCK_OWNERS = {"datetime", "date", "time"}
ENDINGS = {"commit", "rollback"}


def offends(node: ast.AST) -> bool:
    """Say whether a node reads a clock or ends a transaction."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return False
    owner = ast.unparse(node.func.value).split(".")[-1]
    return node.func.attr in ENDINGS or (node.func.attr in CLOCKS and owner in CLOCK_OWNERS)


@pytest.mark.parametrize("line", ["datetime.now(UTC)", "time.time()", "date.today()", "session.commit()"])
def test_an_offence_is_seen(line):
    """The rule below, on four lines it must not let through."""
    assert any(map(offends, ast.walk(ast.parse(line))))


def test_the_service_reads_no_clock_and_never_commits():
    """`now` is an argument and the transaction is the caller's: that is what makes every decision testable."""
    need("service")

    found = [place(path, node) for path, tree in python_files("service") for node in ast.walk(tree) if offends(node)]

    assert found == []
