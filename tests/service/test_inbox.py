"""The inbox: kept once, worked on lane by lane under a lease, settled once."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import create_engine, select, text
from sqlalchemy.orm import Session

from service import inbox
from service.db import Sessions
from service.inbox import Arrival, LeaseLost, Turn
from service.models.queues import InboxRow
from tests.stage import BOT_ID

OTHER_BOT = BOT_ID + 1


def message(update_id: int, *, lane: str = "chat:1", **facts: Any) -> Arrival:
    """An update that is complete and stands for itself."""
    return Arrival(update_id, lane, f"update {update_id}".encode(), **facts)


def bubble(update_id: int, *, lane: str = "chat:1", wait: float = 0.0) -> Arrival:
    """A line of text that may be read together with its neighbours."""
    return message(update_id, lane=lane, joins=True, wait=wait)


def put(session: Session, *arrivals: Arrival, bot_id: int = BOT_ID) -> None:
    inbox.put(session, bot_id, arrivals)


def take(session: Session, *, limit: int = 10, bot_id: int = BOT_ID, worker: int = 1) -> list[Turn]:
    return inbox.take(session, bot_id, worker=worker, limit=limit)


def texts(turns: Sequence[Turn]) -> list[list[str]]:
    """What each turn will read."""
    return [[raw.decode().removeprefix("update ") for _, raw in turn.rows] for turn in turns]


def make_everything_due(session: Session) -> None:
    """What the database's clock would do in a while."""
    session.execute(text("UPDATE inbox SET ready_at = now() - interval '1 hour'"))


def let_leases_run_out(session: Session) -> None:
    session.execute(text("UPDATE inbox SET lease_until = now() - interval '1 second'"))


# --- Kept once -------------------------------------------------------------------------------------------------------


def test_the_same_update_twice_is_one_row(session):
    """Telegram repeats what it was not told 200 for, also when we had it."""
    put(session, message(7), message(7))
    put(session, message(7))

    assert texts(take(session)) == [["7"]]


def test_the_same_number_from_another_bot_is_another_update(session):
    """Numbers are the bot's own."""
    put(session, message(7))
    put(session, message(7), bot_id=OTHER_BOT)

    assert session.scalars(select(InboxRow.bot_id).order_by(InboxRow.id)).all() == [BOT_ID, OTHER_BOT]


def test_smaller_numbers_are_kept_too(session):
    """After a quiet week the numbers start anew at random; "greater than the last" would lose them."""
    put(session, message(900), message(3))

    assert texts(take(session)) == [["900"]]
    assert session.query(InboxRow).count() == 2


def test_what_cannot_be_read_is_a_dead_letter_at_once_and_blocks_nobody(session):
    put(session, Arrival(None, "unread", b"\xff\x00", dead="not an update in JSON"), message(1, lane="unread"))

    assert texts(take(session)) == [["1"]]
    assert [(row.raw, row.error) for row in inbox.dead(session, BOT_ID)] == [(b"\xff\x00", "not an update in JSON")]


# --- Lanes -----------------------------------------------------------------------------------------------------------


def test_a_lane_is_worked_in_the_order_of_arrival_one_turn_at_a_time(session):
    put(session, message(1), message(2), message(3))

    seen = []
    while turns := take(session):
        seen += texts(turns)
        assert take(session) == [], "the lane is busy"
        inbox.done(session, turns[0])

    assert seen == [["1"], ["2"], ["3"]]


def test_lanes_are_worked_at_the_same_time_oldest_first(session):
    put(session, message(1, lane="chat:1"), message(2, lane="chat:2"), message(3, lane="chat:1"))

    assert texts(take(session)) == [["1"], ["2"]]


def test_no_more_lanes_are_taken_than_there_are_hands(session):
    put(session, *(message(number, lane=f"chat:{number}") for number in range(5)))

    assert texts(take(session, limit=2)) == [["0"], ["1"]]


