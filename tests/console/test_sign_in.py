"""Getting in, and everything that must not get in."""

import re
from datetime import timedelta
from typing import Any

from service import sign_in, staff
from service.audit import SHOWN
from service.models.console import AuditEntry, ConsoleSession
from service.models.people import Role, Staff
from tests.console.conftest import URL, Browser

KEY = re.compile("__Host-guanjia=([^;]+)")
ELSEWHERE = (
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example/",
    "/ok\nSet-Cookie: a=b",
    "javascript:alert(1)",
    "/enter/abc",
    "",
)
FORGED: tuple[dict[str, Any], ...] = (
    {"csrf": ""},
    {"csrf": "0" * 64},
    {"csrf": "不是"},
    {"origin": None},
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": f"{URL}.evil.example"},
)


async def test_a_link_is_opened_by_a_button(browser, link):
    """Telegram opens links to show previews; a link that signs in by itself would be used up before it is read."""
    path = link()

    for _ in range(2):
        page = await browser.get(path)
        assert page.status_code == 200
        assert "登录" in page.text
        assert "Sign in" in page.text
    entered = await browser.send_form(path)

    assert (entered.status_code, entered.headers["location"]) == (303, "/")
    assert (await browser.get("/")).status_code == 200


async def test_the_cookie_is_for_this_host_and_no_script(browser, link):
    """What steals cookies finds none."""
    entered = await browser.send_form(link())

    [cookie] = [value for value in entered.headers.get_list("set-cookie") if value.startswith("__Host-guanjia=")]
    for wanted in ("HttpOnly", "SameSite=lax", "Secure", "Path=/"):
        assert wanted in cookie
    assert "Domain" not in cookie


async def test_a_used_link_opens_nothing(app, browser, link):
    """Whoever reads over somebody's shoulder comes too late."""
    path = link()
    await browser.send_form(path)

    async with Browser(app) as second:
        refused = await second.send_form(path)
        assert refused.status_code == 403
        assert "/console" in refused.text
        assert (await second.get("/")).status_code == 401


async def test_an_old_link_opens_nothing(browser, link, clock):
    """Five minutes are enough for two taps."""
    path = link()
    clock.advance(sign_in.LINK_VALID)

    assert (await browser.send_form(path)).status_code == 403


async def test_guessing_links_is_slowed_down_and_counted_although_it_fails(browser, link, clock):
    """A refusal rolls nothing back that protects us."""
    for number in range(sign_in.TRIES):
        assert (await browser.send_form(f"/enter/guess{number}")).status_code == 403
    path = link()

    assert (await browser.send_form("/enter/another")).status_code == 429
    assert (await browser.send_form(path)).status_code == 429
    clock.advance(sign_in.TRY_EVERY)
    assert (await browser.send_form(path)).status_code == 303


async def test_a_session_somebody_else_has_chosen_is_not_taken_over(browser, link, sessions):
    """Session fixation: the key after the sign-in is ours and new, and the one before is over."""
    browser.cookies.set("__Host-guanjia", "chosen-by-an-attacker", domain="console.example.org")
    first = await browser.send_form(link())
    second = await browser.send_form(link())

    keys = {found[1] for answer in (first, second) if (found := KEY.search(answer.headers["set-cookie"]))}
    assert len(keys - {"chosen-by-an-attacker"}) == 2
    with sessions() as session:
        assert [held.ended_at is None for held in session.query(ConsoleSession).order_by(ConsoleSession.id)] == [
            False,
            True,
        ]


async def test_sign_out_ends_the_session_and_not_only_the_cookie(signed_in):
    """Whoever copied the cookie has nothing."""
    browser = await signed_in()
    key = browser.cookies["__Host-guanjia"]

    left = await browser.send_form("/leave")

    assert left.status_code == 200
    assert "__Host-guanjia" not in browser.cookies
    browser.cookies.set("__Host-guanjia", key)
    assert (await browser.get("/")).status_code == 401


