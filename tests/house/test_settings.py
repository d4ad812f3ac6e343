"""`.env.example` and service.config.Settings say the same."""

import ast
import importlib
import re
from collections.abc import Iterator
from datetime import time
from typing import Any, get_args

import pytest
from pydantic.fields import FieldInfo

from tests.house.tree import need, python_files

LINE = re.compile(r"^#? ?(?P<name>[A-Z][A-Z0-9_]*)=")
UNIT = re.compile(
    r"\b(seconds?|minutes?|hours?|days?|hh:mm|(per|a|an) (second|minute|hour|day)|messages?|port|"
    r"number of|how many|chat id|characters|bytes|mib|percent)\b",
    re.IGNORECASE,
)


def documented() -> dict[str, str]:
    """Each setting of `.env.example` with the comment above it; a blank line ends what a comment is about."""
    found: dict[str, str] = {}
    comment: list[str] = []
    for line in need(".env.example").read_text("utf-8").splitlines():
        if match := LINE.match(line):
            found[match["name"]] = " ".join(comment) + line.partition(" #")[2]
        elif line.startswith("#"):
            comment.append(line.lstrip("# "))
        else:
            comment = []
    return found


def settings() -> tuple[str, dict[str, FieldInfo]]:
    """The prefix and the fields of Settings."""
    need("service/config.py")
    config: Any = importlib.import_module("service.config")
    return config.PREFIX, config.Settings.model_fields


def kinds(annotation: object) -> Iterator[object]:
    """The plain types inside Optional and Annotated."""
    if args := get_args(annotation):
        for arg in args:
            yield from kinds(arg)
    else:
        yield annotation


def test_every_setting_is_documented_and_nothing_else():
    """An operator reads `.env.example`, never the code."""
    prefix, fields = settings()
    ours = {name for name in documented() if name.startswith(prefix)}

    assert ours == {f"{prefix}{name}".upper() for name in fields}


def test_a_setting_has_a_comment():
    """A name alone says neither what nor why."""
    uncommented = [name for name, comment in documented().items() if not comment.strip()]

    assert uncommented == []


def test_a_setting_is_used():
    """One that changes nothing is worse than none: the operator believes in it."""
    _, fields = settings()
    read = {
        node.attr
        for _, tree in python_files("service", "bot", "actions", "console", "cli")
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
    }

    assert set(fields) - read == set()


def test_a_number_has_its_unit():
    """15 what? Seconds."""
    prefix, fields = settings()
    comments = documented()

    without = [
        name
        for name, field in fields.items()
        if {int, float, time} & set(kinds(field.annotation)) and not UNIT.search(comments[f"{prefix}{name}".upper()])
    ]

    assert without == []


def test_a_setting_has_an_example():
    """A refused value is answered with one that works."""
    _, fields = settings()

    assert [name for name, field in fields.items() if not field.examples and field.annotation is not bool] == []


@pytest.mark.parametrize("secret", ["token", "secret", "password"])
def test_a_secret_is_never_shown(secret):
    """SecretStr keeps it out of logs and tracebacks."""
    _, fields = settings()

    shown = [name for name, field in fields.items() if secret in name and "SecretStr" not in str(field.annotation)]

    assert shown == []
