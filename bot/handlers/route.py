"""Which handler an update goes to."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session
from telegram import Update
from telegram.constants import ChatType

from bot.handlers import buttons, membership, private, reactions, staff, staff_taps
from bot.rasa import Ask
from service import communities, forgetting
from service.inbox import Turn
from service.models.communities import Community


class Unreadable(Exception):
    """The update has a shape that no handler knows; it is parked as a dead letter."""


@dataclass(frozen=True)
class Scene:
    """What every handler is given besides the update."""

    session: Session
    community: Community
    turn: Turn
    now: datetime

    @property
    def key(self) -> str:
        """Names the turn in everything it causes, so that doing it again changes nothing."""
        return f"turn:{self.turn.id}"


Handler = Callable[[Scene, Sequence[Update]], Ask | None]


def receive(session: Session, turn: Turn, *, now: datetime) -> Ask | None:
    """Handle a turn; what comes back is still to be asked of Rasa.

    Raises:
        Unreadable: no handler knows this kind of update.
    """
    community = communities.access_community(session, turn.bot_id)
    scene = Scene(session, community, turn, now)
    forgotten = forgetting.ordered(session, community, turn.rows[0][1])
    if forgotten is not None:
        return buttons.forget(scene, forgotten)
    updates = [parse(raw) for _, raw in turn.rows]
    return _handler(updates[0], scene.community)(scene, updates)


def parse(raw: bytes) -> Update:
    """The update in the library's types.

    Raises:
        Unreadable: the library does not understand it.
    """
    try:
        update = Update.de_json(json.loads(raw), None)
    except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError, OSError, RecursionError) as error:
        raise Unreadable(type(error).__name__) from error
    return update


def _handler(update: Update, community: Community) -> Handler:
    chat = update.effective_chat
    if chat is None:
        raise Unreadable("no chat")
    private = chat.type == ChatType.PRIVATE
    ours = chat.id == community.staff_chat_id
    for field, handlers in HANDLERS.items():
        if getattr(update, field) is not None:
            return handlers[0 if private else 1 if ours else 2]
    raise Unreadable("unknown kind")


def _ignore(_: Scene, __: Sequence[Update]) -> None:
    """Nothing to do: said in a place where the bot only listens."""


# For every kind of update: what to do in a private chat, in the staff group, in any other chat.
HANDLERS: dict[str, tuple[Handler, Handler, Handler]] = {
    "message": (private.said, staff.said, membership.said_elsewhere),
    "edited_message": (private.edited, staff.edited, _ignore),
    "callback_query": (private.tapped, staff_taps.tapped, _ignore),
    "message_reaction": (private.reacted, reactions.by_staff, _ignore),
    "my_chat_member": (membership.resident_blocks_or_returns, _ignore, membership.joined_a_group),
    "chat_member": (_ignore, membership.staff_changed, _ignore),
}
