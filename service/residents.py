"""Residents: who writes, how they are addressed, what is known of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service import language, texts, where
from service.models.people import Resident
from service.models.talks import Conversation, Owner

HOME_LANGUAGE = "zh"  # in which a place is kept; it is read again by service/where.py
HONORIFICS = ("mr", "ms")  # how the roster keeps a title


def access_conversation(
    session: Session, community_id: int, chat_id: int, *, display_name: str, language: str
) -> Conversation:
    """The resident's conversation, made at their first word and locked until the transaction ends.

    Args:
        session: the caller's transaction.
        community_id: whose resident.
        chat_id: the private chat, which is the Telegram user.
        display_name: how the person calls themselves on Telegram.
        language: zh or en, used when nothing is known yet.
    """
    conversation = find_conversation(session, community_id, chat_id)
    if conversation is not None:
        return conversation
    newcomer = {"community_id": community_id, "chat_id": chat_id, "display_name": display_name, "language": language}
    session.execute(insert(Resident).values(newcomer).on_conflict_do_nothing())
    who = select(Resident.id).where(Resident.community_id == community_id, Resident.chat_id == chat_id)
    facts = {"community_id": community_id, "resident_id": session.scalars(who).one()}
    afresh = {"owner": Owner.BOT, "epoch": 0, "misunderstood": 0, "dialogue_is_old": False}
    session.execute(insert(Conversation).values(facts | afresh).on_conflict_do_nothing())
    conversation = find_conversation(session, community_id, chat_id)
    assert conversation is not None
    return conversation


_IN_CHAT = (
    select(Conversation)
    .join(Conversation.resident)
    .where(Resident.community_id == bindparam("community_id"), Resident.chat_id == bindparam("chat_id"))
    .with_for_update(of=Conversation)
    .execution_options(populate_existing=True)
)


def find_conversation(session: Session, community_id: int, chat_id: int) -> Conversation | None:
    """The conversation in this chat, locked until the transaction ends."""
    return session.scalars(_IN_CHAT, {"community_id": community_id, "chat_id": chat_id}).one_or_none()


def salutation(resident: Resident, *, language: str | None = None) -> str:
    """How the resident is addressed: surname and honorific when known, otherwise nothing (N2).

    Args:
        resident: who.
        language: zh or en; their own unless others speak of them.
    """
    if not resident.surname:
        return ""
    spoken = language or resident.language
    return texts.words(
        "utter_word_salutation",
        language=spoken,
        surname=resident.surname,
        honorific=honorific(resident) or texts.words("utter_word_dear", language=spoken),
    )


def called(resident: Resident, *, language: str) -> str:
    """What staff call the resident: surname and title when known, else the name they have on Telegram."""
    known = salutation(resident, language=language)
    return known.strip("，, ") or resident.display_name  # it carries the comma of its sentence


def honorific(resident: Resident) -> str | None:
    """Their title in their language: the roster knows mr and ms, what they said of themselves stays as it is."""
    if resident.honorific in HONORIFICS:
        return texts.words(f"utter_word_{resident.honorific}", language=resident.language)
    return resident.honorific


def remember(resident: Resident, *, phone: str | None = None, place: str | None = None) -> None:
    """Keep what the resident told, so that it is not asked again (N8).

    The first place with a room is taken for their home; a lamp at the north gate or a neighbour's door is not.
    """
    resident.phone = phone or resident.phone
    lives = where.parse(place or "")
    if resident.place is None and lives.room:
        resident.place = where.display(replace(lives, place=None), HOME_LANGUAGE)


def home(resident: Resident, *, language: str) -> str:
    """Their own door in words, without the room a matter was about; empty when it is not known."""
    return where.display(replace(where.parse(resident.place or ""), place=None), language)


def unreachable(resident: Resident, *, now: datetime) -> bool:
    """Note that the resident has blocked the bot; True the first time, so that staff are told once."""
    first = resident.unreachable_since is None
    resident.unreachable_since = resident.unreachable_since or now
    return first


def reachable(resident: Resident) -> None:
    """The resident is back; one who never left costs no write."""
    if resident.unreachable_since is not None:
        resident.unreachable_since = None


def follow_language(resident: Resident, text: str) -> None:
    """Answer in the language of the message, unless the resident has chosen one."""
    written = language.detect(text, before=resident.language)
    if written != resident.language and not resident.language_chosen:
        resident.language = written
