"""The charts: every number is the rows behind it, in one's own communities only."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from io import BytesIO

import openpyxl
import pytest

from console.topics import DOORS
from service import candidates, communities, daily_sums, figures, shares, staff
from service.figures import Scope
from service.models.cases import CaseClock
from service.models.follow_ups import CallBack, FollowUpState, Outcome, Survey
from service.models.people import Role
from service.models.understanding import CandidateReason
from service.shares import Share
from tests.stage import NOON, Stage

HOSTILE = '=cmd|"<script>alert(1)</script>'
NUMBER = re.compile(r'<a href="(/charts/(?:cases|messages|unclear)\?[^"]*)">(\d+)</a>')
ROW = re.compile(r"<tr>\s*<td")


def a_month(stage: Stage) -> None:
    """Three repairs and a complaint, promises kept and broken, ratings, and a message nobody understood."""
    talk = stage.resident(display_name=HOSTILE)
    stage.hears(talk, HOSTILE)
    why = CandidateReason.REPHRASE
    candidates.notice(stage.session, stage.community.id, HOSTILE, why=why, source="turn:7", language="zh", now=NOON)
    for stars, outcome, late in ((5, Outcome.HELD, False), (2, Outcome.PARTLY, True), (4, Outcome.HELD, False)):
        case = stage.case(stage.resident(), state="finished")
        rated = {"state": FollowUpState.ANSWERED, "asked_at": NOON, "answered_at": NOON, "stars": stars}
        stage.session.add(Survey(case_id=case.id, resolution=1, **rated))
        said = {"due_at": NOON, "state": FollowUpState.ANSWERED, "outcome": outcome}
        stage.session.add(CallBack(case_id=case.id, resolution=1, **said))
        if late:
            clock = stage.session.query(CaseClock).filter_by(case_id=case.id, clock="finish").one()
            clock.stopped_at = NOON + timedelta(days=2)
    stage.case(talk, kind="complaint", matter="楼上太吵")


def numbers(page: str) -> dict[str, int]:
    """Every linked number, by its address."""
    return {unescape(link): int(number) for link, number in NUMBER.findall(page)}


async def test_every_number_is_as_many_rows_as_its_link_leads_to(signed_in, committed, clock):
    """A figure that cannot be looked into is not believed."""
    committed(a_month)
    clock.advance(timedelta(days=3))
    browser = await signed_in(Role.SUPERVISOR)

    found = numbers((await browser.get("/charts")).text)

    behind = {link: len(ROW.findall((await browser.get(link)).text)) for link in found}
    assert behind == found
    addresses = " ".join(found)
    for part in ("opened", "kind", "category", "fix", "stars", "satisfied", "clock_finish"):
        assert f"of={part}&" in addresses
    assert "/charts/messages?" in addresses
    assert "/charts/unclear?" in addresses


async def test_shares_stand_with_how_many_and_their_interval(signed_in, committed, clock):
    """Two of three is no two thirds of everybody."""
    committed(a_month)
    clock.advance(timedelta(days=3))
    browser = await signed_in(Role.SUPERVISOR)

    page = (await browser.get("/charts?since=2026-11-20&until=2026-11-26")).text

    assert page.count("66.7 % <small>n = 3</small>") == 3  # the finish clock, the fix, satisfaction
    assert page.count("20.8 % – 93.9 %") == 3


async def test_another_period_is_another_page(signed_in, committed, clock):
    """The filter stands in the address; what cannot be one is said."""
    committed(a_month)
    clock.advance(timedelta(days=3))
    browser = await signed_in(Role.SUPERVISOR)

    for query in ("since=2026-10-01&until=2026-10-31", "since=2024-01-01&until=2024-12-30"):
        page = await browser.get(f"/charts?{query}")

        assert numbers(page.text) == {}
    for query in ("since=2026-12-01&until=2026-11-01", "since=2020-01-01", "since=abc", "until=9999-12-31"):
        page = await browser.get(f"/charts?{query}")

        assert (page.status_code, 'aria-invalid="true"' in page.text) == (200, True)


async def test_odd_numbers_have_no_rows(signed_in, committed, clock):
    """Addresses can say anything."""
    committed(a_month)
    browser = await signed_in(Role.SUPERVISOR)

    for path in ("cases?of=nothing&is=x", "cases?of=clock_finish&is=x", "cases?of=stars&is=99", "cases"):
        page = await browser.get(f"/charts/{path}")

        assert (page.status_code, ROW.findall(page.text)) == (200, [])
    assert [(await browser.get(f"/charts/messages{query}")).status_code for query in ("", "?hour=24")] == [404, 404]


async def test_the_workbook_has_what_is_shown_and_no_formula(signed_in, committed, clock):
    """A name is the first thing a stranger can write into a sheet of ours."""
    committed(a_month)
    clock.advance(timedelta(days=3))
    browser = await signed_in(Role.SUPERVISOR)

    answer = await browser.get("/charts/workbook")

    book = openpyxl.load_workbook(BytesIO(answer.content))
    assert 'filename="charts-2026-10-28-2026-11-26.xlsx"' in answer.headers["content-disposition"]
    assert list(book["按类型"].values) == [("项目", "数量"), ("报修", 3), ("投诉", 1)]
    finish = next(row for row in book["时限达成"].values if row[0] == "完成")
    assert finish[1:3] == (2, 1)
    assert finish[3] == pytest.approx(2 / 3)
    assert {cell.data_type for sheet in book for row in sheet for cell in row} <= {"s", "n"}


async def test_what_residents_wrote_is_text_in_the_lists(signed_in, committed, clock):
    """The rows behind a number are the residents' words."""
    committed(a_month)
    clock.advance(timedelta(days=3))
    browser = await signed_in(Role.SUPERVISOR)

    for path in ("messages?hour=12", "unclear", "cases?of=kind&is=complaint"):
        page = (await browser.get(f"/charts/{path}")).text

        assert "&lt;script&gt;alert(1)" in page
        assert "<script>alert" not in page


