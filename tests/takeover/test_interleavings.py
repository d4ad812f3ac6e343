"""Whatever happens in whatever order: the bot never speaks over a butler, and no line is lost or doubled."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from service import db
from tests.stage import STAFF_CHAT, empty
from tests.takeover.world import BUTLERS, RESIDENT, STEPS, World, a_world, beginning

# What makes a history interesting comes more often than what rarely happens.
OFTEN = ("resident_says", "resident_bursts", "butler_types", "butler_types_in_private", "worker_takes", "worker_takes",
         "sender_takes", "sender_takes", "telegram_takes_it_in", "telegram_takes_it_in", "sender_writes_it_down",
         "rasa_answers")  # fmt: skip
HISTORIES = st.lists(st.tuples(st.sampled_from([*OFTEN, *STEPS]), st.integers(0, 5)), min_size=8, max_size=40)
RUNS = int(os.environ.get("GUANJIA_TAKEOVER_RUNS", "10000"))
QUIETLY = {"deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}


@pytest.fixture
def begun(engine: Engine) -> Iterator[Engine]:
    """A database in which the history may begin; what happens in it is thrown away."""
    with db.sessions(engine).begin() as session:
        beginning(session)
    yield engine
    empty(engine)


@settings(max_examples=60, derandomize=True, **QUIETLY)  # type: ignore[arg-type]
@given(HISTORIES, st.booleans())
def test_sixty_histories_keep_every_promise(begun, history, private):
    """The same sixty every time; `make takeover` plays ten thousand new ones."""
    assert_it_holds(begun, history, Counter(), private=private)


@pytest.mark.takeover
def test_ten_thousand_histories_keep_every_promise(begun, capsys):
    seen: Counter[str] = Counter()

    @settings(max_examples=RUNS, phases=[Phase.generate], **QUIETLY)  # type: ignore[arg-type]
    @given(HISTORIES, st.booleans())
    def play(history, private):
        assert_it_holds(begun, history, seen, private=private)

    play()

    with capsys.disabled():
        sys.stdout.write("\n" + "".join(f"{count:>9,} {what}\n" for what, count in sorted(seen.items())))
    assert seen["histories"] >= RUNS


def assert_it_holds(engine, history, seen, *, private):
    """Play the history, let everything come to rest, and look at what arrived."""
    with a_world(engine, seen) as world:
        seen["histories"] += 1
        if private:
            world.butlers_read_in_private()
        seen["steps"] += len(history)
        for step, n in history:
            STEPS[step](world, n)
        world.calm_down()
        assert_nothing_is_lost(world)
        assert_nothing_is_doubled(world)
        assert_the_log_has_no_gap(world)
        assert_what_was_held_is_settled(world)
        seen_by_night = world.violations()
        assert seen_by_night == [], f"the nightly self-check: {seen_by_night}"


def copies(world: World, chat_id: int) -> list[int]:
    """The messages that were copied to a chat, in the order in which they first arrived there."""
    payloads = dict(world.rows("SELECT id, payload->'message_ids' FROM outbox WHERE act IN ('copy', 'lines')"))
    arrived = [payloads[row] for row, chat in world.arrivals if chat == chat_id and row in payloads]
    return list(dict.fromkeys(number for numbers in arrived for number in numbers))


def assert_nothing_is_lost(world: World) -> None:
    """Every line is kept and has reached whom it was for, or the butler was told why not."""
    kept = Counter(number for (number,) in world.rows("SELECT message_id FROM messages WHERE inbox_id IS NOT NULL"))
    to_resident, to_group, *to_butlers = (copies(world, chat) for chat in (RESIDENT, STAFF_CHAT, *BUTLERS))
    to_staff = [number for numbers in (to_group, *to_butlers) for number in numbers]
    world.seen["lines that butlers read in private"] += len(to_staff) - len(to_group)
    assert len(set(to_staff)) == len(to_staff), "in two places"
    world.seen["lines of butlers' that arrived"] += len(to_resident)
    world.seen["lines that went along in a burst"] += len(world.rows("SELECT 1 FROM outbox WHERE payload ? 'joined'"))
    refused = len(world.rows("SELECT id FROM outbox WHERE key ~ ':utter_staff_(taken|private_not_sent)$'"))
    for number, people_had_it in world.said.items():
        assert kept[number] == 1
        assert number in to_staff or not people_had_it, "the butlers never read it"
    unsent = [number for number in world.typed if number not in to_resident]
    assert len(unsent) <= refused, "a butler's line vanished"
    assert all(kept[number] == (number in to_resident) for number in world.typed)
    for arrived in (to_group, *to_butlers):
        assert [number for number in world.said if number in arrived] == arrived, "out of order"
    for lane in set(world.typed.values()):
        typed = [number for number, where in world.typed.items() if where == lane and number in to_resident]
        world.seen[f"lines of butlers' that came from {lane.partition(':')[0]}"] += len(typed)
        assert typed == [number for number in to_resident if number in typed], "out of order"


def assert_nothing_is_doubled(world: World) -> None:
    """A line arrives once, unless nobody knew whether it had arrived and its kind rather comes twice than never."""
    kinds = dict(world.rows("SELECT id, delivery FROM outbox"))
    for row, times in Counter(row for row, _ in world.arrivals).items():
        if times > 1:
            world.seen["lines that came twice, declared"] += 1
            assert row in world.uncertain
            assert kinds[row] != "at_most_once"


def assert_the_log_has_no_gap(world: World) -> None:
    log = world.rows("SELECT epoch, owner, reason FROM handovers ORDER BY epoch")
    world.seen.update(f"changes of who answers: {reason}" for _, _, reason in log)
    assert [epoch for epoch, _, _ in log] == list(range(1, len(log) + 1))
    assert world.rows("SELECT epoch, owner FROM conversations") == [log[-1][:2] if log else (0, "bot")]


def assert_what_was_held_is_settled(world: World) -> None:
    """Once the butlers are gone, everything that waited for it is said or has its reason."""
    world.butler_is_done(0)
    world.butler_is_done(1)
    world.calm_down()
    world.the_scheduler_wakes(0)
    world.calm_down()
    assert world.owner() == "bot"
    assert (
        world.rows("SELECT kind, state, reason FROM outbox WHERE state = 'held' OR state <> 'sent' AND reason IS NULL")
        == []
    )
