"""N12: what is deleted is gone from every table; what stays says nothing about whom."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from service import (
    candidates,
    cases,
    conversations,
    forgetting,
    invitations,
    outbox,
    residents,
    revisions,
    sending,
    surveys,
    take_backs,
    texts,
    undelivered,
)
from service.conversations import Said
from service.models.archive import ArchiveEvent, BindingOffer, BindingRequest, Invitation, Member, RequestState
from service.models.base import Base
from service.models.cases import Case
from service.models.queues import InboxRow, OutboxRow, OutboxState
from service.models.talks import Conversation, Twin
from service.models.understanding import Candidate, CandidateReason, CandidateState, Label
from tests.lives import CHAT, NEEDLES, PHONE, WORDS, lived, write
from tests.service.test_personal_columns import FORGOTTEN
from tests.stage import BOT_ID, NOON, PLENTY, STAFF_CHAT, Stage

ROSTER = ("members", "households", "buildings")  # the property office's own


def forget(stage: Stage, talk: Conversation) -> None:
    wish = write(stage, talk, "/forget")
    forgetting.forget(stage.session, talk, before=wish, key=f"turn:{wish}", now=NOON)
    stage.session.flush()
    stage.session.expire_all()


def found(stage: Stage, *needles: str) -> list[tuple[str, str]]:
    """Every table in which one of the needles stands."""
    hits = []
    for table in Base.metadata.tables:
        column = "encode(raw, 'escape') || row_.lane" if table == "inbox" else "CAST(row_ AS text)"
        rows = stage.session.scalars(text(f'SELECT {column} FROM "{table}" AS row_'))
        hits += [(table, needle) for row in rows for needle in needles if needle in str(row)]
    return sorted(set(hits))


def utf8(words: str) -> str:
    """As PostgreSQL writes bytes out."""
    return "".join(f"\\{byte:03o}" if byte > 127 else chr(byte) for byte in words.encode())


def test_nothing_they_said_and_nothing_that_names_them_is_left_anywhere(stage):
    """All tables are searched, also those that somebody adds later."""
    talk = lived(stage)
    needles = (*NEEDLES, utf8("地毯"))
    assert {table for table, _ in found(stage, *needles)} - set(ROSTER) == set(FORGOTTEN)

    forget(stage, talk)

    assert [hit for hit in found(stage, *needles) if hit[0] not in ROSTER] == []


def test_the_account_itself_stands_only_where_the_farewell_goes(stage):
    """And in the lane of the inbox, by which an update that comes twice is known."""
    forget(stage, lived(stage))

    assert found(stage, str(CHAT)) == [("inbox", str(CHAT)), ("outbox", str(CHAT))]


def test_the_history_of_the_case_stays_without_them(stage):
    """Warranty and contract want to know that it was done, when, by whom and in which building."""
    talk = lived(stage)
    before = [event.event for event in cases.events(stage.session, stage.session.query(Case).one())]

    forget(stage, talk)

    case = stage.session.query(Case).one()
    events = cases.events(stage.session, case)
    assert (case.place, case.contact, case.phone, case.wanted_at) == ("3栋", None, None, None)
    assert [event.event for event in events] == before
    assert case.matter == texts.words(f"utter_word_category_{case.category}", language="zh")


def test_the_work_order_in_the_staff_group_loses_the_words_too(stage):
    forget(stage, lived(stage))

    edits = [row for row in stage.outbox("card") if row.act == "edit" and row.state is OutboxState.PENDING]
    assert edits
    assert not any(WORDS in row.payload["text"] or PHONE in row.payload["text"] for row in edits)


def test_every_work_order_the_case_ever_had_loses_them(stage):
    """A case that was reopened has two, and there is the task to call: all stand in topics of departments."""
    talk = lived(stage)
    orders = {row.id for row in stage.outbox("work_order")}

    forget(stage, talk)

    edits = [row for row in stage.outbox("card") if row.state is OutboxState.PENDING]
    assert {row.edits_id for row in edits} == orders
    assert len(orders) == 3


def test_nothing_ties_the_account_and_so_its_cases_to_a_person_of_the_roster(stage):
    """The roster has the name, and the case its resident: a row that leads from one to the other tells whose it was."""
    talk = lived(stage)
    resident, person = talk.resident_id, stage.session.query(Member).one()
    invitations.invite(stage.session, person.household, now=NOON)
    stage.session.query(Invitation).one().used_by_id = resident
    proved = BindingOffer(resident_id=resident, how="phone", household_id=person.household_id, until=NOON)
    stage.session.add(proved)

    forget(stage, talk)

    ties = [
        (table.name, column.name)
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if any(key.column.table.name in ROSTER for key in column.foreign_keys)
        for owner in table.columns
        if any(key.column.table.name == "residents" for key in owner.foreign_keys)
        if stage.session.execute(select(table).where(owner == resident, column.is_not(None))).first()
    ]
    assert ties == []


def test_a_request_that_staff_have_not_decided_is_over(stage):
    """A yes to it would bind an account that is nobody's."""
    forget(stage, lived(stage))

    assert stage.session.query(BindingRequest).one().state is RequestState.DECLINED


