"""The one script that runs before anything is installed, on machines nobody has seen."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.house.tree import need

TOOLS = ("bash", "env", "git", "grep", "cat", "sort", "find", "dirname", "mkdir", "readlink", "sh")


@pytest.fixture
def machine(tmp_path):
    """Make a machine with git and the usual tools, but without any Python, and a checkout on it."""
    for folder in ("bin", "home"):
        (tmp_path / folder).mkdir()
    for tool in TOOLS:
        (tmp_path / "bin" / tool).symlink_to(shutil.which(tool) or "/missing")
    shutil.copytree(need("scripts"), tmp_path / "checkout/scripts")
    return tmp_path


def program(path: Path, script: str) -> None:
    """Put a program on the machine."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def python(path: Path, version: str) -> None:
    """Put a Python on the machine: it answers whether it suits, and makes an environment that notes who made it."""
    suits = "true" if tuple(map(int, version.split("."))) >= (3, 11) else "false"
    made = f'mkdir -p "$4/bin"; printf "#!/bin/sh\\n" > "$4/bin/python"; echo {version} > "$4/made-by"'
    program(path, f'case "$1" in -c) {suits} && echo "$0";; -m) {made}; /bin/chmod +x "$4/bin/python";; esac')


def setup(machine: Path) -> subprocess.CompletedProcess[str]:
    """Fetch uv, the first step, as `make setup` does."""
    environment = {"PATH": str(machine / "bin"), "HOME": str(machine / "home")}
    command = [str(machine / "checkout/scripts/setup"), "uv"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=30)


def chosen(machine: Path) -> str:
    """Return the version of the Python that made the environment for uv."""
    return (machine / "checkout/.tools/venv/made-by").read_text().strip()


def test_without_a_python_it_says_what_it_needs(machine):
    """The first thing somebody reads must be the way out."""
    done = setup(machine)

    assert done.returncode == 1
    assert "needs Python 3.11 or newer" in done.stderr


def test_a_python_that_is_too_old_is_passed_over(machine):
    """Debian's python3 may be 3.9, with a newer one beside it."""
    python(machine / "bin/python3", "3.9")
    python(machine / "bin/python3.12", "3.12")

    setup(machine)

    assert chosen(machine) == "3.12"


def test_a_shim_that_does_not_run_is_passed_over(machine):
    """Those of pyenv exist for every version anybody installed, and end with 127 when it is not the chosen one."""
    program(machine / "bin/python3", "exit 127")
    python(machine / "home/.pyenv/versions/3.11.7/bin/python", "3.11")

    setup(machine)

    assert chosen(machine) == "3.11"


def test_a_second_run_does_nothing(machine):
    """`make demo` and `make test` call it every time."""
    python(machine / "bin/python3", "3.13")
    setup(machine)
    program(machine / "checkout/.tools/venv/bin/uv", "")

    again = setup(machine)

    assert again.stdout == "[1/1] uv: up to date\n"


@pytest.mark.skipif(os.name == "nt", reason="a shell script")
def test_the_command_says_when_there_is_no_environment_yet(tmp_path):
    """Somebody types ./guanjia before make."""
    shutil.copy(need("guanjia"), tmp_path)

    done = subprocess.run([tmp_path / "guanjia", "demo"], capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "make setup" in done.stderr
