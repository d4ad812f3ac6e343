"""The seam between Rasa and the service: one action, one transaction, one resident locked.

An action is a plain function over a `Desk`; it changes things through one function of the service and answers with
events for Rasa's tracker. A reason of the service becomes its phrase here and nowhere else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import ActiveLoop, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from sqlalchemy.orm import Session

from actions.turns import Turn, read
from service import clocks, config, conversations, db, texts
from service.errors import ServiceError
from service.models.cases import Case
from service.models.talks import Conversation
from service.texts import Line

Event = dict[str, Any]
Handler = Callable[[CollectingDispatcher, Tracker, Mapping[str, Any]], Any]

ACTIONS: dict[str, Handler] = {}  # what the server answers to, by the names of domain.yml
LEAVE_FORM: list[Event] = [ActiveLoop(None), SlotSet("requested_slot", None), SlotSet("waiting", None)]
POOL = 10  # connections; as many actions may run at once


@dataclass
class Desk:
    """All an action works with."""

    session: Session
    conversation: Conversation
    turn: Turn
    slots: Mapping[str, Any]
    events: Sequence[Event]
    dispatcher: CollectingDispatcher

    def answer(self, line: Line) -> None:
        """Answer through Rasa; the bot drops it if a butler has taken over meanwhile."""
        utter(self.dispatcher, line)

    def answered(self) -> None:
        """The service has told the resident itself: silence is no failure."""
        self.dispatcher.utter_message(json_message={"silent": True})

    def not_understood(self) -> None:
        """Tell the bot that people should look at this message; the resident hears nothing of it."""
        self.dispatcher.utter_message(json_message={"not_understood": True})

    def say(self, key: str, **slots: object) -> None:
        """Answer with a response of domain.yml, in other words than the last answer's."""
        said = conversations.said_last(self.session, self.conversation)
        self.answer(texts.say(key, language=self.turn.language, seed=self.turn.source, unlike=said, **slots))

    @property
    def last_form(self) -> str:
        """The form that was begun last, empty when none was in this session."""
        names = [event["name"] for event in self.events if event["event"] == "active_loop" and event.get("name")]
        return str(names[-1]) if names else ""

    def expected(self, case: Case) -> str:
        """Until when the resident may expect the next thing, in words."""
        return clocks.expected(self.session, case, now=self.turn.now, language=self.turn.language)


def action(name: str) -> Callable[[Callable[[Desk], list[Event]]], Callable[[Desk], list[Event]]]:
    """Register a function as the action `name`; each call runs in a transaction of its own, beside the event loop."""

    def register(act: Callable[[Desk], list[Event]]) -> Callable[[Desk], list[Event]]:
        async def run(dispatcher: CollectingDispatcher, tracker: Tracker, domain: Mapping[str, Any]) -> list[Event]:
            del domain
            return await asyncio.to_thread(_in_transaction, act, dispatcher, tracker)

        ACTIONS[name] = run
        return act

    return register


def utter(dispatcher: CollectingDispatcher, line: Line) -> None:
    """Hand a line of ours to Rasa."""
    dispatcher.utter_message(
        text=line.text,
        buttons=[{"title": button.title, "payload": button.data} for button in line.buttons],
        quick_replies=[{"title": title} for title in line.menu],
    )


def since_last_message(events: Sequence[Event]) -> Sequence[Event]:
    """What has happened in this turn so far."""
    for place in range(len(events) - 1, -1, -1):
        if events[place]["event"] == "user":
            return events[place + 1 :]
    return events


def _in_transaction(
    act: Callable[[Desk], list[Event]], dispatcher: CollectingDispatcher, tracker: Tracker
) -> list[Event]:
    turn = read(tracker.latest_message)
    try:
        with db.transaction(sessions()) as session:
            conversation = conversations.lock(session, turn.conversation_id)
            return act(Desk(session, conversation, turn, tracker.slots, tracker.events, dispatcher))
    except ServiceError as error:
        dispatcher.messages.clear()
        utter(dispatcher, texts.say(error.response, language=turn.language, **error.facts))
        return []


@cache
def sessions() -> db.Sessions:
    """The process's session factory, made at the first action."""
    url = config.load().database_url
    assert url is not None, "GUANJIA_DATABASE_URL is set by whoever starts the action server"
    return db.sessions(db.connect(url.get_secret_value(), pool=POOL))
