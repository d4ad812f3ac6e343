"""The ladder: a promise that is about to be broken, or was, is told to butler, supervisor, manager, each step once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import clocks, communities, conversations, holds, outbox, texts
from service.clock_runs import Rung, Step
from service.clocks import TOLD, Rules, Standing
from service.communities import STAFF_LANGUAGE
from service.models.cases import Case, CaseClock, CaseEvent
from service.models.communities import Community
from service.models.queues import Priority
from service.texts import Button

LINES = 10  # cases of one message; the group's budget is 18 messages a minute


@dataclass(frozen=True)
class Alarm:
    """Somebody is to hear of a clock."""

    case: Case
    standing: Standing
    rung: Rung
    key: str


def climb_due(session: Session, *, now: datetime, limit: int = 50) -> int:
    """Tell staff of every clock that has come to a step of the ladder; any number of processes may do so at once.

    Steps that lie on one moment, as after a long downtime, are all written down and the last of them is told. What is
    to be told in one topic at once goes in one message.

    Args:
        session: the caller's transaction.
        now: the moment, aware UTC.
        limit: cases of one transaction.

    Returns:
        How many rows were looked at; 0 means nothing is due.
    """
    due = (
        select(CaseClock.case_id, Case.conversation_id)
        .join(Case, Case.id == CaseClock.case_id)
        .where(CaseClock.wake_at <= now, holds.free(CaseClock.case_id))
        .order_by(CaseClock.wake_at)
        .limit(limit)
    )
    rows = session.execute(due).all()
    alarms: list[Alarm] = []
    for row in conversations.in_order(set(rows)):
        conversations.lock(session, row.conversation_id)
        if holds.open_hold(session, CaseClock.case_id, row.case_id) is not None:
            continue
        case = session.get_one(Case, row.case_id, with_for_update={"of": Case}, populate_existing=True)
        held, log = clocks.rules(session, case.community_id), clocks.log_of(session, case)
        alarms += _climb(session, case, log, held, now=now)
        clocks.index(session, case, log=log, held=held)
    _tell(session, alarms)
    return len(rows)


def _climb(session: Session, case: Case, log: list[Step], held: Rules, *, now: datetime) -> list[Alarm]:
    """Write down the steps the case's clocks have come to, also in the log at hand; the last of each clock is told."""
    told, alarms = clocks.already_told(log), []
    for standing in clocks.standings(case, log, held):
        if standing.run.stopped is not None:
            continue
        reached = [rung for rung, at in clocks.rungs_ahead(standing, told) if at <= now]
        for rung in reached:
            key = clocks.rung_key(standing.run, rung)
            data = {"rung": key, "to": rung.to, "told": rung is reached[-1]}
            session.add(CaseEvent(case_id=case.id, event=TOLD, actor="bot", at=now, key=key, data=data))
            log.append(Step(TOLD, now, data, key))
        if reached:
            key = clocks.rung_key(standing.run, reached[-1])
            alarms.append(Alarm(case, standing, reached[-1], f"case:{case.id}:{key}"))
    session.flush()
    return alarms


def _tell(session: Session, alarms: Iterable[Alarm]) -> None:
    def place(alarm: Alarm) -> tuple[int, float]:
        return alarm.case.department_id, alarm.rung.at

    for _, those in groupby(sorted(alarms, key=place), key=place):
        together = list(those)
        for first in range(0, len(together), LINES):
            _post(session, together[first : first + LINES])


def _post(session: Session, alarms: Sequence[Alarm]) -> None:
    first = alarms[0]
    community = session.get_one(Community, first.case.community_id)
    group = communities.staff_group(session, community.id)
    if group is None:
        return
    lines = [_line(alarm, community) for alarm in alarms]
    role = texts.words(f"utter_word_role_{first.rung.to}", language=STAFF_LANGUAGE)
    said = texts.say(f"utter_staff_clock_{first.rung.step}", language=STAFF_LANGUAGE, role=role, lines="\n".join(lines))
    keys = tuple(_key(alarm.case) for alarm in alarms if alarm.standing.run.clock == "progress")
    outbox.put(
        session,
        **group,
        topic_id=first.case.department.topic_id,
        kind="note",
        act="say",
        payload=replace(said, buttons=keys).payload(),
        priority=Priority.FOLLOW_UP,
        key=first.key,
    )


def _key(case: Case) -> Button:
    """Who is reminded of a note that is owed can write it at once."""
    title = texts.words("utter_word_key_progress", language=STAFF_LANGUAGE, number=case.number)
    return Button(title, f"w:{case.id}:progress")


def _line(alarm: Alarm, community: Community) -> str:
    due = alarm.standing.due
    assert due is not None, "a clock that waits comes to no step"
    return texts.words(
        "utter_word_clock_line",
        language=STAFF_LANGUAGE,
        number=alarm.case.number,
        matter=alarm.case.matter[:40],
        clock=texts.words(f"utter_word_clock_{alarm.standing.run.clock}", language=STAFF_LANGUAGE),
        due=clocks.moment(due, community, language=STAFF_LANGUAGE),
    )
