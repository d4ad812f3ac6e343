"""Taking messages back."""

from __future__ import annotations

from sandbox.errors import bad_request
from sandbox.models import Chat, Stored
from sandbox.posting import remove
from sandbox.registry import Call, answers

DELETABLE_FOR = 48 * 3600  # seconds
LIST_MAX = 100


def why_not_delete(call: Call, stored: Stored | None) -> str | None:
    """The reason a message stays, if there is one."""
    if stored is None or stored.deleted:
        return "message to delete not found"
    if "forum_topic_created" in stored.body:
        return "message can't be deleted"
    if call.world.clock.now() - stored.body["date"] > DELETABLE_FOR:
        return "message can't be deleted for everyone"
    return None


@answers("deleteMessage")
def delete_message(call: Call) -> bool:
    """One message, younger than two days."""
    stored = call.chat.messages.get(call.params["message_id"])
    reason = why_not_delete(call, stored)
    if stored is None or reason is not None:
        raise bad_request(str(reason))
    remove(call.world, call.chat, stored)
    return True


@answers("deleteMessages")
def delete_messages(call: Call) -> bool:
    """Several; those that cannot be deleted are passed over in silence."""
    wanted = call.params["message_ids"]
    if not 1 <= len(wanted) <= LIST_MAX:
        raise bad_request("wrong number of message identifiers")
    for stored in _present(call.chat, wanted):
        if why_not_delete(call, stored) is None:
            remove(call.world, call.chat, stored)
    return True


def _present(chat: Chat, wanted: list[int]) -> list[Stored]:
    return [chat.messages[number] for number in wanted if number in chat.messages]
