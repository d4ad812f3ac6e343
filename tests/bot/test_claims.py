"""A butler's line while a line of the bot's is on its way: the turn waits, and nothing of it is lost or done twice."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass

import pytest
from sqlalchemy import text

from bot.rasa import Rasa
from bot.wake import Wake
from bot.worker import Worker
from service import conversations, inbox, sending
from service.db import Sessions
from service.inbox import Arrival
from service.models.communities import Topic
from service.models.talks import Conversation, Owner
from service.sending import Parcel
from service.texts import Line
from tests.bot.updates import staff_message
from tests.stage import BOT_ID, NOON, PLENTY, Stage

THREAD = 77


@dataclass
class Office:
    """A resident with a topic, a worker, and a sender that lives."""

    sessions: Sessions
    worker: Worker
    sender: int
    conversation_id: int

    def owner(self) -> Owner:
        with self.sessions.begin() as session:
            return session.get_one(Conversation, self.conversation_id).owner

    def send_begins(self) -> Parcel:
        with self.sessions.begin() as session:
            [parcel] = [
                parcel
                for parcel in sending.take(session, BOT_ID, sender=self.sender, limit=9, rates=PLENTY)
                if parcel.chat_id > 0
            ]
        return parcel

    def arrived(self, parcel: Parcel) -> None:
        with self.sessions.begin() as session:
            sending.sent(session, parcel, message_id=1)

    def butler_types(self, words: str) -> None:
        update = {"update_id": 1, "message": staff_message(words, thread=THREAD)}
        with self.sessions.begin() as session:
            inbox.put(session, BOT_ID, [Arrival(1, f"topic:{THREAD}", json.dumps(update).encode())])

    async def round(self) -> int:
        with self.sessions.begin() as session:
            session.execute(text("UPDATE inbox SET lease_until = NULL WHERE lease IS NULL"))  # its time has come
            turns = self.worker.take(session, 9)
        await asyncio.gather(*map(self.worker.work, turns))
        return len(turns)

    def value(self, question: str) -> object:
        with self.sessions.begin() as session:
            return session.scalar(text(question))


@pytest.fixture
def office(sessions: Sessions, database_url: str) -> Office:
    with sessions.begin() as session:
        stage = Stage(session)
        talk = stage.resident()
        conversations.to_staff(session, talk, "say", {"text": "卡片"}, key="card")
        session.get_one(Topic, talk.topic_id).thread_id = THREAD
        conversations.tell(session, talk, Line("正在发出"), key="k", now=NOON)
    rasa = Rasa("http://127.0.0.1:9", "…", timeout=1)
    worker = Worker(BOT_ID, sessions, Wake(database_url, inbox.CHANNEL), rasa, lanes=4, now=lambda: NOON)
    return Office(sessions, worker, 81, talk.id)


async def test_a_butlers_line_waits_until_the_bots_has_arrived_and_then_takes_over(office, engine):
    with engine.connect() as living:
        living.execute(text("SELECT pg_advisory_lock(81)"))
        parcel = office.send_begins()
        office.butler_types("马上到")

        for _ in range(30):  # more often than a turn may fail
            assert await office.round() == 1
            assert office.owner() is Owner.BOT

        assert office.value("SELECT attempts FROM inbox") == 0, "waiting is no failure"
        assert office.value("SELECT held_until > clock_timestamp() FROM conversations"), "and the bot begins no other"
        office.arrived(parcel)
        await office.round()
        living.execute(text("SELECT pg_advisory_unlock_all()"))

    assert office.owner() is Owner.BUTLER
    assert office.value("SELECT count(*) FROM outbox WHERE kind = 'relay' AND chat_id > 0") == 1
    assert office.value("SELECT count(*) FROM messages WHERE author = 'butler' AND text = '马上到'") == 1
    assert office.value("SELECT count(*) FROM inbox WHERE done_at IS NULL") == 0
    assert office.value("SELECT held_until FROM conversations") is None
