"""The lines of each chart: a name, how many, of how many, and the address of the rows that are counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from console.visit import Visit
from service import daily_sums, figures, first_time_fix, heard, tallies, texts
from service.daily_sums import Found
from service.figures import CLOCK, Scope
from service.language_models import macro_f1
from service.shares import Share

MOST_CATEGORIES = 30
LANGUAGES = texts.LANGUAGES
RESULTS = {"fix": (first_time_fix.HELD, first_time_fix.NOT_HELD), "satisfied": (figures.SATISFIED, figures.UNSATISFIED)}
ENDS = {
    figures.KEPT: "charts.was_kept",
    figures.LATE: "charts.was_late",
    first_time_fix.HELD: "charts.was_yes",
    figures.SATISFIED: "charts.was_yes",
    first_time_fix.NOT_HELD: "charts.was_no",
    figures.UNSATISFIED: "charts.was_no",
}
WORDS = {"kind": "", "category": "category_"}  # how a stored value is called in domain.yml


@dataclass(frozen=True)
class Line:
    """A row of a chart. Where a share is the point, `rest` counts those that were not so."""

    name: str
    count: int
    link: str | None
    width: float = 0.0  # of the bar, of 100
    rest: int | None = None
    rest_link: str | None = None

    @property
    def share(self) -> Share | None:
        """The count of all, where that is the point."""
        return None if self.rest is None else Share(self.count, self.count + self.rest)


@dataclass(frozen=True)
class Chart:
    """A title (`charts.<key>`, with what to know in `charts.<key>_note`) and its lines."""

    key: str
    lines: Sequence[Line]
    in_columns: bool = False  # along time, left to right

    @property
    def sum(self) -> int:
        """All that is counted, the rest included."""
        return sum(line.count + (line.rest or 0) for line in self.lines)

    @property
    def has_shares(self) -> bool:
        """Whether the lines are shares."""
        return any(line.rest is not None for line in self.lines)


@dataclass(frozen=True)
class Served:
    """A model that was served, since when, and its macro-F1 in each language."""

    model_id: int
    name: str
    at: Any
    scores: Mapping[str, float | None]


def charts(visit: Visit, scope: Scope) -> Sequence[Chart]:
    """Every chart of the page, from top to bottom."""
    found = daily_sums.look(visit.session, scope)
    return [
        Chart("opened", _over_time(visit, found), in_columns=True),
        Chart("kind", _volumes(visit, found, "kind")),
        Chart("category", _volumes(visit, found, "category")),
        Chart("clocks", _clocks(visit, found)),
        Chart("results", _results(visit, found)),
        Chart("stars", _stars(visit, found)),
        Chart("hours", _hours(visit, found), in_columns=True),
        Chart("unclear", _unclear(visit, found), in_columns=True),
    ]


def served(visit: Visit) -> Sequence[Served]:
    """The models that were served, the oldest first."""
    return [
        Served(one.model_id, one.model.name, one.at, {name: macro_f1(one.model, name) for name in LANGUAGES})
        for one in heard.served(visit.session)
    ]


def sheets(visit: Visit, scope: Scope) -> Iterator[tuple[str, list[list[Any]]]]:
    """The same as rows of a workbook, with a title a sheet."""
    for chart in charts(visit, scope):
        heads = ["name", "count", *(("rest", "share", "low", "high") if chart.has_shares else ())]
        yield (
            visit.t(f"charts.{chart.key}"),
            [[visit.t(f"charts.{head}") for head in heads], *(_cells(line)[: len(heads)] for line in chart.lines)],
        )
    heads = [visit.t("charts.model"), visit.t("charts.since_when"), *(visit.t(f"charts.f1_{one}") for one in LANGUAGES)]
    rows = [[one.name, f"{one.at:%Y-%m-%d}", *(one.scores[name] for name in LANGUAGES)] for one in served(visit)]
    yield visit.t("charts.models"), [heads, *rows]


def _cells(line: Line) -> list[Any]:
    low, high = (line.share and line.share.interval) or (None, None)
    return [line.name, line.count, line.rest, line.share and line.share.value, low, high]


def named(visit: Visit, figure: str, value: str) -> str:
    """What the cases behind a number are, in words; a figure nobody knows is what it was called."""
    if figure == "opened":
        return visit.t("charts.opened")
    if figure in WORDS:
        return _word(WORDS[figure], value, visit)
    if figure == "stars":
        return visit.t("charts.so_many_stars", n=value)
    if figure not in figures.FIGURES or value not in ENDS:
        return value
    clock = figure.removeprefix(CLOCK)
    what = visit.t(f"charts.{figure}") if clock == figure else _word(CLOCK, clock, visit)
    return visit.t(ENDS[value], what=what)


def hour(of_day: int) -> str:
    """An hour of the day as people read it."""
    return f"{of_day:02}:00–{of_day + 1:02}:00"


def filter_of(visit: Visit, scope: Scope) -> dict[str, Any]:
    """The period and the community as they stand in an address."""
    kept = {"since": scope.first, "until": scope.last, "community": visit.asked("community")}
    return {name: value for name, value in kept.items() if value}


def _link(visit: Visit, scope: Scope, where: str, **facts: Any) -> str:
    return f"/charts/{where}?{urlencode(filter_of(visit, scope) | facts)}"


def _cases(visit: Visit, scope: Scope, figure: str, value: object) -> str:
    return _link(visit, scope, "cases", **{"of": figure, "is": value})


def _word(family: str, value: str, visit: Visit) -> str:
    """A stored value's name; one of an older version stays what it is called inside."""
    key = f"utter_word_{family}{value}"
    return visit.t(key) if texts.exists(key) else value


