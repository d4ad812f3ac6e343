"""What holds for every test: no network but this machine.

pytest-socket (its options stand in pyproject.toml) refuses connections of the test process itself. Programs that tests
start are not under its eye, so they inherit a proxy that nobody serves: whatever honours the usual variables fails at
once instead of reaching out.
"""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from tests.database import database_url, engine, server_url, session, sessions, stage  # noqa: F401 - fixtures

NOBODY = "http://127.0.0.1:9"  # the discard port: nothing listens there
PROXIES = ("http_proxy", "https_proxy", "all_proxy")
LOOPBACK = "127.0.0.1,::1,localhost"


def pytest_configure(config: pytest.Config) -> None:
    """Close the ways out for child processes too, before anything is imported that reads them."""
    for name in PROXIES:
        os.environ[name] = os.environ[name.upper()] = NOBODY
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = LOOPBACK
    os.environ["RASA_TELEMETRY_ENABLED"] = "false"
    if not hasattr(config, "workerinput"):
        # Not below pytest's own folder: every other run on the machine closes that to the server's user again.
        os.environ["GUANJIA_TESTS_DIR"] = tempfile.mkdtemp(prefix="guanjia-tests-")
        Path(os.environ["GUANJIA_TESTS_DIR"]).chmod(0o755)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove what the whole run shared."""
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ.pop("GUANJIA_TESTS_DIR", ""), ignore_errors=True)
