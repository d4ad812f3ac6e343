"""Who answers a resident: the bot, nobody yet, or a butler. Every change raises the epoch and is written down."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from service import cards, conversations, held, private_talks, staff, texts, topic_names, topics, waits
from service.cards import Understood
from service.communities import STAFF_LANGUAGE
from service.errors import ConversationTaken, NothingToHandBack
from service.models.people import Staff
from service.models.queues import OutboxRow, Priority
from service.models.talks import Conversation, Handover, Owner
from service.staff import Right


def escalate(
    session: Session,
    conversation: Conversation,
    *,
    reason: str,
    source: str,
    now: datetime,
    quietly: bool = False,
    understood: Understood | None = None,
) -> bool:
    """Hand the resident over to people: the card goes to their topic, the handoff phrase to the resident (N6).

    Args:
        session: the caller's transaction; the conversation is locked in it.
        conversation: whose.
        reason: the end of a `utter_word_because_…` key.
        source: the turn that caused it; escalating twice for the same one does nothing.
        now: the moment, aware UTC.
        quietly: the resident has been answered already.
        understood: what the assistant made of the talk, for the card.

    Returns:
        False when people have it already.
    """
    if conversation.owner is not Owner.BOT:
        return False
    change_owner(session, conversation, Owner.WAITING, reason=reason, now=now)
    conversation.owed_since = now
    if not quietly:
        line = texts.say("utter_handoff", language=conversation.resident.language, seed=source)
        conversations.tell(session, conversation, line, key=f"{source}:handoff", now=now)
    _post_card(session, conversation, reason=reason, source=source, understood=understood, now=now)
    return True


def claim(session: Session, conversation: Conversation, member: Staff, *, source: str, now: datetime) -> bool:
    """A butler takes the resident over; from the commit on no line of the bot's reaches them.

    Args:
        session: the caller's transaction; the conversation is locked in it.
        conversation: whose.
        member: who takes over.
        source: the update; the same one again does nothing.
        now: the moment, aware UTC.

    Returns:
        False when this butler has them already.

    Raises:
        ConversationTaken: another butler has them.
        NotAllowed: their role does not talk to residents.
        LineInFlight: a line of the bot's is being sent; nothing may be committed, the claim is to be tried again.
    """
    if conversation.owner is Owner.BUTLER and conversation.butler_id not in (None, member.id):
        raise _taken(session, conversation)
    if conversation.butler_id == member.id == conversation.greeted_by_id:
        return False
    if conversation.butler_id != member.id:
        _check_may_talk(conversation, member)
    unsaid = held.settle(session, conversation)
    before, epoch = conversation.owner, conversation.epoch
    if conversation.butler_id != member.id:
        change_owner(session, conversation, Owner.BUTLER, butler=member, reason="claimed", now=now)
    if before is Owner.BOT:  # nobody has told the butlers yet what it is about
        conversation.owed_since = now if unsaid or conversations.is_unanswered(session, conversation) else None
        _post_card(session, conversation, reason="staff", source=source, understood=None, now=now)
    _greet(session, conversation, member, source=source, now=now)
    told = texts.say("utter_staff_claimed", language=STAFF_LANGUAGE, number=member.number, name=member.display_name)
    _to_record(session, conversation, told, key=f"{source}:claimed")
    if epoch != conversation.epoch:
        private_talks.turn_to(member, conversation)
        go_private(session, conversation, source=source, now=now)
    _tell_unsaid(session, conversation, unsaid, source=source)
    return True


def hand_back(session: Session, conversation: Conversation, member: Staff, *, source: str, now: datetime) -> None:
    """The butler is done; the bot answers again and says so.

    Raises:
        NothingToHandBack: the bot answers already.
        ConversationTaken: another butler has them, and this member may not end it for them.
        NotAllowed: their role does not talk to residents.
    """
    if conversation.owner is Owner.BOT:
        raise NothingToHandBack
    check_is_theirs(session, conversation, member)
    told = texts.say("utter_staff_handed_back", language=STAFF_LANGUAGE, number=member.number)
    give_back(session, conversation, told, reason="handed_back", source=source, now=now)


def settle(session: Session, conversation: Conversation, *, source: str, now: datetime) -> None:
    """The resident says that it is settled: nobody has to answer any more, and staff read why."""
    told = texts.say("utter_staff_settled", language=STAFF_LANGUAGE)
    phrase = "utter_settled"
    give_back(session, conversation, told, phrase=phrase, reason="settled", source=source, now=now)


def take_back_wish(session: Session, conversation: Conversation, *, source: str, now: datetime) -> None:
    """Who waits for a person wants none any more: the bot answers again, and staff read that nobody has to."""
    told = texts.say("utter_staff_person_not_wanted", language=STAFF_LANGUAGE)
    phrase = "utter_person_not_wanted"
    give_back(session, conversation, told, phrase=phrase, reason="not_wanted", source=source, now=now)


def check_is_theirs(session: Session, conversation: Conversation, member: Staff) -> None:
    """Refuse to end or hand on what another butler has.

    Raises:
        ConversationTaken: another butler has the resident; supervisors may all the same.
        NotAllowed: their role does not talk to residents, unless their department was asked to.
    """
    if member.id == conversation.butler_id or staff.may(member, Right.END_FOR_OTHERS):
        return
    if conversation.butler_id is not None:
        raise _taken(session, conversation)
    _check_may_talk(conversation, member)


def give_back(
    session: Session,
    conversation: Conversation,
    told: texts.Line,
    *,
    reason: str,
    source: str,
    now: datetime,
    phrase: str = "utter_handed_back",
) -> None:
    """The bot answers again; staff read `told`, the resident `phrase`."""
    butler = private_talks.room(session, conversation)
    change_owner(session, conversation, Owner.BOT, reason=reason, now=now)
    conversation.misunderstood, conversation.owed_since = 0, None
    conversation.dialogue_is_old = True
    line = texts.say(phrase, language=conversation.resident.language)
    conversations.tell(session, conversation, line, key=f"{source}:handed_back", now=now)
    _to_record(session, conversation, told, key=f"{source}:handed_back_note")
    tell_in_private(session, butler, conversation, told, key=f"{source}:handed_back_private")


def call_others(session: Session, conversation: Conversation, *, source: str, now: datetime) -> None:
    """Their butler does not come back: the resident waits again, any butler may take over, the card is posted anew.

    A department's member may have had them: then it is the department's people who are called, as at first. Who was in
    danger goes before all others again.
    """
    left, was_urgent = session.get_one(Staff, conversation.butler_id), waits.is_urgent(session, conversation)
    department_id = None if staff.may(left, Right.TALK) else left.department_id
    change_owner(session, conversation, Owner.WAITING, reason=waits.LEFT, department_id=department_id, now=now)
    if was_urgent:
        waits.put_first(session, conversation, now=now)
    _post_card(session, conversation, reason=waits.LEFT, source=source, understood=None, now=now)


def go_private(session: Session, conversation: Conversation, *, source: str, now: datetime) -> None:
    """Where the community talks in private, the butler's chat begins with the card; who never opened it is told to."""
    member = session.get_one(Staff, conversation.butler_id) if conversation.butler_id else None
    if member is not None and private_talks.has_to_open(session, conversation, member, now=now):
        line = texts.say("utter_staff_private_open", language=STAFF_LANGUAGE, number=member.number)
        _to_record(session, conversation, line, key=f"{source}:open")
    butler = private_talks.room(session, conversation)
    if butler is not None:
        card = cards.card(session, conversation, reason="staff", understood=None, now=now)
        name = conversations.topic_name(conversation.resident)
        private_talks.begin(session, butler, conversation, card, name=name, key=source)


