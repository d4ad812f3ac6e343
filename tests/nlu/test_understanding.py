"""The messages of nlu/exams/chat.jsonl, which nobody trains on, by the model the community gets."""

from __future__ import annotations

import json

import pytest

from tests.nlu.conftest import run_tool

FLOORS = {"zh": 0.92, "en": 0.90}  # macro-F1, a little under docs/understanding.md
ANNOUNCED = {
    "我要报修": "repair",
    "帮我报修一下": "repair",
    "I want to report a repair": "repair",
    "我想投诉": "complaint",
    "I have a complaint": "complaint",
    "我想问问停车的事": "inquiry",
    "我想约个保洁": "request_service",
    "12345": "out_of_scope",
}


@pytest.mark.parametrize("language", FLOORS)
def test_unseen_messages_are_understood(community_model, language):
    """Training data that helps one intent must not quietly cost the others. Every training measures and says so."""
    name = community_model.name.removesuffix(".tar.gz")
    certificate = json.loads(community_model.with_name(f"{name}.json").read_text("utf-8"))

    scores = certificate["scores"]["languages"][language]

    assert scores["macro_f1"] >= FLOORS[language], scores["intents"]


def test_an_announcement_is_the_matter_it_announces(community_model):
    """Many begin with what they want and tell the rest when they are asked."""
    given = "".join(json.dumps({"text": text}) + "\n" for text in ANNOUNCED).encode()

    done = run_tool("parse", "--model", community_model, given=given)

    found = {line["text"]: line["intent"] for line in map(json.loads, done.stdout.splitlines())}
    assert found == ANNOUNCED
