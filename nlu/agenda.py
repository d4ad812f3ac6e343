"""What a message asks for, in the order in which it is taken up, and what waits until a form is done.

A message with several parts is several turns of Rasa's dialogue and one turn of ours, so that every rule holds for a
part as it does for a message. What is answered in one go comes first; what opens a form comes last, because a form ends
with a question; a second form waits in a slot, which the tracker store keeps (docs/adr/0009-parts-as-turns.md).
"""

import json
import re
from functools import reduce
from typing import Any, Dict, Iterator, List, NamedTuple, Sequence, Union

from rasa.shared.core.constants import REQUESTED_SLOT
from rasa.shared.core.events import SlotSet
from rasa.shared.core.trackers import DialogueStateTracker

from components.cuts import are_apart, topics
from components.requests import ANSWERS, CALLS_OFF, SURE_ALONE

Data = Dict[str, Any]

OPEN_A_FORM = frozenset({"repair", "complaint"})
FOR_PEOPLE = ("emergency", "request_human")  # they read the whole message, and the bot is silent from then on
WAITING = "waiting"  # the slot
MATTER = "matter"  # the slot, and how a question for it begins
DECLINED = "-"  # a slot whose question the resident would rather not answer
QUOTED = 40  # characters
DOOR = re.compile(r"\d{3,4}")  # who names a room says where they live, whatever is broken there
# What forms find out goes on as metadata of the next matter, and so do facts that stand elsewhere in the message.
OF_SLOTS = {
    "phone": "phone",
    "contact": "surname",
    "location": "place",
    "visit_time": "visit_time",
    "visit_from": "visit_from",
    "visit_until": "visit_until",
}
OF_ENTITIES = {"phone": "phone", "name": "surname", "location": "place"}


class Matter(NamedTuple):
    """One thing to take up, as if it had been a message of its own."""

    text: str
    parsed: Data  # what the pipeline makes of a message
    known: Dict[str, str]  # facts that were told elsewhere, for the message's metadata
    may_wait: bool = False
    is_part: bool = True

    def metadata(self, given: Data, place: int) -> Data:
        """Return the message's metadata for this part of it.

        Args:
            given: of the whole message; what it knows of the resident goes before all but a telephone number.
            place: in the turn, from 0 on; what later parts cause has keys of its own.
        """
        if not self.is_part:
            return given
        known = {name: value for name, value in self.known.items() if name == "phone" or not given.get(name)}
        turn = {"turn": f"{given['turn']}:{place + 1}"} if place and "turn" in given else {}
        return {**given, **known, **turn, "part": True}

    @property
    def quoted(self) -> str:
        """The words, short enough to be said back."""
        words = " ".join(self.text.split())
        return words if len(words) <= QUOTED else f"{words[:QUOTED]}…"


class Remark(NamedTuple):
    """A response of the domain about a matter that waits, or that has waited."""

    response: str
    matter: str


def steps(tracker: DialogueStateTracker, text: str, parsed: Data) -> Iterator[Union[Matter, Remark]]:
    """Yield what is to be done about a message; each step looks at what the one before has made of the dialogue.

    Args:
        tracker: of the dialogue.
        text: the message.
        parsed: what the pipeline makes of it.
    """
    matters, form = _matters(tracker, text, parsed), tracker.active_loop_name
    if form and all(matter.may_wait for matter in matters):
        yield Matter(text, matters[0].parsed, {"put_off": "yes"})
    for matter in matters:
        if matter.may_wait and tracker.active_loop_name:
            _set_waiting(tracker, [*_waiting(tracker), matter])
            yield Remark("utter_also_mentioned", matter.quoted)
        else:
            yield matter._replace(known=_known(tracker, matter)) if matter.may_wait and form else matter
    while not tracker.active_loop_name and _waiting(tracker):
        first, *later = _waiting(tracker)
        _set_waiting(tracker, later)
        yield Remark("utter_next_matter", first.quoted)
        yield first._replace(known=_known(tracker, first))


