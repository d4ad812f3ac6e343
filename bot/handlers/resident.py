"""A resident says something, or changes what they said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from telegram import Message, Update

from bot.handlers import commands, incoming
from bot.rasa import Ask
from service import (
    alarms,
    budget,
    candidates,
    cases,
    conversations,
    desk,
    emergency,
    residents,
    surveys,
    texts,
    work,
    work_orders,
)
from service.communities import STAFF_LANGUAGE
from service.models import Case, CaseState, Conversation, Owner

if TYPE_CHECKING:
    from bot.handlers.route import Scene

MOST_WORDS = 1000  # characters that are given to Rasa; all are kept
JOINT = "，"


def said(scene: Scene, updates: Sequence[Update]) -> Ask | None:
    """One or several bubbles, read as one turn."""
    messages = [update.effective_message for update in updates]
    bubbles = [message for message in messages if message is not None]
    conversation = _conversation(scene, bubbles[-1])
    residents.reachable(conversation.resident)
    heard = [
        incoming.said(message, inbox_id=row_id) for message, (row_id, _) in zip(bubbles, scene.turn.rows, strict=True)
    ]
    for one in heard:
        conversations.hear(scene.session, conversation, one, now=scene.now)
    words = JOINT.join(one.text.strip() for one in heard if one.text.strip())
    resident = conversation.resident
    language = residents.detect_language(words, before=resident.language)
    if language != resident.language:
        resident.language = language

    own_words = commands.without(words)
    alarm = emergency.check(own_words)
    if alarm is not None:
        _alarm(scene, conversation, bubbles, kind=alarm.kind, words=words)
        return None
    candidates.notice_near_miss(scene.session, conversation, own_words, source=scene.key, now=scene.now)
    if words.startswith("/"):
        return commands.from_resident(scene, conversation, words)
    settled = _about_ourselves(scene, conversation, words)
    if conversation.owner is not Owner.BOT:
        _relay(scene, conversation, bubbles)
        desk.take_message(scene.session, conversation, words, now=scene.now)
        return None
    return None if settled else _for_the_bot(scene, conversation, bubbles, words)


def _for_the_bot(scene: Scene, conversation: Conversation, bubbles: Sequence[Message], words: str) -> Ask | None:
    media = [message for message in bubbles if message.text is None]
    if media:
        _take_media(scene, conversation, media, answered=bool(words))
    if not words:
        _wordless(scene, conversation, answered=bool(media))
        return None
    return _understand(scene, conversation, words)


def _about_ourselves(scene: Scene, conversation: Conversation, words: str) -> bool:
    """The wish not to be asked, or the comment on a rating; a butler who has the talk reads it too."""
    if not words or words in texts.menu_words():
        return False
    if budget.obey(scene.session, conversation, words, key=scene.key, now=scene.now):
        return True
    return surveys.take_comment(scene.session, conversation, words, key=scene.key, now=scene.now)


def _understand(scene: Scene, conversation: Conversation, words: str) -> Ask | None:
    payload = texts.menu_words().get(words)
    case = None if payload else _awaited_case(scene, conversation)
    if case is not None:
        work.give_info(scene.session, case, words, key=scene.key, now=scene.now)
        return None
    return ask(scene, conversation, payload or words, payload=payload is not None)


def ask(scene: Scene, conversation: Conversation, words: str, *, payload: bool, tap: str | None = None) -> Ask:
    """What Rasa is to hear; a tap on the same button is the same turn, however often it is tapped."""
    resident = conversation.resident
    return Ask(
        conversation_id=conversation.id,
        epoch=conversation.epoch,
        turn=f"tap:{tap}" if tap else scene.key,
        text=words[:MOST_WORDS],
        payload=payload,
        afresh=conversation.dialogue_is_old,
        metadata={
            "turn": f"tap:{tap}" if tap else str(scene.turn.id),
            "conversation_id": conversation.id,
            "language": resident.language,
            "now": scene.now.isoformat(),
            "timezone": scene.community.timezone,
            "phone": resident.phone,
            "place": resident.place,
            "surname": resident.surname,
            "text": words[:MOST_WORDS],
        },
    )


def edited(scene: Scene, updates: Sequence[Update]) -> None:
    """The wording changed: the earlier one is kept, staff who have the talk read the new one."""
    message = updates[0].effective_message
    assert message is not None
    conversation = _conversation(scene, message)
    now_said = incoming.said(message, inbox_id=scene.turn.rows[0][0])
    if not conversations.amend(scene.session, conversation, now_said, now=scene.now):
        conversations.hear(scene.session, conversation, now_said, now=scene.now)
    alarm = emergency.check(now_said.text)
    if alarm is not None:
        _alarm(scene, conversation, [message], kind=alarm.kind, words=now_said.text)
        return
    candidates.notice_near_miss(scene.session, conversation, now_said.text, source=scene.key, now=scene.now)
    if conversation.owner is not Owner.BOT:
        line = texts.say("utter_staff_edited", language=STAFF_LANGUAGE, text=now_said.text)
        conversations.to_staff(scene.session, conversation, "say", line.payload(), key=f"{scene.key}:edited")
    else:
        case = cases.at_work(scene.session, conversation)
        if case is not None:
            work_orders.note(scene.session, case, "utter_staff_edited", key=f"{scene.key}:edited", text=now_said.text)


def _conversation(scene: Scene, message: Message) -> Conversation:
    return residents.access_conversation(
        scene.session,
        scene.community.id,
        message.chat_id,
        display_name=incoming.name_of(message.from_user),
        language=incoming.language_of(message.from_user),
    )


def _alarm(scene: Scene, conversation: Conversation, bubbles: Sequence[Message], *, kind: str, words: str) -> None:
    """First the numbers and the alert, then everything else."""
    alarms.raise_alarm(
        scene.session,
        conversation,
        kind=kind,
        caught_by="tripwire",
        words=words,
        source=scene.key,
        now=scene.now,
    )
    _relay(scene, conversation, bubbles)


def _relay(scene: Scene, conversation: Conversation, bubbles: Sequence[Message]) -> None:
    """Pass the bubbles on to the butlers as they are; an album stays one."""
    for album in incoming.albums(bubbles):
        key = f"relay:{album[0].chat_id}:{album[0].message_id}"
        conversations.to_staff(scene.session, conversation, "copy", incoming.copy_of(album), key=key)


def _take_media(scene: Scene, conversation: Conversation, media: Sequence[Message], *, answered: bool) -> None:
    """Pictures and the like belong to the case at work, or to the one that is opened next."""
    case = cases.at_work(scene.session, conversation)
    if case is None:
        return
    for album in incoming.albums(media):
        ids = [message.message_id for message in album]
        work_orders.attach(scene.session, case, from_chat_id=album[0].chat_id, message_ids=ids)
    if not answered:
        _tell(scene, conversation, "utter_case_media_added", number=case.number)


def _wordless(scene: Scene, conversation: Conversation, *, answered: bool) -> None:
    if answered and cases.at_work(scene.session, conversation) is not None:
        return
    _tell(scene, conversation, "utter_media_received" if answered else "utter_empty")


def _tell(scene: Scene, conversation: Conversation, phrase: str, **slots: object) -> None:
    line = texts.say(phrase, language=conversation.resident.language, seed=scene.key, **slots)
    conversations.tell(scene.session, conversation, line, now=scene.now, key=f"{scene.key}:{phrase}")


def _awaited_case(scene: Scene, conversation: Conversation) -> Case | None:
    """The case whose department has asked the resident for details."""
    if conversation.awaiting_case_id is None:
        return None
    case = cases.access_case(scene.session, conversation, conversation.awaiting_case_id)
    if case.state in (CaseState.NEEDS_INFO, CaseState.REOPENED):
        return case
    conversation.awaiting_case_id = None
    return None
