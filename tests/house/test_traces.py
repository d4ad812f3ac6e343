"""Nothing of whoever wrote it, or of the machine it was written on, stays in the project."""

import re
from pathlib import Path

import pytest

from tests.house.tree import ROOT, files

TRACES = {
    "a path of one machine": r"(?<![\w.-])/(root|work|home/[a-z]+|Users/[A-Za-z]+)/",
    "a package registry": r"\b(pypi\.org|pythonhosted\.org|npmjs\.(org|com))\b|/simple/",
    "a tool that wrote it": r"\b(claude|anthropic|chatgpt|openai|copilot|codex|gemini|sub-?agent)\b|as an ai\b",
    "a note that is not here": r"\b(rasa_facts|telegram_facts|service_norms)\b|\.\./shared/",
}
LOCKS = {"uv.lock"}
SELF = Path(__file__).resolve()


def text_of(path: Path) -> str:
    """What a file says; pictures and other binaries say nothing."""
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        return ""


@pytest.mark.parametrize("what", TRACES)
def test_no_trace_is_left(what):
    """A reader elsewhere can do nothing with it."""
    pattern = re.compile(TRACES[what], re.IGNORECASE)

    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path in files()
        if path != SELF and path.name not in LOCKS
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if pattern.search(line)
    ]

    assert found == []
