"""The command as an operator runs it."""

from __future__ import annotations

import subprocess

import pytest

from tests import commands


@pytest.fixture
def guanjia(tmp_path):
    """Run the command in a folder without `.env`, with just these settings."""

    def run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        return commands.run(arguments, folder=tmp_path, settings=settings)

    return run
