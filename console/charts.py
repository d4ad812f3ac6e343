"""Charts: how the service did in a period, in figures that lead to the cases and messages counted, and as a workbook.

A chart is a table whose rows have bars: one thing for eyes and screen readers, drawn on the server as SVG attributes.
Plotly would be 3.5 MB of script that writes styles into the page, and pygal writes them into the picture; the CSP of
the console allows neither.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from io import BytesIO
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import openpyxl
from starlette.responses import Response

from console import chart_lines
from console.doors import page
from console.troubles import Kind, Trouble
from console.visit import Visit
from service import figures, heard, staff
from service.figures import Scope
from service.models.communities import Community
from service.staff import Right
from service.workbook import cell

USUAL = 30  # days, when nobody says otherwise
LONGEST = 366  # days
RANGES = (7, 30, 90, 365)  # days, offered as links
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
HOME = "/charts"


@dataclass(frozen=True)
class Asked:
    """The filter: what of it is used, and what of it could not be."""

    scope: Scope
    elsewhere: bool  # in a community the visitor is not signed in to, so rows are named and not linked
    communities: list[tuple[str, str]]
    errors: Mapping[str, str]


def overview(visit: Visit) -> Response:
    """All charts of a period; the filter stands in the address, so they can be passed on."""
    asked = _asked(visit)
    return visit.page(
        "charts/overview.html",
        asked=asked,
        scope=asked.scope,
        charts=chart_lines.charts(visit, asked.scope),
        served=chart_lines.served(visit),
        ranges=[(days, visit.link(since=_first(asked.scope, days), until=None)) for days in RANGES],
        workbook=f"{HOME}/workbook?{visit.request.url.query}",
    )


def workbook(visit: Visit) -> Response:
    """What is shown, as a file: a sheet a chart."""
    scope = _asked(visit).scope
    book = openpyxl.Workbook(write_only=True)
    for title, rows in chart_lines.sheets(visit, scope):
        sheet = book.create_sheet(re.sub(r"[\[\]:*?/\\]", " ", title)[:31])
        for row in rows:
            sheet.append([cell(sheet, value) for value in row])
    content = BytesIO()
    book.save(content)
    name = f"charts-{scope.first}-{scope.last}.xlsx"
    return Response(
        content.getvalue(), media_type=XLSX, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def cases(visit: Visit) -> Response:
    """The cases behind a number."""
    asked, figure, value = _asked(visit), visit.asked("of"), visit.asked("is")
    found = figures.cases(visit.session, asked.scope, figure, value, before=visit.asked("before"))
    what = chart_lines.named(visit, figure, value)
    return _rows(visit, "charts/cases.html", asked, found=found, what=what)


def messages(visit: Visit) -> Response:
    """What residents wrote in an hour of the day."""
    asked, hour = _asked(visit), visit.asked_number("hour")
    if hour is None or hour > 23:
        raise Trouble(Kind.NOT_FOUND)
    found = heard.in_hour(visit.session, asked.scope, hour, before=visit.asked("before"))
    talks = heard.conversations(visit.session, found.rows)
    what = visit.t("charts.in_hour", hour=chart_lines.hour(hour))
    return _rows(visit, "charts/messages.html", asked, found=found, talks=talks, what=what)


def unclear(visit: Visit) -> Response:
    """What was not understood."""
    asked = _asked(visit)
    found = heard.unclear(visit.session, asked.scope, before=visit.asked("before"))
    return _rows(visit, "charts/unclear.html", asked, found=found, what=visit.t("charts.unclear"))


def _rows(visit: Visit, template: str, asked: Asked, **facts: Any) -> Response:
    scope = asked.scope
    back = f"{HOME}?{urlencode(chart_lines.filter_of(visit, scope))}"
    return visit.page(template, asked=asked, scope=scope, back=back, **facts)


def _asked(visit: Visit) -> Asked:
    """What is looked at; a day that cannot be read, or a period that is none, is said and the usual one taken."""
    signed_in_to = visit.member.community_id
    known = _look_elsewhere(visit)
    errors: dict[str, str] = {}
    today = visit.now.astimezone(ZoneInfo(visit.community.timezone)).date()
    last = _day(visit, "until", errors) or today
    first = _day(visit, "since", errors) or last - timedelta(days=USUAL - 1)
    if first > last:
        errors["since"], first = "charts.backwards", last - timedelta(days=USUAL - 1)
    elif (last - first).days >= LONGEST:
        errors["since"], first = "charts.too_long", last - timedelta(days=LONGEST - 1)
    scope = Scope(visit.community, first, last, visit.now)
    return Asked(scope, visit.community.id != signed_in_to, known, errors)


def _look_elsewhere(visit: Visit) -> list[tuple[str, str]]:
    """Go to another community in which the same person may see charts, and be there what they are there.

    Returns:
        Every such community.

    Raises:
        Trouble: they may not, or there is none: the answer is the same.
    """
    same = [one for one in staff.memberships(visit.session, visit.member.user_id) if staff.may(one, Right.CHARTS)]
    wanted = visit.asked("community")
    if wanted:
        there = next((one for one in same if str(one.community_id) == wanted), None)
        if there is None:
            raise Trouble(Kind.NOT_FOUND)
        visit.member, visit.community = there, visit.session.get_one(Community, there.community_id)
    return [(str(one.community_id), visit.session.get_one(Community, one.community_id).name) for one in same]


def _day(visit: Visit, name: str, errors: dict[str, str]) -> date | None:
    word = visit.asked(name)
    try:
        found = date.fromisoformat(word) if word else None
    except ValueError:
        found = None
    if word and (found is None or not 2000 <= found.year < 3000):
        errors[name] = "shell.not_a_day"
        return None
    return found


def _first(scope: Scope, days: int) -> date:
    today = scope.now.astimezone(ZoneInfo(scope.community.timezone)).date()
    return today - timedelta(days=days - 1)


DOORS = (
    page(HOME, overview, Right.CHARTS, shows="charts"),
    page(f"{HOME}/workbook", workbook, Right.CHARTS, shows="charts"),
    page(f"{HOME}/cases", cases, Right.CHARTS, shows="counted_cases"),
    page(f"{HOME}/messages", messages, Right.CHARTS, shows="counted_messages"),
    page(f"{HOME}/unclear", unclear, Right.CHARTS, shows="counted_messages"),
)
