"""A resident says something, or changes what they said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from telegram import Message, Update

from bot.handlers import commands, incoming, relay, staff_commands, wordless
from bot.rasa import Ask
from service import (
    alarms,
    amendments,
    appointments,
    binding,
    budget,
    call_back_words,
    candidates,
    cases,
    conversations,
    desk,
    emergency,
    greetings,
    knowledge,
    moods,
    phones,
    residents,
    settled,
    staff,
    surveys,
    takeover,
    texts,
    waits,
    withdrawals,
    work,
    work_orders,
)
from service.communities import STAFF_LANGUAGE
from service.conversations import Amended
from service.knowledge import Reader
from service.models.talks import Conversation, Owner
from service.staff import Right

if TYPE_CHECKING:
    from bot.handlers.route import Scene

MOST_WORDS = 1000  # characters that are given to Rasa; all are kept


def said(scene: Scene, updates: Sequence[Update]) -> Ask | None:
    """One or several bubbles, read as one turn."""
    messages = [update.effective_message for update in updates]
    bubbles = [message for message in messages if message is not None]
    if all(_only_reports(message) for message in bubbles) or _opens_the_console(scene, bubbles):
        return None
    conversation = _conversation(scene, bubbles[-1])
    residents.reachable(conversation.resident)
    heard = [
        incoming.said(message, inbox_id=row_id) for message, (row_id, _) in zip(bubbles, scene.turn.rows, strict=True)
    ]
    for one in heard:
        kept = replace(one, text=commands.hushed(one.text))
        conversations.hear(scene.session, conversation, kept, now=scene.now)
    words = conversations.as_one(one.text for one in heard)
    residents.follow_language(conversation.resident, words)

    own_words = commands.without(words)
    alarm = emergency.check(own_words)
    if alarm is not None and not moods.is_only_angry(own_words):  # 「滚！」 sounds like a cry for help
        _alarm(scene, conversation, bubbles, kind=alarm.kind, words=words)
        return None
    candidates.notice_near_miss(scene.session, conversation, own_words, source=scene.key, now=scene.now)
    binding.let_go_of_moved_out(scene.session, conversation, now=scene.now)
    return _answer(scene, conversation, bubbles, words)


def _answer(scene: Scene, conversation: Conversation, bubbles: Sequence[Message], words: str) -> Ask | None:
    """Hand what is no emergency to whoever has the talk; a question that it did not answer is put once more."""
    asked = None if words else withdrawals.question(scene.session, conversation)
    card = next((message for message in reversed(bubbles) if message.contact is not None), None)
    if card is not None:
        _take_own_number(scene, conversation, card)
    if conversation.owner is not Owner.BOT:
        return _to_people(scene, conversation, bubbles, words)
    if words.startswith("/"):
        return commands.from_resident(scene, conversation, words)
    if _about_ourselves(scene, conversation, words):
        return None
    if asked is None:
        heard = _read_card(scene, conversation, card, words) if card is not None else None
        return heard or _take_up(scene, conversation, bubbles, words)
    heard = None if card is not None and incoming.own_number(card) else _take_up(scene, conversation, bubbles, words)
    if heard is not None and heard.otherwise is not None:  # the question that comes next is not the dialogue's
        line = texts.say(heard.otherwise, language=conversation.resident.language, seed=scene.key)
        conversations.tell(scene.session, conversation, line, now=scene.now, key=f"{scene.key}:{heard.otherwise}")
    withdrawals.ask_again(scene.session, conversation, asked, key=scene.key, now=scene.now)
    return None


def _opens_the_console(scene: Scene, bubbles: Sequence[Message]) -> bool:
    """A member of staff wants their key: no business of a resident's, so nothing of it is kept or passed on.

    Whoever is not staff has written a message like any other, and learns nothing.
    """
    [first, *more] = bubbles
    if more or first.from_user is None or (first.text or "").strip().split("@")[0].lower() != "/console":
        return False
    member = staff.find(scene.session, scene.community.id, first.from_user.id)
    if member is None or not staff.may(member, Right.CONSOLE):
        return False
    staff_commands.send_console_link(scene, member)
    return True


def _take_up(scene: Scene, conversation: Conversation, bubbles: Sequence[Message], words: str) -> Ask | None:
    """What came without words goes to its case, words to Rasa."""
    if not words:
        phrase = wordless.take(scene, conversation, bubbles)
        return aside(scene, conversation, phrase) if phrase else None
    wordless.attach(scene, conversation, bubbles)
    return _understand(scene, conversation, words)


def _about_ourselves(scene: Scene, conversation: Conversation, words: str) -> bool:
    """The wish not to be asked, or the comment on a rating; a butler who has the talk reads it too."""
    if not words or words in texts.menu_words():
        return False
    if budget.obey(scene.session, conversation, words, key=scene.key, now=scene.now):
        return True
    return surveys.take_comment(scene.session, conversation, words, key=scene.key, now=scene.now)


def _to_people(scene: Scene, conversation: Conversation, bubbles: Sequence[Message], words: str) -> Ask | None:
    """Butlers read everything; a command is answered too, and who says that it is settled is handed back."""
    relay.to_staff(scene, conversation, bubbles)
    _about_ourselves(scene, conversation, words)
    desk.take_message(scene.session, conversation, words, now=scene.now)
    is_waiting = conversation.owner is Owner.WAITING
    if settled.is_settled(words, waiting=is_waiting):
        takeover.settle(scene.session, conversation, source=scene.key, now=scene.now)
    elif is_waiting and settled.wants_no_person(words) and not waits.is_urgent(scene.session, conversation):
        takeover.take_back_wish(scene.session, conversation, source=scene.key, now=scene.now)
    return commands.from_resident(scene, conversation, words) if commands.is_known(words) else None


def _only_reports(message: Message) -> bool:
    """Whether it says nothing itself: somebody pinned something, the chat has another background."""
    return incoming.kind_of(message) == "unsupported" and incoming.event_in(message) is not None


def _take_own_number(scene: Scene, conversation: Conversation, card: Message) -> None:
    """Their own number binds the account; somebody else's card binds nobody."""
    number = incoming.own_number(card)
    if number is None:
        return
    residents.remember(conversation.resident, phone=phones.normalise(number) or number)
    line = binding.share_phone(scene.session, conversation, number, now=scene.now)
    conversations.tell(scene.session, conversation, line, now=scene.now, key=f"{scene.key}:card")


