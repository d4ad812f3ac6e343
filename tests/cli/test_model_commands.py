"""The commands about models as an operator types them."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from cli import database, models
from service.config import ROOT, Settings
from service.language_models import file_of
from tests import commands
from tests.cli.shelf import put
from tests.nlu.conftest import DATA, train


@pytest.fixture
def folder(tmp_path) -> Path:
    folder: Path = tmp_path / "models"
    folder.mkdir()
    return folder


@pytest.fixture
def guanjia(folder, sessions, database_url):
    """Run the command on an empty database and a folder of models."""

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        settings = {"DATABASE_URL": database_url, "MODELS_DIR": str(folder)}
        return commands.run(list(map(str, arguments)), folder=folder, settings=settings)

    return run


def refused(done: subprocess.CompletedProcess[str], *words: str) -> bool:
    """Whether the command ended with a sentence that has these words, and with nothing else."""
    said = done.stderr.strip()
    return done.returncode == 1 and "Traceback" not in said and all(word in said for word in words)


def test_models_are_trained_compared_activated_and_rolled_back(guanjia, folder, pytestconfig, tmp_path):
    """The whole way, with real models; they are small, so that it takes seconds."""
    cache = pytestconfig.cache.mkdir("nlu-models")
    more = tmp_path / "more.yml"
    more.write_text("nlu:\n- intent: repair\n  examples: |\n    - 门禁刷不开\n", "utf-8")
    names = []
    for extra in ((), ("--site", more)):
        model = train(cache, DATA / "domain.yml", *extra)
        names.append(model.name.removesuffix(".tar.gz"))
        shutil.copy(model, folder)

    first = guanjia("activate", names[0])
    compared = guanjia("compare", *names)
    second = guanjia("activate", names[1], "--force", "it knows the gate")
    listed = json.loads(guanjia("models", "--json").stdout)
    back = guanjia("rollback")

    assert first.returncode == second.returncode == 0, first.stderr + second.stderr
    assert "mended: " in compared.stdout
    assert f"the gate, with {names[0]} served, says to {names[1]}:" in compared.stdout
    assert {model["name"]: model["active"] for model in listed} == {names[0]: False, names[1]: True}
    assert all(model["macro_f1"]["zh"] is not None for model in listed)
    assert back.stdout.startswith(f"{names[0]} is active again")


def test_an_empty_folder_is_said_to_be_empty(guanjia):
    assert "none yet" in guanjia("models").stdout
    assert refused(guanjia("evaluate"), "no model yet", "guanjia train")


@pytest.mark.parametrize("command", [("activate", "guanjia-0"), ("compare", "guanjia-0", "guanjia-0")])
def test_a_model_nobody_knows_is_named(guanjia, command):
    assert refused(guanjia(*command), "guanjia-0: there is no such model")


def test_a_model_may_be_named_as_the_folder_shows_it(guanjia, folder):
    """People copy what they see."""
    put(folder, "guanjia-1")

    done = guanjia("activate", file_of(folder, "guanjia-1"), "--force", "why not")

    assert done.stdout.startswith("guanjia-1 is active")


def test_half_a_file_is_never_activated_not_even_by_force(guanjia, folder):
    """Rasa would keep the old model, and nobody would know why."""
    put(folder, "guanjia-1")
    whole = file_of(folder, "guanjia-1").read_bytes()
    file_of(folder, "guanjia-1").write_bytes(whole[: len(whole) // 2])

    assert refused(guanjia("activate", "guanjia-1", "--force", "I must"), "guanjia-1.tar.gz: is broken")


def test_a_file_that_is_gone_is_never_activated(guanjia, folder):
    put(folder, "guanjia-1")
    guanjia("models")
    file_of(folder, "guanjia-1").unlink()

    assert refused(guanjia("activate", "guanjia-1"), "guanjia-1.tar.gz: is gone")


def test_something_else_in_an_archive_is_no_model(guanjia, folder):
    shutil.make_archive(str(folder / "guanjia-1"), "gztar", ROOT / "docker")

    assert refused(guanjia("activate", "guanjia-1"), "is no model")


def test_force_without_a_reason_is_refused(guanjia, folder):
    put(folder, "guanjia-1")

    assert refused(guanjia("activate", "guanjia-1", "--force", " "), "say why")


def test_activate_wants_a_model_or_an_upgrade(guanjia):
    assert refused(guanjia("activate"), "--upgrade")


def test_an_upgrade_without_news_changes_nothing(guanjia, folder):
    """Containers ask at every start."""
    put(folder, "guanjia-1")

    assert guanjia("activate", "--upgrade").stdout == "guanjia-1 is active now\n"
    assert guanjia("activate", "--upgrade").stdout == "nothing to do; served is guanjia-1\n"


def test_without_a_model_before_there_is_no_rollback(guanjia, folder):
    assert refused(guanjia("rollback"), "no other model was active before")


def test_messages_that_are_not_there_are_named(guanjia):
    assert refused(guanjia("evaluate", "missing.jsonl"), "no such file: missing.jsonl")


def test_a_model_and_messages_are_evaluated_without_a_database(guanjia, folder):
    """A second opinion needs no installation."""
    messages = folder / "messages.jsonl"
    messages.write_text("{}\n", "utf-8")

    assert refused(guanjia("evaluate", messages, "--model", "guanjia-0"), "guanjia-0.tar.gz: is gone")


def test_a_database_that_does_not_answer_is_named(monkeypatch):
    """Not with fifty lines of a library's."""
    monkeypatch.setattr(database, "ANSWERS_WITHIN", 0.0)
    settings = Settings.model_validate({"database_url": "postgresql://guanjia:word@127.0.0.1:9/guanjia"})

    with pytest.raises(models.DatabaseAway) as away, models.shelf(settings):
        pytest.fail("nobody listens there")

    assert "word" not in str(away.value)