def _matters(tracker: DialogueStateTracker, text: str, parsed: Data) -> List[Matter]:
    """Return what a message asks for, in the order in which it is taken up; nearly always it is one thing."""
    whole = Matter(text, parsed, {}, is_part=False)
    asked = tracker.get_slot(REQUESTED_SLOT) if tracker.active_loop_name else None
    parts = parsed.get("parts_when_asked" if asked else "parts") or []
    for intent in FOR_PEOPLE:
        if any(_intent(part) == intent for part in parts):
            return [_for_people(intent, parts, tracker, whole)]
    heard = _for_the_form(parts, tracker) if asked else []
    if asked and asked.startswith(MATTER) and not heard:
        return [whole]
    if asked and not parts and _is_another(tracker, parsed, text):
        return [whole._replace(may_wait=True, is_part=True)]
    others = [_matter(part, parsed) for part in parts if part not in heard]
    matters = sorted(others, key=lambda matter: matter.may_wait)
    if heard:
        answer = reduce(_joined, heard)
        matters.insert(0, Matter(answer["text"], answer, {}))
    return matters if len(matters) > 1 else [whole]


def _is_another(tracker: DialogueStateTracker, parsed: Data, text: str) -> bool:
    """Say whether a message in the middle of a form plainly tells of another trouble than the form."""
    intent, matter = parsed["intent"], tracker.get_slot(MATTER)
    if not matter or intent["name"] not in OPEN_A_FORM or intent["confidence"] < SURE_ALONE:
        return False
    return are_apart(topics(matter), topics(text))


def _intent(part: Data) -> str:
    return part["intent"]["name"]


def _matter(part: Data, message: Data) -> Matter:
    return Matter(part["text"], part, _beside(part, message), may_wait=_intent(part) in OPEN_A_FORM)


def _beside(part: Data, message: Data) -> Dict[str, str]:
    """Return the facts in the rest of the message that the part itself does not tell."""
    told = {entity["entity"] for entity in part["entities"]} - {"location"}
    outside = [e for e in message["entities"] if not part["start"] <= e["start"] < part["end"]]
    return {
        OF_ENTITIES[entity["entity"]]: entity["value"]
        for entity in outside
        if entity["entity"] in OF_ENTITIES.keys() - told
        and (entity["entity"] != "location" or DOOR.search(entity["value"]))
    }


def _for_people(intent: str, parts: Sequence[Data], tracker: DialogueStateTracker, message: Matter) -> Matter:
    """Hand the whole message over; what else is in it is noted, so that the resident can be told."""
    others = [Matter(part["text"], part, {}) for part in parts if _intent(part) not in ANSWERS | {intent}]
    _set_waiting(tracker, [*_waiting(tracker), *others])
    decided = next(part["intent"] for part in parts if _intent(part) == intent)
    return Matter(message.text, {**message.parsed, "intent": decided}, {})


def _for_the_form(parts: Sequence[Data], tracker: DialogueStateTracker) -> List[Data]:
    """Return the parts that the open form is to hear: answers, and what is more of its own matter."""
    asked, matter = tracker.get_slot(REQUESTED_SLOT), tracker.get_slot(MATTER)
    asks_for = {"inquiry"} if tracker.active_loop_name == "inquiry_form" else OPEN_A_FORM
    is_left = any(_intent(part) == CALLS_OFF for part in parts)  # what is broken beside that is a matter of its own
    heard: List[Data] = []
    for part in parts:
        is_wanted = asked.startswith(MATTER) and not heard and _intent(part) in asks_for
        is_more = matter and _intent(part) in OPEN_A_FORM and not are_apart(topics(matter), topics(part["text"]))
        if is_wanted or (is_more and not is_left) or _intent(part) in ANSWERS:
            heard.append(part)
            matter = matter or part["text"]
    return heard


def _joined(part: Data, other: Data) -> Data:
    """Return both as one, on lines of their own."""
    shift = len(part["text"]) + 1
    moved = [{**entity, "start": entity["start"] + shift, "end": entity["end"] + shift} for entity in other["entities"]]
    return {**part, "text": f"{part['text']}\n{other['text']}", "entities": [*part["entities"], *moved]}


def _waiting(tracker: DialogueStateTracker) -> List[Matter]:
    return [Matter(*matter) for matter in json.loads(tracker.get_slot(WAITING) or "[]")]


def _set_waiting(tracker: DialogueStateTracker, matters: Sequence[Matter]) -> None:
    if matters or tracker.get_slot(WAITING):
        tracker.update(SlotSet(WAITING, json.dumps(matters, ensure_ascii=False) if matters else None))


def _known(tracker: DialogueStateTracker, matter: Matter) -> Dict[str, str]:
    """Return what the form before has found out; only a place that was named for this matter goes before it."""
    slots = {name: tracker.get_slot(slot) for slot, name in OF_SLOTS.items()}
    found = {name: value for name, value in slots.items() if value and (name, value) != ("place", DECLINED)}
    return {**found, **matter.known, **({"phone": found["phone"]} if "phone" in found else {})}
