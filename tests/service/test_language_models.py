"""How a model comes to be known, served and taken back."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from service import language_models
from service.errors import ModelNotFound, ModelRefused, NoEarlierModel, ReasonMissing
from service.models.understanding import Activation
from tests.stage import NOON

FINE = {"measured": "m", "languages": {}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def make_model(session, folder):
    """Put a model with its certificate into the folder and record it."""

    def make(name: str, **certificate: Any) -> str:
        language_models.file_of(folder, name).write_bytes(b"model")
        known = {"data_hash": "d", "trained_at": NOON.isoformat(), "trained_by": "wang", "scores": FINE} | certificate
        (folder / f"{name}.json").write_text(json.dumps(known), "utf-8")
        language_models.record(session, folder)
        return name

    return make


@pytest.fixture
def activate(session):
    """Make a model the active one."""
    return lambda name, **how: language_models.activate(session, name, by="li", now=NOON, **how)


@pytest.fixture
def promote(session, folder):
    """Start a process that finds a model."""

    def run(name: str) -> str | None:
        found = language_models.promote(session, name, folder=folder, by="serve", now=NOON)
        return found.name if found else None

    return run


def served(session) -> str | None:
    """The name of the active model."""
    active = language_models.active(session)
    return active.name if active else None


def worse(**certificate: Any) -> dict[str, Any]:
    """A certificate that the gate refuses beside one with `FINE` scores."""
    return {"scores": {"measured": "other", "languages": {}}} | certificate


def test_a_model_is_recorded_with_what_its_certificate_says(session, make_model):
    make_model("guanjia-1", data_hash="abc", trained_at="2026-11-01T08:00:00+08:00", trained_by="li")

    model = language_models.access_model(session, "guanjia-1")

    assert (model.data_hash, model.trained_by, model.scores) == ("abc", "li", FINE)
    assert model.trained_at == datetime(2026, 11, 1, tzinfo=UTC)


@pytest.mark.parametrize("certificate", [None, "", "[]", '{"trained_at": 7}', "\0"])
def test_a_model_without_a_readable_certificate_is_recorded_all_the_same(session, folder, certificate):
    """Somebody copied the file alone; it may be served, but not past the gate."""
    file = language_models.file_of(folder, "guanjia-1")
    file.touch()
    os.utime(file, (NOON.timestamp(), NOON.timestamp()))
    if certificate is not None:
        (folder / "guanjia-1.json").write_text(certificate, "utf-8")

    language_models.record(session, folder)

    model = language_models.access_model(session, "guanjia-1")
    assert (model.trained_at, model.trained_by, model.scores) == (NOON, "unknown", None)


def test_scores_that_were_measured_later_are_taken_over(session, make_model):
    """The gate compares what was measured on the same messages."""
    make_model("guanjia-1", scores=None)
    make_model("guanjia-1", scores=FINE)
    make_model("guanjia-1", scores=None)

    assert language_models.access_model(session, "guanjia-1").scores == FINE


def test_a_folder_that_is_not_there_holds_no_models(session, folder):
    language_models.record(session, folder / "nowhere")

    assert language_models.every(session) == []


def test_models_are_listed_newest_first(session, make_model):
    make_model("guanjia-2", trained_at=(NOON + timedelta(days=1)).isoformat())
    make_model("guanjia-1")
    make_model("guanjia-3", trained_at=(NOON + timedelta(days=2)).isoformat())

    assert [model.name for model in language_models.every(session)] == ["guanjia-3", "guanjia-2", "guanjia-1"]


def test_the_first_model_is_activated_without_scores(session, make_model, activate):
    """Any model is better than none."""
    make_model("guanjia-1", scores=None)

    activate("guanjia-1")

    assert served(session) == "guanjia-1"


def test_a_model_nobody_knows_cannot_be_activated(activate):
    with pytest.raises(ModelNotFound):
        activate("guanjia-0")


def test_a_worse_model_is_refused_with_reasons_and_the_old_one_stays(session, make_model, activate):
    activate(make_model("guanjia-1"))
    make_model("guanjia-2", **worse())

    with pytest.raises(ModelRefused) as refused:
        activate("guanjia-2")

    assert refused.value.losses
    assert served(session) == "guanjia-1"


def test_force_passes_the_gate_by_and_the_reason_is_kept(session, make_model, activate):
    """Somebody will ask in a month."""
    activate(make_model("guanjia-1"))
    make_model("guanjia-2", **worse())

    activate("guanjia-2", force=True, reason="the old one misses lift alarms")

    newest = session.scalars(select(Activation).order_by(Activation.id.desc())).first()
    assert (newest.model.name, newest.by, newest.reason) == ("guanjia-2", "li", "the old one misses lift alarms")


@pytest.mark.parametrize("reason", [None, "", "  "])
def test_force_without_a_reason_is_refused(make_model, activate, reason):
    make_model("guanjia-1")

    with pytest.raises(ReasonMissing):
        activate("guanjia-1", force=True, reason=reason)


def test_activating_the_active_model_changes_nothing(session, make_model, activate):
    """Otherwise a rollback would lead to the model one wants to leave."""
    activate(make_model("guanjia-1"))
    activate("guanjia-1")

    with pytest.raises(NoEarlierModel):
        language_models.rollback(session, by="li", now=NOON)


def test_a_rollback_leads_to_the_model_before_and_a_second_one_further_back(session, make_model, activate):
    """Whoever rolls back twice does not want the model they just left."""
    for name in ("guanjia-1", "guanjia-2", "guanjia-3"):
        activate(make_model(name))

    back = [language_models.rollback(session, by="li", now=NOON).name for _ in range(2)]

    assert back == ["guanjia-2", "guanjia-1"]
    with pytest.raises(NoEarlierModel):
        language_models.rollback(session, by="li", now=NOON)


def test_after_a_rollback_another_model_can_be_rolled_back_too(session, make_model, activate):
    activate(make_model("guanjia-1"))
    activate(make_model("guanjia-2"))
    language_models.rollback(session, by="li", now=NOON)
    activate(make_model("guanjia-3"))

    assert language_models.rollback(session, by="li", now=NOON).name == "guanjia-1"


def test_a_rollback_says_what_was_left(session, make_model, activate):
    activate(make_model("guanjia-1"))
    activate(make_model("guanjia-2"))

    language_models.rollback(session, by="li", now=NOON)

    newest = session.scalars(select(Activation).order_by(Activation.id.desc())).first()
    assert (newest.undoes.name, newest.reason) == ("guanjia-2", None)  # the page has the words


def test_a_fresh_installation_serves_what_it_finds(session, make_model, promote):
    """Nobody has to know that there is such a thing as activation."""
    assert promote(make_model("guanjia-1", scores=None)) == "guanjia-1"


def test_a_new_version_serves_its_own_model_when_the_gate_lets_it_pass(session, make_model, promote):
    promote(make_model("guanjia-1", base="old"))

    assert promote(make_model("guanjia-2", base="new")) == "guanjia-2"


def test_a_new_version_whose_model_is_worse_serves_the_old_one(session, make_model, promote):
    promote(make_model("guanjia-1", base="old"))
    make_model("guanjia-2", **worse(base="new"))

    with pytest.raises(ModelRefused):
        promote("guanjia-2")

    assert served(session) == "guanjia-1"


def test_a_model_that_was_rolled_back_does_not_return_by_itself(session, make_model, promote):
    """The next restart would undo what somebody did in need."""
    promote(make_model("guanjia-1", base="old"))
    promote(make_model("guanjia-2", base="new"))
    language_models.rollback(session, by="li", now=NOON)

    assert promote("guanjia-2") is None
    assert served(session) == "guanjia-1"


def test_a_model_made_from_new_labels_waits_for_a_person(session, make_model, promote):
    """Review, label, train, compare, activate: the last step is theirs."""
    promote(make_model("guanjia-1", base="same"))

    assert promote(make_model("guanjia-2", base="same")) is None
