"""What the trainer does beside training: candidates read along, old files go, times are those of the house's clock."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cli import models, shadow, trainer
from cli.models import Shelf
from service import db, language_models, readings, shadows, training
from service.config import Settings
from service.language_models import file_of
from service.models.understanding import Reading, Shadow, ShadowEnd, TrainingRun
from tests.answered import answered
from tests.cli.shelf import put
from tests.nlu.conftest import DATA, train
from tests.stage import NOON, Stage

DAY = timedelta(days=1)


@pytest.fixture
def shelf(sessions, tmp_path: Path) -> Shelf:
    """An empty folder of models, and a database; two files and a day are kept."""
    return Shelf(Settings(models_dir=tmp_path, models_kept=1, model_days=1), sessions)


def served(shelf: Shelf, *names: str) -> None:
    """These models were active, one after the other."""
    with shelf.recorded() as session:
        for name in names:
            language_models.activate(session, name, by="li", now=NOON, force=True, reason="so")


def begun(shelf: Shelf, name: str, *, said: str = "灯坏了") -> None:
    """A candidate reads along, and a resident has written."""
    with shelf.recorded() as session:
        stage = Stage(session)
        shadows.begin(session, language_models.access_model(session, name), by="li", now=NOON)
        answered(stage, said, model="guanjia-served")


def shadow_of(shelf: Shelf) -> Shadow:
    with db.transaction(shelf.sessions) as session:
        return session.query(Shadow).one()


def files(shelf: Shelf) -> set[str]:
    return {file.name.split(".")[0] for file in shelf.folder.iterdir()}


def test_old_files_go_and_never_the_active_one_or_the_one_a_rollback_leads_to(shelf: Shelf):
    """A model is 30 MB; what is served tonight must not be what was tidied away today."""
    for age, name in enumerate(("newest", "young", "reads", "old", "before", "active", "older")):
        put(shelf.folder, name, trained_at=(NOON - age * DAY / 2).isoformat())
    served(shelf, "older", "before", "active")
    begun(shelf, "reads")

    deleted = models.prune(shelf, now=NOON + DAY / 4)

    assert sorted(deleted) == ["old", "older"]
    assert files(shelf) == {"newest", "young", "reads", "before", "active"}
    with shelf.recorded() as session:
        assert language_models.access_model(session, "old").scores is not None  # the history stays
        assert language_models.rollback(session, by="li", now=NOON).name == "before"


def test_a_candidate_reads_what_residents_have_said(shelf: Shelf, pytestconfig):
    """With Rasa's own parser, as a process that is gone afterwards."""
    model = train(pytestconfig.cache.mkdir("nlu-models"), DATA / "domain.yml")
    name = Path(shutil.copy(model, shelf.folder)).name.removesuffix(".tar.gz")
    begun(shelf, name, said="灯\u2028坏了")

    assert shadow.read_along(shelf, now=NOON) == 1
    assert shadow.read_along(shelf, now=NOON) == 0

    with db.transaction(shelf.sessions) as session:
        reading = session.query(Reading).one()
        assert (reading.intent, reading.guess) == ("repair", "repair")
        assert 0 < (reading.guess_confidence or 0) <= 1


@pytest.mark.parametrize("harm", [Path.unlink, Path.touch, lambda file: file.write_bytes(b"no archive")])
def test_a_candidate_whose_file_is_gone_or_broken_ends(shelf: Shelf, harm: Any):
    """Nobody tries every half minute for a week."""
    put(shelf.folder, "guanjia-new")
    begun(shelf, "guanjia-new")
    file = file_of(shelf.folder, "guanjia-new")
    file.unlink() if harm is Path.unlink else harm(file) if harm is not Path.touch else file.write_bytes(b"")

    assert shadow.read_along(shelf, now=NOON) == 0

    assert shadow_of(shelf).why is ShadowEnd.GONE


def test_a_shadow_whose_days_are_over_ends_without_reading(shelf: Shelf):
    put(shelf.folder, "guanjia-new")
    begun(shelf, "guanjia-new")

    assert shadow.read_along(shelf, now=NOON + shadows.LASTS) == 0

    assert (shadow_of(shelf).why, shadow_of(shelf).messages) == (ShadowEnd.OVER, 0)


def test_what_a_dead_trainer_has_not_read_the_next_one_does(shelf: Shelf):
    """It takes what waits, and gives it back by saying nothing."""
    put(shelf.folder, "guanjia-new")
    begun(shelf, "guanjia-new")
    for _ in ("dies", "does it"):
        with db.transaction(shelf.sessions) as session:
            running = shadows.current(session)
            assert running is not None
            waiting = readings.unread(session, running, limit=10)

    assert [words for _, words in waiting] == ["灯坏了"]


def test_a_training_is_told_by_the_clock_of_the_house(shelf: Shelf):
    """A demo's clock runs ahead; a page that mixes two clocks lies."""
    with db.transaction(shelf.sessions) as session:
        community = Stage(session).community
        put(shelf.folder, "guanjia-1")
        language_models.record(session, shelf.folder)
        gone = language_models.access_model(session, "guanjia-1").id
        training.ask(session, community_id=community.id, by="li", now=NOON, model_id=gone)
    file_of(shelf.folder, "guanjia-1").unlink()

    assert trainer.Trainer(shelf, lambda: NOON + DAY).look()

    with db.transaction(shelf.sessions) as session:
        run = session.query(TrainingRun).one()
        assert (run.failure, run.started_at, run.ended_at) == ("bad_model", NOON + DAY, NOON + DAY)
