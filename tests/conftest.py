"""What holds for every test: no network but this machine.

pytest-socket (its options stand in pyproject.toml) refuses connections of the test process itself. Programs that tests
start are not under its eye, so they inherit a proxy that nobody serves: whatever honours the usual variables fails at
once instead of reaching out.
"""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

from tests.database import database_url, engine, server_url, session, sessions, stage  # noqa: F401 - fixtures

NOBODY = "http://127.0.0.1:9"  # the discard port: nothing listens there
PROXIES = ("http_proxy", "https_proxy", "all_proxy")
LOOPBACK = "127.0.0.1,::1,localhost"
SHARED_DIR = "GUANJIA_TESTS_DIR"

# How long one example takes says how busy the machine is, not whether the code is right.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# Who only wants to know that a test fails need not wait for the shortest example of it.
settings.register_profile("any failure", settings.get_profile("any machine"), phases=[Phase.explicit, Phase.generate])
settings.load_profile("any machine")


class FileByFile(LoadFileScheduling):  # type: ignore[misc]
    """A file's tests stay on one worker, and so do all tests that share the running system of tests/faults.

    pytest-xdist's own groups do nothing with this pytest, which keeps a test's id elsewhere than pytest-xdist sets it.
    """

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        if file == "tests/norms/test_removals.py":
            return nodeid  # each is a run of its own
        return "the running system" if file.startswith("tests/faults/") and "supervisor" not in file else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FileByFile:
    """Share the tests out among the workers."""
    return FileByFile(config, log)


def pytest_configure(config: pytest.Config) -> None:
    """Close the ways out for child processes too, before anything is imported that reads them."""
    for name in PROXIES:
        os.environ[name] = os.environ[name.upper()] = NOBODY
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = LOOPBACK
    os.environ["RASA_TELEMETRY_ENABLED"] = "false"
    if SHARED_DIR not in os.environ:  # else this run is a worker of another, or a trial of tests/norms
        # Not below pytest's own folder: every other run on the machine closes that to the server's user again.
        os.environ[SHARED_DIR] = tempfile.mkdtemp(prefix="guanjia-tests-")
        Path(os.environ[SHARED_DIR]).chmod(0o755)
        config.add_cleanup(forget_what_was_shared)


def forget_what_was_shared() -> None:
    """Remove what the whole run shared."""
    shutil.rmtree(os.environ.pop(SHARED_DIR), ignore_errors=True)