def test_a_list_that_names_their_case_among_others_is_emptied(stage):
    """Late cases are told together, and the row is named by the first of them."""
    talk = lived(stage)
    number, place = stage.session.query(Case).one().number, {"chat_id": STAFF_CHAT, "community_id": stage.community.id}
    said = {"text": f"R2611-9999 灯\n{number} {WORDS}"}
    listed = outbox.put(
        stage.session, bot_id=BOT_ID, kind="note", act="say", payload=said, key="case:0:response:1", **place
    )

    forget(stage, talk)

    assert stage.session.get_one(OutboxRow, listed).payload == {}


def test_a_survey_that_nobody_has_answered_is_over(stage):
    """It would expire a week later, and its emptied message could not lose its buttons."""
    talk = lived(stage, state="closed")
    surveys.ask(stage.session, stage.session.query(Case).one(), now=NOON - timedelta(days=8))

    forget(stage, talk)

    assert surveys.expire_due(stage.session, now=NOON) == 0


def test_a_label_of_their_words_goes_and_what_others_said_alike_is_open_again(stage):
    """One label settles all that is alike, and it stands in the words of the first."""
    alike = f"{WORDS}了"
    facts: dict[str, Any] = {"why": CandidateReason.REPHRASE, "language": "zh", "now": NOON}
    candidates.notice(stage.session, stage.community.id, alike, source="case:0", **facts)
    talk = lived(stage)
    other = stage.session.query(Candidate).where(Candidate.text == alike).one()
    other.state, other.label_id = CandidateState.LABELLED, stage.session.query(Label).one().id
    stage.session.flush()

    forget(stage, talk)

    assert stage.session.query(Label).all() == []
    assert (other.state, other.label_id) == (CandidateState.OPEN, None)


def test_what_was_held_back_is_not_said_any_more(stage):
    """It would be taken up after the talk, emptied."""
    talk = lived(stage)
    held = stage.session.query(OutboxRow).where(OutboxRow.state == OutboxState.HELD).all()

    forget(stage, talk)

    assert held
    assert {row.state for row in held} == {OutboxState.DROPPED}


def test_staff_are_asked_to_delete_what_only_they_can(stage):
    talk = lived(stage)

    forget(stage, talk)

    [note] = [row for row in stage.outbox("note") if "删除本话题" in row.payload.get("text", "")]
    assert note.topic_id is not None
    assert stage.session.get_one(Conversation, talk.id).topic_id is None, "what staff type there reaches nobody"


def test_the_resident_is_told_and_begins_anew(stage):
    talk = lived(stage)

    forget(stage, talk)

    farewell = stage.session.query(OutboxRow).where(OutboxRow.chat_id == CHAT).order_by(OutboxRow.id.desc()).first()
    assert farewell is not None
    assert farewell.payload["text"] == texts.words("utter_forgotten", language="zh")
    again = residents.access_conversation(stage.session, stage.community.id, CHAT, display_name="", language="zh")
    assert again.id != talk.id
    assert again.resident.member_id is None


def test_what_still_waited_to_be_sent_is_dropped(stage):
    talk = lived(stage)
    waiting = conversations.tell(stage.session, talk, texts.say("utter_thanks", language="zh"), now=NOON, key="late")

    forget(stage, talk)

    row = stage.session.get_one(OutboxRow, waiting)
    assert (row.state, row.reason, row.payload) == (OutboxState.DROPPED, "forgotten", {})


