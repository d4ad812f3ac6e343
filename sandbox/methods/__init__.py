"""The methods of the Bot API, one file per topic; importing them fills the table in ``registry``."""

from sandbox.methods import (
    callbacks,
    chats,
    commands,
    copying,
    deletion,
    editing,
    files,
    me,
    media,
    pins,
    polling,
    reactions,
    sending,
    topics,
    webhooks,
)

__all__ = [
    "callbacks",
    "chats",
    "commands",
    "copying",
    "deletion",
    "editing",
    "files",
    "me",
    "media",
    "pins",
    "polling",
    "reactions",
    "sending",
    "topics",
    "webhooks",
]
