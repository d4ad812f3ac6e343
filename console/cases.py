"""Cases: the list with its filters, views that staff keep of it, a case with its log, and the steps they may take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl, urlencode

from starlette.responses import Response

from console import texts
from console.doors import deed, page
from console.files import sent
from console.troubles import Kind, Trouble
from console.visit import Visit
from service import case_list, case_sheet, cases, categories, communities, legacy, progress_notes, saved_views, work
from service.case_list import Wanted
from service.models.cases import CaseEvent, CaseState
from service.staff import Right

LIST = "cases"
AT_WORK = "at_work"  # beside the states: all of those in which somebody is to do something
FIELDS = ("q", "state", "kind", "category", "department", "urgency", "since", "until", "resident", "overdue", "rated")
Pairs = Sequence[tuple[str, str]]


def search(visit: Visit) -> Response:
    """The cases, newest first; the filter stands in the address, so it can be passed on and kept."""
    wanted, errors = _wanted(visit)
    found = case_list.find(
        visit.session, visit.community.id, wanted, now=visit.now, before=visit.asked_number("before")
    )
    return visit.page(
        "cases/search.html",
        found=found.page,
        due=found.due,
        asked={name: visit.asked(name) for name in FIELDS},
        errors=errors,
        narrowed=any(visit.asked(name) for name in FIELDS if name != "q"),
        options=_options(visit),
        views=saved_views.of(visit.session, visit.member, LIST),
    )


def _wanted(visit: Visit) -> tuple[Wanted, Mapping[str, str]]:
    """What is looked for, and what of it cannot be read; that is left out of the search."""
    days, errors = visit.asked_period("rated")
    errors |= {name: "shell.not_a_number" for name in ("urgency", "resident") if visit.is_odd(name)}
    state = visit.asked("state")
    wanted = Wanted(
        words=visit.asked("q")[:200],
        state=CaseState(state) if state in tuple(CaseState) else None,
        at_work=state == AT_WORK,
        overdue=bool(visit.asked("overdue")),
        kind=visit.asked("kind") or None,
        category=visit.asked("category") or None,
        department=visit.asked("department") or None,
        urgency=visit.asked_number("urgency"),
        resident=visit.asked_number("resident"),
        since=days.get("since"),
        until=days.get("until"),
        rated=days.get("rated"),
    )
    return wanted, errors


def _options(visit: Visit) -> Mapping[str, Pairs]:
    """What each filter offers, with its name."""
    t = visit.t
    return {
        "state": [(AT_WORK, t("cases.at_work")), *((state, t(f"utter_word_{state}")) for state in CaseState)],
        "kind": [(kind, t(f"utter_word_{kind}")) for kind in case_list.KINDS],
        "category": [(key, t(f"utter_word_category_{key}")) for key in categories.categories()],
        "department": [(key, t(f"utter_word_{key}")) for key in communities.DEPARTMENTS],
        "urgency": [(str(one), t(f"cases.urgency_{one}")) for one in case_list.URGENCIES],
        "overdue": [("1", t("cases.overdue_only"))],
    }


def keep_view(visit: Visit) -> Response:
    """Give the filter a name; only what is a field of ours is kept of it."""
    query = urlencode([(name, value) for name, value in parse_qsl(visit.said("query")) if name in FIELDS])
    back, name = f"/cases?{query}", visit.said("name")
    if not name:
        return visit.back(back, told="cases.view_needs_a_name")
    kept = saved_views.keep(visit.session, visit.member, LIST, name=name, query=query)
    return visit.back(back, told="cases.view_kept" if kept else "cases.view_too_many")


def drop_view(visit: Visit) -> Response:
    """Forget a view of one's own."""
    if not saved_views.drop(visit.session, visit.member, visit.id()):
        raise Trouble(Kind.NOT_FOUND)
    return visit.back("/cases", told="cases.view_dropped")


