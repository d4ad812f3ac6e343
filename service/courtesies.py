"""A resident who waits for a person is kept company (N5): one line that counts, and messages when something changes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from service import conversations, outbox, spans, texts, waits
from service.held import COURTESY
from service.models.communities import Community
from service.models.queues import Delivery, Priority
from service.models.talks import Conversation, Owner, Wait

EVERY = timedelta(seconds=30)  # the line is edited
LATER_EVERY = timedelta(minutes=5)  # once all steps are taken: the line is still true, and costs little
QUIET = ("rating",)  # nobody sits and waits after a rating: staff are told, the resident is left in peace


def are_due(talk: Conversation, wait: Wait) -> bool:
    """Whether the resident hears of the waiting: not while a department is to answer, for then the bot is silent."""
    waits_here = talk.owner is Owner.WAITING and wait.reason not in QUIET
    return waits_here and talk.resident.unreachable_since is None


def keep_company(session: Session, talk: Conversation, wait: Wait, *, waited: timedelta) -> None:
    """The one line that counts, sent once and edited from then on; what has not gone out is overtaken."""
    payload: dict[str, Any] = {"text": _courtesy(session, talk, wait, waited=waited)}
    if wait.courtesy_id is not None and outbox.reword(session, wait.courtesy_id, payload) is not None:
        return
    community = session.get_one(Community, talk.community_id)
    is_first = wait.courtesy_id is None
    row_id = outbox.put(
        session,
        bot_id=community.bot_id,
        community_id=community.id,
        chat_id=talk.resident.chat_id,
        conversation_id=talk.id,
        epoch=talk.epoch,
        kind=COURTESY,
        act="say" if is_first else "edit",
        payload=payload | ({"silent": True} if is_first else {}),
        edits_id=wait.courtesy_id,
        priority=Priority.NOTICE if is_first else Priority.CARD,
        delivery=Delivery.RETRY,
    )
    if is_first:
        wait.courtesy_id = row_id


def _courtesy(session: Session, talk: Conversation, wait: Wait, *, waited: timedelta) -> str:
    language, whole = talk.resident.language, waited // EVERY * EVERY
    kind = "courtesy" if whole else "begins"
    if wait.reason == waits.URGENT:
        return texts.words(
            f"utter_waiting_urgent_{kind}", language=language, waited=spans.said(whole, language=language)
        )
    before = waits.ahead(session, wait)
    line = "some" if before > 1 else ("next", "one")[before]
    place = texts.words(f"utter_word_line_{line}", language=language, count=before)
    return texts.words(
        f"utter_waiting_{kind}", language=language, waited=spans.said(whole, language=language), place=place
    )


def say(
    session: Session, talk: Conversation, wait: Wait, says: str, *, step: str, waited: timedelta, now: datetime
) -> None:
    """A message of its own: something has changed, and the resident should know."""
    community, language = session.get_one(Community, talk.community_id), talk.resident.language
    minutes = waited // timedelta(minutes=1) * timedelta(minutes=1)
    line = texts.say(
        f"utter_waiting_{says}",
        language=language,
        waited=spans.said(minutes, language=language),
        phone=community.phone,
    )
    conversations.tell(session, talk, line, now=now, key=f"wait:{wait.id}:{step}:said", kind=COURTESY)
