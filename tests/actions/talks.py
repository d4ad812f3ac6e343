"""A talk about one repair on the real actions and a real database; what Rasa's rules would call next is called here."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rasa_sdk.executor import CollectingDispatcher
from sqlalchemy import select

import actions.cases
import actions.conversations
import actions.greetings
import actions.urging
import actions.withdrawals
from actions import answers, facts, said_back
from actions.base import Desk
from actions.facts import Facts
from actions.turns import Turn, read
from service import texts
from service.models.cases import Case
from service.models.talks import Conversation, Owner
from tests.actions.turns import message
from tests.stage import Stage

FORM = [{"event": "active_loop", "name": "repair_form"}, {"event": "active_loop", "name": None}]
NOT_UNDERSTOOD = "nlu_fallback"
RULES = {  # intent → the action of nlu/data/rules.yml; whatever else is only answered in words
    "greet": actions.greetings.greet,
    "urge": actions.urging.case_status,
    "praise": actions.cases.take_down,
    "inform": actions.cases.add_to_case,
    "correct": actions.cases.add_to_case,
    "request_human": actions.conversations.handoff,
    "affirm": actions.withdrawals.yes_or_no,
    "cancel": actions.withdrawals.call_off,
    NOT_UNDERSTOOD: actions.conversations.not_understood,
}
WORDS_ONLY = {"thanks": "utter_thanks"}
_turns = itertools.count(1)


@dataclass(frozen=True)
class Line:
    """What a resident may say, as Rasa understands it."""

    words: str
    intent: str
    found: Mapping[str, Any] = field(default_factory=dict)
    language: str = "zh"


class Talk:
    """One resident's talk: the facts of the form that is open, and everything that was answered."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.conversation: Conversation = stage.resident()
        self.told: Facts | None = None  # of the form that is open
        self.answers: list[tuple[Line, list[str]]] = []
        self.turns: list[tuple[str, Line]] = []
        self.events: list[dict[str, Any]] = []
        self._latest: tuple[Line, dict[str, Any], Facts | None] | None = None

    @property
    def has_people(self) -> bool:
        """Whether somebody else answers now."""
        return self.conversation.owner is not Owner.BOT

    def cases(self) -> list[Case]:
        """All of this resident, the oldest first."""
        self.stage.session.flush()
        found = select(Case).where(Case.conversation_id == self.conversation.id).order_by(Case.id)
        return list(self.stage.session.scalars(found))

    def hear(self, line: Line) -> None:
        """One turn."""
        number = str(next(_turns))
        self.turns.append((number, line))
        known = {"turn": number, "conversation_id": self.conversation.id, "language": line.language}
        latest = message(line.words, line.intent, known=known, **line.found)
        self._latest = line, latest, self.told
        self.events.append({"event": "user"})
        self._run(line, latest)

    def hear_again(self) -> None:
        """The turn was done and its answer lost: the same message comes once more, to a dialogue as it was before."""
        if self._latest is not None:
            line, latest, before = self._latest
            after, self.told = self.told, before
            self._run(line, latest)
            self.told = after

    def _run(self, line: Line, latest: dict[str, Any]) -> None:
        turn = read(latest)
        self.conversation.resident.language = line.language
        said = self._in_form(turn) if self.told or line.intent == "repair" else self._by_rule(turn, None)
        self.answers.append((line, said))

    def _in_form(self, turn: Turn) -> list[str]:
        if self.told is None:
            told: Facts | None = facts.begin(turn)
        else:
            asked = facts.question(self.told, kind="repair", now=turn.now)
            assert asked is not None
            told = answers.answer(self.told, asked, turn, kind="repair")
        if told is None:
            said = self._by_rule(turn, self.told)
            return said if self.told is None else [*said, *self._ask(turn, self.told)]
        self.told = told
        return self._ask(turn, told) if facts.question(told, kind="repair", now=turn.now) else self._open(turn, told)

    def _ask(self, turn: Turn, told: Facts) -> list[str]:
        asked = facts.question(told, kind="repair", now=turn.now)
        form = "repair_form_" if str(asked).startswith("matter") else ""
        summary = said_back.summary(told, turn, kind="repair") if asked == "confirmed" else None
        slots = {"summary": summary, "visit_time": told.visit_time}
        return [texts.say(f"utter_ask_{form}{asked}", language=turn.language, seed=turn.source, **slots).text]

    def _open(self, turn: Turn, told: Facts) -> list[str]:
        said = self._act(actions.cases.open_case, turn, slots=vars(told), events=FORM)
        self.told = None
        return said

    def _by_rule(self, turn: Turn, told: Facts | None) -> list[str]:
        if turn.intent in WORDS_ONLY:
            return [texts.say(WORDS_ONLY[turn.intent], language=turn.language, seed=turn.source).text]
        said = self._act(RULES[turn.intent], turn, slots=_slots(turn, told), events=self.events)
        if self.has_people or turn.intent == "cancel":
            self.told = None
        return said

    def _act(self, act: Any, turn: Turn, *, slots: Mapping[str, Any], events: Any) -> list[str]:
        dispatcher = CollectingDispatcher()
        before = len(self.stage.lines_to(self.conversation))
        followed = act(Desk(self.stage.session, self.conversation, turn, slots, events, dispatcher))
        self.events.append({"event": "action", "name": RULE_NAMES.get(act, "")})
        if any(event.get("name") == "action_not_understood" for event in followed):
            return self._act(actions.conversations.not_understood, turn, slots=slots, events=events)
        by_service = self.stage.lines_to(self.conversation)[before:]
        return [said["text"] for said in dispatcher.messages if said["text"]] + by_service


def _slots(turn: Turn, told: Facts | None) -> dict[str, Any]:
    """What Rasa hands to an action: the facts of the form that is open, and what it asks."""
    return vars(told) | {"requested_slot": facts.question(told, kind="repair", now=turn.now)} if told else {}


RULE_NAMES = {actions.conversations.not_understood: "action_not_understood"}
