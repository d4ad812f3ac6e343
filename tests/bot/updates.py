"""Updates as Telegram writes them, and a scene in which a handler meets them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from bot.handlers import route
from bot.rasa import Ask
from service import texts
from service.inbox import Turn
from tests.stage import BOT_ID, NOON, STAFF_CHAT, Stage

JSON = dict[str, Any]
RESIDENT = 5001
BUTLER = 9001
ADMIN_RIGHTS = """can_be_edited can_manage_chat can_delete_messages can_manage_video_chats can_restrict_members
    can_promote_members can_change_info can_invite_users can_post_stories can_edit_stories can_delete_stories
    is_anonymous"""
_numbers = itertools.count(1)


def user(number: int = RESIDENT, **facts: Any) -> JSON:
    return {"id": number, "is_bot": False, "first_name": "王芳", "language_code": "zh-hans"} | facts


def message(text: str | None = "您好", *, chat: JSON | None = None, sender: JSON | None = None, **facts: Any) -> JSON:
    """A message in the resident's private chat, unless another is given."""
    place = chat or {"id": RESIDENT, "type": "private"}
    body = {"message_id": next(_numbers), "date": int(NOON.timestamp()), "chat": place, "from": sender or user()}
    return body | ({"text": text} if text is not None else {}) | facts


def staff_message(text: str | None, *, thread: int | None = None, who: int = BUTLER, **facts: Any) -> JSON:
    """A message in the staff group: in a topic, or in General."""
    chat = {"id": STAFF_CHAT, "type": "supergroup", "is_forum": True}
    where = {"message_thread_id": thread, "is_topic_message": True} if thread else {}
    return message(text, chat=chat, sender=user(who, first_name="李强"), **where, **facts)


def photo(**facts: Any) -> JSON:
    size = {"file_id": "f", "file_unique_id": "u", "width": 90, "height": 90}
    return message(None, photo=[size]) | facts


def tap(data: str, *, offered: Sequence[str] = (), on: JSON | None = None, who: int = RESIDENT) -> JSON:
    """A tap on a message that offers `offered`."""
    keyboard = {"inline_keyboard": [[{"text": "…", "callback_data": one} for one in offered]]}
    base = on or message("…", sender=user(BOT_ID, is_bot=True))
    query = {"id": str(next(_numbers)), "from": user(who), "chat_instance": "1", "data": data}
    return query | {"message": base | ({"reply_markup": keyboard} if offered else {})}


def member_update(status: str, *, old: str = "member", chat: JSON | None = None, who: int = BOT_ID) -> JSON:
    """Somebody's membership of a chat changed."""
    place = chat or {"id": RESIDENT, "type": "private"}
    extra: dict[str, JSON] = {
        "kicked": {"until_date": 0},
        "administrator": dict.fromkeys(ADMIN_RIGHTS.split(), False),
    }
    states = [{"user": user(who), "status": one} | extra.get(one, {}) for one in (old, status)]
    base = {"chat": place, "from": user(), "date": int(NOON.timestamp())}
    return base | {"old_chat_member": states[0], "new_chat_member": states[1]}


def turn_of(*bodies: JSON, kind: str = "message") -> Turn:
    """The turn of one or several updates of a kind."""
    raws = [{"update_id": next(_numbers), kind: body} for body in bodies]
    return raw_turn(*(json.dumps(raw).encode() for raw in raws))


def raw_turn(*raws: bytes) -> Turn:
    rows = tuple((1_000_000 + next(_numbers), raw) for raw in raws)
    return Turn(id=rows[0][0], bot_id=BOT_ID, lane="chat:1", lease=uuid4(), attempts=1, rows=rows)


def said_without_rasa(ask: Ask | None) -> str:
    """What the resident hears of a message that needs no understanding, when no form is open or Rasa is down."""
    assert ask is not None
    assert ask.aside
    assert ask.otherwise is not None
    return texts.say(ask.otherwise, language=ask.metadata["language"]).text


def receive(stage: Stage, turn: Turn, *, now: datetime = NOON) -> Ask | None:
    """Have the turn handled; twice when Rasa is to be asked, because the worker may be killed before it answers."""
    first = route.receive(stage.session, turn, now=now)
    written = len(stage.outbox())
    if first is not None:
        again = route.receive(stage.session, turn, now=now)
        assert (again, len(stage.outbox())) == (first, written), "repeated after a crash it differs"
    return first
