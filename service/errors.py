"""Every reason the service can refuse something for, named after the reason.

An error carries facts and the key of the phrase (`response`, in domain.yml) that tells a person about it; its
docstring is the log line.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class ServiceError(Exception):
    """The service refused a request."""

    response = "utter_error"

    def __init__(self, **facts: object) -> None:
        super().__init__(type(self).__doc__)
        self.facts = facts


class CaseNotFound(ServiceError):
    """No such case, or not theirs; the answer is the same."""

    response = "utter_case_not_found"


class EventNotAllowed(ServiceError):
    """The case's state does not allow this step."""

    response = "utter_staff_step_not_allowed"


class CallBackNotOpen(ServiceError):
    """The call-back was answered, cancelled or is not theirs."""

    response = "utter_button_expired"


class SurveyNotOpen(ServiceError):
    """The survey was answered, withdrawn or is not theirs."""

    response = "utter_button_expired"


class ButtonExpired(ServiceError):
    """The button belongs to an earlier question, or was never ours."""

    response = "utter_button_expired"


class ConversationTaken(ServiceError):
    """Another butler answers this resident."""

    response = "utter_staff_taken"


class NothingToHandBack(ServiceError):
    """The bot answers this resident already."""

    response = "utter_staff_not_claimed"


class NotStaff(ServiceError):
    """The person is not an active member of this community's staff."""

    response = "utter_staff_only"


class CandidateNotFound(ServiceError):
    """There is no such message to label."""

    response = "utter_staff_candidate_not_found"


class UnknownIntent(ServiceError):
    """Nothing is understood under this name."""

    response = "utter_staff_unknown_intent"


class LabelConflicts(ServiceError):
    """The very same words have another label already."""

    response = "utter_staff_label_conflicts"


class ModelNotFound(ServiceError):
    """There is no model of this name."""


class ModelRefused(ServiceError):
    """The model understands less than the one that is served; `losses` says where, as the gate does."""

    def __init__(self, name: str, losses: Sequence[Any]) -> None:
        super().__init__(name=name, losses=losses)
        self.losses = losses


class ReasonMissing(ServiceError):
    """Overruling the gate needs a reason, which is kept."""


class NoEarlierModel(ServiceError):
    """No other model was active before this one."""


class WrongHours(ServiceError):
    """Hours that cannot be read, or that are empty."""

    response = "utter_staff_wrong_hours"


class UnknownZone(ServiceError):
    """There is no such time zone."""

    response = "utter_staff_unknown_zone"


class TargetNotPositive(ServiceError):
    """A target of nothing would be missed before anybody can act."""

    response = "utter_staff_target_not_positive"


class NotEnoughServiceTime(ServiceError):
    """The calendar does not offer that much service time within ten years: it hardly ever opens, or never."""

    response = "utter_staff_never_open"


class UnknownTarget(ServiceError):
    """There is no such clock, kind, category or urgency, or a target is longer than a year."""

    response = "utter_staff_unknown_target"
