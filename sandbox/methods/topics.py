"""Forum topics."""

from __future__ import annotations

from sandbox.errors import bad_request
from sandbox.models import JSON, Chat, Topic
from sandbox.registry import Call, answers, one_message
from sandbox.topics import close_topic, create_topic, delete_topic, edit_topic, reopen_topic

NAME_MAX = 128  # characters


def _forum(call: Call) -> Chat:
    if not call.chat.is_forum:
        raise bad_request("the chat is not a forum")
    return call.chat


def _topic(call: Call) -> Topic:
    topic = _forum(call).topics.get(call.params["message_thread_id"])
    if topic is None:
        raise bad_request("message thread not found")
    return topic


def _check_name(name: str) -> str:
    name = name.strip()
    if not name:
        raise bad_request("TOPIC_TITLE_EMPTY")
    if len(name) > NAME_MAX:
        raise bad_request("topic name is too long")
    return name


@answers("createForumTopic", cost=one_message)
def create_forum_topic(call: Call) -> JSON:
    """A new topic; its thread id is the id of the service message."""
    params, chat = call.params, _forum(call)
    icon = {key: params[key] for key in ("icon_color", "icon_custom_emoji_id") if params.get(key)}
    return create_topic(call.world, chat, call.bot.id, _check_name(params["name"]), icon).card()


@answers("editForumTopic", cost=one_message)
def edit_forum_topic(call: Call) -> bool:
    """Another name or icon."""
    topic, params = _topic(call), call.params
    name = _check_name(params["name"]) if params.get("name") is not None else topic.name
    icon = params.get("icon_custom_emoji_id", topic.icon_custom_emoji_id)
    if (name, icon) == (topic.name, topic.icon_custom_emoji_id):
        raise bad_request("TOPIC_NOT_MODIFIED")
    edit_topic(call.world, call.chat, topic, call.bot.id, name=name, icon=icon)
    return True


@answers("closeForumTopic")
def close_forum_topic(call: Call) -> bool:
    """Only administrators may write from now on."""
    topic = _topic(call)
    if topic.closed:
        raise bad_request("TOPIC_NOT_MODIFIED")
    close_topic(call.world, call.chat, topic, call.bot.id)
    return True


@answers("reopenForumTopic")
def reopen_forum_topic(call: Call) -> bool:
    """Everybody may write again."""
    topic = _topic(call)
    if not topic.closed:
        raise bad_request("TOPIC_NOT_MODIFIED")
    reopen_topic(call.world, call.chat, topic, call.bot.id)
    return True


@answers("deleteForumTopic")
def delete_forum_topic(call: Call) -> bool:
    """The topic with all its messages."""
    delete_topic(call.world, call.chat, _topic(call))
    return True


@answers("closeGeneralForumTopic", "hideGeneralForumTopic")
def close_general_forum_topic(call: Call) -> bool:
    """The General topic cannot be deleted, only closed."""
    _forum(call).general_closed = True
    return True


@answers("reopenGeneralForumTopic", "unhideGeneralForumTopic")
def reopen_general_forum_topic(call: Call) -> bool:
    """Everybody may write in General again."""
    _forum(call).general_closed = False
    return True


@answers("editGeneralForumTopic", cost=one_message)
def edit_general_forum_topic(call: Call) -> bool:
    """Another name for the General topic."""
    _forum(call).general_name = _check_name(call.params["name"])
    return True