def test_the_same_person_in_two_communities_has_two_lanes(session):
    """A private chat's id is the person's: in thousands of communities in one database, lanes must not touch."""
    put(session, bubble(1))
    put(session, bubble(2), bot_id=OTHER_BOT)

    [theirs] = take(session, bot_id=OTHER_BOT)
    [ours] = take(session)

    assert texts([theirs, ours]) == [["2"], ["1"]]


def test_waiting_in_another_community_hurries_nobody(session):
    put(session, bubble(1, wait=30))
    put(session, bubble(2), bot_id=OTHER_BOT)

    assert take(session) == []
    assert 25 < (inbox.seconds_to_next(session, BOT_ID) or 0) <= 30


def test_a_row_that_appears_before_the_one_at_work_waits(session):
    """Two web hooks may commit in another order than they numbered; a revived dead letter comes back with its place."""
    put(session, message(1), message(2))
    session.execute(text("UPDATE inbox SET dead_at = now() WHERE update_id = 1"))
    [turn] = take(session)
    session.execute(text("UPDATE inbox SET dead_at = NULL WHERE update_id = 1"))

    assert take(session) == [], "one worker is in this lane"

    inbox.done(session, turn)
    assert texts(take(session)) == [["1"]]


@pytest.mark.parametrize("lanes", [1, 3])
def test_workers_side_by_side_never_share_a_lane_and_lose_nothing(sessions: Sessions, lanes):
    """SKIP LOCKED and committed leases; each of four workers takes and settles as fast as it can."""
    updates = 40
    with sessions.begin() as session:
        put(session, *(message(number, lane=f"chat:{number % lanes}") for number in range(updates)))
    start = Barrier(4)

    def work(worker: int) -> list[tuple[str, int]]:
        start.wait()
        handled = []
        for _ in range(2000):
            with sessions.begin() as session:
                turns = take(session, worker=worker, limit=2)
                if not turns and inbox.seconds_to_next(session, BOT_ID) is None:
                    break
            for turn in turns:
                with sessions.begin() as session:
                    at_work = "SELECT count(DISTINCT lease) FROM inbox WHERE lane = :lane AND done_at IS NULL"
                    leases = session.scalar(text(f"{at_work} AND lease_until > now()"), {"lane": turn.lane})
                    assert leases == 1
                    handled.append((turn.lane, int(texts([turn])[0][0])))
                    inbox.done(session, turn)
        return handled

    with ThreadPoolExecutor(4) as pool:
        done = [one for each in pool.map(work, range(1, 5)) for one in each]

    assert sorted(number for _, number in done) == list(range(updates))
    with sessions.begin() as session:
        assert all(row.done_at for row in session.query(InboxRow))


def test_within_a_lane_the_order_is_kept_whoever_works(sessions: Sessions):
    with sessions.begin() as session:
        put(session, *(message(number) for number in range(20)))
    order: list[str] = []
    start = Barrier(3)

    def work(worker: int) -> None:
        start.wait()
        while len(order) < 20:
            with sessions.begin() as session:
                turns = take(session, worker=worker)
            for turn in turns:
                order.append(texts([turn])[0][0])  # only the lane's one holder is here
                with sessions.begin() as session:
                    inbox.done(session, turn)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(work, range(1, 4)))

    assert order == [str(number) for number in range(20)]


# --- Bubbles ---------------------------------------------------------------------------------------------------------


def test_a_fragment_waits_for_its_next_bubble(session):
    put(session, bubble(1, wait=30))

    assert take(session) == []
    assert 25 < (inbox.seconds_to_next(session, BOT_ID) or 0) <= 30


def test_a_complete_message_does_not_wait(session):
    put(session, bubble(1))

    assert texts(take(session)) == [["1"]]


def test_a_complete_bubble_releases_the_fragments_before_it_as_one_turn(session):
    put(session, bubble(1, wait=30), bubble(2, wait=30))
    assert take(session) == []

    put(session, bubble(3))

    assert texts(take(session)) == [["1", "2", "3"]]


