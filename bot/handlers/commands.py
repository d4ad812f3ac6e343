"""What stands behind a slash."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.rasa import Ask
from service import binding, budget, conversations, forgetting, greetings, invitations, own_data, texts
from service.models.talks import Conversation
from service.texts import Line

if TYPE_CHECKING:
    from bot.handlers.route import Scene


def from_resident(scene: Scene, conversation: Conversation, words: str) -> Ask | None:
    """A resident's command; an unknown one is a message like any other, its slash taken away."""
    first, _, rest = words.partition(" ")
    command = first.split("@", maxsplit=1)[0].lower()
    answer = RESIDENT_COMMANDS.get(command)
    if answer is None:
        from bot.handlers import resident  # noqa: PLC0415 - the two know each other

        asked = resident.ask(scene, conversation, words.lstrip("/ ") or "?", payload=False)
        return replace(asked, command=True)
    line = answer(scene, conversation, rest.strip())
    if line is None:
        return None
    conversations.tell(scene.session, conversation, line, now=scene.now, key=f"{scene.key}:{command}")
    return None


def is_known(words: str) -> bool:
    """Whether the words begin with one of our commands."""
    return words.startswith("/") and without(words) != words


def without(words: str) -> str:
    """What is said beside a command: 「/help」 is no cry for help, 「/help 着火了」 is one."""
    first, _, rest = hushed(words).partition(" ")
    return rest if first.split("@", maxsplit=1)[0].lower() in RESIDENT_COMMANDS else words


def hushed(words: str) -> str:
    """A line without the token of an invitation, which is a key: nobody else is to read it in a transcript."""
    return re.sub(rf"(?i)^(/start\S*) {invitations.TOKEN.pattern}$", r"\1", words)


def _help(_: Scene, conversation: Conversation, __: str) -> Line:
    return texts.say("utter_help", language=conversation.resident.language)


def _start(scene: Scene, conversation: Conversation, token: str) -> Line:
    if invitations.TOKEN.fullmatch(token):
        return binding.redeem(scene.session, conversation, token, now=scene.now)
    return greetings.greet(scene.session, conversation, now=scene.now)


def _cases(scene: Scene, conversation: Conversation, _: str) -> Line:
    return greetings.my_cases(scene.session, conversation, now=scene.now)


def _bind(scene: Scene, conversation: Conversation, words: str) -> Line:
    return binding.ask_staff(scene.session, conversation, words, key=scene.key, now=scene.now)


def _me(scene: Scene, conversation: Conversation, _: str) -> Line:
    return own_data.me(scene.session, conversation, now=scene.now)


def _export(scene: Scene, conversation: Conversation, _: str) -> Line | None:
    return own_data.export(scene.session, conversation, key=scene.key, now=scene.now)


def _forget(scene: Scene, conversation: Conversation, _: str) -> Line:
    return forgetting.ask(scene.session, conversation)


def _language(scene: Scene, conversation: Conversation, word: str) -> Line:
    if word.lower() in (*texts.LANGUAGES, own_data.FOLLOWS):
        return own_data.choose_language(scene.session, conversation, word.lower(), now=scene.now)
    return own_data.ask_language(conversation)


def _stop(scene: Scene, conversation: Conversation, _: str) -> None:
    """What ends other bots: here it is the wish not to be asked, the service goes on."""
    budget.obey(scene.session, conversation, "stop", key=scene.key, now=scene.now)


# What answers each; None when the answer is no line.
RESIDENT_COMMANDS: dict[str, Callable[[Scene, Conversation, str], Line | None]] = {
    "/start": _start,
    "/help": _help,
    "/cases": _cases,
    "/bind": _bind,
    "/me": _me,
    "/export": _export,
    "/forget": _forget,
    "/language": _language,
    "/stop": _stop,
}
