"""The Bot API as a table: methods, their parameters, the types they return."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

SPEC_FILE = Path(__file__).with_name("spec.json")

SUPPORTED = (
    *("getMe", "logOut", "close"),
    *("getUpdates", "setWebhook", "deleteWebhook", "getWebhookInfo"),
    *("sendMessage", "sendPhoto", "sendDocument", "sendVoice", "sendVideo", "sendVideoNote", "sendAudio"),
    *("sendSticker", "sendAnimation", "sendLocation", "sendVenue", "sendContact", "sendMediaGroup", "sendPoll"),
    "sendDice",
    *("copyMessage", "copyMessages", "forwardMessage", "forwardMessages"),
    *("editMessageText", "editMessageCaption", "editMessageReplyMarkup", "editMessageMedia"),
    *("editMessageLiveLocation", "stopMessageLiveLocation"),
    *("deleteMessage", "deleteMessages", "answerCallbackQuery", "setMessageReaction"),
    *("createForumTopic", "editForumTopic", "closeForumTopic", "reopenForumTopic", "deleteForumTopic"),
    *("editGeneralForumTopic", "closeGeneralForumTopic", "reopenGeneralForumTopic"),
    *("hideGeneralForumTopic", "unhideGeneralForumTopic", "unpinAllForumTopicMessages"),
    *("pinChatMessage", "unpinChatMessage", "unpinAllChatMessages", "sendChatAction"),
    *("setMyCommands", "getMyCommands", "deleteMyCommands"),
    *("getChat", "getChatMember", "getChatAdministrators", "getChatMemberCount"),
    *("getFile", "banChatMember", "unbanChatMember", "leaveChat", "exportChatInviteLink"),
)


@cache
def load() -> dict[str, Any]:
    """Read the committed table once."""
    table: dict[str, Any] = json.loads(SPEC_FILE.read_text(encoding="utf-8"))
    return table


@cache
def fields_of(method: str) -> dict[str, Any]:
    """The parameters of one method by name."""
    fields: dict[str, Any] = load()["methods"][method]["fields"]
    return fields
