"""What a butler types or picks outside Telegram: the same takeover, the same rows, and the topic shows it to all."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from service import conversations, outbox, phrases, takeover
from service.conversations import IN_TOPIC
from service.errors import ResidentUnreachable
from service.models.people import Staff
from service.models.talks import Conversation
from service.phrases import Ready
from service.texts import Line

MOST_TEXT = 4000  # characters; with what stands around it in the topic it is still one message


def say(session: Session, conversation: Conversation, member: Staff, words: str, *, key: str, now: datetime) -> bool:
    """Take the resident over, as typing in their topic does, and say it.

    Args:
        session: the caller's transaction; the conversation is locked in it.
        conversation: whose.
        member: who says it.
        words: as they were typed, at most `MOST_TEXT` characters.
        key: names the form that was sent; the same one again does nothing.
        now: the moment, aware UTC.

    Returns:
        False when it was said before.

    Raises:
        ResidentUnreachable: they have blocked the bot.
        ConversationTaken: another butler has them.
        NotAllowed: the member's role does not talk to residents.
        LineInFlight: a line of the bot's is being sent; to be tried again.
    """
    return _say(session, conversation, member, Ready("", words[:MOST_TEXT]), kind="relay", key=key, now=now)


def say_phrase(
    session: Session, conversation: Conversation, member: Staff, name: str, *, key: str, now: datetime
) -> bool:
    """The same with a canned phrase, its slots filled.

    Raises:
        NoSuchPhrase: the community has none of this name.
        PhraseNotReady: a slot has nothing to fill it.
    """
    ready = phrases.fill(session, conversation, member, name)
    return _say(session, conversation, member, ready, kind="canned", key=key, now=now)


def note(session: Session, conversation: Conversation, member: Staff, words: str, *, key: str, now: datetime) -> None:
    """Write something for colleagues into the topic, like a note typed there; it never goes to the resident."""
    written = Line(f"// {member.number} {member.display_name}: {words[:MOST_TEXT]}")
    row_id = conversations.to_staff(
        session, conversation, "say", written.payload(), key=f"{key}:note", kind="note", where=IN_TOPIC
    )
    if row_id is not None:
        conversations.write_down(
            session, conversation, words[:MOST_TEXT], author="note", outbox_id=row_id, staff=member, now=now
        )


def _say(
    session: Session, conversation: Conversation, member: Staff, ready: Ready, *, kind: str, key: str, now: datetime
) -> bool:
    if outbox.find(session, key=f"{key}:say") is not None:
        return False
    if conversation.resident.unreachable_since is not None:
        raise ResidentUnreachable(name=conversation.resident.display_name)
    takeover.claim(session, conversation, member, source=key, now=now)
    return phrases.send(session, conversation, ready, member, where=IN_TOPIC, key=f"{key}:say", kind=kind, now=now)
