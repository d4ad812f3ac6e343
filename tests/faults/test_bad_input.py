"""Whatever comes in: a clear answer or a dead letter, never a stack trace, never silence, and the lane goes on."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio

from service import callbacks, cases, db, surveys
from service.cases import Event
from service.models.cases import Case
from service.models.follow_ups import CallBack, FollowUpState, Survey
from tests.faults.harness import Stack, until
from tests.faults.people import Person, resident, text_of

pytestmark = pytest.mark.asyncio(loop_scope="session")
NOW = datetime(2026, 11, 23, 4, tzinfo=UTC)
EXPIRED = "过了时效"
MEGABYTE = b"a" * 1_000_000


@pytest_asyncio.fixture(loop_scope="session", scope="module", params=["polling", "webhook"], autouse=True)
async def way(request: pytest.FixtureRequest, stack: Stack) -> AsyncIterator[str]:
    """How updates reach the ingress."""
    url = f"http://127.0.0.1:{stack.webhook_port}/telegram" if request.param == "webhook" else ""
    if url or await stack.get("updates"):
        stack.tell("ingress", GUANJIA_WEBHOOK_URL=url)
        await stack.restart("ingress")
    yield request.param
    if url:
        stack.tell("ingress", GUANJIA_WEBHOOK_URL="")
        await stack.restart("ingress")


def message(person: Person, **content: Any) -> dict[str, Any]:
    """A message as Telegram would deliver it."""
    face = {"id": person.id, "first_name": person.name}
    envelope = {"message_id": 900_000 + person.id % 1000, "date": 1_795_000_000, "from": {**face, "is_bot": False}}
    return {"message": {**envelope, "chat": {**face, "type": "private"}, **content}}


TEXTS = {
    "nothing": "",
    "only spaces": " \n ",
    "only smileys": "👍🎉❤️",
    "NUL": "厨房\x00水管漏水了。",
    "half of a character": "厨房水管漏水了\ud83d。",
    "as long as can be": ("水管漏水。" * 820)[:4096],
    "a command of Rasa's": "/restart",
    "an intent of Rasa's": '/repair{"location": "别人家"}',
    "only a slash": "/",
    "braces and percents": "{name} %s {0} $1 \\x00 <b>&amp;</b>",
    "right to left": "\u202e水漏管水\u202c。",
}


@pytest.mark.parametrize("words", TEXTS.values(), ids=TEXTS)
async def test_every_text_is_kept_once_and_answered(stack: Stack, wang: Person, words: str):
    """PostgreSQL knows no NUL, JSON no half characters, and Rasa takes a slash for an order."""
    before = len(await wang.hears())

    number = await stack.inject(message(wang, text=words))

    assert "Error" not in await wang.is_answered(before)
    kept = "SELECT count(*) FROM messages JOIN inbox ON inbox.id = inbox_id WHERE update_id = :number"
    assert stack.value(kept, number=number) == 1
    await wang.says("/help")
    await wang.sees("119")


SHAPES: dict[str, dict[str, Any]] = {
    "a kind of tomorrow": {"telepathy": {"thought": "厨房漏水"}},
    "nothing at all": {},
    "a kind we never asked for": {"poll_answer": {"poll_id": "1", "option_ids": [0]}},
    "a message without a chat": {"message": {"message_id": 5, "date": 0, "text": "厨房漏水"}},
    "a message that is a list": {"message": ["厨房漏水"]},
    "a chat that is a number": {"message": {"message_id": 5, "date": 0, "chat": 7, "text": "厨房漏水"}},
    "one megabyte": {"message": {"message_id": 5, "date": 0, "text": "漏" * 170_000}},
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
async def test_an_update_nobody_understands_is_a_dead_letter_with_its_reason(
    stack: Stack, wang: Person, shape: dict[str, Any]
):
    """Refusing it would hold back everything that comes after."""
    before = stack.value("SELECT coalesce(max(id), 0) FROM inbox")

    await stack.inject(shape)

    reason = await stack.until_row("SELECT error FROM inbox WHERE id > :before AND dead_at IS NOT NULL", before=before)
    assert reason
    await wang.says("/help")
    await wang.sees("119")


async def test_what_a_handler_stumbles_over_is_a_dead_letter_at_last_and_staff_hear_of_it(
    stack: Stack, wang: Person, li: Person, way: str
):
    """It is tried again first, because most stumbling is over something that passes."""
    if way == "webhook":
        pytest.skip("the same from the inbox on")
    number = await stack.inject(message(wang, text=7))

    await li.sees("没能处理", topic="General")
    dead = "SELECT error FROM inbox WHERE update_id = :number AND dead_at IS NOT NULL"
    assert " at " in stack.value(dead, number=number)
    await wang.sees("转给了管家")
    await wang.says("/help")
    await wang.sees("119")


async def test_what_is_no_json_and_who_knows_no_secret(stack: Stack, wang: Person, way: str):
    """Only a webhook can be reached by strangers."""
    if way == "polling":
        pytest.skip("a poll asks Telegram itself")
    address, secret = f"http://127.0.0.1:{stack.webhook_port}/telegram", "a-secret-of-the-tests"
    before = stack.value("SELECT count(*) FROM inbox WHERE dead_at IS NOT NULL")

    bodies = (b"{", b"\xff\xfe\x00", b'{"update_id": 1e999}', b"[" * 100_000, b'{"update_id": 1, "x": "%s"}' % MEGABYTE)
    statuses = []
    for given in ("", "wrong", "鑰匙".encode().decode("latin-1"), secret):
        for body in bodies:
            headers = {"X-Telegram-Bot-Api-Secret-Token": given}
            async with stack.http.post(address, data=body, headers=headers) as answer:
                statuses.append(answer.status)

    assert statuses == [401] * 3 * len(bodies) + [200] * len(bodies)
    dead = "SELECT count(*) FROM inbox WHERE dead_at IS NOT NULL"
    assert stack.value(dead) == before + len(bodies)
    assert stack.value("SELECT max(length(raw)) FROM inbox WHERE error LIKE 'larger than%'") <= 1024
    await wang.says("/help")
    await wang.sees("119")


FORGED = (
    "", "x", "::", ":::", "r:1:affirm", "r:0:restart", "r:99999999999999999999:affirm", "r:²:affirm", "r:1:确认",
    "cb:999999:held", "cb:1:maybe", "s:999999:5", "s:1:9", "w:1:accept", "c:1:claim", "o:1:again", "m:1:1", "ü" * 32,
)  # fmt: skip


async def test_forged_buttons_are_refused_one_by_one(stack: Stack, wang: Person):
    """Any client can tap anything; also what only staff see."""
    stack.open_case(wang.id, "水管坏了")
    [greeting] = [found for found in await wang.messages() if "小管家" in text_of(found)][:1]
    for data in FORGED:
        before = len(await wang.hears())

        await wang.taps_on(greeting, data)

        assert EXPIRED in await wang.is_answered(before), data
    state = "SELECT state FROM cases JOIN residents ON residents.id = resident_id WHERE chat_id = :chat"
    assert stack.value(state, chat=wang.id) == "open"


async def test_staffs_forged_buttons_are_refused_in_the_group(stack: Stack, wang: Person, li: Person):
    """A forged tap changes nothing, and is not met with silence either."""
    number = stack.open_case(wang.id, f"龙头坏了 {wang.name}")
    order = await li.sees(number, topic="工程")
    for data in ("w:999999:accept", "w:1:explode", "w:1:to_nowhere", "c:999999:claim", "o:999999:again", "zzz"):
        before = len(await li.hears(topic="工程"))

        await li.taps_on(order, data)

        assert len(await one_more(li, before)) > before, data
    assert stack.value("SELECT state FROM cases WHERE number = :number", number=number) == "open"


async def one_more(person: Person, before: int) -> list[str]:
    """Wait for one more line in the department's topic."""

    async def look() -> list[str]:
        lines = await person.hears(topic="工程")
        return lines if len(lines) > before else []

    return await until(look, "staff are met with silence")


