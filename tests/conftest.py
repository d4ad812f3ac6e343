"""What holds for every test: no network but this machine.

pytest-socket (its options stand in pyproject.toml) refuses connections of the test process itself. Programs that tests
start are not under its eye, so they inherit a proxy that nobody serves: whatever honours the usual variables fails at
once instead of reaching out.
"""

import os

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
