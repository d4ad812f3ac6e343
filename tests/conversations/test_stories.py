"""Dialogues end to end: real Rasa, real action server, real PostgreSQL, real bot; only Telegram is the look-alike."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest
import pytest_asyncio
import yaml
from sqlalchemy import NullPool, create_engine, text

from cli import database
from cli.demo import STORY
from sandbox.play import Stage, play
from service import archive, communities, db, invitations, roster, roster_file
from service.where import Where
from tests import botapi_spec
from tests.faults.harness import BOT_ID, NOON, Stack, running

HERE = Path(__file__).parent
ROSTER = HERE / "roster.csv"
STORIES = [STORY, *sorted(HERE.glob("*.yml"))]

pytestmark = [pytest.mark.xdist_group("conversations"), pytest.mark.asyncio(loop_scope="session")]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """Everything up, for all stories one after the other."""
    async with running(tmp_path_factory.mktemp("house")) as stack:
        with db.transaction(db.sessions(stack.engine)) as session:
            community = communities.access_community(session, BOT_ID)
            rows = roster_file.open_roster(ROSTER.read_bytes()).read()
            assert not roster.take_in(session, community, rows, now=datetime.fromisoformat(NOON)).problems
        yield stack


@pytest.mark.parametrize("story", STORIES, ids=lambda path: path.stem)
async def test_the_story_goes_as_written(house, story):
    """On a failure the transcript stands in the captured output."""
    lines: list[str] = []

    try:
        await play(
            yaml.safe_load(story.read_text("utf-8")),
            house.url,
            group=house.group,
            say=lambda who, what: lines.append(f"{who}: {what}"),
        )
    except AssertionError as error:
        pytest.fail("\n".join([*lines, str(error)]), pytrace=False)

    await house.settled()
    assert house.value("SELECT count(*) FROM inbox WHERE dead_at IS NOT NULL") == 0
    assert house.value("SELECT count(*) FROM outbox WHERE state IN ('dead', 'unconfirmed')") == 0


async def test_what_was_not_understood_and_what_a_butler_corrected_is_kept_for_review(house):
    """Comes after the stories: `wrong_kind` holds both."""
    kept = dict(house.rows("SELECT why, text FROM candidates WHERE why IN ('rephrase', 'corrected') ORDER BY id DESC"))
    steps = house.rows("SELECT actor, data FROM case_events WHERE event = 'kind_corrected'")

    assert kept["rephrase"] == "6栋1单元503"
    assert kept["corrected"].startswith("厨房水龙头一直漏水没人来管，6栋")
    assert [(actor[:6], data) for actor, data in steps] == [("staff:", {"from": "repair", "to": "inquiry"})]


async def test_what_waits_for_a_form_outlives_rasa(house):
    """The second request of a message stands in the tracker store, not in a process."""
    stage = Stage(house.http, house.url, group=house.group, bot_name="", say=lambda *_: None)
    await stage.enter({"shi": {"first_name": "施女士", "language_code": "zh"}})
    await stage.step({"who": "shi", "says": "7栋802厨房水龙头滴水，另外客厅的灯不亮了，电话13500135008"})
    await stage.step({"who": "shi", "sees": "您还提到"})

    await house.restart("rasa")

    await stage.step({"who": "shi", "taps": "确认"})
    await stage.step({"who": "shi", "sees": "工单号"})
    await stage.step({"who": "shi", "sees": ["事由：客厅的灯不亮了", "7栋802"]})
    assert house.value("SELECT count(*) FROM cases WHERE matter LIKE '%龙头%' AND place LIKE '7栋%802%'") == 1


async def test_an_invitation_opens_its_household_once(house):
    """The token is on paper only, so the story cannot stand in a file."""
    with db.transaction(db.sessions(house.engine)) as session:
        community = communities.access_community(session, BOT_ID)
        door = archive.find_household(session, community.id, Where("12", "1", "1506"))
        assert door is not None
        token = invitations.invite(session, door, now=datetime.fromisoformat(NOON))
    stage = Stage(house.http, house.url, group=house.group, bot_name="", say=lambda *_: None)
    people = {"zhong": {"first_name": "钟明"}, "finder": {"first_name": "路人"}}
    await stage.enter({name: who | {"language_code": "zh"} for name, who in people.items()})

    for step in (
        {"who": "zhong", "says": f"/start {token}"},
        {"who": "zhong", "sees": ["12栋1单元1506", "您是哪一位"]},
        {"who": "zhong", "taps": "钟先生（业主）"},
        {"who": "zhong", "sees": ["已为您绑定", "12栋1单元1506"]},
        {"who": "zhong", "says": f"/start {token}"},
        {"who": "zhong", "sees": "已经绑定在"},
        {"who": "finder", "says": f"/start {token}"},
        {"who": "finder", "sees": ["邀请用不了了", "/bind"]},
        {"who": "finder", "says": "/me"},
        {"who": "finder", "sees": "还没有绑定"},
    ):
        await stage.step(step)


async def test_what_is_forgotten_is_gone_from_rasas_room_too_and_nobody_elses(house):
    """The tracker store has a database of its own, which no query of ours sees."""
    stage = Stage(house.http, house.url, group=house.group, bot_name="", say=lambda *_: None)
    people = {"an": {"first_name": "安先生"}, "bo": {"first_name": "柏先生"}}
    await stage.enter({name: who | {"language_code": "zh"} for name, who in people.items()})
    for who in people:
        await stage.step({"who": who, "says": "你好，在吗"})
        await stage.step({"who": who, "sees": "您"})
    found = "SELECT c.id FROM conversations c JOIN residents r ON r.id = c.resident_id WHERE display_name = :name"
    an, bo = (str(house.value(found, name=who["first_name"])) for who in people.values())

    await stage.step({"who": "an", "says": "/forget"})
    await stage.step({"who": "an", "taps": "确认删除"})
    await stage.step({"who": "an", "sees": "已删除"})

    assert (dialogue(house, an), dialogue(house, bo) > 0) == (0, True)


def dialogue(house: Stack, sender: str) -> int:
    """How many events of a dialogue Rasa keeps."""
    engine = create_engine(house.engine.url.set(database=database.RASA_DATABASE), poolclass=NullPool)
    with engine.connect() as connection:
        counted = text("SELECT count(*) FROM events WHERE sender_id = :sender")
        return int(connection.scalar(counted, {"sender": sender}) or 0)


async def test_every_call_made_meanwhile_is_one_the_specification_allows(house):
    """Comes after the stories, and reads what the look-alike wrote down about them."""
    calls = await house.get("requests")

    wrong = [problem for call in calls for problem in botapi_spec.check_request(call["method"], call["params"])]

    assert len(calls) > 10
    assert wrong == []
