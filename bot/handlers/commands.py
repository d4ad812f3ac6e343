"""What stands behind a slash."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.rasa import Ask
from service import conversations, greetings, texts
from service.models import Conversation
from service.texts import Line

if TYPE_CHECKING:
    from bot.handlers.route import Scene


def from_resident(scene: Scene, conversation: Conversation, words: str) -> Ask | None:
    """A resident's command; an unknown one is a message like any other, its slash taken away."""
    command = words.split(maxsplit=1)[0].split("@", maxsplit=1)[0].lower()
    answer = RESIDENT_COMMANDS.get(command)
    if answer is None:
        from bot.handlers import resident  # noqa: PLC0415 - the two know each other

        asked = resident.ask(scene, conversation, words.lstrip("/ ") or "?", payload=False)
        return replace(asked, command=True)
    line = answer(scene, conversation)
    conversations.tell(scene.session, conversation, line, now=scene.now, key=f"{scene.key}:{command}")
    return None


def without(words: str) -> str:
    """What is said beside a command: 「/help」 is no cry for help, 「/help 着火了」 is one."""
    first, _, rest = words.partition(" ")
    return rest if first.split("@", maxsplit=1)[0].lower() in RESIDENT_COMMANDS else words


def _help(_: Scene, conversation: Conversation) -> Line:
    return texts.say("utter_help", language=conversation.resident.language)


def _start(scene: Scene, conversation: Conversation) -> Line:
    return greetings.greet(scene.session, conversation, now=scene.now)


def _cases(scene: Scene, conversation: Conversation) -> Line:
    return greetings.my_cases(scene.session, conversation, now=scene.now)


RESIDENT_COMMANDS: dict[str, Callable[[Scene, Conversation], Line]] = {
    "/start": _start,
    "/help": _help,
    "/cases": _cases,
}
