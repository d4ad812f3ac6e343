"""What the documents tell people to type exists."""

import importlib
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import typer

from tests.house.tree import ROOT, files, need

CODE = re.compile(r"^```.*?^```|``[^`]+``|`[^`\n]+`", re.DOTALL | re.MULTILINE)
MAKE = re.compile(r"(?:^|[`$\s;(])make (?P<target>[a-z][a-z-]*)")
GUANJIA = re.compile(r"(?:^|[`$\s;(/])guanjia (?P<command>[a-z][a-z-]*(?: [a-z][a-z-]*)?)")
LINK = re.compile(r"\]\((?!https?:|mailto:|#)(?P<target>[^)#\s]+)")


def documents() -> Iterator[Path]:
    """Every Markdown page of the project."""
    return (path for path in files() if path.suffix == ".md")


def told(pattern: re.Pattern[str]) -> set[str]:
    """Everything a pattern finds in code spans and blocks of the documents, and in what operators copy."""
    texts = [" ".join(CODE.findall(path.read_text("utf-8"))) for path in documents()]
    texts += [
        path.read_text("utf-8") for name in (".env.example", "docker/compose.yml") if (path := ROOT / name).exists()
    ]
    return {match[1] for text in texts for match in pattern.finditer(text)}


def targets() -> dict[str, str]:
    """The targets of the Makefile and what each says about itself."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    return dict(re.findall(r"^([a-z][a-z-]*):(?:[^\n#]*)(?:## ?(.*))?$", makefile, re.MULTILINE))


def commands() -> set[str]:
    """The commands of guanjia, groups with their sub-commands: `db`, `db upgrade`."""
    need("cli/app.py")
    main: Any = importlib.import_module("cli.app")
    return set(names_of(typer.main.get_command(main.app)))


def names_of(command: click.Command | Any, prefix: str = "") -> Iterator[str]:
    """Walk a command's sub-commands."""
    for name, sub in getattr(command, "commands", {}).items():
        yield f"{prefix}{name}"
        yield from names_of(sub, f"{prefix}{name} ")


def test_make_targets_that_documents_name_exist():
    """A person with a fresh checkout types what is written."""
    assert told(MAKE) <= set(targets())


def test_guanjia_commands_that_documents_name_exist():
    """The second word counts only where the first is a group."""
    known = commands()

    unknown = {told_of for told_of in told(GUANJIA) if told_of not in known and told_of.split()[0] not in known}

    assert unknown == set()


def test_links_between_documents_lead_somewhere():
    """A moved page takes its links along."""
    dead = [
        f"{path.relative_to(ROOT)}: {target}"
        for path in documents()
        for target in LINK.findall(path.read_text("utf-8"))
        if not (path.parent / target).exists()
    ]

    assert dead == []


def test_the_tests_that_watch_a_norm_exist():
    """The pages of promises name them; a renamed test takes its row along, a deleted one leaves a promise unwatched."""
    pages = "".join(need(f"docs/{page}.md").read_text("utf-8") for page in ("norms", "takeover"))
    named = re.findall(r"`([\w/]+\.py)::(\w+)`", pages)

    missing = [
        f"{file}::{test}" for file, test in named if f"def {test}(" not in need(f"tests/{file}").read_text("utf-8")
    ]

    assert named
    assert missing == []


def test_make_help_lists_every_target():
    """`make` alone is how people find out."""
    helped = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert [target for target, what in targets().items() if not what or f"make {target} " not in helped] == []


def test_decisions_are_numbered_without_gaps():
    """A missing number is a decision that somebody lost or never committed."""
    names = sorted(path.name for path in need("docs/adr").glob("*.md"))

    assert [name[:5] for name in names] == [f"{number:04}-" for number in range(1, len(names) + 1)]


def test_a_decision_says_what_led_to_it_and_what_follows():
    """Nygard's shape: its number and title, when and whether it holds, context, decision, consequences."""
    shape = re.compile(
        r"# (\d+)\. .+\n\nDate: \d{4}-\d\d-\d\d\. Status: (accepted|proposed|superseded by \d{4})\.\n\n"
        r"## Context\n\n.+\n\n## Decision\n\n.+\n\n## Consequences\n\n.+",
        re.DOTALL,
    )

    misshapen = [
        path.name
        for path in need("docs/adr").glob("*.md")
        if not (found := shape.fullmatch(path.read_text("utf-8"))) or int(found[1]) != int(path.name[:4])
    ]

    assert misshapen == []


def test_rooms_page_names_every_room():
    """docs/rooms.md answers where a line goes, so it must know every place."""
    page = need("docs/rooms.md").read_text("utf-8")
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")}

    assert [room for room in rooms if f"`{room}/" not in page] == []


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_ci_runs_nothing_hidden():
    """What passes on a desk passes there: CI calls the two commands people use."""
    script = need(".ci/run").read_text("utf-8")

    assert re.findall(r"^for step in (.*); do$", script, re.MULTILINE) == ["lint test"]
    assert not re.search(r"\b(pytest|ruff|mypy|uv)\b", script)
