"""What a tap on a work order does, and what becomes of a delivery nobody can vouch for."""

from __future__ import annotations

import pytest
from sqlalchemy import event

from service import cases, delivery, legacy, sending, surveys, work
from service.communities import DEPARTMENTS
from service.errors import ButtonExpired, CaseNotFound, EventNotAllowed
from service.models.cases import Case, CaseState
from service.models.follow_ups import CallBack
from service.models.people import Staff
from service.models.queues import Delivery, OutboxRow, OutboxState
from tests.service.test_outbox import take, write
from tests.stage import BOT_ID, NOON, STAFF_CHAT, Stage


def tap(stage: Stage, case: Case, verb: str, *, key: str | None = None) -> Case:
    return work.tap(stage.session, stage.member(), case.id, verb, key=key or f"tap:{verb}", now=NOON)


# --- Verbs ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "state", "told"),
    [
        ("accept", CaseState.ACCEPTED, "已经接单"),
        ("depart", CaseState.ON_THE_WAY, "已经出发"),
        ("done", CaseState.FINISHED, "已经处理完成"),
        ("ask", CaseState.NEEDS_INFO, "需要再了解一些情况"),
    ],
)
def test_each_step_changes_the_case_and_is_told_to_the_resident(stage, verb, state, told):
    """W4: the resident hears each step at once."""
    case = stage.case()

    tap(stage, case, verb)

    assert case.state is state
    assert told in stage.lines_to(case.conversation)[-1]
    assert cases.events(stage.session, case)[-1].actor.startswith("staff:")


@pytest.mark.parametrize(("verb", "most"), [("accept", 20), ("depart", 22), ("arrive", 22), ("done", 24)])
def test_a_step_asks_the_database_few_times(stage, verb, most):
    """Staff and resident wait for every way there and back; what a step has found it does not ask for again."""
    case_id, member_id, session = stage.case().id, stage.member().id, stage.session
    session.flush()
    session.expunge_all()
    asked: list[str] = []
    event.listen(session.connection(), "before_cursor_execute", lambda *facts: asked.append(facts[2]))

    work.tap(session, session.get_one(Staff, member_id), case_id, verb, key="tap:1", now=NOON)
    session.flush()

    assert len(asked) <= most, "\n".join(asked)


@pytest.mark.parametrize("department", DEPARTMENTS)
def test_a_case_is_handed_on_to_any_department(stage, department):
    case = stage.case()

    tap(stage, case, f"to_{department}")

    assert case.department.key == department
    assert stage.outbox("work_order")[-1].topic_id == case.department.topic_id


# --- The kind -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "matter", "becomes", "department"),
    [
        ("repair", "楼上半夜跳绳，吵得睡不着", "complaint", "order"),
        ("complaint", "厨房水管漏水", "repair", "engineering"),
        ("repair", "厨房水管漏水", "inquiry", "service"),
        ("inquiry", "单元门坏了关不上", "repair", "engineering"),
    ],
)
def test_a_case_of_the_wrong_kind_gets_the_right_one_and_its_department(stage, kind, matter, becomes, department):
    """W3: with actor and time; the number stays, because the resident has it."""
    case = stage.case(kind=kind, matter=matter)
    number = case.number

    tap(stage, case, f"is_{becomes}")

    assert (case.kind, case.number, case.department.key) == (becomes, number, department)
    changed = next(step for step in cases.events(stage.session, case) if step.event == "kind_corrected")
    assert (changed.data, changed.at) == ({"from": kind, "to": becomes}, NOON)
    assert changed.actor.startswith("staff:")


def test_the_resident_hears_nothing_of_a_corrected_kind(stage):
    case = stage.case()
    heard = stage.lines_to(case.conversation)

    tap(stage, case, "is_complaint")

    assert stage.lines_to(case.conversation) == heard


def test_the_work_order_shows_the_new_kind(stage):
    case = stage.case(matter="垃圾没人清", kind="repair")

    tap(stage, case, "is_complaint")

    assert "投诉" in stage.outbox("card")[-1].payload["text"]


def test_the_work_order_moves_to_the_department_of_the_new_kind(stage):
    case = stage.case(state="accepted")

    tap(stage, case, "is_inquiry")

    order = stage.outbox("work_order")[-1]
    assert (order.topic_id, case.state) == (case.department.topic_id, CaseState.OPEN)
    assert "咨询" in order.payload["text"]


