"""How far a training has come, for people and for logs."""

from __future__ import annotations

import io

from cli.progress import show

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
