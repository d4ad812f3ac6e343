"""The first page."""

from datetime import timedelta

from service import takeover
from service.models import Role
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