async def test_who_leaves_the_group_is_out_at_the_next_click(signed_in, committed, sessions, clock):
    """The console is for staff."""
    browser = await signed_in()
    with sessions() as session:
        user_id = session.query(Staff).one().user_id

    committed(lambda stage: staff.leave(stage.session, stage.community.id, user_id, now=clock.at))

    assert (await browser.get("/")).status_code == 401


async def test_after_signing_in_one_is_where_one_wanted_to_go(signed_in, browser, link):
    """A bookmark, a link from a colleague."""
    refused = await browser.get("/audit?who=101&act=shown")
    assert refused.status_code == 401

    entered = await browser.send_form(link(Role.MANAGER))

    assert entered.headers["location"] == "/audit?who=101&act=shown"


async def test_nobody_is_sent_elsewhere(signed_in):
    """Open redirect: our address in a link must end at our pages."""
    browser = await signed_in()

    led = {where: await browser.send_form("/language", language="zh", next=where) for where in ELSEWHERE}

    assert {where: answer.headers["location"] for where, answer in led.items()} == dict.fromkeys(ELSEWHERE, "/")


async def test_nobody_is_sent_elsewhere_by_signing_in(browser, link):
    """A cookie is as easily forged as a field."""
    browser.cookies.set("next", "//evil.example/")

    assert (await browser.send_form(link())).headers["location"] == "/"


async def test_a_form_from_elsewhere_is_refused(signed_in):
    """CSRF: neither without our token nor from another page."""
    browser = await signed_in()

    refused = [(forged, await browser.send_form("/language", language="en", **forged)) for forged in FORGED]

    assert [forged for forged, answer in refused if answer.status_code != 403] == []
    assert "今日看板" in (await browser.get("/")).text


async def test_a_token_of_an_earlier_session_is_worth_nothing(signed_in, browser, link):
    """It is bound to the key in the cookie."""
    old = (await signed_in()).csrf
    await browser.send_form(link())

    assert (await browser.send_form("/language", language="en", csrf=old)).status_code == 403


async def test_scripts_send_the_token_as_a_header(signed_in):
    """HTMX has it from the page's body."""
    browser = await signed_in()
    headers = {"origin": URL, "x-csrf-token": browser.csrf, "hx-request": "true"}

    assert (await browser.post("/language", data={"language": "en"}, headers=headers)).status_code == 303


async def test_another_host_name_is_not_answered(browser):
    """DNS rebinding would make our pages readable for another site."""
    assert (await browser.get("/", headers={"host": "evil.example"})).status_code == 400


async def test_a_session_that_is_over_says_so_to_a_part_of_a_page_too(signed_in, clock):
    """The whole page is loaded anew, and says how to sign in."""
    browser = await signed_in()
    clock.advance(sign_in.IDLE)

    part = await browser.get("/", headers={"hx-request": "true"})

    assert (part.status_code, part.headers["hx-refresh"]) == (401, "true")


async def test_a_part_that_renews_itself_keeps_no_session_alive(signed_in, clock):
    """An open board is not a person."""
    browser = await signed_in()
    clock.advance(timedelta(hours=1))
    assert (await browser.get("/", headers={"x-live": "1"})).status_code == 200
    assert (await browser.get("/live")).status_code == 200
    clock.advance(timedelta(hours=1))

    assert (await browser.get("/")).status_code == 401


async def test_what_was_done_and_shown_is_in_the_audit_log(signed_in, sessions):
    """N12: who, when, what; renewing a page adds nothing."""
    browser = await signed_in(Role.MANAGER)
    for _ in range(3):
        await browser.get("/")
    await browser.get("/audit")
    await browser.send_form("/leave")

    with sessions() as session:
        written = [(entry.act, entry.object) for entry in session.query(AuditEntry).order_by(AuditEntry.id)]
    assert written == [("sign_in", "session"), (SHOWN, "board"), (SHOWN, "audit"), ("sign_out", "session")]
