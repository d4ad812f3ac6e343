"""A resident who has left traces everywhere, by the functions that leave them; for what is exported and forgotten."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import select, text

from service import (
    archive,
    binding,
    board,
    candidates,
    cases,
    conversations,
    delivery,
    desk,
    files,
    holds,
    incident_reports,
    incident_words,
    incidents,
    learning,
    near_misses,
    phone_cards,
    relays,
    revisions,
    surveys,
    take_backs,
    takeover,
    texts,
    topic_names,
    topics,
    transfer,
    unanswered,
    wait_calls,
    waiting,
    work,
)
from service.cards import Understood
from service.conversations import Said
from service.learning import Labelled
from service.models.cases import Case
from service.models.communities import Department
from service.models.follow_ups import CallBack, FollowUpState, Survey
from service.models.people import Staff
from service.models.queues import InboxRow, OutboxRow
from service.models.talks import Conversation, Message, Owner
from service.models.understanding import CandidateReason, LabelUse
from service.relays import Bundle
from service.revisions import Revision
from tests.households import member
from tests.stage import BOT_ID, NOON, STAFF_CHAT, Stage

WORDS = "我家的波斯地毯泡水了"
BY_STAFF = "地毯主人这边要上门"
AMONG_STAFF = "地毯主人脾气急"
TAKEN_BACK = "地毯的事发错人了"
PHONE = "13812345678"
CHAT = 550055
FILE = "AgACAgUAAxCARPET"
THREAD = 4711
PHOTO = {"kind": "photo", "photo": {"file_id": FILE, "file_unique_id": "u"}, "album": FILE}
ENTITIES = [{"type": "text_link", "offset": 0, "length": 2, "url": "https://example.org/地毯"}]
NEEDLES = ("地毯", "慕容", PHONE, "1201", FILE)  # one of them stands in whatever is theirs
LATER = NOON + timedelta(hours=1)
YESTERDAY = NOON - timedelta(days=1)


def write(stage: Stage, talk: Conversation, words: str) -> int:
    """An update of theirs, heard and answered; gives its row in the inbox."""
    row = _update(stage, f"chat:{CHAT}", {"text": words})
    said = Said("text", words, CHAT, row, row, entities=ENTITIES, forwarded_from="地毯主人的先生")
    conversations.hear(stage.session, talk, said, now=NOON)
    return row


def lived(stage: Stage, *, state: str = "finished") -> Conversation:
    """Somebody who has left traces everywhere."""
    talk = stage.resident(chat_id=CHAT, display_name="地毯主人")
    person = member(stage, "慕容秋水", surname="慕容", honorific="ms", phone=PHONE)
    archive.bind(stage.session, talk.resident, person, how="phone", actor="resident", now=NOON)
    turn = write(stage, talk, WORDS)
    _ask_to_be_bound(stage, talk, turn)
    _taught_something(stage, talk, turn)
    _was_told_of_an_incident(stage, talk)
    _brought_a_case(stage, talk, state)
    _talked_with_a_butler(stage, talk, turn)
    _send_everything(stage)
    _staff_answered_and_tapped(stage)
    stage.session.expire_all()
    return talk


def _ask_to_be_bound(stage: Stage, talk: Conversation, turn: int) -> None:
    binding.ask_staff(stage.session, talk, f"3栋2单元1201 慕容秋水 {WORDS}", key=f"turn:{turn}", now=NOON)
    line = texts.say("utter_staff_note", language="zh", text=WORDS)
    conversations.alert_staff(stage.session, stage.community.id, line, key=f"turn:{turn}:alert", priority=0)


def _taught_something(stage: Stage, talk: Conversation, turn: int) -> None:
    """Two reasons to look at their words, a label for them, and the weekly list."""
    for why in (CandidateReason.REPHRASE, CandidateReason.NEAR_MISS):
        facts: dict[str, Any] = {
            "why": why,
            "source": f"turn:{turn}",
            "language": "zh",
            "now": NOON - timedelta(days=1),
        }
        candidates.notice(stage.session, stage.community.id, WORDS, **facts)
    near_misses.post_due(stage.session, now=NOON)
    learning.add(stage.session, Labelled(WORDS, "repair", "zh"), use=LabelUse.TEST, by="li", at=NOON)


def _was_told_of_an_incident(stage: Stage, talk: Conversation) -> None:
    entry = incident_words.read("3栋 停水", now=NOON, timezone="Asia/Shanghai")
    incident = incidents.enter(stage.session, stage.community, entry, by="li", source="turn:0", now=NOON)
    facts = cases.Facts(kind="repair", matter=WORDS, place="3栋2单元1201", phone=PHONE)
    incident_reports.join(stage.session, talk, incident, facts, now=NOON)


def _brought_a_case(stage: Stage, talk: Conversation, state: str) -> None:
    """With two work orders, what the department asked for, and a question that nobody had written an answer to."""
    case = stage.case(talk, state=state, matter=WORDS, contact="慕容女士", phone=PHONE, wanted_at="明天地毯晾干前")
    if state == "finished":
        cases.reopen(stage.session, case, key="again", now=NOON, reason=WORDS)
        cases.advance(stage.session, case, cases.Event.INFO_ASKED, actor="staff:101", key="ask", now=NOON)
        work.give_info(stage.session, case, WORDS, key="told", now=NOON)
        cases.advance(stage.session, case, cases.Event.FINISHED, actor="staff:101", key="done", now=NOON)
        _rated_it(stage, talk, case)
    unanswered.note(stage.session, talk, WORDS, case, source="turn:asked", now=NOON)


def _rated_it(stage: Stage, talk: Conversation, case: Case) -> None:
    """Somebody was to call them, and they wrote what they thought of it."""
    call_back = CallBack(case_id=case.id, case=case, resolution=case.resolution, due_at=NOON, state=FollowUpState.PHONE)
    stage.session.add(call_back)
    stage.session.flush()
    whose = {"community_id": stage.community.id, "conversation_id": talk.id}
    holds.put(stage.session, CallBack.id, call_back.id, by="li", why=WORDS, now=NOON, **whose)
    phone_cards.post(stage.session, call_back)
    surveys.ask(stage.session, case, now=NOON)
    survey = stage.session.scalars(select(Survey)).one()
    surveys.rate(stage.session, talk, survey.id, stars=3, key="stars", now=NOON)
    surveys.say_more(stage.session, talk, survey.id, "comment", key="more", now=NOON)
    assert surveys.take_comment(stage.session, talk, WORDS, key="comment", now=NOON)


def _talked_with_a_butler(stage: Stage, talk: Conversation, turn: int) -> None:
    """Words, a picture, changes of both, a note, a colleague's hint, another department, and the bot again."""
    at_night = NOON + timedelta(hours=10)
    known = Understood("repair", 0.9, {"matter": WORDS, "phone": PHONE})
    takeover.escalate(stage.session, talk, reason="asked", source=f"turn:{turn}", now=NOON, understood=known)
    _waited_among_others(stage)
    desk.take_message(stage.session, talk, WORDS, now=at_night)
    assert desk.hand_over_due(stage.session, now=at_night + timedelta(hours=12))
    butler = stage.take_over(talk)
    assert talk.topic_id is not None
    topics.made(stage.session, talk.topic_id, THREAD)
    topics.lost(stage.session, talk.topic_id, THREAD)  # the card is said again
    topics.made(stage.session, talk.topic_id, THREAD)
    _pass_a_picture_on(stage, talk)
    _butler_says(stage, talk, butler, BY_STAFF, 31)
    _butler_says(stage, talk, butler, TAKEN_BACK, 32)
    take_backs.take_back(stage.session, talk, butler, 32, chat_id=STAFF_CHAT, key="turn:back", now=NOON)
    aside = _update(stage, f"group:{STAFF_CHAT}:{THREAD}", {"text": AMONG_STAFF, "message_id": 33})
    conversations.note(stage.session, talk, Said("text", AMONG_STAFF, STAFF_CHAT, 33, aside), butler, NOON)
    line = texts.say("utter_staff_note", language="zh", text=WORDS)
    conversations.tell(stage.session, talk, line, now=NOON, key="held", kind="progress")
    stage.session.flush()
    engineering = stage.session.scalars(select(Department).where(Department.key == "engineering")).one()
    transfer.transfer(stage.session, talk, butler, engineering, note=AMONG_STAFF, source="turn:staff", now=NOON)
    takeover.settle(stage.session, talk, source=f"turn:{turn}", now=LATER)
    assert talk.owner is Owner.BOT
    assert topic_names.rename_due(stage.session, now=LATER)


