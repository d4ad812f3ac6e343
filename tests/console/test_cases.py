"""Cases in the console: found, read, worked on, and never another community's."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import event, select

from console import texts
from service import cases, conversations, work
from service.conversations import Said
from service.models.cases import Case, CaseState
from service.models.console import SavedView
from service.models.people import Role
from tests.stage import NOON, Stage

HOSTILE = '"><img src=x onerror=alert(1)><script>alert(1)</script>'
VERSION = re.compile(r'name="version" value="(\d+)"')


@pytest.fixture
def case_of(sessions):
    """A case as it stands in the database now."""

    def read(case_id: int) -> Case:
        with sessions() as session:
            case: Case = session.get_one(Case, case_id)
            return case

    return read


def neighbours_case(stage: Stage) -> int:
    """A case of another community."""
    stage.community = stage.another_community()
    return stage.case(stage.resident()).id


async def numbers(browser, query: str) -> list[str]:
    """The cases a filter finds, in order."""
    answer = await browser.get(f"/cases?{query}")
    assert answer.status_code == 200
    return re.findall(r'<a href="/cases/\d+">([^<]+)</a>', answer.text)


async def test_a_filter_is_a_link_and_finds_what_it_says(signed_in, committed, clock):
    """A supervisor passes the address on; it must mean the same to whoever opens it."""

    def a_week(stage: Stage) -> list[str]:
        leak = stage.case(stage.resident(display_name="李强"), matter="厨房水管漏水", place="3栋2单元1201")
        lift = stage.case(matter="电梯按钮坏了", place="5栋1单元301", state="accepted")
        noise = stage.case(kind="complaint", matter="楼上半夜太吵", state="closed")
        lift.urgency = 2
        return [leak.number, lift.number, noise.number, str(leak.resident_id)]

    leak, lift, noise, resident = committed(a_week)
    browser = await signed_in()

    assert await numbers(browser, "") == [noise, lift, leak]
    assert await numbers(browser, "state=closed") == [noise]
    assert await numbers(browser, "state=at_work") == [lift, leak]
    assert await numbers(browser, "kind=complaint") == [noise]
    assert await numbers(browser, "category=lift") == [lift]
    assert await numbers(browser, "department=engineering&urgency=2") == [lift]
    assert await numbers(browser, f"resident={resident}") == [leak]
    assert await numbers(browser, "since=2026-11-23&until=2026-11-23") == [noise, lift, leak]
    assert await numbers(browser, "since=2026-11-24") == []
    assert await numbers(browser, "q=水管") == [leak]
    assert await numbers(browser, "q=按钮 5栋") == [lift]
    assert await numbers(browser, "q=%25_") == []
    assert await numbers(browser, "overdue=1") == []
    clock.advance(timedelta(days=3))
    browser = await signed_in()
    assert set(await numbers(browser, "overdue=1")) == {lift, leak}


async def test_what_cannot_be_read_in_a_filter_is_said_and_left_out(signed_in, committed):
    """Bad input is normal; the list stays useful."""
    number = committed(lambda stage: stage.case().number)
    browser = await signed_in()

    page = await browser.get("/cases?resident=x&urgency=nine&since=99999-1-1&until=0001-01-01&before=abc&state=odd")

    assert page.status_code == 200
    assert page.text.count('aria-invalid="true"') == 3
    assert number not in page.text  # nothing was opened in the year 1
    assert await numbers(browser, "kind=x'--") == []


async def test_the_list_goes_on_behind_its_last_row(signed_in, committed):
    """By key: the thousandth page costs what the first does."""
    committed(lambda stage: [stage.case(conversation) for conversation in [stage.resident()] for _ in range(53)])
    browser = await signed_in()

    first = await browser.get("/cases?state=open")
    rest = re.findall(r'rel="next" href="([^"]+)"', first.text)[0].replace("&amp;", "&")

    assert first.text.count('<a href="/cases/') - first.text.count('<a href="/cases/views') == 50
    assert (await browser.get(rest)).text.count('<a href="/cases/') == 3


async def test_a_list_asks_the_database_as_often_for_fifty_rows_as_for_one(signed_in, committed, engine):
    """One query a row would be felt at two hundred thousand cases."""
    counted: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *arguments: counted.append(arguments[2]))
    committed(lambda stage: stage.case())
    browser = await signed_in()
    await browser.get("/cases")
    counted.clear()
    await browser.get("/cases")
    one = len(counted)
    committed(lambda stage: [stage.case() for _ in range(20)])
    counted.clear()

    await browser.get("/cases")

    assert len(counted) == one


async def test_a_view_is_kept_for_whoever_named_it(signed_in, committed, sessions):
    """What is looked at every morning is one tap; nobody else's list changes."""
    browser = await signed_in()

    await browser.send_form("/cases/views", name="我的早班", query="state=at_work&evil=1&kind=repair")
    page = (await browser.get("/cases")).text
    assert 'href="/cases?state=at_work&amp;kind=repair"' in page
    await browser.send_form("/cases/views", name="我的早班", query="kind=complaint")
    assert (await browser.get("/cases")).text.count("我的早班") == 2  # the link, and the button that removes it
    for number in range(25):
        await browser.send_form("/cases/views", name=f"{number}" * 40, query="kind=repair")
    with sessions() as session:
        kept = session.scalars(select(SavedView)).all()

    assert len(kept) == 20
    colleague = await signed_in()
    assert "我的早班" not in (await colleague.get("/cases")).text
    assert (await colleague.send_form(f"/cases/views/{kept[0].id}/drop")).status_code == 404


