"""Reading the audit log."""

from typing import Any

import pytest

from service import audit
from service.models.people import Role
from tests.stage import NOON

ODD = {  # and how many fields of each are wrong
    "who=abc&number=x": 2,
    "who=²": 1,
    "since=yesterday&until=31-12-2026": 2,
    "until=9999-12-31": 1,
    "before=abc": 0,
    "number=99999999999999999999": 1,
    "act=%00&object=%27%3B--": 0,
    "act=" + "x" * 500: 0,
}


@pytest.fixture
def written(committed):
    """A log of 120 deeds by two people."""

    def write(stage):
        for number in range(120):
            facts: dict[str, Any] = {
                "actor": f"staff:{901 + number % 2}",
                "act": "sign_out",
                "object": "session",
                "now": NOON,
            }
            audit.write(stage.session, stage.community.id, object_id=1000 + number, **facts)

    committed(write)


async def test_the_log_is_read_page_by_page(signed_in, written):
    """Newest first; each page leads to the next by a plain link."""
    browser = await signed_in(Role.MANAGER)

    path, seen = "/audit?act=sign_out", []
    while path:
        page = (await browser.get(path)).text
        seen += [number for number in range(1119, 999, -1) if f"<td>{number}</td>" in page]
        path = page.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")

    assert seen == list(range(1119, 999, -1))


async def test_a_search_is_a_link(signed_in, written):
    """It can be sent to a colleague, and its form shows what is asked."""
    browser = await signed_in(Role.MANAGER)

    page = (await browser.get("/audit?who=902&number=1001&since=2026-11-23&until=2026-11-23")).text

    assert "<td>1001</td>" in page
    assert 'value="902"' in page
    assert 'value="2026-11-23"' in page
    assert "<td>1003</td>" not in page


async def test_what_cannot_be_read_is_said_and_not_searched(signed_in):
    """Addresses are typed by people and by scanners; each query with the fields that are marked."""
    browser = await signed_in(Role.MANAGER)

    answers = {query: await browser.get(f"/audit?{query}") for query in ODD}

    assert {answer.status_code for answer in answers.values()} == {200}
    assert {query: answer.text.count('class="error"') for query, answer in answers.items()} == ODD


async def test_another_communitys_log_is_not_shown(signed_in, committed):
    """IDOR: there is no address for it."""

    def elsewhere(stage):
        other = stage.another_community()
        audit.write(
            stage.session, other.id, actor="staff:999", act="sign_out", object="session", object_id=777, now=NOON
        )

    committed(elsewhere)
    browser = await signed_in(Role.MANAGER)

    assert "777" not in (await browser.get("/audit?number=777")).text.partition("<table>")[2]