def _waited_among_others(stage: Stage) -> None:
    """On the list of those who wait, in the line that counts, and on the board."""
    for number in range(wait_calls.ONE_BY_ONE):
        takeover.escalate(stage.session, stage.resident(), reason="asked", source=f"other:{number}", now=NOON)
    assert waiting.sweep(stage.session, now=NOON + timedelta(minutes=1))
    stage.session.flush()
    assert board.refresh_due(stage.session, now=NOON)


def _pass_a_picture_on(stage: Stage, talk: Conversation) -> None:
    row = _update(stage, f"chat:{CHAT}", {"caption": WORDS, "photo": FILE})
    said = Said("photo", WORDS, CHAT, 21, row, media=PHOTO, entities=ENTITIES)
    conversations.hear(stage.session, talk, said, now=NOON)
    payload = {"from_chat_id": CHAT, "message_ids": [21]}
    relays.pass_on(stage.session, talk, Bundle(CHAT, [(21, "photo")], "copy", payload, album=FILE))
    other = {"kind": "photo", "photo": {"file_id": f"{FILE}2", "file_unique_id": "v"}, "album": FILE}
    conversations.amend(stage.session, talk, replace(said, text=f"{WORDS}！", media=other), now=LATER)
    line = stage.session.scalars(select(Message.id).where(Message.chat_id == CHAT, Message.kind == "photo")).one()
    files.ask(stage.session, stage.community.id, [(line, f"{FILE}2")], now=LATER)
    stage.session.flush()
    [errand] = files.take(stage.session, BOT_ID, limit=1, now=LATER)
    files.keep(stage.session, errand, WORDS.encode())
    now_says = Revision(CHAT, 21, "photo", {"text": f"{WORDS}！"}, file_id=f"{FILE}2")
    assert revisions.revise(stage.session, talk, now_says, key=f"turn:{row}")


