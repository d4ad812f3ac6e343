"""Residents and households in the console: found, read, taken over from a file, given out and forgotten."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from io import BytesIO
from typing import Any

import openpyxl
import pytest
from sqlalchemy import func, select

from bot.handlers import route
from console import roster
from service import conversations, forgetting, inbox
from service.models.archive import Household, Invitation, Member
from service.models.people import Resident, Role
from service.models.queues import InboxRow
from tests.console.conftest import URL
from tests.households import household, member
from tests.ledgers import fee, space, visitor_code
from tests.stage import BOT_ID, NOON, Stage

HOSTILE = '"><img src=x onerror=alert(1)><script>alert(1)</script>'
ROSTER = "楼栋,单元,房号,姓名,手机号\n3,2,1201,王芳,13800138000\n3,2,1202,李雷,\n"
WRONG = "楼栋,单元,房号,姓名,手机号\n3,2,1201,王芳,13800138000\n3,2,,李雷,12\n"


async def upload(browser, content: bytes | str, name: str = "名册.csv", **fields: str) -> Any:
    """Send the form with a file, as a browser does."""
    body = content.encode() if isinstance(content, str) else content
    return await browser.post(
        "/residents/import",
        data=fields | {"csrf": browser.csrf},
        files={"file": (name, body)},
        headers={"origin": URL},
    )


def seen(answer: Any) -> str:
    return str(re.findall(r'name="seen" value="(\w*)"', answer.text)[0])


@pytest.fixture
def people(sessions):
    """How many stand in the archive."""

    def count() -> int:
        with sessions() as session:
            return session.scalar(select(func.count()).select_from(Member)) or 0

    return count


async def test_people_are_found_by_what_is_known_of_them(signed_in, committed):
    """Who rings says a name, a number or a door."""

    def archive(stage: Stage) -> None:
        person = member(stage, "王芳", phone="13800138000")
        member(stage, "赵敏", address="5-1-301")
        stage.resident(
            display_name="小芳", surname="王", place="3栋2单元1201", phone="13800138000", member_id=person.id
        )
        stage.resident(display_name="路人")

    committed(archive)
    browser = await signed_in()

    async def found(query: str) -> list[str]:
        page = (await browser.get(f"/residents?{query}")).text
        return re.findall(r'<a href="/(?:residents|households)/\d+">([^<]+)</a>', page)

    assert await found("") == ["路人", "小芳"]
    assert await found("q=8001380") == ["小芳"]
    assert await found("q=3栋2单元") == ["小芳"]
    assert await found("list=households&q=赵敏") == ["5栋1单元301室"]
    assert await found("list=households&q=3栋") == ["3栋2单元1201室"]
    assert await found("list=households&q=13800138000") == ["3栋2单元1201室"]
    assert await found("list=households&q=9栋") == []
    assert await found("q=%25") == []


async def test_a_household_shows_its_people_and_a_resident_their_file(signed_in, committed):
    """From the door to the account and back."""

    def archive(stage: Stage) -> tuple[int, int]:
        person = member(stage, "王芳", phone="13800138000")
        talk = stage.resident(display_name="小芳", member_id=person.id)
        return person.household_id, talk.resident_id

    door, resident = committed(archive)
    browser = await signed_in()

    page = (await browser.get(f"/households/{door}")).text
    assert "3栋2单元1201" in page
    assert f'href="/residents/{resident}"' in page
    page = (await browser.get(f"/residents/{resident}")).text
    assert f'href="/households/{door}"' in page
    assert "/forget" not in page  # a butler may not


async def test_a_household_shows_what_is_held_of_it_but_no_code(signed_in, committed):
    """Staff see that there is a code, for whom and until when; it opens a door, so they never see it."""

    def archive(stage: Stage) -> int:
        home = household(stage)
        fee(stage, home, period="Q4")
        space(stage, home)
        visitor_code(stage, home, "482913", begins=NOON, ends=NOON + timedelta(days=1))
        fee(stage, household(stage, "3-2-1202"), "别家的费用")
        return home.id

    door = committed(archive)
    browser = await signed_in()

    page = (await browser.get(f"/households/{door}")).text

    for words in ("物业费 Q4", "1,234.50 CNY", "2026-11-22", "B1-023", "湘A12345", "外婆"):
        assert words in page
    assert "482913" not in page
    assert "别家的费用" not in page


async def test_a_roster_is_looked_at_before_it_is_taken_over(signed_in, committed, people):
    """What was not looked at is not written, and what was shown is what is written."""
    browser = await signed_in(Role.MANAGER)

    unseen = await upload(browser, ROSTER, do="import")
    assert (unseen.status_code, people()) == (200, 0)
    assert "没有写入" in unseen.text
    another = await upload(browser, WRONG, do="import", seen=seen(unseen))
    assert (another.status_code, people()) == (422, 0)
    done = await upload(browser, ROSTER, do="import", seen=seen(unseen))

    assert (done.status_code, people()) == (303, 2)
    again = await upload(browser, ROSTER, do="look")
    assert "不变 2" in again.text


async def test_what_is_wrong_in_a_roster_has_the_number_of_its_row(signed_in, people):
    """A spreadsheet counts like that."""
    browser = await signed_in(Role.MANAGER)

    answer = await upload(browser, WRONG, do="look")

    assert answer.status_code == 422
    rows = re.findall(r"<tr><td>(\d+)</td>|<tr>\s*<td>(\d+)</td>", answer.text)
    assert {first or second for first, second in rows} == {"3"}
    assert people() == 0


async def test_a_complete_roster_that_empties_the_houses_is_a_mistake_until_somebody_insists(
    signed_in, committed, people
):
    """Half of the file was cut off more often than half of the people move out; nothing of it stays."""
    committed(
        lambda stage: [member(stage, name, address=f"3-2-{place}") for place, name in enumerate(("甲", "乙", "丙"))]
    )
    browser = await signed_in(Role.MANAGER)

    look = await upload(browser, ROSTER, do="look", complete="1")
    refused = await upload(browser, ROSTER, do="import", complete="1", seen=seen(look))

    assert (look.status_code, refused.status_code, people()) == (422, 422, 3)
    look = await upload(browser, ROSTER, do="look", complete="1", many_moved_out="1")
    done = await upload(browser, ROSTER, do="import", complete="1", many_moved_out="1", seen=seen(look))
    assert (done.status_code, people()) == (303, 5)


def spreadsheet() -> bytes:
    book, file = openpyxl.Workbook(), BytesIO()
    book.active.append(["楼栋", "单元", "房号", "姓名"])  # type: ignore[union-attr]
    book.active.append(["3", "2", "1201", HOSTILE])  # type: ignore[union-attr]
    book.save(file)
    return file.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04broken",
        b"\xd0\xcf\x11\xe0old",
        b"\xff\xfe\x00",
        spreadsheet()[:400],
        "颜色,大小\n红,大\n".encode(),
    ],
)
async def test_a_broken_file_is_a_clear_message(signed_in, content, people):
    """Bad input is normal."""
    browser = await signed_in(Role.MANAGER)

    for fields in ({"do": "look"}, {"do": "import", "seen": ""}):
        answer = await upload(browser, content, **fields)
        assert answer.status_code == 422
        assert 'class="error"' in answer.text
    assert people() == 0


async def test_a_file_that_is_too_large_is_refused(signed_in, monkeypatch):
    """Fifty megabytes are no roster; they are cut off as soon as it is more than the door takes."""
    browser = await signed_in(Role.MANAGER)

    answer = await upload(browser, b"x" * 50_000_000, do="look")

    assert answer.status_code == 413


async def test_a_form_without_a_file_is_answered(signed_in):
    """Scripts and old browsers send anything."""
    browser = await signed_in(Role.MANAGER)

    assert (await browser.send_form("/residents/import", file="x", do="look")).status_code == 422


async def test_words_of_residents_and_of_files_are_text(signed_in, committed):
    """Names on Telegram, names in a roster, the file's own name."""

    def archive(stage: Stage) -> tuple[int, int]:
        person = member(stage, HOSTILE, phone=None)
        facts = {"surname": HOSTILE, "phone": HOSTILE, "place": HOSTILE, "member_id": person.id}
        talk = stage.resident(display_name=HOSTILE, **facts)
        return person.household_id, talk.resident_id

    door, resident = committed(archive)
    browser = await signed_in(Role.MANAGER)

    pages = [
        (await browser.get(path)).text
        for path in ("/residents", f"/residents/{resident}", "/residents?list=households", f"/households/{door}")
    ]
    pages.append((await upload(browser, spreadsheet(), name=HOSTILE, do="look")).text)
    for page in pages:
        assert "<script>alert" not in page
        assert "<img src=x" not in page


