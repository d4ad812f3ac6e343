"""What of a message is taken up, in which order, and what waits: nlu/agenda.py, run by its own Python."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from tests.nlu.conftest import PYTHON, ROOT

# Plays each dialogue without Rasa's policies: a matter with a form opens it, a yes or a cancel closes it,
# people leave nothing waiting.
PLAY = """
import json, sys
sys.path.insert(0, "nlu")
import launcher
launcher.prepare()
from rasa.shared.core.events import ActiveLoop, SlotSet
from rasa.shared.core.slots import TextSlot
from rasa.shared.core.trackers import DialogueStateTracker
import agenda

def play(case):
    names = ("requested_slot", "matter", "phone", "contact", "visit_time", "location", "waiting")
    tracker = DialogueStateTracker("somebody", [TextSlot(name, mappings=[{}]) for name in names])
    for name, value in case["slots"].items():
        tracker.update(SlotSet(name, value))
    tracker.update(ActiveLoop(case["form"]))
    for step in agenda.steps(tracker, case["text"], case["parsed"]):
        if isinstance(step, agenda.Remark):
            yield [step.response, step.matter]
            continue
        intent = step.parsed["intent"]["name"]
        yield [intent, step.text, step.metadata({"turn": "7", "place": case["home"]}, 1)]
        if intent in ("repair", "complaint") and not tracker.active_loop_name:
            tracker.update(ActiveLoop(intent + "_form"))
        if intent in ("affirm", "cancel"):
            tracker.update(ActiveLoop(None))
        if intent in ("request_human", "emergency"):
            tracker.update(SlotSet("waiting", None))