async def test_a_manager_of_two_communities_sees_each_by_itself(signed_in, committed, clock):
    """The same person in both groups; in the other one they are what they are there."""
    committed(a_month)

    def neighbours(stage: Stage) -> int:
        return stage.another_community().id

    there = committed(neighbours)
    browser = await signed_in(Role.MANAGER)
    assert (await browser.get(f"/charts?community={there}")).status_code == 404

    def joins(stage: Stage) -> None:
        me = max(staff.present(stage.session, stage.community.id), key=lambda one: one.number)
        communities.access_community(stage.session, stage.community.bot_id)
        staff.access_staff(stage.session, there, me.user_id, display_name="管家").role = Role.SUPERVISOR

    committed(joins)
    page = (await browser.get(f"/charts?community={there}")).text

    assert "<strong>月亮湾</strong>" in page
    assert numbers(page) == {}
    assert "<strong>阳光花园</strong>" in (await browser.get("/charts")).text


async def test_the_butlers_of_another_community_are_no_reason_to_look_there(signed_in, committed):
    """A right is a right in one community."""
    there = committed(lambda stage: stage.another_community().id)
    browser = await signed_in(Role.MANAGER)

    def joins(stage: Stage) -> None:
        me = max(staff.present(stage.session, stage.community.id), key=lambda one: one.number)
        staff.access_staff(stage.session, there, me.user_id, display_name="管家")

    committed(joins)

    for door in DOORS:
        if door.path.startswith("/charts"):
            assert (await browser.get(f"{door.path}?community={there}&hour=1")).status_code == 404


@pytest.mark.parametrize(("days", "step"), [(1, "day"), (31, "day"), (32, "week"), (184, "week"), (185, "month")])
def test_columns_get_longer_with_the_period(stage, days, step):
    """Thirty columns can be read, three hundred cannot."""
    last = NOON.date()

    assert Scope(stage.community, last - timedelta(days=days - 1), last, NOON).step == step


def test_a_year_of_columns_leads_to_every_case(stage):
    """PostgreSQL begins weeks and months, and we name them: the two have to agree."""
    stage.case()
    day = NOON.date()
    for first in (day, day - timedelta(days=60), day - timedelta(days=300)):
        scope = Scope(stage.community, first, day, NOON)
        [(column, count)] = (+daily_sums.look(stage.session, scope).over_time("kind")).items()

        assert (count, len(figures.cases(stage.session, scope, "opened", str(column), before=None).rows)) == (1, 1)


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (81, 263, 0.2553, 0.3662), (1, 1, 0.2065, 1.0)],
)
def test_the_interval_is_wilsons(count, of, low, high):
    """Figures from the literature (Newcombe 1998, and the closed form at both ends)."""
    assert Share(count, of).interval == pytest.approx((low, high), abs=5e-5)


def test_of_nobody_nothing_is_known():
    """A share of none is no zero."""
    assert (Share(0, 0).value, Share(0, 0).interval, shares.SURE) == (None, None, 0.95)
