"""The command as an operator runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def guanjia(tmp_path):
    """Run the command in a folder without `.env`, with just these settings."""

    def run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        bare = {name: value for name, value in os.environ.items() if not name.startswith("GUANJIA_")}
        ours = {f"GUANJIA_{name}": value for name, value in settings.items()}
        command = [sys.executable, "-m", "cli", *arguments]
        return subprocess.run(
            command,
            cwd=tmp_path,
            env={**bare, "PYTHONPATH": str(ROOT), **ours},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run
