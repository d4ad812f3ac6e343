"""The schedule: what is still to come, what was not sent and why, and what somebody holds back."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from starlette.responses import Response

from console.doors import deed, page
from console.troubles import Kind, Trouble
from console.visit import Visit
from service import schedule
from service.schedule import FollowUp, Place, Wanted
from service.staff import Right

SHOWN = 100  # rows of a page
NOT_SENT_SINCE = timedelta(days=30)  # what was not sent longer ago is shown when a day is asked for
FIELDS = ("list", "kind", "case", "since", "until", "held")
MOST_WHY = 200  # characters
DIGITS = re.compile(r"[0-9]{1,18}")


def search(visit: Visit) -> Response:
    """The follow-ups, the soonest first; the next page begins behind the last row of this one."""
    gone = visit.asked("list") == "not_sent"
    days, errors = visit.asked_period()
    wanted = Wanted(
        visit.community.id,
        since=days.get("since") or (visit.now - NOT_SENT_SINCE if gone else None),
        after=_after(visit),
        until=days.get("until"),
        case=visit.asked("case")[:32] or None,
        kinds=(visit.asked("kind"),) if visit.asked("kind") else (),
        held=bool(visit.asked("held")),
    )
    look = schedule.not_sent if gone else schedule.to_come
    found = look(visit.session, wanted, limit=SHOWN + 1)
    names = dict.fromkeys(kind.name for kind in (schedule.NOT_SENT if gone else schedule.KINDS))
    return visit.page(
        "follow_ups/search.html",
        found=found[:SHOWN],
        after=_written(found[SHOWN - 1]) if len(found) > SHOWN else None,
        asked={name: visit.asked(name) for name in FIELDS},
        errors=errors,
        kinds=[(name, visit.t(f"utter_word_follow_up_{name}")) for name in names],
        gone=gone,
    )


def _written(last: FollowUp) -> str:
    """The end of a page as it stands in the address of the next one."""
    due, *rest = last.place
    return " ".join((due.isoformat(), *map(str, rest)))


def _after(visit: Visit) -> Place | None:
    """Behind what a page begins; what cannot be read is the beginning."""
    due, kind, number, detail = (*visit.asked("after").split(" ", 3), "", "", "")[:4]
    try:
        at = datetime.fromisoformat(due)
    except ValueError:
        return None
    return (at, kind, int(number), detail) if at.tzinfo and DIGITS.fullmatch(number) else None


def hold(visit: Visit) -> Response:
    """Hold one back until somebody releases it."""
    why = visit.said("why")[:MOST_WHY]
    if not why:
        return visit.back("/schedule", told="follow_ups.why_needed")
    actor = f"staff:{visit.member.number}"
    schedule.hold(visit.session, visit.community.id, _kind(visit), visit.id(), by=actor, why=why, now=visit.now)
    return visit.back("/schedule", told="follow_ups.told_held")


def release(visit: Visit) -> Response:
    """Let it go again."""
    actor = f"staff:{visit.member.number}"
    schedule.release(visit.session, visit.community.id, _kind(visit), visit.id(), by=actor, now=visit.now)
    return visit.back("/schedule", told="follow_ups.told_released")


def _kind(visit: Visit) -> str:
    kind = visit.said("kind")
    if kind not in {one.name for one in schedule.KINDS}:
        raise Trouble(Kind.NOT_FOUND)
    return kind


DOORS = (
    page("/schedule", search, Right.RECORDS, shows="schedule"),
    deed("/schedule/{id:int}/hold", hold, Right.LETTERS, act="hold", object="follow_up"),
    deed("/schedule/{id:int}/release", release, Right.LETTERS, act="release", object="follow_up"),
)