def test_where_somebody_has_handed_the_case_on_it_stays(stage):
    case = stage.case()
    tap(stage, case, "to_cleaning")

    tap(stage, case, "is_inquiry")

    assert (case.kind, case.department.key) == ("inquiry", "cleaning")


def test_a_finished_case_is_sorted_anew_but_moved_no_more(stage):
    """For the reports and for what is learnt; nobody has to do anything."""
    case = stage.case(state="finished")

    tap(stage, case, "is_inquiry")

    assert (case.kind, case.state, case.department.key) == ("inquiry", CaseState.FINISHED, "engineering")
    assert len(stage.outbox("work_order")) == 1


def test_the_same_kind_again_is_no_step(stage):
    """Two butlers may tap at once, and an update may come twice."""
    case = stage.case()
    tap(stage, case, "is_inquiry", key="tap:1")

    tap(stage, case, "is_inquiry", key="tap:1")
    tap(stage, case, "is_inquiry", key="tap:2")

    steps = [step.event for step in cases.events(stage.session, case)]
    assert steps == ["opened", "kind_corrected", "handed_on"]
    assert len(stage.outbox("work_order")) == 2


def test_a_withdrawn_case_is_left_alone(stage):
    case = stage.case()
    case.state = CaseState.WITHDRAWN

    with pytest.raises(EventNotAllowed):
        tap(stage, case, "is_complaint")

    assert case.kind == "repair"


def test_the_kinds_are_offered_as_buttons_that_work(stage):
    case = stage.case()

    work.offer(stage.session, stage.member(), case.id, "wrong_kind", key="tap")

    offered = [button["data"] for button in stage.outbox("note")[-1].payload["buttons"]]
    assert offered == [f"w:{case.id}:{verb}" for verb in (*work.IS_KIND, *legacy.VERBS)]


@pytest.mark.parametrize(
    "verb",
    ["", "explode", "to_", "is_", "is_praise", "is_repair; --", "to_mars", "to_engineering; --", "opened", "close"],
)
def test_a_forged_verb_changes_nothing(stage, verb):
    """The caller answers it as an expired button."""
    case = stage.case()

    with pytest.raises(KeyError):
        tap(stage, case, verb)

    assert (case.state, len(stage.outbox("work_order"))) == (CaseState.OPEN, 1)


def test_the_same_update_again_changes_nothing(stage):
    case = stage.case()
    tap(stage, case, "done", key="tap:1")
    said = stage.lines_to(case.conversation)

    tap(stage, case, "done", key="tap:1")

    assert stage.lines_to(case.conversation) == said
    assert case.resolution == 1
    assert stage.session.query(CallBack).count() == 1


def test_a_second_tap_on_a_step_that_was_taken_is_refused_with_where_the_case_stands(stage):
    case = stage.case()
    tap(stage, case, "accept", key="tap:1")

    with pytest.raises(EventNotAllowed) as refused:
        tap(stage, case, "accept", key="tap:2")

    assert refused.value.facts == {"number": case.number, "state": "已接单"}


def test_staff_of_another_community_find_no_case(stage):
    """N12."""
    case = stage.case()
    stranger = stage.member()
    stranger.community_id += 1

    with stage.session.no_autoflush, pytest.raises(CaseNotFound):
        work.tap(stage.session, stranger, case.id, "accept", key="tap", now=NOON)


def test_the_departments_are_offered_as_buttons_that_work(stage):
    case = stage.case()

    work.offer(stage.session, stage.member(), case.id, "hand_on", key="tap")

    offered = [button["data"] for button in stage.outbox("note")[-1].payload["buttons"]]
    assert sorted(offered) == sorted(f"w:{case.id}:to_{key}" for key in DEPARTMENTS)


def test_every_button_that_we_send_fits_telegram(stage):
    """64 bytes; also with the largest numbers a row may get."""
    case = stage.case()
    tap(stage, case, "done")
    surveys.ask(stage.session, case, now=NOON)

    for row in stage.outbox():
        for button in row.payload.get("buttons", ()):
            prefix, _, verb = button["data"].split(":")
            assert len(f"{prefix}:{2**63}:{verb}".encode()) <= 64


# --- Unreachable ----------------------------------------------------------------------------------------------------


