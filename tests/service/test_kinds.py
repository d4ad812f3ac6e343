"""Nineteen intents, four kinds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.kinds import KINDS, Kind, kind_of

INTENTS = [
    "repair",
    "complaint",
    "inquiry",
    "urge",
    "reopen",
    "request_human",
    "emergency",
    "praise",
    "suggestion",
    "request_service",
    "greet",
    "thanks",
    "goodbye",
    "affirm",
    "deny",
    "cancel",
    "correct",
    "inform",
    "out_of_scope",
]


def test_every_intent_has_a_kind():
    """A new intent is a decision about a queue, not an accident."""
    assert sorted(KINDS) == sorted(INTENTS)


@pytest.mark.parametrize(
    ("intent", "kind"),
    [
        ("repair", Kind.REPAIR),
        ("reopen", Kind.REPAIR),
        ("emergency", Kind.REPAIR),
        ("complaint", Kind.COMPLAINT),
        ("urge", Kind.COMPLAINT),
        ("inquiry", Kind.INQUIRY),
        ("praise", Kind.OTHER),
        ("suggestion", Kind.OTHER),
        ("request_service", Kind.OTHER),
    ],
)
def test_a_front_desk_would_open_this_queue_first(intent, kind):
    """The reasons stand beside the table."""
    assert kind_of(intent) is kind


@given(st.text())
def test_an_intent_nobody_mapped_is_other(intent):
    """`nlu_fallback` and intents to come must not lose a message."""
    assert kind_of(intent) is KINDS.get(intent, Kind.OTHER)
