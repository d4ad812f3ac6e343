"""Who answers: the bot, asking again when it did not understand, or people."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import takewhile

from actions import already, cases, knowledge, times
from actions.base import LEAVE_FORM, Desk, Event, action
from actions.facts import DECLINED, SOON
from service import amendments, conversations, texts
from service.cards import Understood
from service.desk import call_people

FACTS = ("matter", "location", "phone", "visit_time", "contact")  # of a form, as the card shows them
TRIES = ("utter_please_rephrase", "utter_choices")  # after them a butler (N7)
LONG = 600  # characters of a message of which one would rather hear the most important part
TOO_LONG = "utter_too_long"  # instead of the first: whoever wrote so much is not to write it again


@action("action_handoff")
def handoff(desk: Desk) -> list[Event]:
    """The resident wants a person; a half-filled form is left, the card shows the talk."""
    escalated = call_people(
        desk.session,
        desk.conversation,
        reason="asked",
        source=desk.turn.source,
        now=desk.turn.now,
        understood=understood(desk),
    )
    if escalated:
        desk.answered()
    else:
        desk.say("utter_already_waiting")
    _hand_over_what_waits(desk)
    return LEAVE_FORM


@action("action_not_understood")
def not_understood(desk: Desk) -> list[Event]:
    """Ask to rephrase, then offer choices, then call a butler; anything understood in between starts afresh.

    What stands word for word among the questions is answered all the same. What comes right after a case was opened is
    more of it, understood or not: its worker reads the words.
    """
    in_form = bool(desk.slots.get("requested_slot"))
    if not in_form and times.is_all(desk.turn) and cases.take_visit_time(desk):
        return []
    late = amendments.just_opened(desk.session, desk.conversation, now=desk.turn.now)
    says_something = any(map(str.isalnum, desk.turn.text))
    if late is not None and says_something and not in_form:
        desk.not_understood()
        already.add(desk, late)
        return []
    if not in_form and knowledge.tell_if_clear(desk, word_for_word=True):
        return []
    before = misunderstood_before(desk.events) % (len(TRIES) + 1)
    desk.conversation.misunderstood = before + 1
    desk.not_understood()
    if before < len(TRIES):
        is_long = before == 0 and len(desk.turn.text) >= LONG
        desk.say(TOO_LONG if is_long else TRIES[before])
        return []
    reason, source, now = "not_understood", desk.turn.source, desk.turn.now
    known = understood(desk)
    call_people(desk.session, desk.conversation, reason=reason, source=source, now=now, understood=known)
    desk.answered()
    _hand_over_what_waits(desk)
    return LEAVE_FORM


def understood(desk: Desk) -> Understood:
    """What the butler should know of it: the last guess, and what a form has gathered."""
    told = {name: str(desk.slots[name]) for name in FACTS if desk.slots.get(name) not in (None, "", DECLINED, SOON)}
    return Understood(desk.turn.intent, desk.turn.confidence, told)


def _hand_over_what_waits(desk: Desk) -> None:
    """Tell the resident that what else they asked for is with the butler too, who reads it in the talk."""
    waiting = [str(matter[0]) for matter in json.loads(desk.slots.get("waiting") or "[]")]
    if waiting:
        language, source = desk.turn.language, desk.turn.source
        line = texts.say("utter_handed_over_too", language=language, seed=source, matter="; ".join(waiting))
        conversations.tell(desk.session, desk.conversation, line, key=f"{source}:too", now=desk.turn.now)


def misunderstood_before(events: Sequence[Event]) -> int:
    """How many turns in a row, up to the one before this, were not understood."""
    turns: list[set[str]] = []
    for event in events:
        if event["event"] == "user":
            turns.append(set())
        elif event["event"] == "action" and turns:
            turns[-1].add(str(event.get("name")))
    return sum(1 for _ in takewhile(lambda names: "action_not_understood" in names, reversed(turns[:-1])))
