"""Trainings that staff ask for: one at a time, with an end whatever happens."""

from __future__ import annotations

from datetime import timedelta

from service import training
from service.models.understanding import LanguageModel, TrainingRun, TrainingState
from tests.stage import NOON, Stage

LATER = NOON + timedelta(minutes=1)


def ask(stage: Stage) -> TrainingRun | None:
    return training.ask(stage.session, community_id=stage.community.id, by="staff:101", now=NOON)


def model(stage: Stage) -> LanguageModel:
    made = LanguageModel(name="guanjia-1", data_hash="d", trained_at=NOON, trained_by="li")
    stage.session.add(made)
    stage.session.flush()
    return made


def test_who_asks_twice_is_told_until_the_first_has_ended(stage: Stage):
    """Two trainings would fight for two cores and one folder."""
    run = ask(stage)
    assert run is not None

    assert ask(stage) is None
    training.take(stage.session, now=NOON)
    assert ask(stage) is None

    training.finish(stage.session, run.id, model_id=model(stage).id, now=LATER)
    assert ask(stage) is not None


def test_a_run_says_how_far_it_is_and_what_came_of_it(stage: Stage):
    """The page shows what the row says."""
    run = ask(stage)
    assert run is not None
    training.take(stage.session, now=NOON)
    training.tell(stage.session, run.id, step=3, steps=9, doing="Classifier")
    made = model(stage)
    training.finish(stage.session, run.id, model_id=made.id, now=LATER)

    stage.session.refresh(run)

    assert (run.state, run.step, run.steps, run.doing) == (TrainingState.DONE, 3, 9, "Classifier")
    assert (run.model_id, run.started_at, run.ended_at) == (made.id, NOON, LATER)


def test_what_nobody_has_begun_can_be_taken_back_and_what_runs_cannot(stage: Stage):
    """A trainer that is gone must not keep everybody from training for ever."""
    first = ask(stage)
    assert first is not None

    assert training.cancel(stage.session, first.id, now=LATER)
    assert training.take(stage.session, now=LATER) is None

    second = ask(stage)
    assert second is not None
    training.take(stage.session, now=LATER)
    assert not training.cancel(stage.session, second.id, now=LATER)


def test_what_a_dead_trainer_left_behind_is_ended_with_the_reason(stage: Stage):
    """Its successor knows that nobody works on it."""
    run = ask(stage)
    assert run is not None
    training.take(stage.session, now=NOON)

    training.end_interrupted(stage.session, now=LATER)

    stage.session.refresh(run)
    assert (run.state, run.failure, run.ended_at) == (TrainingState.FAILED, training.INTERRUPTED, LATER)