async def test_invitations_are_a_sheet_with_a_key_for_each_door(signed_in, committed, sessions):
    """To be printed and cut; the page may load and run nothing, so the codes stand in it."""
    committed(lambda stage: [household(stage, f"3-2-{room}") for room in (1201, 1202)])
    browser = await signed_in(Role.MANAGER)

    sheet = await browser.send_form("/residents/invitations", building="3", unit="2", bot="@guanjia_bot", days="30")

    assert sheet.status_code == 200
    assert sheet.text.count("<svg") == 2
    assert len(set(re.findall(r"https://t\.me/guanjia_bot\?start=[\w-]{32}", sheet.text))) == 2
    assert "style=" not in sheet.text
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(Invitation)) == 2


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"building": "9", "bot": "guanjia_bot", "days": "30"},
        {"building": "3", "bot": HOSTILE, "days": "30"},
        {"building": "3", "bot": "guanjia_bot", "days": "0"},
        {"building": "3", "bot": "guanjia_bot", "days": "9999"},
    ],
)
async def test_a_sheet_that_cannot_be_made_says_why(signed_in, committed, fields):
    """And no earlier strip is ended for it."""
    committed(household)
    browser = await signed_in(Role.MANAGER)

    answer = await browser.send_form("/residents/invitations", **fields)

    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert "<img" not in answer.text


