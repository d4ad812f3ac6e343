"""What a start does about models, with real labels, certificates and Rasa's own checks; nothing is trained here."""

from __future__ import annotations

import shutil

import pytest

from cli import understanding, upgrading
from service import language_models, learning
from service.config import Settings
from service.learning import Labelled
from service.models.understanding import Activation, LabelUse
from tests.cli.shelf import FINE, WORSE, put
from tests.nlu.conftest import DATA, train
from tests.stage import NOON

ELSEWHERE = "你好"  # an example of nlu/data, where it is a greeting


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings.model_validate({"models_dir": tmp_path})


@pytest.fixture(scope="module")
def this_version() -> str:
    return understanding.base_hash()


@pytest.fixture
def start(settings, sessions, database_url):
    """Start, and tell which model is served afterwards."""

    def run() -> str | None:
        upgrading.prepare(settings, database_url)
        with sessions.begin() as session:
            active = language_models.active(session)
            return active.name if active else None

    return run


@pytest.fixture
def contradiction(sessions):
    """A label that no model can be trained with, because the base data says otherwise."""
    with sessions.begin() as session:
        item = Labelled(ELSEWHERE, "goodbye", "zh")
        learning.add(session, item, use=LabelUse.TRAIN, by="li", at=NOON)


def test_the_first_start_serves_the_model_of_this_version(settings, start, this_version):
    """The newest file may be somebody's experiment."""
    put(settings.models_dir, "guanjia-experiment", base="another", trained_at="2030-01-01T00:00:00+00:00")
    put(settings.models_dir, "guanjia-ours", base=this_version)

    assert start() == "guanjia-ours"


def test_an_upgrade_serves_its_own_model(settings, start, this_version):
    put(settings.models_dir, "guanjia-old", base=this_version)
    start()
    put(settings.models_dir, "guanjia-old", base="the version before")
    put(settings.models_dir, "guanjia-new", base=this_version)

    assert start() == "guanjia-new"


def test_an_upgrade_that_understands_less_serves_the_old_model_and_says_so(settings, start, this_version, capsys):
    put(settings.models_dir, "guanjia-old", base=this_version)
    start()
    put(settings.models_dir, "guanjia-old", base="the version before")
    put(settings.models_dir, "guanjia-new", base=this_version, scores=WORSE)

    assert start() == "guanjia-old"
    assert "new_version_understands_less" in capsys.readouterr().out


def test_a_version_that_measures_otherwise_measures_the_old_model_too(settings, start, this_version, pytestconfig):
    """Otherwise no upgrade of the understanding's code would ever pass the gate."""
    put(settings.models_dir, "guanjia-old", base=this_version)
    start()
    put(settings.models_dir, "guanjia-old", base="the version before", scores=FINE | {"measured": "as before"})
    put(settings.models_dir, "guanjia-new", base=this_version)
    trained = train(pytestconfig.cache.mkdir("nlu-models"), DATA / "domain.yml")
    for name in ("guanjia-old", "guanjia-new"):
        shutil.copy(trained, language_models.file_of(settings.models_dir, name))

    assert start() == "guanjia-new"


def test_a_model_whose_file_is_gone_is_replaced_and_the_reason_kept(settings, start, this_version, sessions):
    """Nobody could be answered."""
    put(settings.models_dir, "guanjia-old", base=this_version)
    start()
    language_models.file_of(settings.models_dir, "guanjia-old").unlink()
    put(settings.models_dir, "guanjia-new", base=this_version, scores=WORSE)

    assert start() == "guanjia-new"
    with sessions.begin() as session:
        assert session.get_one(Activation, 2).reason == "the file of guanjia-old is gone"


def test_a_version_that_cannot_be_trained_serves_the_old_model(
    settings, start, this_version, contradiction, capfd, tmp_path
):
    """A wrong label must not keep the assistant from starting."""
    put(settings.models_dir, "guanjia-old", base=this_version)
    start()
    put(settings.models_dir, "guanjia-old", base="the version before")

    assert start() == "guanjia-old"
    assert "goodbye here, but greet in" in capfd.readouterr().err


def test_without_any_model_the_start_ends_with_what_is_wrong(start, contradiction, capfd):
    with pytest.raises(SystemExit):
        start()

    assert "site-labels.yml:4: goodbye here" in capfd.readouterr().err
