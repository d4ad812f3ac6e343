"""Four kinds of matter for nineteen intents: the queue a front desk would open first."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Kind(StrEnum):
    """What a matter is to the people who will work on it."""

    REPAIR = "repair"
    COMPLAINT = "complaint"
    INQUIRY = "inquiry"
    OTHER = "other"


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "repair": Kind.REPAIR,
        "reopen": Kind.REPAIR,  # the fault is still there; whoever mended it goes again
        "emergency": Kind.REPAIR,  # the alarm has gone out already; what stays is something to make safe
        "complaint": Kind.COMPLAINT,
        "urge": Kind.COMPLAINT,  # displeasure with how long we take; the fault itself was reported before
        "inquiry": Kind.INQUIRY,
        "praise": Kind.OTHER,
        "suggestion": Kind.OTHER,
        "request_service": Kind.OTHER,
        "request_human": Kind.OTHER,
        "greet": Kind.OTHER,
        "thanks": Kind.OTHER,
        "goodbye": Kind.OTHER,
        "affirm": Kind.OTHER,
        "deny": Kind.OTHER,
        "cancel": Kind.OTHER,
        "correct": Kind.OTHER,
        "inform": Kind.OTHER,
        "out_of_scope": Kind.OTHER,
    }
)


def kind_of(intent: str) -> Kind:
    """Name the kind of an intent; one nobody has mapped is `other`, so that a new intent never loses a message.

    Args:
        intent: as the understanding names it.
    """
    return KINDS.get(intent, Kind.OTHER)