def show(visit: Visit) -> Response:
    """All there is about a case."""
    sheet = case_sheet.read(visit.session, visit.community.id, visit.id())
    others = [key for key in communities.DEPARTMENTS if key != sheet.case.department.key]
    return visit.page(
        "cases/sheet.html",
        sheet=sheet,
        case=sheet.case,
        log=[(step, step_name(visit, step.event), _detail(visit, step)) for step in sheet.log],
        files=sheet.files,
        sent=sent(visit, {one.id: one.media for one in sheet.files}),
        pauses=[(verb, visit.t(f"cases.pause_{reason}")) for verb, reason in work.PAUSES.items()],
        departments=[(f"to_{key}", visit.t(f"utter_word_{key}")) for key in others],
        kinds=[
            *((f"is_{kind}", visit.t(f"utter_word_{kind}")) for kind in work.KINDS if kind != sheet.case.kind),
            *((verb, visit.t(f"cases.legacy_{verb}")) for verb in legacy.VERBS if "progress" in sheet.steps),
        ],
    )


def step(visit: Visit) -> Response:
    """Take a step, as a tap on the work order does; whoever saw an older state is told so."""
    verb = visit.said("verb")
    case = cases.access_case_as_staff(visit.session, visit.member, visit.id())
    if verb not in work.STEPS:
        raise Trouble(Kind.UNREADABLE)
    version = case_sheet.version(visit.session, case)
    visit.check_version(version)
    work.tap(visit.session, visit.member, case.id, verb, key=f"console:{version}:{verb}", now=visit.now)
    return visit.back(f"/cases/{case.id}", told="cases.step_taken")


def tell(visit: Visit) -> Response:
    """Tell the resident how far it is, as a reply in the department's topic does."""
    case = cases.access_case_as_staff(visit.session, visit.member, visit.id())
    version, words = case_sheet.version(visit.session, case), visit.said("words")
    visit.check_version(version)
    if not words:
        return visit.back(f"/cases/{case.id}", told="cases.no_words")
    progress_notes.write(visit.session, visit.member, case.id, words, key=f"console:{version}:told", now=visit.now)
    return visit.back(f"/cases/{case.id}", told="cases.told")


def step_name(visit: Visit, event: str) -> str:
    """What a step is called; one that has no name yet is another step."""
    key = f"cases.step_{event}"
    return visit.t(key if key in texts.catalogue() else "cases.step_other")


def _detail(visit: Visit, step: CaseEvent) -> str:
    """What else is known of a step: from where to where, why, in which words, how many stars."""
    facts = step.data or {}
    parts = []
    if "from" in facts and "to" in facts:
        parts.append(f"{_word(visit, facts['from'])} → {_word(visit, facts['to'])}")
    if f"cases.pause_{facts.get('reason')}" in texts.catalogue():
        parts.append(visit.t(f"cases.pause_{facts['reason']}"))
    if f"cases.outcome_{facts.get('outcome')}" in texts.catalogue():
        parts.append(visit.t(f"cases.outcome_{facts['outcome']}"))
    if facts.get("media"):
        parts.append(visit.t("cases.media", n=facts["media"]))
    if facts.get("stars"):
        parts.append(visit.t("cases.stars", n=facts["stars"]))
    return " · ".join([*parts, *([str(facts["words"])] if facts.get("words") else [])])


def _word(visit: Visit, key: object) -> str:
    """A department's or a kind's name; one that is not offered any more stays what it is called inside."""
    known = (*communities.DEPARTMENTS, *case_list.KINDS)
    return visit.t(f"utter_word_{key}") if key in known else str(key)


DOORS = (
    page("/cases", search, Right.RECORDS, shows="cases"),
    page("/cases/{id:int}", show, Right.RECORDS, shows="case"),
    deed("/cases/{id:int}/step", step, Right.WORK, act="step", object="case"),
    deed("/cases/{id:int}/tell", tell, Right.WORK, act="tell", object="case"),
    deed("/cases/views", keep_view, Right.RECORDS, act="keep", object="view"),
    deed("/cases/views/{id:int}/drop", drop_view, Right.RECORDS, act="drop", object="view"),
)
