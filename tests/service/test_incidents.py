"""Known incidents: whoever reports what is known is told at once, hears of its end, and loses no case of their own."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from service import after_talks, cases, incident_hints, incident_reports, incident_words, incidents, takeover
from service.cases import Facts
from service.db import Sessions
from service.errors import ButtonExpired, IncidentNotClear, IncidentNotFound
from service.models.cases import Case
from service.models.follow_ups import UnaskedMessage
from service.models.incidents import Incident, IncidentReport, ReportOutcome
from service.models.queues import OutboxRow
from service.models.talks import Conversation
from tests.service.test_follow_ups import sender_was_down
from tests.stage import NOON, STAFF_CHAT, Stage, sent_to_residents

EVENING = NOON + timedelta(hours=6)  # 18:00 in Shanghai
NIGHT = NOON + timedelta(hours=11)
HOME = "3栋2单元1201"


def read(words: str) -> incident_words.Entry:
    return incident_words.read(words, now=NOON, timezone="Asia/Shanghai")


def enter(
    stage: Stage, words: str = "3栋 停水 至 18:00 水管爆裂 | a burst pipe", *, source: str = "turn:1"
) -> Incident:
    return incidents.enter(stage.session, stage.community, read(words), by="staff:101", source=source, now=NOON)


def found(
    stage: Stage, matter: str, place: str | None = HOME, *, now: datetime = NOON, **facts: Any
) -> Incident | None:
    return incident_reports.find(stage.session, stage.resident(**facts), matter, place, now=now)


def join(stage: Stage, incident: Incident, talk: Conversation, matter: str = "家里停水了") -> IncidentReport:
    facts = Facts(kind="repair", matter=matter, place=HOME, phone="13800138000")
    incident_reports.join(stage.session, talk, incident, facts, now=NOON)
    return stage.session.scalars(select(IncidentReport).where(IncidentReport.conversation_id == talk.id)).one()


def ended(stage: Stage, talk: Conversation, *, now: datetime = NOON) -> IncidentReport:
    incident = enter(stage)
    report = join(stage, incident, talk)
    incidents.end(stage.session, incident, now=now)
    stage.session.refresh(report)
    return report


def card(stage: Stage) -> list[OutboxRow]:
    return [row for row in stage.outbox() if row.chat_id == STAFF_CHAT and "公共事件" in row.payload["text"]]


@pytest.mark.parametrize(
    ("words", "places", "trouble", "until"),
    [
        ("3栋 停水 至 18:00 水管爆裂", ("3栋",), "no_water", "18:00"),
        ("3栋停水", ("3栋",), "no_water", None),
        ("3栋、5栋2单元 停电 从 13:30 至 16:00", ("3栋", "5栋2单元"), "no_power", "16:00"),
        ("全小区 断网", (), "no_network", None),
        ("building 3 unit 2 no water until 6pm", ("3栋2单元",), "no_water", "18:00"),
        ("7栋 地下室积水，预计18:00恢复", ("7栋",), None, "18:00"),
    ],
)
def test_one_line_says_what_fails_where_until_when(words, places, trouble, until):
    """Whoever stands beside a burst pipe types on a telephone."""
    entry = read(words)

    shown = entry.expected_until and f"{entry.expected_until + timedelta(hours=8):%H:%M}"
    assert (entry.places, entry.trouble, shown) == (places, trouble, until)


@pytest.mark.parametrize("words", ["停水", "3栋", ""])
def test_without_a_place_or_a_trouble_staff_are_asked_again(words):
    """A guess would tell residents of another building that their water is off."""
    with pytest.raises(IncidentNotClear):
        read(words)


def test_a_clock_without_a_day_is_the_next_one():
    assert read("3栋 停水 至 11:00").expected_until == NOON + timedelta(hours=23)


@pytest.mark.parametrize(
    ("matter", "place", "is_it"),
    [
        ("家里没水了", HOME, True),
        ("水龙头不出水", "3栋1单元502", True),
        ("there is no water in my flat", HOME, True),
        ("厨房水管漏水", HOME, False),
        ("家里停电了", HOME, False),
        ("家里没水了", "5栋1单元101", False),
    ],
)
def test_only_the_same_trouble_in_an_affected_place_is_the_incident(stage, matter, place, is_it):
    """A leak in building 3 is water too, and must not drown in "no water"."""
    enter(stage)

    assert (found(stage, matter, place) is not None) == is_it


def found_at_home(stage: Stage) -> Incident | None:
    return incident_reports.find(stage.session, stage.resident(place=HOME), "停水了", None, now=NOON)


def test_who_names_no_place_is_where_they_live(stage):
    enter(stage)

    assert found_at_home(stage) is not None
    assert found(stage, "停水了", None) is None


def test_what_concerns_the_whole_community_needs_no_place(stage):
    enter(stage, "全小区 停电")

    assert found(stage, "停电了", None) is not None


def test_what_is_announced_for_later_explains_nothing_yet(stage):
    enter(stage, "3栋 停水 从 14:00 至 18:00")

    assert found(stage, "停水了") is None
    assert found(stage, "停水了", now=NOON + timedelta(hours=3)) is not None


def test_the_resident_is_told_what_is_known_and_joined_once(stage):
    talk, incident = stage.resident(), enter(stage)
    facts = Facts(kind="repair", matter="停水了", place=HOME)

    first, second = (incident_reports.join(stage.session, talk, incident, facts, now=NOON) for _ in range(2))

    assert all(words in first.text for words in ("3栋", "停水", "今天 18:00", "水管爆裂"))
    assert first.text != second.text
    assert incidents.joined(stage.session, incident) == 1
    assert cases.count(stage.session, talk) == 0


def test_words_of_staff_are_told_in_the_language_they_were_written_in(stage):
    """Nobody translates "the pump is being replaced" on the fly."""
    talk, incident = stage.resident(language="en"), enter(stage)

    line = incident_reports.join(stage.session, talk, incident, Facts(kind="repair", matter="no water"), now=NOON)

    assert all(words in line.text for words in ("Building 3", "no water", "a burst pipe"))
    assert "水" not in line.text


def test_a_time_that_is_past_is_not_promised(stage):
    incident = enter(stage)

    words = incidents.expected(stage.session, incident, now=EVENING, language="zh")

    assert "18:00" not in words
    assert "抱歉" in words


def test_entered_again_it_is_brought_up_to_date_on_the_same_card(stage):
    """Two incidents for one burst pipe would be ended once."""
    first = enter(stage)

    second = enter(stage, "3栋 停水 至 20:00", source="turn:2")

    assert second.id == first.id
    assert second.text_zh == "水管爆裂", "what is not said anew holds"
    assert [row.act for row in card(stage)] == ["say", "edit"]


def test_a_repeated_command_is_one_incident(stage):
    assert enter(stage).id == enter(stage).id
    assert len(card(stage)) == 1


def test_mine_is_different_opens_a_case_with_everything_said(stage):
    talk = stage.resident()
    report = join(stage, enter(stage), talk, "水管爆了没有水")

    for _ in range(2):
        incident_reports.answer(stage.session, talk, report.id, ReportOutcome.DIFFERENT, now=NOON)

    [case] = stage.session.scalars(select(Case))
    assert (case.matter, case.place, case.phone) == ("水管爆了没有水", HOME, "13800138000")
    assert case.number in stage.lines_to(talk)[-1]


def test_who_said_theirs_is_different_is_not_told_of_the_end(stage):
    talk, incident = stage.resident(), enter(stage)
    report = join(stage, incident, talk)
    incident_reports.answer(stage.session, talk, report.id, ReportOutcome.DIFFERENT, now=NOON)

    assert incidents.end(stage.session, incident, now=NOON) == 0


def test_its_end_is_told_once_with_the_question(stage):
    talk = stage.resident(surname="王", honorific="mr")
    ended(stage, talk)

    while incident_reports.tell_due(stage.session, now=NOON):
        pass

    [line] = stage.outbox(incident_reports.KIND)
    assert all(words in line.payload["text"] for words in ("王先生", "3栋", "停水", "恢复"))
    assert line.delivery == "at_most_once"
    assert stage.session.scalars(select(UnaskedMessage)).one().urgent, "it is written down, and refused by no budget"


def moved(stage: Stage, talk: Conversation, words: str = "3栋 停水 至 20:00") -> IncidentReport:
    """Joined while it was to end at 18:00, which has been changed."""
    report = join(stage, enter(stage), talk)
    enter(stage, words, source="turn:2")
    stage.session.refresh(report)
    return report


def test_who_is_joined_just_after_its_end_is_told_as_well(sessions: Sessions):
    """The end was written between the moment it was found and the moment they were promised to hear of it."""
    with sessions.begin() as session:
        stage = Stage(session)
        talk, incident = stage.resident(), enter(stage)

    with sessions.begin() as resident:
        known = resident.get_one(Incident, incident.id)
        with sessions.begin() as staff:
            incidents.end(staff, incidents.access_incident(staff, incident.community_id, incident.id), now=NOON)
        theirs = resident.get_one(Conversation, talk.id)
        incident_reports.join(resident, theirs, known, Facts(kind="repair", matter="停水", place=HOME), now=NOON)

    with sessions.begin() as session:
        assert incidents.hear_soon(session, session.get_one(Incident, incident.id)) == 1


def test_another_end_is_told_once_to_whoever_was_told_the_first(stage):
    """They wait by the clock they were told; whoever joins later is told the new one at once."""
    talk = stage.resident(surname="王", honorific="mr")
    moved(stage, talk)
    join_late = stage.resident()
    facts = Facts(kind="repair", matter="停水了", place=HOME)
    incident_reports.join(stage.session, join_late, enter(stage), facts, now=NOON)

    while incident_reports.tell_due(stage.session, now=NOON):
        pass

    [line] = stage.outbox(incident_reports.KIND)
    assert line.chat_id == talk.resident.chat_id
    assert all(words in line.payload["text"] for words in ("王先生", "3栋", "停水", "今天 20:00"))
    assert stage.session.scalars(select(UnaskedMessage)).one().urgent, "it is written down, and refused by no budget"


def test_after_another_end_its_end_is_told_as_well(stage):
    talk = stage.resident()
    report = moved(stage, talk)
    incident_reports.tell_due(stage.session, now=NOON)

    incidents.end(stage.session, report.incident, now=EVENING)
    stage.session.refresh(report)
    incident_reports.tell_due(stage.session, now=EVENING)

    assert ["20:00" in row.payload["text"] for row in stage.outbox(incident_reports.KIND)] == [True, False]
    assert report.told_at == EVENING


@pytest.mark.parametrize("words", ["3栋 停水 至 18:00 还在修", "3栋 停水 还在修"])
def test_other_words_alone_are_pushed_to_nobody(stage, words):
    """Whoever asks reads them; a message of its own is for a time that somebody plans by."""
    assert moved(stage, stage.resident(), words).due_at is None


def test_another_end_that_is_past_by_the_morning_is_not_told(stage):
    report = moved(stage, stage.resident(), "3栋 停水 至 20:00")

    incident_reports.tell_due(stage.session, now=NIGHT)

    assert (stage.outbox(incident_reports.KIND), report.reason) == ([], "too late")


def test_staff_see_how_many_hear_of_it(stage):
    """A new time is a promise to people, not a note on a card."""
    report = moved(stage, stage.resident())

    assert incidents.hear_soon(stage.session, report.incident) == 1
    assert "20:00" in card(stage)[-1].payload["text"]


def test_nobody_is_woken_for_it(stage):
    talk = stage.resident()
    report = ended(stage, talk, now=NIGHT)

    incident_reports.tell_due(stage.session, now=NIGHT)

    assert stage.outbox(incident_reports.KIND) == []
    assert report.due_at == NIGHT + timedelta(hours=9), "08:00"


def test_while_a_butler_talks_it_waits(stage):
    talk = stage.resident()
    report = ended(stage, talk)
    stage.take_over(talk)

    incident_reports.tell_due(stage.session, now=NOON)

    assert (report.told_at, report.reason) == (None, "a butler talks")


def test_its_end_that_waited_for_a_sender_is_told_at_a_good_hour(stage):
    """Whoever was asleep when the sender came back reads it in the morning, once, and it is written down once."""
    ended(stage, stage.resident())
    incident_reports.tell_due(stage.session, now=NOON)
    row = sender_was_down(stage, incident_reports.KIND)

    after_talks.take_up(stage.session, now=NIGHT)
    for moment in (NIGHT, NIGHT + timedelta(hours=9)):
        incident_reports.tell_due(stage.session, now=moment)

    assert sent_to_residents(stage).count(row.payload["text"]) == 1
    assert len(stage.session.scalars(select(UnaskedMessage)).all()) == 1


def test_its_end_that_a_takeover_held_is_told_after_the_hand_back(stage):
    talk = stage.resident()
    ended(stage, talk)
    incident_reports.tell_due(stage.session, now=NOON)
    butler = stage.take_over(talk)
    takeover.hand_back(stage.session, talk, butler, source="turn:back", now=NOON)

    after_talks.take_up(stage.session, now=EVENING)
    incident_reports.tell_due(stage.session, now=EVENING)

    assert [row.state for row in stage.outbox(incident_reports.KIND)] == ["dropped", "pending"]


@pytest.mark.parametrize(
    ("facts", "after", "reason"),
    [({"unreachable_since": NOON}, timedelta(0), "cannot be reached"), ({}, timedelta(days=4), "too late")],
)
def test_who_is_not_told_any_more_has_the_reason_written_down(stage, facts, after, reason):
    report = ended(stage, stage.resident(**facts))

    incident_reports.tell_due(stage.session, now=NOON + after)

    assert stage.outbox(incident_reports.KIND) == []
    assert reason in str(report.reason)
    assert report.due_at is None


def test_a_no_opens_the_case_that_was_not_opened_before(stage):
    talk = stage.resident()
    report = ended(stage, talk)

    incident_reports.answer(stage.session, talk, report.id, ReportOutcome.NOT_FIXED, now=NOON)

    assert [case.matter for case in cases.of_resident(stage.session, talk)] == ["家里停水了"]


def test_a_yes_opens_nothing(stage):
    talk = stage.resident()
    report = ended(stage, talk)

    incident_reports.answer(stage.session, talk, report.id, ReportOutcome.FIXED, now=NOON)

    assert cases.count(stage.session, talk) == 0
    with pytest.raises(ButtonExpired):
        incident_reports.answer(stage.session, talk, report.id, ReportOutcome.NOT_FIXED, now=NOON)


def test_another_residents_button_is_refused(stage):
    report = ended(stage, stage.resident())

    with pytest.raises(ButtonExpired):
        incident_reports.answer(stage.session, stage.resident(), report.id, ReportOutcome.FIXED, now=NOON)


def test_an_incident_is_ended_once_and_only_at_home(stage):
    incident = enter(stage)
    incidents.end(stage.session, incidents.access_incident(stage.session, stage.community.id, incident.id), now=NOON)

    for community_id in (stage.community.id, stage.community.id + 1):
        with pytest.raises(IncidentNotFound):
            incidents.access_incident(stage.session, community_id, incident.id)


def test_when_it_should_be_over_staff_are_asked_once(stage):
    """Otherwise residents go on hearing an old time for ever."""
    enter(stage)

    counts = [incidents.ask_whether_over(stage.session, now=EVENING) for _ in range(2)]

    assert counts == [1, 0]
    assert stage.outbox("alert")[-1].payload["buttons"][0]["data"].endswith(":end")


def report_alike(stage: Stage, count: int, *, category: str = "家里没水了", building: int = 3) -> list[Case]:
    made = [stage.case(matter=category, place=f"{building}栋1单元{100 + number}") for number in range(count)]
    for case in made:
        incident_hints.suggest(stage.session, case, now=NOON)
    return made


def hints(stage: Stage) -> list[OutboxRow]:
    return [row for row in stage.outbox("note") if "公共事件" in row.payload["text"]]


def test_three_alike_from_one_building_suggest_an_incident_once(stage):
    """The department sees it before the fourth household has waited for a plumber."""
    made = report_alike(stage, incident_hints.REPORTS + 2)

    [hint] = hints(stage)
    assert "3栋" in hint.payload["text"]
    assert hint.topic_id == made[0].department.topic_id


def test_two_are_no_incident_and_neither_are_three_of_one_resident(stage):
    report_alike(stage, incident_hints.REPORTS - 1)
    report_alike(stage, 1, building=5)
    talk = stage.resident()
    for number in range(incident_hints.REPORTS):
        case = stage.case(talk, matter="灯坏了", place=f"7栋1单元{number + 100}")
        incident_hints.suggest(stage.session, case, now=NOON)

    assert hints(stage) == []


def test_what_is_known_already_is_not_suggested(stage):
    enter(stage)

    report_alike(stage, incident_hints.REPORTS)

    assert hints(stage) == []


def test_one_tap_on_the_hint_makes_it_known(stage):
    made = report_alike(stage, incident_hints.REPORTS)

    incident = incident_hints.enter(stage.session, stage.member(), made[-1].id, source="turn:9", now=NOON)

    assert (incident.places, incident.trouble, incident.category) == (["3栋"], "no_water", "water")
    assert found(stage, "怎么没水了") is not None