def _read_card(scene: Scene, conversation: Conversation, card: Message, words: str) -> Ask | None:
    """Have the dialogue hear a number that was sent as a card: a form may be waiting for it, whosever it is.

    Beside words it is read as if it had been typed. None when a department has asked, which then is shown the card.
    """
    assert card.contact is not None
    is_own = incoming.own_number(card) is not None
    number = phones.normalise(card.contact.phone_number) or card.contact.phone_number
    if words:
        return _understand(scene, conversation, f"{words}\n{number}")
    if not is_own and work.awaited(scene.session, conversation) is not None:
        return None
    heard = replace(ask(scene, conversation, "/share_phone", payload=True), otherwise="utter_number_kept")
    if is_own:
        return heard
    name = incoming.clean(" ".join(filter(None, (card.contact.first_name, card.contact.last_name))))
    told = {"text": f"{name} {number}", "phone": number, "card": name, "card_message": card.message_id}
    return replace(heard, metadata={**heard.metadata, **told})


def _understand(scene: Scene, conversation: Conversation, words: str) -> Ask | None:
    payload = texts.menu_words().get(words)
    case = None if payload or withdrawals.calls_off(words) else work.awaited(scene.session, conversation)
    if case is not None:
        work.give_info(scene.session, case, words, key=scene.key, now=scene.now)
        return None
    is_asked = (conversation.keyboard_turn or 0) > 0  # by the dialogue, which the words then answer
    if not payload and _asks_who_we_are(scene, conversation, words):
        return aside(scene, conversation, None)
    if not payload and moods.is_only_angry(words):
        return aside(scene, conversation, "utter_calm")
    if not (payload or is_asked) and _is_about_a_case(scene, conversation, words):
        return None
    return ask(scene, conversation, payload or words, payload=payload is not None)


def aside(scene: Scene, conversation: Conversation, phrase: str | None) -> Ask:
    """What is beside the point of any form: Rasa answers it there with few words, and asks its open question again.

    Args:
        scene: the turn's.
        conversation: whose.
        phrase: what is said outside of a form, and by us when Rasa is down; None when all has been said already.
    """
    asked = ask(scene, conversation, "/aside", payload=True)
    return replace(asked, aside=True, otherwise=phrase, metadata={**asked.metadata, "aside": phrase})


def _asks_who_we_are(scene: Scene, conversation: Conversation, words: str) -> bool:
    """Answered before anything can take it for an answer, 「你是真人吗」, or for the wish to speak with a person."""
    reader = Reader(scene.community, conversation.resident.language, scene.now)
    line = knowledge.in_between(scene.session, reader, words)
    if line is not None:
        conversations.tell(scene.session, conversation, line, now=scene.now, key=f"{scene.key}:who")
    return line is not None


