"""What holds at the end of every history: nothing lost, doubled, out of order or left behind."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import Engine

from service import outbox
from service.models.talks import Owner
from tests.stage import STAFF_CHAT
from tests.takeover.histories import History
from tests.takeover.world import BUTLERS, RESIDENT, STEPS, World, a_world


def play(engine: Engine, history: History, seen: Counter[str]) -> None:
    """Play the history, let everything come to rest, and look at what arrived.

    Args:
        engine: a database that stands at the beginning; it does so again afterwards.
        history: what happens.
        seen: counts what was seen.

    Raises:
        AssertionError: a promise was broken.
    """
    with a_world(engine, seen) as world:
        seen["histories"] += 1
        seen["steps"] += len(history.steps)
        if history.private:
            seen["histories in private"] += 1
            world.butlers_read_in_private()
        for step, n in history.steps:
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
    answer = "substring(payload ->> 'text' FROM '答\\d+-\\d+')"
    answered = f"SELECT {answer} FROM outbox WHERE chat_id = %s AND {answer} IS NOT NULL GROUP BY 1 HAVING count(*) > 1"
    assert world.rows(answered, RESIDENT) == [], "a turn was answered twice"


def assert_the_log_has_no_gap(world: World) -> None:
    log = world.rows("SELECT epoch, owner, reason FROM handovers ORDER BY epoch")
    world.seen.update(f"changes of who answers: {reason}" for _, _, reason in log)
    assert [epoch for epoch, _, _ in log] == list(range(1, len(log) + 1))
    assert world.rows("SELECT epoch, owner FROM conversations") == [log[-1][:2] if log else (0, "bot")]


def assert_what_was_held_is_settled(world: World) -> None:
    """Once the butlers are gone, everything that waited for it is said or has its reason."""
    held, dropped = "SELECT 1 FROM outbox WHERE state = 'held'", "SELECT 1 FROM outbox WHERE reason = %s"
    world.seen["lines held while a butler talked"] += len(world.rows(held))
    world.seen["lines dropped or held by a takeover"] += len(world.rows(dropped, outbox.TAKEN_OVER))
    if world.owner() is not Owner.BOT:
        world.butler_is_done(0)
        world.butler_is_done(1)
        world.calm_down()
    if world.rows(held):
        world.it_is_noon_again()
        world.calm_down()
    assert world.owner() is Owner.BOT
    left = "SELECT kind, state, reason FROM outbox WHERE state = 'held' OR state <> 'sent' AND reason IS NULL"
    assert world.rows(left) == []
