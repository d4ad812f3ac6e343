"""N12: what is deleted is gone from every table; what stays says nothing about whom."""

from __future__ import annotations

from uuid import uuid4

import pytest
from sqlalchemy import select, text

from service import archive, binding, candidates, cases, conversations, forgetting, learning, outbox, residents, texts
from service.conversations import Said
from service.learning import Labelled
from service.models import (
    ArchiveEvent,
    Base,
    Candidate,
    CandidateReason,
    Case,
    Conversation,
    InboxRow,
    LabelUse,
    Member,
    OutboxRow,
    OutboxState,
)
from tests.households import member
from tests.stage import BOT_ID, NOON, Stage

WORDS = "我家的波斯地毯泡水了"
PHONE = "13812345678"
CHAT = 550055
ROSTER = ("members", "households", "buildings")  # the property office's own


def write(stage: Stage, talk: Conversation, words: str) -> int:
    """An update of theirs, heard and answered; gives its row in the inbox."""
    row = InboxRow(bot_id=BOT_ID, update_id=None, lane=f"chat:{CHAT}", joins=False, raw=words.encode(), attempts=1)
    stage.session.add(row)
    stage.session.flush()
    said = Said(kind="text", text=words, chat_id=CHAT, message_id=row.id, inbox_id=row.id)
    conversations.hear(stage.session, talk, said, now=NOON)
    return row.id


def lived(stage: Stage, *, state: str = "finished") -> Conversation:
    """Somebody who has left traces everywhere."""
    talk = stage.resident(chat_id=CHAT, display_name="地毯主人")
    person = member(stage, "慕容秋水", surname="慕容", honorific="ms", phone=PHONE)
    archive.bind(stage.session, talk.resident, person, how="phone", actor="resident", now=NOON)
    row = write(stage, talk, WORDS)
    binding.ask_staff(stage.session, talk, f"3栋2单元1201 慕容秋水 {WORDS}", key=f"turn:{row}", now=NOON)
    line = texts.say("utter_staff_note", language="zh", text=WORDS)
    conversations.alert_staff(stage.session, stage.community.id, line, key=f"turn:{row}:alert", priority=0)
    conversations.to_staff(stage.session, talk, "say", {"text": WORDS}, key=f"turn:{row}:relay")
    case = stage.case(talk, state=state, matter=WORDS, contact="慕容女士", phone=PHONE, wanted_at="明天地毯晾干前")
    if state == "finished":
        cases.advance(
            stage.session, case, cases.Event.REOPENED, actor="resident", key="why", now=NOON, data={"reason": WORDS}
        )
        cases.advance(stage.session, case, cases.Event.FINISHED, actor="staff:101", key="again", now=NOON)
    candidates.notice(
        stage.session,
        stage.community.id,
        WORDS,
        why=CandidateReason.REPHRASE,
        source=f"turn:{row}",
        language="zh",
        now=NOON,
    )
    learning.add(stage.session, Labelled(WORDS, "repair", "zh"), use=LabelUse.TEST, by="li", at=NOON)
    for candidate in stage.session.scalars(select(Candidate)):
        candidate.label_id = stage.session.scalar(text("SELECT max(id) FROM labels"))
    stage.session.flush()
    stage.session.execute(text("UPDATE outbox SET state = 'sent', message_id = id"))
    stage.session.expire_all()
    return talk


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
    needles = (WORDS, utf8(WORDS), "地毯", "慕容", PHONE, "1201", "地毯主人")
    assert {table for table, _ in found(stage, *needles)} >= {
        "messages", "outbox", "cases", "case_events", "residents", "inbox", "candidates", "labels", "binding_requests",
        "topics",
    }  # fmt: skip

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


def test_a_row_in_flight_is_left_to_the_sender(stage):
    """Its payload is needed if it has to be sent once more; it is gone with the next wish."""
    talk = lived(stage)
    waiting = conversations.tell(stage.session, talk, texts.say("utter_thanks", language="zh"), now=NOON, key="late")
    facts = {"state": OutboxState.SENDING, "lease": uuid4()}
    stage.session.query(OutboxRow).where(OutboxRow.id == waiting).update(facts)

    forget(stage, talk)

    assert stage.session.get_one(OutboxRow, waiting).payload != {}
    assert outbox.find(stage.session, key="late") == waiting
