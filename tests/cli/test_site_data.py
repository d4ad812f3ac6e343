"""This site's labels as files that Rasa's tools read."""

from __future__ import annotations

import json

import pytest
import yaml

from cli import site_data
from service import learning
from service.learning import Labelled
from service.models.understanding import LabelUse
from tests.stage import NOON

ODD = {
    "[厨房](location) 漏水": "［厨房］(location) 漏水",
    "/report_repair{}": "／report_repair｛｝",
    "  /restart": "／restart",
    "3/4 的灯坏了": "3/4 的灯坏了",
    "灯坏了\n\n  快来": "灯坏了 快来",
    "- 灯: 'x' # y": "- 灯: 'x' # y",
    "灯\x00\u2028坏": "灯 坏",
}


def label(text: str, intent: str = "repair") -> Labelled:
    return Labelled(text, intent, "zh")


@pytest.mark.parametrize(("said", "learnt"), ODD.items())
def test_a_message_is_one_example_whatever_stands_in_it(said, learnt):
    """Residents write brackets, slashes and lines; in training data those mean entities, intents and the end."""
    [entry] = yaml.safe_load(site_data.as_yaml([label(said)]))["nlu"]

    assert entry == {"intent": "repair", "examples": f"- {learnt}\n"}


def test_examples_stand_with_their_intent_in_an_order_that_does_not_change():
    """Otherwise the same labels would make another model."""
    labels = [label("b", "greet"), label("c"), label("a")]

    assert site_data.as_yaml(labels) == site_data.as_yaml(labels[::-1])
    assert [entry["intent"] for entry in yaml.safe_load(site_data.as_yaml(labels))["nlu"]] == ["greet", "repair"]


def test_labels_are_written_for_their_use_and_gone_afterwards(sessions):
    """What measures must not be learnt."""
    with sessions.begin() as session:
        learning.add(session, label("灯坏了"), use=LabelUse.TRAIN, by="li", at=NOON)
        learning.add(session, label("你好", "greet"), use=LabelUse.TEST, by="li", at=NOON)

    with site_data.written(sessions) as site:
        lessons, tests = site.training[0].read_text("utf-8"), site.exam[-1].read_text("utf-8")

    assert "灯坏了" in lessons
    assert "你好" not in lessons
    assert json.loads(tests) == {"text": "你好", "intent": "greet", "language": "zh"}
    assert not site.training[0].exists()


def test_a_site_without_labels_is_measured_on_the_frozen_sets(sessions):
    with site_data.written(sessions) as site:
        assert (site.training, site.exam) == ((), site_data.frozen())
    assert site_data.frozen()
