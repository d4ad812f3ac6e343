"""Each norm taken out, one behaviour at a time: the test that watches it must fail and say so (`make norms`)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.norms import trial
from tests.norms.rows import Removal, removals
from tests.norms.trial import Trials

pytestmark = pytest.mark.norms
ALL = removals()


@pytest.fixture(scope="session")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project, to take things out of."""
    return trial.make_copy(tmp_path_factory.mktemp("copy"))


@pytest.fixture(scope="session")
def trials(copy: Path, server_url: str) -> Iterator[Trials]:
    """Runs in the copy; they share the database server of this run."""
    assert server_url
    trials = Trials(copy)
    yield trials
    trials.end()


def test_with_everything_in_its_place_they_pass(trials, tmp_path):
    """Or a failure would prove nothing."""
    went = trials.run(dict.fromkeys(removal.test for removal in ALL), tmp_path)

    assert went.code == 0, went.says


@pytest.mark.parametrize("removal", ALL, ids=lambda removal: f"{removal.norm.split()[0]}-{removal.test.split('::')[1]}")
def test_without_it_its_test_fails(copy, trials, tmp_path, removal: Removal):
    with trial.without(copy, removal):
        went = trials.run([removal.test], tmp_path)

    why = trial.why_no_proof(went)
    assert why is None, f"{why}\n{went.says}"