json.dump([list(play(case)) for case in json.load(sys.stdin)], sys.stdout)
"""


def message(*parts: tuple[str, str], **more: Any) -> dict[str, Any]:
    """A message of (intent, words) parts and the dialogue it comes into; entities are (label, words) pairs."""
    text = "，".join(words for _, words in parts)
    entities = [
        {"entity": label, "value": words, "start": text.index(words), "end": text.index(words) + len(words)}
        for label, words in more.get("entities", ())
    ]
    cut = [part(text, intent, words, entities) for intent, words in parts]
    intent = {"name": parts[0][0], "confidence": 0.9}
    parsed = {"text": text, "intent": intent, "entities": entities, "parts": cut, "parts_when_asked": cut}
    if len(parts) == 1:
        parsed = {"text": text, "intent": intent, "entities": entities}
    slots, form = more.get("slots", {}), more.get("form")
    return {"text": text, "parsed": parsed, "slots": slots, "form": form, "home": more.get("home")}


def part(text: str, intent: str, words: str, entities: list[dict[str, Any]]) -> dict[str, Any]:
    start = text.index(words)
    inside = [entity for entity in entities if start <= entity["start"] < start + len(words)]
    moved = [entity | {"start": entity["start"] - start, "end": entity["end"] - start} for entity in inside]
    confidence = {"name": intent, "confidence": 0.9}
    return {"text": words, "start": start, "end": start + len(words), "intent": confidence, "entities": moved}


LAMP, TAP, FEE = ("repair", "客厅灯不亮"), ("repair", "水龙头滴水"), ("inquiry", "物业费怎么交")
ASKED_PHONE = {"requested_slot": "phone", "matter": "水龙头滴水"}
ASKED_MATTER = {"requested_slot": "matter_and_place"}
STORED = json.dumps([["客厅灯不亮", part("客厅灯不亮", *LAMP, []), {"place": "3栋1201"}, True, True]])

ORDERS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "one request is the message itself": (message(LAMP), ["repair 客厅灯不亮"]),
    "a question is answered before a form is opened": (
        message(LAMP, FEE),
        ["inquiry 物业费怎么交", "repair 客厅灯不亮"],
    ),
    "what is answered at once keeps its order": (
        message(("praise", "师傅好"), LAMP, FEE),
        ["praise 师傅好", "inquiry 物业费怎么交", "repair 客厅灯不亮"],
    ),
    "a second form waits, and the resident hears of it": (
        message(TAP, LAMP),
        ["repair 水龙头滴水", "utter_also_mentioned 客厅灯不亮"],
    ),
    "what waits begins when the form is done": (
        message(("affirm", "确认"), form="repair_form", slots=ASKED_PHONE | {"waiting": STORED}),
        ["affirm 确认", "utter_next_matter 客厅灯不亮", "repair 客厅灯不亮"],
    ),
    "what waits begins when the form is called off": (
        message(("cancel", "算了"), form="repair_form", slots=ASKED_PHONE | {"waiting": STORED}),
        ["cancel 算了", "utter_next_matter 客厅灯不亮", "repair 客厅灯不亮"],
    ),
    "what is called off comes before what is taken down": (
        message(LAMP, ("cancel", "水龙头那个不用修了")),
        ["cancel 水龙头那个不用修了", "repair 客厅灯不亮"],
    ),
    "who calls off the form goes on with what else they say": (
        message(("cancel", "不用修了"), LAMP, form="repair_form", slots=ASKED_PHONE),
        ["cancel 不用修了", "repair 客厅灯不亮"],
    ),
    "nor is it more of the form that is left": (
        message(("cancel", "不用修了"), ("repair", "楼上的也坏了"), form="repair_form", slots=ASKED_PHONE),
        ["cancel 不用修了", "repair 楼上的也坏了"],
    ),
    "another trouble told by itself waits too": (
        message(LAMP, form="repair_form", slots=ASKED_PHONE),
        ["repair 客厅灯不亮", "utter_also_mentioned 客厅灯不亮"],
    ),
    "more of the same trouble does not": (
        message(("repair", "水管也漏了"), form="repair_form", slots=ASKED_PHONE),
        ["repair 水管也漏了"],
    ),
    "a person reads the whole message": (
        message(LAMP, ("request_human", "转人工")),
        ["request_human 客厅灯不亮，转人工"],
    ),
    "an emergency goes before a person": (
        message(("request_human", "转人工"), ("emergency", "着火了")),
        ["emergency 转人工，着火了"],
    ),
    "an answer fills the form before a question in between is answered": (
        message(FEE, ("inform", "13800138000"), form="repair_form", slots=ASKED_PHONE),
        ["inform 13800138000", "inquiry 物业费怎么交"],
    ),
    "more of the same matter stays with the answer": (
        message(("inform", "13800138000"), ("repair", "水龙头越滴越快"), form="repair_form", slots=ASKED_PHONE),
        ["inform 13800138000，水龙头越滴越快"],
    ),
    "another matter waits while a form is open": (
        message(("inform", "13800138000"), LAMP, form="repair_form", slots=ASKED_PHONE),
        ["inform 13800138000", "utter_also_mentioned 客厅灯不亮"],
    ),
    "two other matters wait, and the form asks again": (
        message(LAMP, ("complaint", "狗一直叫"), form="repair_form", slots=ASKED_PHONE),
        ["repair 客厅灯不亮，狗一直叫", "utter_also_mentioned 客厅灯不亮", "utter_also_mentioned 狗一直叫"],
    ),
    "who is asked what is broken says it before everything": (
        message(FEE, LAMP, form="repair_form", slots=ASKED_MATTER),
        ["repair 客厅灯不亮", "inquiry 物业费怎么交"],
    ),
    "who is asked for a question gives it, and the repair comes after": (
        message(LAMP, FEE, form="inquiry_form", slots={"requested_slot": "matter"}),
        ["inquiry 物业费怎么交", "utter_also_mentioned 客厅灯不亮"],
    ),
}


DOOR = "3栋2单元1201"
FACTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a number to call is for every part of the message": (
        message(("suggestion", "装个雨棚，电话13800138000"), LAMP, entities=[("phone", "13800138000")]),
        {"phone": "13800138000"},
    ),
    "a door that was named is where they live": (
        message(("suggestion", f"{DOOR}门口装个扶手"), LAMP, entities=[("location", DOOR)]),
        {"place": DOOR},
    ),
    "but where they live is known better": (
        message(("suggestion", f"{DOOR}门口装个扶手"), LAMP, entities=[("location", DOOR)], home="5栋"),
        {"place": "5栋"},
    ),
    "and a lobby is nobody's home": (
        message(("suggestion", "大堂装个扶手"), LAMP, entities=[("location", "大堂")]),
        {"place": None},
    ),
    "what the first form found out is not asked again": (
        message(
            ("affirm", "确认"),
            form="repair_form",
            slots={"phone": "13900139000", "location": "5栋502厨房", "visit_time": "明天", "waiting": STORED},
        ),
        {"phone": "13900139000", "place": "3栋1201", "visit_time": "明天"},
    ),
}


@pytest.fixture(scope="module")
def played() -> dict[str, list[list[Any]]]:
    """Every dialogue, in one process."""
    cases = {name: case for name, (case, _) in [*ORDERS.items(), *FACTS.items()]}
    given = json.dumps(list(cases.values()))
    done = subprocess.run([PYTHON, "-c", PLAY], input=given, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    return dict(zip(cases, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize("name", ORDERS)
def test_the_parts_are_taken_up_in_order(played, name):
    """Answers first, one form at a time, nothing lost."""
    assert [" ".join(step[:2]) for step in played[name]] == ORDERS[name][1]


@pytest.mark.parametrize("name", FACTS)
def test_a_part_knows_what_was_told_beside_it(played, name):
    """Nobody says a thing twice because it stood in the other half of the message (N8)."""
    _, words, known = played[name][-1]

    assert words == LAMP[1]
    assert known | FACTS[name][1] == known


def test_what_later_parts_cause_has_keys_of_its_own(played):
    """Two suggestions in one message are two cases, and the retried turn makes no third."""
    assert played["what is answered at once keeps its order"][1][2]["turn"] == "7:2"