def _butler_says(stage: Stage, talk: Conversation, butler: Staff, words: str, number: int) -> None:
    row = _update(stage, f"group:{STAFF_CHAT}:{THREAD}", {"text": words, "message_id": number})
    conversations.hear(stage.session, talk, Said("text", words, STAFF_CHAT, number, row), now=NOON, by=butler)
    payload = {"from_chat_id": STAFF_CHAT, "message_ids": [number], "text": words}
    relays.pass_on(stage.session, talk, Bundle(STAFF_CHAT, [(number, "text")], "copy", payload))


def _send_everything(stage: Stage) -> None:
    """All of it has gone out, but for what is held; of one work order nobody knows, and staff are asked."""
    stage.session.flush()
    sent = "UPDATE outbox SET state = 'sent', message_id = 9000 + id WHERE state <> 'held'"
    stage.session.execute(text(sent))
    stage.session.execute(text("UPDATE twins SET message_id = 9000 + outbox_id"))
    doubtful = "UPDATE outbox SET state = 'unconfirmed', reason = '' WHERE kind = 'work_order'"
    stage.session.execute(text(doubtful))
    stage.session.expire_all()
    assert delivery.show_unconfirmed(stage.session)
    stage.session.flush()
    stage.session.execute(text(sent))


def _staff_answered_and_tapped(stage: Stage) -> None:
    """What Telegram repeats of the message that is answered or tapped."""
    orders = stage.session.scalars(select(OutboxRow).where(OutboxRow.kind == "work_order")).all()
    for order in orders:
        _update(stage, f"group:{STAFF_CHAT}:12", {"message_id": order.message_id, "text": WORDS})
    opened = {"message_id": THREAD, "forum_topic_created": {"name": "地毯主人"}}
    _update(stage, f"group:{STAFF_CHAT}:{THREAD}", {"message_id": 99, "reply_to_message": opened})


def _update(stage: Stage, lane: str, message: dict[str, object]) -> int:
    """An update that has been handled."""
    raw = json.dumps({"message": message}, ensure_ascii=False).encode()
    row = InboxRow(bot_id=BOT_ID, update_id=None, lane=lane, joins=False, raw=raw, attempts=1, done_at=NOON)
    stage.session.add(row)
    stage.session.flush()
    return row.id