def test_another_fragment_prolongs_the_wait(session):
    put(session, bubble(1, wait=30))
    make_everything_due(session)
    put(session, bubble(2, wait=30))

    assert take(session) == []


def test_fragments_that_waited_long_enough_are_one_turn(session):
    put(session, bubble(1, wait=30), bubble(2, wait=30))
    make_everything_due(session)

    assert texts(take(session)) == [["1", "2"]]


def test_parts_of_an_album_wait_again_when_ingress_was_down(session):
    """Telegram sends the other parts as soon as somebody asks; whatever is no album goes on at once."""
    album = Arrival(1, "chat:1", b'{"message": {"media_group_id": "a"}}', joins=True)
    put(session, album, bubble(2, lane="chat:2"))
    make_everything_due(session)

    inbox.wait_for_the_rest(session, BOT_ID)

    assert texts(take(session)) == [["2"]]
    make_everything_due(session)
    assert len(take(session)) == 1


def test_a_tap_stands_alone_and_does_not_wait_for_a_fragment(session):
    put(session, bubble(1, wait=30), message(2), bubble(3, wait=30))
    make_everything_due(session)

    seen = []
    while turns := take(session):
        seen += texts(turns)
        inbox.done(session, turns[0])

    assert seen == [["1"], ["2"], ["3"]]


def test_a_flood_of_bubbles_is_cut_into_turns(session):
    put(session, *(bubble(number) for number in range(inbox.MOST_BUBBLES + 5)))

    first = take(session)
    inbox.done(session, first[0])
    second = take(session)

    assert [len(turn.rows) for turn in first + second] == [inbox.MOST_BUBBLES, 5]


def test_a_retried_turn_keeps_exactly_the_rows_it_had(session):
    """Rasa's recorded answer was to just those; what came meanwhile makes the next turn."""
    put(session, bubble(1), bubble(2))
    [first] = take(session)
    put(session, bubble(3))
    let_leases_run_out(session)

    [again] = take(session)

    assert (again.id, again.rows, again.attempts) == (first.id, first.rows, 2)
    inbox.done(session, again)
    assert texts(take(session)) == [["3"]]


def test_a_turn_keeps_its_number_over_a_failure(session):
    """Everything it causes is keyed by that number, so doing it again changes nothing."""
    put(session, message(1), bubble(2))
    [first] = take(session)
    inbox.release(session, first, error="Bug at handle:1")
    let_leases_run_out(session)

    assert [turn.id for turn in take(session)] == [first.id]


# --- Leases ----------------------------------------------------------------------------------------------------------


def test_who_lost_the_lease_cannot_settle(session):
    """Fencing: the slow worker's transaction is rolled back, so that the state is changed once."""
    put(session, message(1))
    [slow] = take(session, worker=1)
    let_leases_run_out(session)
    [quick] = take(session, worker=2)

    with pytest.raises(LeaseLost):
        inbox.done(session, slow)
    inbox.done(session, quick)

    assert take(session) == []


def test_who_lost_the_lease_cannot_settle_after_the_other_has(session):
    put(session, message(1))
    [slow] = take(session, worker=1)
    let_leases_run_out(session)
    [quick] = take(session, worker=2)
    inbox.done(session, quick)

    with pytest.raises(LeaseLost):
        inbox.done(session, slow)


def test_who_lost_the_lease_cannot_give_back_or_bury(session):
    put(session, message(1))
    [slow] = take(session, worker=1)
    let_leases_run_out(session)
    [quick] = take(session, worker=2)

    assert inbox.release(session, slow, error="late") is False
    inbox.bury(session, slow, error="late")

    inbox.done(session, quick)
    assert inbox.dead(session, BOT_ID) == []