def _to_scale(lines: Sequence[Line]) -> list[Line]:
    """Bars as long as the longest allows."""
    most = max((_size(line) for line in lines), default=0) or 1
    return [replace(line, width=round(100 * _size(line) / most, 2)) for line in lines]


def _size(line: Line) -> float:
    return line.count if line.share is None else line.share.value or 0.0


def _volumes(visit: Visit, found: Found, figure: str) -> list[Line]:
    most = sorted(found.count(figure).items(), key=lambda one: (-one[1], one[0]))[:MOST_CATEGORIES]
    return _to_scale(
        [
            Line(_word(WORDS[figure], value, visit), count, _cases(visit, found.scope, figure, value))
            for value, count in most
        ]
    )


def _over_time(visit: Visit, found: Found) -> list[Line]:
    scope, opened = found.scope, found.over_time("kind")
    return _to_scale(
        [Line(f"{day:%m-%d}", opened[day], _cases(visit, scope, "opened", day)) for day in _columns(scope)]
    )


def _columns(scope: Scope) -> Iterator[date]:
    """The first day of each column."""
    day = scope.column(scope.first)
    while day <= scope.last:
        yield day
        day = _next(day, scope.step)


def _next(day: date, step: str) -> date:
    if step == "month":
        return (day + timedelta(days=31)).replace(day=1)
    return day + timedelta(days=7 if step == "week" else 1)


def _share(name: str, count: int, rest: int, link: str | None, rest_link: str | None) -> Line:
    return Line(name, count, link, round(100 * count / (count + rest or 1), 2), rest, rest_link)


def _of_cases(visit: Visit, scope: Scope, figure: str, name: str, found: Mapping[str, int]) -> Line | None:
    """A share of cases; None when nothing is known."""
    good, bad = RESULTS.get(figure, (figures.KEPT, figures.LATE))
    if not found:
        return None
    links = _cases(visit, scope, figure, good), _cases(visit, scope, figure, bad)
    return _share(name, found.get(good, 0), found.get(bad, 0), *links)


def _clocks(visit: Visit, found: Found) -> list[Line]:
    names = [figure.removeprefix(CLOCK) for figure in figures.FIGURES if figure.startswith(CLOCK)]
    lines = (
        _of_cases(visit, found.scope, CLOCK + name, _word(CLOCK, name, visit), found.count(CLOCK + name))
        for name in names
    )
    return [line for line in lines if line is not None]


def _results(visit: Visit, found: Found) -> list[Line]:
    content: Counter[str] = Counter()
    for given, count in found.count("stars").items():
        content[figures.SATISFIED if int(given) >= figures.GOOD else figures.UNSATISFIED] += count
    known = {"fix": found.count("fix"), "satisfied": content}
    lines = (_of_cases(visit, found.scope, figure, visit.t(f"charts.{figure}"), of) for figure, of in known.items())
    return [line for line in lines if line is not None]


def _stars(visit: Visit, found: Found) -> list[Line]:
    given = found.count("stars")
    return _to_scale(
        [
            Line(
                visit.t("charts.so_many_stars", n=stars),
                given[str(stars)],
                _cases(visit, found.scope, "stars", stars),
            )
            for stars in range(5, 0, -1)
        ]
    )


def _hours(visit: Visit, found: Found) -> list[Line]:
    written = found.count(tallies.HOUR)
    return _to_scale(
        [Line(hour(one), written[str(one)], _link(visit, found.scope, "messages", hour=one)) for one in range(24)]
    )


def _unclear(visit: Visit, found: Found) -> list[Line]:
    scope, said, failed = found.scope, found.over_time(tallies.HOUR), found.over_time(tallies.UNCLEAR)
    return _to_scale([_unclear_line(visit, scope, day, said[day], failed[day]) for day in _columns(scope)])


def _unclear_line(visit: Visit, scope: Scope, day: date, said: int, failed: int) -> Line:
    """Of the messages of a column, those that were not understood; of a message taken in parts there may be more."""
    ends = _next(day, scope.step) - timedelta(days=1)
    link = _link(visit, scope, "unclear", since=max(day, scope.first), until=min(ends, scope.last))
    return _share(f"{day:%m-%d}", failed, max(said - failed, 0), link, None)