async def test_too_many_doors_are_not_one_sheet(signed_in, committed, monkeypatch):
    """Fifty thousand codes would be a page nobody can print."""
    monkeypatch.setattr(roster, "MOST_STRIPS", 1)
    committed(lambda stage: [household(stage, f"3-2-{room}") for room in (1201, 1202)])
    browser = await signed_in(Role.MANAGER)

    answer = await browser.send_form("/residents/invitations", building="3", bot="guanjia_bot", days="30")

    assert answer.status_code == 422


async def test_everything_that_is_kept_of_a_resident_can_be_given_to_them(signed_in, committed):
    """Who has no Telegram any more comes to the desk for it."""

    def known(stage: Stage) -> int:
        talk = stage.resident(display_name="王芳")
        stage.hears(talk, "水管漏了")
        return talk.resident_id

    resident = committed(known)
    browser = await signed_in(Role.MANAGER)

    file = await browser.send_form(f"/residents/{resident}/export")

    assert file.headers["content-disposition"] == f'attachment; filename="guanjia-resident-{resident}.json"'
    kept = json.loads(file.text)
    assert [line["text"] for line in kept["messages"]] == ["水管漏了"]
    assert kept["log"][-1]["act"] == "exported"
    assert kept["log"][-1]["actor"].startswith("staff:")


async def test_forgetting_needs_a_yes_and_nothing_at_work_and_goes_through_rasas_room(signed_in, committed, sessions):
    """The dialogue there is deleted before anything here is, as when they say it themselves."""

    def known(stage: Stage) -> tuple[int, int, int]:
        talk = stage.resident(display_name="王芳")
        busy = stage.case(stage.resident())
        return talk.id, talk.resident_id, busy.resident_id

    talk_id, resident, busy = committed(known)
    browser = await signed_in(Role.MANAGER)

    unsure = await browser.send_form(f"/residents/{resident}/forget")
    too_early = await browser.send_form(f"/residents/{busy}/forget", sure="yes")
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(InboxRow)) == 0
    assert (unsure.status_code, too_early.status_code) == (303, 303)
    await browser.send_form(f"/residents/{resident}/forget", sure="yes")

    def is_taken_up(stage: Stage) -> tuple[int, bool]:
        [turn] = inbox.take(stage.session, BOT_ID, worker=1, limit=5)
        ask = route.receive(stage.session, turn, now=NOON)
        assert ask is not None
        talk = conversations.lock(stage.session, talk_id)
        forgetting.forget(stage.session, talk, before=turn.id, key="x", now=NOON)
        return ask.conversation_id, ask.erase

    assert committed(is_taken_up) == (talk_id, True)
    assert "资料已经删除" in (await browser.get(f"/residents/{resident}")).text


def test_an_order_in_the_inbox_is_ours_alone(stage):
    """What Telegram sends is never taken for one, nor is another community's."""
    talk = stage.resident()
    other = stage.another_community()

    for raw in (b"", b"[]", b"{", b'{"forget": "1"}', b'{"forget": 99999}', b'{"forget": 1, "update_id": 2}'):
        assert forgetting.ordered(stage.session, stage.community, raw) is None
    order = json.dumps({"forget": talk.id}).encode()
    assert forgetting.ordered(stage.session, other, order) is None
    assert forgetting.ordered(stage.session, stage.community, order) is talk


async def test_nothing_of_another_community_is_there(signed_in, committed, sessions):
    """IDOR: for every number in an address, read or written."""

    def neighbours(stage: Stage) -> tuple[int, int]:
        stage.community = stage.another_community()
        talk = stage.resident(display_name="别家")
        return talk.resident_id, household(stage).id

    resident, door = committed(neighbours)
    browser = await signed_in(Role.MANAGER)

    for path in (f"/residents/{resident}", f"/households/{door}", "/residents/999999", f"/households/{2**63}"):
        assert (await browser.get(path)).status_code == 404
    for deed in ("export", "forget"):
        assert (await browser.send_form(f"/residents/{resident}/{deed}", sure="yes")).status_code == 404
    assert "别家" not in (await browser.get("/residents")).text
    assert "/households/" not in (await browser.get("/residents?list=households")).text
    sheet = await browser.send_form("/residents/invitations", building="3", bot="guanjia_bot", days="30")
    assert sheet.status_code == 422
    with sessions() as session:
        assert session.get_one(Resident, resident).display_name == "别家"
        assert session.get_one(Household, door).room == "1201"
