"""Whatever happens in whatever order: the bot never speaks over a butler, and no line is lost or doubled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from service import db
from tests.stage import empty
from tests.takeover.histories import History, shortened, written
from tests.takeover.promises import play
from tests.takeover.world import beginning

SEEDS = range(1, 61)  # `make takeover` plays on


@pytest.fixture(scope="module")
def begun(engine: Engine) -> Iterator[Engine]:
    """A database in which histories may begin; what happens in them is thrown away."""
    with db.sessions(engine).begin() as session:
        beginning(session)
    yield engine
    empty(engine)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_history_keeps_every_promise(begun, seed):
    """The first of the ten thousand; `make takeover` plays all of them, and shortens those that break."""
    seen: Counter[str] = Counter()

    play(begun, written(seed), seen)

    assert seen["histories"] == 1


def test_a_broken_history_is_shortened_to_what_breaks_it():
    """A failure of thirty steps tells nobody anything."""
    history = History(private=False, steps=[(name, 0) for name in "abcabc"])

    shortest = shortened(history, lambda one: [name for name, _ in one.steps].count("c") > 1)

    assert [name for name, _ in shortest.steps] == ["c", "c"]