def test_staff_are_told_once_that_a_resident_blocked_the_bot_and_nothing_more_is_tried(stage):
    talk = stage.resident(display_name="王芳")
    waiting = write(stage, chat_id=talk.resident.chat_id, conversation_id=talk.id)

    for _ in range(2):
        delivery.unreachable(stage.session, BOT_ID, talk.resident.chat_id, now=NOON)

    stage.session.expire_all()
    assert stage.session.get_one(OutboxRow, waiting).state is OutboxState.DROPPED
    assert [row.payload["text"] for row in stage.outbox("note") if "王芳" in row.payload["text"]] != []
    assert len(stage.outbox("note")) == 1


def test_somebody_who_never_wrote_is_nobody_to_tell_about(stage):
    delivery.unreachable(stage.session, BOT_ID, 123456, now=NOON)

    assert stage.outbox() == []


def test_a_refusal_by_a_private_chat_makes_the_resident_unreachable(stage):
    talk = stage.resident()
    row = write(stage, chat_id=talk.resident.chat_id, conversation_id=talk.id)
    [parcel] = take(stage.session)

    delivery.refused(stage.session, parcel, reason="Forbidden: bot was blocked by the user", now=NOON)

    stage.session.expire_all()
    assert stage.session.get_one(OutboxRow, row).state is OutboxState.DROPPED
    assert talk.resident.unreachable_since == NOON


def test_a_refusal_by_the_staff_group_is_a_dead_row_that_needs_a_person(stage):
    row = write(stage, chat_id=STAFF_CHAT)
    [parcel] = take(stage.session)

    delivery.refused(stage.session, parcel, reason="Forbidden: bot was kicked", now=NOON)

    assert stage.session.get_one(OutboxRow, row, populate_existing=True).state is OutboxState.DEAD


# --- Unconfirmed ----------------------------------------------------------------------------------------------------


def unconfirmed(stage: Stage) -> int:
    """A work order that may or may not have arrived."""
    row = write(stage, "厨房水管漏水", kind="work_order", delivery=Delivery.AT_MOST_ONCE)
    [parcel] = [parcel for parcel in take(stage.session) if parcel.id == row]
    sending.uncertain(stage.session, parcel, reason="read timeout")
    return int(row)


def shown(stage: Stage) -> list[OutboxRow]:
    return [row for row in stage.outbox("alert") if any("o:" in b["data"] for b in row.payload.get("buttons", ()))]


def test_an_unconfirmed_message_is_shown_to_staff_once_with_two_buttons(stage):
    row = unconfirmed(stage)

    assert [delivery.show_unconfirmed(stage.session) for _ in range(2)] == [1, 0]

    [note] = shown(stage)
    assert [button["data"] for button in note.payload["buttons"]] == [f"o:{row}:again", f"o:{row}:arrived"]
    for word in ("工单", "厨房水管漏水"):
        assert word in note.payload["text"]


def test_staff_say_that_it_arrived(stage):
    row = unconfirmed(stage)

    delivery.decide(stage.session, stage.community.id, row, arrived=True, now=NOON)

    assert stage.session.get_one(OutboxRow, row).state is OutboxState.SENT
    with pytest.raises(ButtonExpired):
        delivery.decide(stage.session, stage.community.id, row, arrived=False, now=NOON)


def test_staff_have_it_sent_again_and_are_asked_again_if_that_is_uncertain_too(stage):
    row = unconfirmed(stage)
    delivery.show_unconfirmed(stage.session)

    delivery.decide(stage.session, stage.community.id, row, arrived=False, now=NOON)
    stage.session.flush()
    [parcel] = [parcel for parcel in take(stage.session) if parcel.id == row]
    sending.uncertain(stage.session, parcel, reason="read timeout")
    stage.session.expire_all()

    assert delivery.show_unconfirmed(stage.session) == 1
    assert len(shown(stage)) == 2


def test_nobody_decides_about_another_communitys_message(stage):
    """N12; nor about one that is not in doubt."""
    row = unconfirmed(stage)
    settled = write(stage, chat_id=99)

    for community_id, number in ((stage.community.id + 1, row), (stage.community.id, settled), (1, 10**12)):
        with pytest.raises(ButtonExpired):
            delivery.decide(stage.session, community_id, number, arrived=True, now=NOON)
