"""Every way in, walked: who may, who may not, and what every answer says to the browser."""

import pytest
from sqlalchemy.exc import OperationalError

from console import texts
from console.app import make_app
from console.doors import MOST_BYTES
from console.topics import DOORS, MENU
from console.troubles import REFUSED, Kind, Trouble
from service.models.people import Role
from service.staff import RIGHTS
from tests.console.conftest import URL, Browser, Quiet

GUARDED = [door for door in DOORS if door.right is not None]
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "media-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "strict-transport-security": "max-age=31536000",
    "cache-control": "no-store",
}


def address(path: str) -> str:
    """A path with numbers where it has places for them."""
    return path.replace("{id:int}", "1").replace("{token}", "abc")


async def knock(browser: Browser, door) -> int:
    """Open a door with an honest form and give the status."""
    path = address(door.path)
    answer = await (browser.get(path) if door.method == "GET" else browser.send_form(path))
    return int(answer.status_code)


async def test_nobody_gets_in_without_signing_in(browser):
    """Only the page behind a link is open, and it says nothing."""
    assert {door.path for door in DOORS if door.right is None} == {"/enter/{token}"}

    assert {door.path: await knock(browser, door) for door in GUARDED} == {door.path: 401 for door in GUARDED}


@pytest.mark.parametrize("role", [Role.BUTLER, Role.SUPERVISOR, Role.MANAGER])
async def test_a_role_opens_its_own_doors_and_no_other(signed_in, role):
    """The whole table: what RIGHTS says is what happens."""
    browser = await signed_in(role)
    menu = (await browser.get("/")).text.partition("</nav>")[0]
    walk = sorted(GUARDED, key=lambda door: door.path == "/leave")  # which ends the session

    refused = {(door.method, door.path) for door in walk if await knock(browser, door) == 403}

    assert refused == {(door.method, door.path) for door in GUARDED if door.right not in RIGHTS[role]}
    offered = {place.path for place in MENU if f'<a href="{place.path}"' in menu}
    assert offered == {place.path for place in MENU if place.right in RIGHTS[role]}


async def test_every_answer_has_the_headers(browser):
    """Errors and files too: the browser is the second wall."""
    for path in ("/", "/enter/abc", "/nowhere", "/static/console.css", "/healthz"):
        answer = await browser.get(path)

        wanted = HEADERS | ({"cache-control": "public, max-age=31536000, immutable"} if "/static/" in path else {})
        assert {name: answer.headers.get(name) for name in wanted} == wanted


async def test_without_https_nothing_claims_it(sessions, clock):
    """On one machine the console is plain http: a Secure cookie would never come back."""
    app = make_app(sessions, url="http://127.0.0.1:8090", now=clock.now, news=Quiet())
    async with Browser(app) as browser:
        answer = await browser.get("http://127.0.0.1:8090/healthz")

    assert (answer.status_code, answer.text) == (200, "ok")
    assert "strict-transport-security" not in answer.headers


async def test_every_deed_and_everything_shown_has_a_name_in_the_log():
    """A key in the audit log that nobody can read is no record."""
    named = texts.catalogue()

    acts = {door.act for door in DOORS if door.act} | {"sign_in"}
    objects = {door.object for door in DOORS if door.object}

    assert [act for act in acts if f"audit.act_{act}" not in named] == []
    assert [one for one in objects if f"audit.object_{one}" not in named] == []


def test_every_form_that_changes_something_is_written_down():
    """A deed without an act would leave no trace; choosing a language is nobody's business."""
    unwritten = {door.path for door in DOORS if door.method == "POST" and door.act is None}

    assert unwritten == {"/enter/{token}", "/language"}  # signing in writes for itself: before it nobody is known


async def test_too_much_is_refused_before_it_is_read(signed_in):
    """A form is small; memory is not for strangers to fill."""
    browser = await signed_in()

    refused = await browser.send_form("/language", language="x" * MOST_BYTES)

    assert refused.status_code == 413


async def test_a_body_that_is_no_form_is_a_refusal_and_no_failure(signed_in):
    """Bad input is normal."""
    browser = await signed_in()
    headers = {"origin": URL, "x-csrf-token": browser.csrf}

    statuses = [
        (await browser.post("/language", content=b"\xff\x00{", headers=headers | {"content-type": kind})).status_code
        for kind in ("application/json", "multipart/form-data; boundary=x", "multipart/form-data")
    ]

    assert set(statuses) <= {303, 400}


async def test_a_wrong_address_gets_a_kind_page_in_both_languages(browser):
    """Whoever is not signed in has not chosen a language."""
    for path, status in (("/nowhere", 404), ("/leave", 405), ("/static/%2e%2e/app.py", 404)):
        answer = await browser.get(path)

        assert answer.status_code == status
        assert "这一步没有完成" in answer.text
        assert "This did not work" in answer.text


async def test_a_database_that_is_away_is_said_kindly(clock):
    """And is no traceback."""

    def away() -> None:
        raise OperationalError("", {}, Exception())

    class Away:
        begin = __call__ = staticmethod(away)

    async with Browser(make_app(Away(), url=URL, now=clock.now, news=Quiet())) as browser:  # type: ignore[arg-type]
        answer = await browser.get("/")
        health = await browser.get("/healthz")

    assert (answer.status_code, health.status_code) == (503, 503)
    assert "数据库" in answer.text


def test_every_kind_of_trouble_is_said():
    """A key without a text would be a failure about a failure."""
    assert [kind for kind in Kind if f"errors.{kind}" not in texts.catalogue()] == []
    assert all(error.response.startswith("utter_") for error in REFUSED)
    assert str(Trouble(Kind.AWAY)) == "away"
