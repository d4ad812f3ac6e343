"""Rasa's forms: what is asked next, read off the facts; one call per turn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions import already, answers, doubts, facts, said_back
from actions.base import ACTIONS, Event, Handler, since_last_message
from actions.turns import Turn, read

Look = Callable[..., tuple[facts.Facts, str | None]]  # actions/already.py
TROUBLES = ("repair", "complaint")  # may be known already
KINDS = ("repair", "complaint", "inquiry")  # each with its <kind>_form and validate_<kind>_form


def nothing_is_known(told: facts.Facts, turn: Turn, *, begins: bool) -> tuple[facts.Facts, str | None]:
    """No incident and no other case: for whoever has no database at hand."""
    del turn, begins
    return told, None


def validate(kind: str, tracker: Tracker, *, look: Look = nothing_is_known) -> list[Event]:
    """Read the message into the facts; an empty answer means that the message is for another rule.

    Args:
        kind: which form.
        tracker: Rasa's tracker in the middle of the form's turn.
        look: finds out what is known of the matter already.
    """
    turn, slots = _for(kind, read(tracker.latest_message)), tracker.slots
    happened = since_last_message(tracker.events)
    before, asked = facts.from_slots(slots), slots.get("requested_slot")
    base = before
    begins = _begins(happened, kind)
    if begins:
        again = answers.is_taken_up_again(before, turn)
        base = replace(before, confirmed=None) if again else facts.Facts()
        told: facts.Facts | None = base if again else facts.begin(turn)
    elif not asked or any(event["event"] == "action_execution_rejected" for event in happened):
        return [SlotSet("requested_slot", asked)]  # back from another rule: ask the same again
    elif turn.is_put_off:
        told = before
    else:
        told = answers.answer(before, asked, turn, kind=kind)
    if told is None:
        return []
    shown = None
    if kind in TROUBLES:
        told, shown = look(doubts.raised(base, told, turn, asked=asked), turn, begins=begins)
    return _events(before, told, kind, turn, shown=shown)


def _for(kind: str, turn: Turn) -> Turn:
    """The message as a form hears it: nobody comes for a complaint, so 「半夜两点还在跳」 is what happened, no wish."""
    if kind == "repair":
        return turn
    return replace(turn, entities=tuple(entity for entity in turn.entities if entity.label != "time"))


def _begins(happened: Sequence[Event], kind: str) -> bool:
    return any(event["event"] == "active_loop" and event["name"] == f"{kind}_form" for event in happened)


def _events(before: facts.Facts, told: facts.Facts, kind: str, turn: Turn, *, shown: str | None) -> list[Event]:
    """The slots that changed; `confirmed` always, because a form takes no slot at all for a refusal."""
    was, now = asdict(before), asdict(told)
    events = [SlotSet(name, now[name]) for name in now if name == "confirmed" or now[name] != was[name]]
    asked = facts.question(told, kind=kind, now=turn.now)
    if asked == "confirmed":
        events.append(SlotSet("summary", said_back.summary(told, turn, kind=kind)))
    elif shown is not None:
        events.append(SlotSet("summary", shown))
    return [*events, SlotSet("requested_slot", asked)]


def _handler(kind: str) -> Handler:
    async def run(dispatcher: CollectingDispatcher, tracker: Tracker, domain: Mapping[str, Any]) -> list[Event]:
        del dispatcher, domain
        return await asyncio.to_thread(validate, kind, tracker, look=already.look)

    return run


ACTIONS.update({f"validate_{kind}_form": _handler(kind) for kind in KINDS})
