"""The first page."""

import re
from datetime import timedelta
from typing import Any

from service import communities, self_check, takeover, transfer
from service.models.follow_ups import FollowUpState, Survey
from service.models.people import Role
from service.models.talks import Owner
from tests.stage import NOON, Stage

HOSTILE = '"><img src=x onerror=alert(1)><script>alert(1)</script>'


async def test_the_board_shows_how_the_day_goes(signed_in, committed, clock):
    """Who waits and what is late, with names staff know."""

    def a_busy_day(stage: Stage) -> None:
        talk = stage.resident(display_name="王芳", place="3栋2单元1201")
        takeover.escalate(stage.session, talk, reason="asked", source="turn:1", now=NOON)
        stage.case(stage.resident(display_name="李强"))

    committed(a_busy_day)
    clock.advance(timedelta(days=1, minutes=5))
    browser = await signed_in()

    page = (await browser.get("/")).text

    for shown in ("王芳", "3栋2单元1201", "1 天", "工程部", "今日看板", "阳光花园"):
        assert shown in page


async def test_every_number_leads_to_as_many_rows(signed_in, committed, clock):
    """Who reads four wants to see which four: those who wait, what is late, at work, opened and rated today."""

    def a_day(stage: Stage) -> None:
        butler, colleagues = stage.member(), communities.department(stage.session, stage.community.id, "order")
        for number in range(4):
            talk = stage.resident()
            stage.hears(talk, "在吗")
            takeover.escalate(stage.session, talk, reason="asked", source=f"turn:{number}", now=NOON)
            if number == 0:  # handed on to a department: nobody has answered there
                stage.take_over(talk, butler)
                facts: dict[str, Any] = {"note": "", "source": "turn:on", "now": NOON}
                transfer.transfer(stage.session, talk, butler, colleagues, **facts)
        for state in ("open", "accepted", "finished"):
            case = stage.case(state=state)
            facts = {"state": FollowUpState.ANSWERED, "asked_at": NOON, "answered_at": NOON}
            stage.session.add(Survey(case_id=case.id, resolution=9, stars=4, **facts) if state == "finished" else case)

    committed(a_day)
    clock.advance(timedelta(hours=9))
    browser = await signed_in()

    page = (await browser.get("/")).text.replace("&amp;", "&")
    figures = re.findall(r'<dd><a href="(/[^"]+)">([\d.]+)</a>(?: <small>(\d+) 份)?', page)
    rows = {link: (await browser.get(link)).text.partition("<tbody>")[2].count("<tr>") for link, *_ in figures}

    assert rows == {link: int(count or number) for link, number, count in figures}
    assert sorted(rows.values()) == [1, 2, 2, 3, 4]
    by_department = re.findall(r'<td><a href="(/cases\?[^"]+)">(\d+)</a></td>', page)
    assert [(await browser.get(link)).text.count('<td><a href="/cases/') for link, _ in by_department] == [
        int(number) for _, number in by_department
    ]


async def test_what_residents_call_themselves_is_text(signed_in, committed):
    """A name is the first thing a stranger can write into our pages."""

    def enters(stage: Stage) -> None:
        talk = stage.resident(display_name=HOSTILE, place=HOSTILE)
        takeover.escalate(stage.session, talk, reason="asked", source="turn:1", now=NOON)

    committed(enters)
    browser = await signed_in()

    page = (await browser.get("/")).text

    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page
    assert "<img src=x" not in page


async def test_the_language_is_chosen_once_for_the_session(signed_in):
    """Chinese until somebody says otherwise, and back to where they were."""
    browser = await signed_in(Role.MANAGER)

    answer = await browser.send_form("/language", language="en", next="/audit?who=101")

    assert answer.headers["location"] == "/audit?who=101"
    assert "Waiting for a person" in (await browser.get("/")).text
    assert "Audit log" in (await browser.get("/audit")).text


async def test_a_language_nobody_speaks_changes_nothing(signed_in):
    """Forms can say anything."""
    browser = await signed_in()

    await browser.send_form("/language", language="../../xx", next="/")

    assert "今日看板" in (await browser.get("/")).text


async def test_what_the_night_found_is_shown_and_leads_to_the_talk(signed_in, committed):
    """Admins do not look for it in General; a quiet night says so, a broken promise where."""
    browser = await signed_in(Role.MANAGER)
    committed(lambda stage: self_check.check_due(stage.session, now=NOON))
    quiet = (await browser.get("/")).text

    def loses_a_change(stage: Stage) -> int:
        talk = stage.resident()
        takeover.change_owner(stage.session, talk, Owner.BOT, reason="idle", now=NOON)
        talk.epoch += 1  # a change of owner that nobody wrote down
        self_check.check_due(stage.session, now=NOON + timedelta(days=1))
        return talk.id

    talk_id = committed(loses_a_change)
    broken = (await browser.get("/")).text

    assert "没有抢话、丢失或重复" in quiet
    assert "发现 1 处问题" in broken
    assert f'<a href="/talks/{talk_id}">会话 {talk_id}' in broken
