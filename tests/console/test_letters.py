"""What did not get through, and what is still to come, in the console."""

from __future__ import annotations

import re

import pytest

from console import follow_ups
from service import callbacks, inbox, outbox
from service.inbox import Arrival
from service.models.people import Role
from service.models.queues import InboxRow, OutboxRow, OutboxState
from tests.stage import NOON, Stage

HOSTILE = '"><img src=x onerror=alert(1)><script>alert(1)</script>'


def lost(stage: Stage) -> tuple[int, int, int]:
    """One message in doubt, one that was refused, one update that nobody could handle."""
    community = stage.community
    ids = []
    for place, state in enumerate((OutboxState.UNCONFIRMED, OutboxState.DEAD)):
        row_id = outbox.put(
            stage.session,
            bot_id=community.bot_id,
            community_id=community.id,
            chat_id=77,
            kind="notice",
            act="say",
            payload={"text": f"{HOSTILE} {state}"},
            key=f"lost:{community.id}:{place}",
            state=state,
        )
        assert row_id is not None
        stage.session.get_one(OutboxRow, row_id).reason = HOSTILE
        ids.append(row_id)
    raw = ('{"message": {"text": "' + HOSTILE.replace('"', '\\"') + '"}}').encode()
    inbox.put(stage.session, community.bot_id, [Arrival(1, "chat:77", raw, dead=HOSTILE)])
    [letter] = inbox.dead(stage.session, community.bot_id)
    return ids[0], ids[1], letter.id


def elsewhere(stage: Stage) -> tuple[int, int, int]:
    stage.community = stage.another_community()
    return lost(stage)


@pytest.fixture
def states(committed):
    """What the three rows are now."""

    def read(doubt: int, dead: int, letter: int) -> tuple[str, str, bool]:
        def look(stage: Stage) -> tuple[str, str, bool]:
            rows = [stage.session.get_one(OutboxRow, number).state.value for number in (doubt, dead)]
            return rows[0], rows[1], stage.session.get_one(InboxRow, letter).dead_at is not None

        now: tuple[str, str, bool] = committed(look)
        return now

    return read


async def test_what_did_not_get_through_is_shown_as_text_and_tried_again(signed_in, committed, states):
    """Nothing that is stuck may go unseen, and nobody edits the database for it."""
    doubt, dead, letter = committed(lost)
    browser = await signed_in(Role.SUPERVISOR)

    for box in ("unconfirmed", "dead", "unread", "odd"):
        page = (await browser.get(f"/letters?box={box}")).text
        assert "&lt;script&gt;" in page
        assert "<script>alert" not in page
        assert "<img src=x" not in page
    answers = [
        (await browser.send_form(f"/letters/{doubt}/decide", verdict="perhaps")).status_code,
        (await browser.send_form(f"/letters/{doubt}/decide", verdict="arrived")).status_code,
        (await browser.send_form(f"/letters/{doubt}/decide", verdict="again")).status_code,
        (await browser.send_form(f"/letters/{dead}/send-again")).status_code,
        (await browser.send_form(f"/letters/{letter}/handle-again")).status_code,
        (await browser.send_form(f"/letters/{letter}/handle-again")).status_code,
    ]

    assert answers == [400, 303, 404, 303, 303, 404]
    assert states(doubt, dead, letter) == ("sent", "pending", False)


async def test_what_is_still_to_come_is_held_and_released(signed_in, committed):
    """A call-back that would hurt is held by whoever knows, with the reason beside it."""

    def finished(stage: Stage) -> tuple[int, str]:
        case = stage.case(state="finished")
        callbacks.plan(stage.session, case, now=NOON)
        stage.session.flush()
        return callbacks.of_case(stage.session, case)[0].id, case.number

    number, case = committed(finished)
    browser = await signed_in(Role.SUPERVISOR)

    assert f">{case}</a></td>" in (await browser.get("/schedule?kind=call_back")).text
    assert (await browser.send_form(f"/schedule/{number}/hold", kind="call_back", why=HOSTILE)).status_code == 303
    assert (await browser.send_form(f"/schedule/{number}/hold", kind="call_back", why="x")).status_code == 409
    page = (await browser.get("/schedule?held=1")).text
    assert "&lt;script&gt;" in page
    assert "<script>alert" not in page
    assert (await browser.send_form(f"/schedule/{number}/release", kind="call_back")).status_code == 303
    assert case not in (await browser.get("/schedule?held=1")).text
    assert case not in (await browser.get("/schedule?list=not_sent")).text
    for odd in (
        "kind=x",
        "since=x&until=99999-1-1",
        "after=x",
        "after=2026-01-01",
        "after=2026-01-01T00:00%2B00:00 clock x",
        "case=%00'",
    ):
        assert (await browser.get(f"/schedule?{odd}")).status_code == 200


async def test_the_schedule_shows_every_row_once_however_many_share_a_moment(signed_in, committed, monkeypatch):
    """Cases that are opened together are due together; the next page begins behind the last row, not at its moment."""
    monkeypatch.setattr(follow_ups, "SHOWN", 2)
    cases = committed(lambda stage: [stage.case().number for _ in range(4)])
    browser = await signed_in()

    address, pages, found = "/schedule", 0, []
    while address:
        page = (await browser.get(address)).text
        found += re.findall(r">(R[\w-]+)</a></td>", page)
        address = next(iter(re.findall(r'rel="next" href="([^"]+)"', page)), "").replace("&amp;", "&")
        pages += 1

    assert sorted(found) == sorted(3 * cases)  # three clocks each
    assert pages == len(found) / 2


async def test_nothing_of_another_community_is_there(signed_in, committed, states):
    """IDOR: not to be seen, not to be sent, not to be held."""

    def neighbours(stage: Stage) -> tuple[tuple[int, int, int], int, str]:
        rows = elsewhere(stage)
        case = stage.case(stage.resident(), state="finished")
        callbacks.plan(stage.session, case, now=NOON)
        return rows, callbacks.of_case(stage.session, case)[0].id, case.number

    rows, number, case = committed(neighbours)
    browser = await signed_in(Role.MANAGER)
    before = states(*rows)

    for box in ("unconfirmed", "dead", "unread"):
        assert "script" not in (await browser.get(f"/letters?box={box}")).text.partition("<main")[2]
    for path in (
        f"/letters/{rows[0]}/decide",
        f"/letters/{rows[1]}/send-again",
        f"/letters/{rows[2]}/handle-again",
        f"/schedule/{number}/hold",
        f"/schedule/{number}/release",
    ):
        answer = await browser.send_form(path, verdict="again", kind="call_back", why="x")
        assert answer.status_code == 404, path
    assert states(*rows) == before
    assert case not in (await browser.get("/schedule")).text