def _is_about_a_case(scene: Scene, conversation: Conversation, words: str) -> bool:
    """A number, words that say which case is to be taken back or whether a fix holds, or of an appointment alone.

    They need no understanding.
    """
    facts: dict[str, Any] = {"key": scene.key, "now": scene.now}
    if withdrawals.question(scene.session, conversation) is not None:
        return withdrawals.take_words(scene.session, conversation, words, **facts)
    if call_back_words.take(scene.session, conversation, words, **facts):
        return True
    line = greetings.one_case(scene.session, conversation, words, now=scene.now)
    if line is not None:
        conversations.tell(scene.session, conversation, line, now=scene.now, key=f"{scene.key}:case")
    return line is not None or appointments.take_words(scene.session, conversation, words, **facts)


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
            "honorific": residents.honorific(resident),
            "text": words[:MOST_WORDS],
        },
    )


def edited(scene: Scene, updates: Sequence[Update]) -> Ask | None:
    """A line changed: the earlier wording is kept, its copy follows, whoever works on the matter reads the new one.

    The last line of a talk that the bot has is read anew, unless a case holds it: it is what an answer is wanted to.
    """
    message = updates[0].effective_message
    assert message is not None
    conversation = _conversation(scene, message)
    now_said = incoming.said(message, inbox_id=scene.turn.rows[0][0])
    amended = conversations.amend(scene.session, conversation, now_said, now=scene.now)
    if amended is None:
        conversations.hear(scene.session, conversation, now_said, now=scene.now)
    passed_on = relay.revise(scene, conversation, message, amended)
    alarm = emergency.check(now_said.text)
    if alarm is not None and not moods.is_only_angry(now_said.text):
        _alarm(scene, conversation, [message], kind=alarm.kind, words=now_said.text)
        return None
    candidates.notice_near_miss(scene.session, conversation, now_said.text, source=scene.key, now=scene.now)
    if amended is not None and amended.reworded and _amend_case(scene, conversation, amended):
        return None
    was = _to_read_anew(scene, conversation, amended) if amended is not None else None
    if was is not None:
        return _read_anew(scene, conversation, now_said.text, was=was)
    if amended is None or amended.reworded or amended.swapped:
        _tell_of_edit(scene, conversation, message, now_said.text, passed_on=passed_on)
    return None


def _to_read_anew(scene: Scene, conversation: Conversation, amended: Amended) -> str | None:
    """What the line said before, if the bot is to take it up again."""
    if conversation.owner is not Owner.BOT:
        return None
    return amendments.read_anew(scene.session, conversation, amended, key=scene.key, now=scene.now)


def _read_anew(scene: Scene, conversation: Conversation, words: str, *, was: str) -> Ask | None:
    """Have the line understood as it reads now; what it said before is replaced in a form that is open."""
    asked = _understand(scene, conversation, words)
    return asked and replace(asked, metadata={**asked.metadata, "was": was[:MOST_WORDS]})


def _amend_case(scene: Scene, conversation: Conversation, amended: Amended) -> bool:
    """The case that the line told of says what the line says now, unless a butler has the talk and sees to it."""
    if conversation.owner is not Owner.BOT:
        return False
    key = f"{scene.key}:amended"
    case = amendments.edited(scene.session, conversation, amended.line, amended.before, key=key, now=scene.now)
    if case is not None:
        line = texts.say("utter_amended", language=conversation.resident.language, seed=scene.key, number=case.number)
        conversations.tell(scene.session, conversation, line, now=scene.now, key=f"{key}:told")
    return case is not None


def _tell_of_edit(scene: Scene, conversation: Conversation, message: Message, text: str, *, passed_on: bool) -> None:
    """Butlers read it in the topic unless the copy there says it; the department reads it while the bot answers."""
    case = cases.at_work(scene.session, conversation) if conversation.owner is Owner.BOT else None
    if case is not None:
        work_orders.note(scene.session, case, "utter_staff_edited", key=f"{scene.key}:edited", text=text)
    elif conversation.owner is not Owner.BOT and not passed_on:
        line = texts.say("utter_staff_edited", language=STAFF_LANGUAGE, text=text)
        conversations.to_staff(scene.session, conversation, "say", line.payload(), key=f"{scene.key}:edited")
        if message.text is None:
            relay.to_staff(scene, conversation, [message])


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
    relay.to_staff(scene, conversation, bubbles)