def test_the_roster_stays_and_the_consent_goes(stage):
    forget(stage, lived(stage))

    person = stage.session.query(Member).one()
    assert (person.name, person.consented_at) == ("慕容秋水", None)


def test_that_it_was_wished_and_done_is_written_down(stage):
    forget(stage, lived(stage))

    acts = list(stage.session.scalars(select(ArchiveEvent.act).order_by(ArchiveEvent.id)))
    assert acts[-2:] == ["unbound", "forgotten"]


def test_a_neighbour_loses_nothing(stage):
    neighbour = stage.resident(chat_id=CHAT + 1, display_name="邻居")
    conversations.hear(
        stage.session,
        neighbour,
        Said(kind="text", text="灯坏了", chat_id=CHAT + 1, message_id=1, inbox_id=99_999),
        now=NOON,
    )
    stage.case(neighbour, matter="灯坏了")
    before = found(stage, "灯坏了", "邻居")

    forget(stage, lived(stage))

    assert found(stage, "灯坏了", "邻居") == before


def test_updates_of_staff_about_others_stay(stage):
    """Their numbers are others, also where a resident writes what looks like one of them."""
    raw = b'{"message": {"message_id": 31313, "text": "\\"message_id\\": 4711"}}'
    row = InboxRow(bot_id=BOT_ID, update_id=None, lane=f"group:{STAFF_CHAT}:5", joins=False, raw=raw, done_at=NOON)
    talk = lived(stage)
    stage.session.add(row)

    forget(stage, talk)

    assert row.raw == raw


def test_with_a_case_at_work_the_wish_waits_for_its_end(stage):
    """The worker needs the door and the number; the resident is told which case it is (N9: never a flat no)."""
    talk = lived(stage, state="accepted")

    line = forgetting.ask(stage.session, talk)

    [number] = stage.session.scalars(select(Case.number))
    assert number in line.text
    assert line.buttons == ()


def test_while_a_butler_talks_the_wish_waits(stage):
    talk = stage.resident()
    stage.take_over(talk)

    assert forgetting.ask(stage.session, talk) == texts.say("utter_forget_after_talk", language="zh")


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_before_it_is_done_they_are_told_what_stays_and_why(stage, language):
    talk = stage.resident(language=language)

    line = forgetting.ask(stage.session, talk)

    assert ("合同" if language == "zh" else "contract") in line.text
    assert [one.data for one in line.buttons] == [f"f:{talk.id}:yes", f"f:{talk.id}:no"]


@pytest.mark.parametrize(
    ("settle", "state"),
    [
        (lambda session, parcel: sending.sent(session, parcel, message_id=1), OutboxState.SENT),
        (lambda session, parcel: sending.again(session, parcel, reason="a fault"), OutboxState.DROPPED),
        (lambda session, _: sending.free_orphans(session), OutboxState.DROPPED),
    ],
    ids=["it arrives", "it fails", "its sender dies"],
)
def test_what_is_on_its_way_is_emptied_when_it_is_settled_and_not_tried_again(stage, settle, state):
    """Until then its sender needs it; afterwards nobody would look for it any more."""
    talk = lived(stage)
    waiting = conversations.tell(stage.session, talk, texts.say("utter_thanks", language="zh"), now=NOON, key="late")
    [parcel] = sending.take(stage.session, BOT_ID, sender=1, limit=1, rates=PLENTY)
    assert parcel.id == waiting

    forget(stage, talk)
    assert stage.session.get_one(OutboxRow, waiting).payload != {}
    settle(stage.session, parcel)
    stage.session.expire_all()

    row = stage.session.get_one(OutboxRow, waiting)
    assert (row.state, row.payload) == (state, {})


def test_the_news_of_a_copy_that_is_forgotten_is_no_fault(stage):
    """It was taken back just before; whether it is gone at Telegram's interests nobody any more."""
    talk = lived(stage)
    twin = stage.session.query(Twin).order_by(Twin.id.desc()).first()
    revisions.change(stage.session, talk, twin, "delete", {}, key="late")
    [parcel] = sending.take(stage.session, BOT_ID, sender=1, limit=1, rates=PLENTY)

    forget(stage, talk)
    before = stage.outbox()
    take_backs.taken_back(stage.session, parcel, now=NOON)
    undelivered.refused(stage.session, parcel, reason="message can't be deleted")

    assert stage.outbox() == before