def test_a_dead_workers_turn_is_free_at_once(sessions: Sessions, database_url):
    """Nobody waits a minute for the lease when the advisory lock shows that the worker is gone."""
    worker = secrets.randbits(62)
    living = create_engine(database_url.replace("postgresql://", "postgresql+psycopg://"))
    with living.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:number)"), {"number": worker})
        with sessions.begin() as session:
            put(session, message(1))
            take(session, worker=worker)

        with sessions.begin() as session:
            inbox.free_orphans(session)
            assert take(session, worker=2) == [], "it lives"
    living.dispose()  # the connection ends, and with it the lock

    with sessions.begin() as session:
        session.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": worker})  # the server has noticed
    with sessions.begin() as session:
        inbox.free_orphans(session)
        assert texts(take(session, worker=2)) == [["1"]]


# --- Dead letters ----------------------------------------------------------------------------------------------------


def fail(session: Session, *, times: int) -> list[bool]:
    """Take and give back the head again and again; says after each whether it is dead now."""
    outcomes = []
    for _ in range(times):
        [turn] = take(session)
        outcomes.append(inbox.release(session, turn, error="Bug at handle:1"))
        let_leases_run_out(session)
    return outcomes


def test_a_failed_turn_waits_longer_each_time(session):
    put(session, message(1))
    waits = []

    for _ in range(3):
        [turn] = take(session)
        inbox.release(session, turn, error="Bug at handle:1")
        waits.append(inbox.seconds_to_next(session, BOT_ID) or 0)
        let_leases_run_out(session)

    assert 0 < waits[0] < waits[1] < waits[2] < 10


def test_after_the_last_attempt_a_turn_is_a_dead_letter_and_the_lane_goes_on(session):
    put(session, bubble(1), bubble(2))
    put(session, message(3))

    assert fail(session, times=inbox.MAX_ATTEMPTS) == [False] * (inbox.MAX_ATTEMPTS - 1) + [True]

    assert texts(take(session)) == [["3"]]
    assert [row.error for row in inbox.dead(session, BOT_ID)] == ["Bug at handle:1"] * 2


def test_a_turn_that_nobody_will_ever_handle_is_buried_at_once(session):
    put(session, message(1), message(2))
    [turn] = take(session)

    inbox.bury(session, turn, error="unreadable: unknown kind")

    assert texts(take(session)) == [["2"]]
    assert [row.error for row in inbox.dead(session, BOT_ID)] == ["unreadable: unknown kind"]


def test_a_revived_dead_letter_is_handled_afresh(session):
    put(session, message(1))
    fail(session, times=inbox.MAX_ATTEMPTS)
    [row] = inbox.dead(session, BOT_ID)

    assert inbox.revive(session, BOT_ID, row.id)

    [turn] = take(session)
    assert (texts([turn]), turn.attempts) == ([["1"]], 1)
    assert inbox.dead(session, BOT_ID) == []


def test_only_dead_letters_of_this_bot_that_can_be_read_are_revived(session):
    put(session, Arrival(None, "unread", b"?", dead="not an update in JSON"), message(1))
    [unread] = inbox.dead(session, BOT_ID)
    living = session.scalars(select(InboxRow.id).where(InboxRow.update_id == 1)).one()

    assert not inbox.revive(session, BOT_ID, unread.id)
    assert not inbox.revive(session, BOT_ID, living)
    assert not inbox.revive(session, OTHER_BOT, unread.id)
    assert not inbox.revive(session, BOT_ID, 10**12)


def test_nothing_waits_when_everything_is_done(session):
    put(session, message(1))
    [turn] = take(session)
    inbox.done(session, turn)

    assert inbox.seconds_to_next(session, BOT_ID) is None


def test_putting_wakes_whoever_listens_when_it_commits(sessions: Sessions, database_url):
    """No busy polling: within milliseconds of the commit."""
    listener = create_engine(
        database_url.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT"
    )
    with listener.connect() as connection:
        connection.execute(text(f"LISTEN {inbox.CHANNEL}"))
        raw: Any = connection.connection.driver_connection

        with sessions.begin() as session:
            put(session, message(1))

        heard = list(raw.notifies(timeout=10, stop_after=1))
    listener.dispose()
    assert [one.channel for one in heard] == [inbox.CHANNEL]
