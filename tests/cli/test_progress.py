"""How far a training or an import has come, for people and for logs."""

from __future__ import annotations

import io

from cli.progress import Steps, show

LINES = ["component 1/2 Entities\n", "component 2/2 IntentClassifier\n", "measuring x\n", "model models/x.tar.gz\n"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_log_gets_plain_lines_without_the_result():
    target = io.StringIO()

    result = show(LINES, target)

    assert result == "models/x.tar.gz"
    assert target.getvalue() == "".join(LINES[:3])


def test_a_terminal_gets_a_bar_that_fills_and_goes_away():
    target = Terminal()

    show(LINES, target)

    shown = target.getvalue().split("\r\033[K")
    assert shown[1] == f"[{'#' * 15}{'.' * 15}] 1/2 Entities"
    assert shown[2] == f"[{'#' * 30}] 2/2 IntentClassifier"
    assert shown[-1] == ""


def test_a_trainer_that_says_nothing_made_nothing():
    """It failed, and its reason stands on standard error."""
    assert show([], io.StringIO()) == ""


def test_rows_are_counted_and_steps_named_for_a_log():
    """The first and the last row, and one line every few seconds between."""
    target = io.StringIO()

    with Steps(3, target) as steps:
        assert list(steps.counted("abc")) == ["a", "b", "c"]
        steps.step("check")

    lines = target.getvalue().splitlines()
    assert [line.rpartition("] ")[2] for line in lines[:2]] == ["1/3 rows", "3/3 rows"]
    assert lines[1].startswith(f"[{'#' * 30}]")
    assert lines[2].endswith("check")


def test_rows_nobody_has_counted_before_have_no_bar():
    target = Terminal()

    with Steps(0, target) as steps:
        list(steps.counted("ab"))

    assert [line for line in target.getvalue().split("\r\033[K") if line] == ["1/? rows", "2/? rows"]