def tell_in_private(
    session: Session, butler: Staff | None, conversation: Conversation, line: texts.Line, *, key: str
) -> None:
    """Say in the chat in which a butler had the talk what has become of it; in its topic everybody reads it."""
    if butler is not None:
        name = conversations.topic_name(conversation.resident)
        private_talks.tell(session, butler, conversation, line, name=name, key=key)


def _to_record(session: Session, conversation: Conversation, line: texts.Line, *, key: str) -> None:
    """Who has the talk stands in the topic, wherever it takes place."""
    where = conversations.IN_TOPIC
    conversations.to_staff(session, conversation, "say", line.payload(), key=key, kind="note", where=where)


def _check_may_talk(conversation: Conversation, member: Staff) -> None:
    """Butlers may; a department's people when the resident was handed on to them."""
    if conversation.department_id is None or conversation.department_id != member.department_id:
        staff.check(member, Right.TALK)


def _taken(session: Session, conversation: Conversation) -> ConversationTaken:
    other = session.get_one(Staff, conversation.butler_id)
    return ConversationTaken(number=other.number, name=other.display_name)


def _greet(session: Session, conversation: Conversation, member: Staff, *, source: str, now: datetime) -> None:
    """The resident hears the number of whoever answers now, once (N2)."""
    conversation.greeted_by_id = member.id
    greeting = texts.say("utter_butler_greets", language=conversation.resident.language, staff_no=member.number)
    row_id = conversations.to_resident(
        session, conversation, "say", greeting.payload(), key=f"{source}:butler_greets", kind="butler_greets"
    )
    conversations.write_down(
        session, conversation, greeting.text, author="butler", outbox_id=row_id, staff=member, now=now
    )


def _tell_unsaid(session: Session, conversation: Conversation, unsaid: Sequence[OutboxRow], *, source: str) -> None:
    """What the assistant was about to say, the butler may want to say now."""
    if not unsaid:
        return
    text = "\n".join(str(row.payload.get("text", "")) for row in unsaid)
    note = texts.say("utter_staff_note", language=STAFF_LANGUAGE, text=text)
    key = f"{source}:unsaid"
    conversations.to_staff(
        session, conversation, "say", note.payload(), key=key, kind="note", priority=Priority.WORK_ORDER
    )


def _post_card(
    session: Session,
    conversation: Conversation,
    *,
    reason: str,
    source: str,
    understood: Understood | None,
    now: datetime,
) -> None:
    card = cards.card(session, conversation, reason=reason, understood=understood, now=now)
    where = conversations.IN_TOPIC
    conversations.to_staff(session, conversation, "say", card.payload(), key=f"{source}:card", kind="card", where=where)
    if conversation.topic_id is not None:
        topics.remember_card(session, conversation.topic_id, card.payload())


def change_owner(
    session: Session,
    conversation: Conversation,
    owner: Owner,
    *,
    reason: str,
    now: datetime,
    butler: Staff | None = None,
    department_id: int | None = None,
    note: str | None = None,
) -> None:
    """Let somebody else answer from now on, and write it down."""
    conversation.owner = owner
    conversation.epoch += 1
    conversation.butler_id = butler.id if butler else None
    conversation.department_id = department_id
    if owner is not Owner.BUTLER:
        conversation.greeted_by_id = None
    conversation.active_at = now
    conversations.stir(conversation, now=now)
    waits.follow(session, conversation, reason=reason, now=now)
    topic_names.look_again(session, conversation, now=now)
    session.add(
        Handover(
            conversation_id=conversation.id,
            epoch=conversation.epoch,
            owner=owner,
            butler_id=conversation.butler_id,
            department_id=department_id,
            reason=reason,
            note=note,
            at=now,
        )
    )