async def test_a_case_shows_its_whole_story(signed_in, committed, clock):
    """Who calls asks about any of it."""

    def lived(stage: Stage) -> int:
        case = stage.case(state="finished", wanted_at="明天上午")
        media = {"kind": "document", "document": {"file_id": "f", "file_name": "发票.pdf"}}
        talk = case.conversation
        said = Said("document", "这是发票", talk.resident.chat_id, 9, inbox_id=77, media=media)
        conversations.hear(stage.session, talk, said, now=NOON)
        return case.id

    case_id = committed(lived)
    browser = await signed_in()

    page = (await browser.get(f"/cases/{case_id}")).text

    for shown in ("厨房水管漏水", "3栋2单元1201", "明天上午", "接单", "完成", "上门", "发票.pdf", "这是发票", "101 号"):
        assert shown in page


async def test_words_of_residents_are_text_wherever_they_stand(signed_in, committed):
    """Names, matters, captions and file names are the first things a stranger can write into our pages."""

    def enters(stage: Stage) -> int:
        talk = stage.resident(display_name=HOSTILE, place=HOSTILE)
        case = stage.case(talk, matter=HOSTILE, place=HOSTILE, contact=HOSTILE, phone=HOSTILE, wanted_at=HOSTILE)
        media = {"kind": "document", "document": {"file_id": "f", "file_name": HOSTILE}}
        said = Said("document", HOSTILE, talk.resident.chat_id, 9, inbox_id=77, media=media)
        conversations.hear(stage.session, talk, said, now=NOON)
        cases.advance(stage.session, case, cases.Event.INFO_ASKED, actor="staff:1", key="a", now=NOON)
        facts = {"words": HOSTILE, "from": HOSTILE, "to": HOSTILE}
        cases.advance(stage.session, case, cases.Event.INFO_GIVEN, actor="resident", key="b", now=NOON, data=facts)
        return case.id

    case_id = committed(enters)
    browser = await signed_in()
    await browser.send_form("/cases/views", name=HOSTILE, query=f"q={HOSTILE}")

    for path in ("/cases", f"/cases/{case_id}", "/cases?q=%22%3E%3Cscript%3Ealert(1)"):
        page = (await browser.get(path)).text
        assert "<script>alert" not in page
        assert "<img src=x" not in page


async def test_a_step_in_the_browser_is_the_step_on_the_work_order(signed_in, committed, case_of, clock):
    """The resident hears it, the card changes, and the one who took it stands in the log."""
    case_id = committed(lambda stage: stage.case().id)
    browser = await signed_in()
    version = VERSION.findall((await browser.get(f"/cases/{case_id}")).text)[0]

    done = await browser.send_form(f"/cases/{case_id}/step", verb="accept", version=version)
    late = await browser.send_form(f"/cases/{case_id}/step", verb="accept", version=version)

    assert (done.status_code, late.status_code) == (303, 409)
    assert case_of(case_id).state is CaseState.ACCEPTED
    page = (await browser.get(f"/cases/{case_id}")).text
    version = VERSION.findall(page)[0]
    for verb in ("pause_parts", "to_order", "is_complaint"):
        answer = await browser.send_form(f"/cases/{case_id}/step", verb=verb, version=version)
        assert answer.status_code == 303, verb
        version = VERSION.findall((await browser.get(f"/cases/{case_id}")).text)[0]
    committed(check_told)


def check_told(stage: Stage) -> None:
    kinds = {row.kind for row in stage.outbox()}
    assert {"progress", "card", "work_order"} <= kinds


async def test_a_step_that_is_none_or_not_allowed_changes_nothing(signed_in, committed, case_of):
    """Forms can say anything."""
    case_id = committed(lambda stage: stage.case(state="finished").id)
    browser = await signed_in()
    version = VERSION.findall((await browser.get(f"/cases/{case_id}")).text)[0]

    answers = [
        (await browser.send_form(f"/cases/{case_id}/step", verb=verb, version=version)).status_code
        for verb in ("accept", "explode", "")
    ]

    assert answers == [422, 400, 400]
    assert case_of(case_id).state is CaseState.FINISHED


@pytest.mark.parametrize("role", [Role.BUTLER, Role.MANAGER])
async def test_another_communitys_case_is_not_there(signed_in, committed, case_of, role):
    """IDOR: the answer is the same as for a number nobody has."""
    case_id = committed(neighbours_case)
    browser = await signed_in(role)

    for number in (case_id, 999_999, 2**63 - 1, 2**63):
        assert (await browser.get(f"/cases/{number}")).status_code == 404
        answer = await browser.send_form(f"/cases/{number}/step", verb="accept", version="0")
        assert answer.status_code == 404
    assert await numbers(browser, "") == []
    assert await numbers(browser, "q=厨房水管") == []
    assert case_of(case_id).state is CaseState.OPEN


def test_every_step_there_is_has_a_name_and_its_button_one():
    """A step without words would be a riddle on the page, a button without them an error."""
    named = texts.catalogue()

    assert [event for event in cases.Event if f"cases.step_{event}" not in named] == []
    assert [verb for verb in work.VERBS if f"cases.do_{verb}" not in named] == []
    assert [reason for reason in work.PAUSES.values() if f"cases.pause_{reason}" not in named] == []
