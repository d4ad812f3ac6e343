"""What ails many at once: staff enter it, neighbours report it and are joined to it, and hear when it is over."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from service import conversations, incident_reports, incident_words, incidents
from service.cases import Facts
from service.models.communities import Community
from service.models.incidents import IncidentReport, ReportOutcome
from service.models.talks import Owner
from service.sending import Parcel
from tests.quarter.world import ZONE

if TYPE_CHECKING:
    from tests.quarter.people import People

ENTERED, REPORTED, PLACE = "3栋停水", "家里停水了", "3栋2单元1201"


def break_down(people: People) -> None:
    """No water in building 3: some who live there write, and after some hours it is over."""
    source, now = people.key("incident"), people.world.now

    def act(session: Session) -> int:
        community = session.get_one(Community, people.world.community_id)
        entry = incident_words.read(ENTERED, now=now, timezone=ZONE)
        return incidents.enter(session, community, entry, by="staff:101", source=source, now=now).id

    number = people.world.do(act)
    for _ in range(people.chance.randrange(4, 5 + people.scale.households // 100)):
        people.world.after(people.minutes(240), partial(_report, people, people.somebody()))
    people.world.after(people.minutes(600), partial(_end, people, number))


def _report(people: People, chat: int) -> None:
    """Whoever writes after it is over sees that by themselves."""
    number, now = people.world.number(), people.world.now

    def act(session: Session) -> None:
        talk = people.talk_with(session, chat)
        people.says(session, talk, REPORTED, number)
        known = incident_reports.find(session, talk, REPORTED, PLACE, now=now) if talk.owner is Owner.BOT else None
        if known is not None:
            line = incident_reports.join(session, talk, known, Facts("repair", REPORTED, place=PLACE), now=now)
            conversations.tell(session, talk, line, now=now, key=f"turn:{number}:reply:0")

    people.writes(chat)
    people.world.do(act)


def _end(people: People, number: int) -> None:
    now = people.world.now

    def act(session: Session) -> None:
        incidents.end(session, incidents.access_incident(session, people.world.community_id, number), now=now)

    people.world.do(act)


def news_came(people: People, report_id: int, parcel: Parcel, _: str) -> None:
    """They hear that it is known, or that it is over; for some theirs is another matter, or not mended."""
    is_over = parcel.kind == incident_reports.KIND
    says, weights = (("fixed", "not_fixed", ""), (60, 10, 30)) if is_over else (("different", ""), (8, 92))
    [outcome] = people.chance.choices(says, weights)
    if outcome:
        answer = partial(_answer, people, report_id, parcel.chat_id, ReportOutcome(outcome))
        people.world.after(people.minutes(200), answer)


def _answer(people: People, report_id: int, chat: int, outcome: ReportOutcome) -> None:
    now = people.world.now

    def act(session: Session) -> int | None:
        incident_reports.answer(session, people.talk_with(session, chat), report_id, outcome, now=now)
        return session.get_one(IncidentReport, report_id).case_id

    people.writes(chat)
    case_id = people.world.do(act)
    if outcome is not ReportOutcome.FIXED and case_id is not None:
        people.takes_care_of(case_id, "repair", chat, people.world.number())
