"""What is beside the point of any form: a sticker, an insult, who the assistant is. The bot has recognised it."""

from __future__ import annotations

from actions.base import Desk, Event, action


@action("action_aside")
def aside(desk: Desk) -> list[Event]:
    """Answer it; in a form with few words, because its question is asked again right after (nlu/data/rules.yml)."""
    phrase = desk.turn.metadata.get("aside")
    if phrase is None:
        desk.answered()  # the bot has told them already
    else:
        desk.say(f"{phrase}_meanwhile" if desk.slots.get("requested_slot") else str(phrase))
    return []