async def test_another_residents_case_call_back_and_survey_stay_theirs(stack: Stack, wang: Person):
    """A number is no key."""
    neighbour = await resident(stack)
    await neighbour.says("/start")
    await neighbour.sees("小管家")
    number = stack.open_case(neighbour.id, "卧室的秘密")
    call_back, survey = _finish_and_ask(stack, number)
    [greeting] = [found for found in await wang.messages() if "小管家" in text_of(found)][:1]

    for data in (f"cb:{call_back}:held", f"cb:{call_back}:not_held", f"s:{survey}:1"):
        before = len(await wang.hears())
        await wang.taps_on(greeting, data)
        assert EXPIRED in await wang.is_answered(before)
    before = len(await wang.hears())
    await wang.says(f"{number} 现在怎么样了？")
    await wang.is_answered(before)

    assert not any("秘密" in line for line in await wang.hears())
    assert stack.value("SELECT state FROM call_backs WHERE id = :id", id=call_back) == "sent"
    assert stack.value("SELECT state FROM surveys WHERE id = :id", id=survey) == "sent"
    assert stack.value("SELECT state FROM cases WHERE number = :number", number=number) == "finished"


def _finish_and_ask(stack: Stack, number: str) -> tuple[int, int]:
    """Bring a case to where its call-back and its survey wait for an answer."""
    with db.transaction(db.sessions(stack.engine)) as session:
        case = session.query(Case).filter(Case.number == number).one()
        cases.advance(session, case, Event.FINISHED, actor="staff:101", key=f"test:{number}", now=NOW)
        callbacks.plan(session, case, now=NOW)
        surveys.ask(session, case, now=NOW)
        call_back = session.query(CallBack).filter(CallBack.case_id == case.id).one()
        call_back.state = FollowUpState.SENT
        return call_back.id, session.query(Survey).filter(Survey.case_id == case.id).one().id
