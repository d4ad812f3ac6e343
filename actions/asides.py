"""What is beside the point of any form: a sticker, an insult, who the assistant is. The bot has recognised it."""

from __future__ import annotations

from actions.base import Desk, Event, action

MEANWHILE = {  # what is said of it in the middle of a form
    "utter_calm": "utter_calm_meanwhile",
    "utter_sticker_received": "utter_sticker_received_meanwhile",
    "utter_media_received": "utter_media_received_meanwhile",
    "utter_voice_received": "utter_voice_received_meanwhile",
    "utter_location_received": "utter_location_received_meanwhile",
    "utter_empty": "utter_empty_meanwhile",
}


@action("action_aside")
def aside(desk: Desk) -> list[Event]:
    """Answer it; in a form with few words, because its question is asked again right after (nlu/data/rules.yml)."""
    phrase = desk.turn.metadata.get("aside")
    if phrase is None:
        desk.answered()  # the bot has told them already
    else:
        desk.say(MEANWHILE[phrase] if desk.slots.get("requested_slot") else phrase)
    return []
