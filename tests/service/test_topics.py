"""The staff group's topics: ours are rows, Telegram's threads come and go."""

from __future__ import annotations

from service import sending, takeover, topics
from service.models.communities import Topic
from service.models.queues import OutboxRow, Priority
from tests.service.test_outbox import send_all, take, write
from tests.stage import BOT_ID, NOON, PLENTY, STAFF_CHAT, Stage

CARD = {"text": "👤 王芳"}
MOVED = STAFF_CHAT - 5


def open_topic(stage: Stage, name: str = "王芳", *, thread_id: int | None = None, card: bool = True) -> Topic:
    topic = topics.open_topic(stage.session, stage.community.id, name, card=CARD if card else None)
    topic.thread_id = thread_id
    stage.session.flush()
    return topic


def thread_of(stage: Stage, topic: Topic) -> int | None:
    stage.session.refresh(topic)
    return topic.thread_id


def test_a_topics_name_fits_telegram(stage):
    assert len(open_topic(stage, "王" * 300).name) == 128


def test_a_deleted_topic_is_made_again_with_its_card_before_what_waits_for_it(stage):
    """Somebody deletes a topic: nothing that was said there may be lost, and the card stands first again."""
    topic = open_topic(stage, thread_id=7)
    write(stage, "住户的话", chat_id=STAFF_CHAT, topic_id=topic.id)
    [parcel] = take(stage.session)

    topics.lost(stage.session, topic.id, 7)
    sending.again(stage.session, parcel, reason="message thread not found", wait=0.0)

    assert thread_of(stage, topic) is None
    assert send_all(stage.session) == ["👤 王芳", "住户的话"]


def test_two_senders_that_miss_the_same_topic_post_one_card(stage):
    topic = open_topic(stage, thread_id=7)

    topics.lost(stage.session, topic.id, 7)
    topics.made(stage.session, topic.id, 8)
    topics.lost(stage.session, topic.id, 7)

    assert (len(stage.outbox("card")), thread_of(stage, topic)) == (1, 8)


def test_a_topic_that_is_deleted_again_gets_its_card_again(stage):
    topic = open_topic(stage, thread_id=7)

    for thread_id in (7, 8):
        topics.made(stage.session, topic.id, thread_id)
        topics.lost(stage.session, topic.id, thread_id)

    assert len(stage.outbox("card")) == 2


def test_a_departments_topic_has_no_card_and_is_simply_made_again(stage):
    topic = open_topic(stage, thread_id=7, card=False)

    topics.lost(stage.session, topic.id, 7)

    assert (stage.outbox("card"), thread_of(stage, topic)) == ([], None)


def test_a_topic_whose_creation_was_never_answered_is_recognised_by_its_report(stage):
    """Without this a second topic would be made."""
    topic = open_topic(stage)

    topics.reconcile(stage.session, stage.community.id, topic.name, 7)

    assert thread_of(stage, topic) == 7


def test_a_report_about_a_known_topic_changes_nothing(stage):
    known, namesake = open_topic(stage, thread_id=7), open_topic(stage)

    topics.reconcile(stage.session, stage.community.id, "王芳", 7)

    assert (thread_of(stage, known), thread_of(stage, namesake)) == (7, None)


def test_a_report_about_somebody_elses_topic_changes_nothing(stage):
    topic = open_topic(stage)

    topics.reconcile(stage.session, stage.community.id, "活动", 9)

    assert thread_of(stage, topic) is None


def test_two_residents_of_the_same_name_never_share_a_topic(stage):
    """The report of one creation may be read before its answer: the answer knows better whose topic it is."""
    first, second = open_topic(stage), open_topic(stage)

    topics.reconcile(stage.session, stage.community.id, "王芳", 7)
    topics.made(stage.session, second.id, 7)

    assert (thread_of(stage, first), thread_of(stage, second)) == (None, 7)
    found = topics.find(stage.session, stage.community.id, 7)
    assert found is not None
    assert found.id == second.id


def test_a_migrated_group_takes_everything_along_in_its_order(stage):
    """`migrate_to_chat_id` rewrites the chat id everywhere."""
    topic = open_topic(stage, thread_id=7)
    for word in ("一", "二"):
        write(stage, word, chat_id=STAFF_CHAT, topic_id=topic.id)
    [parcel] = take(stage.session)

    topics.migrate(stage.session, STAFF_CHAT, MOVED)
    sending.again(stage.session, parcel, reason="the group has a new id", wait=0.0)
    write(stage, "三", chat_id=MOVED, topic_id=topic.id)

    stage.session.expire_all()
    assert {row.chat_id for row in stage.session.query(OutboxRow)} == {MOVED}
    assert stage.community.staff_chat_id == MOVED
    told = send_all(stage.session)
    assert told.index("二") < told.index("三")


def test_hearing_of_the_move_twice_changes_nothing(stage):
    """Telegram reports it in the old group and in the new one, and refuses a send with it."""
    for _ in range(2):
        topics.migrate(stage.session, STAFF_CHAT, MOVED)

    stage.session.refresh(stage.community)
    assert (stage.community.staff_chat_id, stage.community.moved_from) == (MOVED, STAFF_CHAT)


def test_after_the_move_lines_to_staff_go_to_the_new_group(stage):
    topics.migrate(stage.session, STAFF_CHAT, MOVED)
    stage.session.expire_all()

    takeover.escalate(stage.session, stage.resident(), reason="asked", source="turn:1", now=NOON)

    [card] = stage.outbox("card")
    assert (card.chat_id, card.priority) == (MOVED, Priority.TALK)
    assert sending.take(stage.session, BOT_ID, sender=1, limit=9, rates=PLENTY)
