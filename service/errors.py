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


class CaseIsOver(ServiceError):
    """The case is done or taken back already, so that nothing is to be called off."""

    response = "utter_case_is_over"


class EventNotAllowed(ServiceError):
    """The case's state does not allow this step."""

    response = "utter_staff_step_not_allowed"


class NoteWithoutWords(ServiceError):
    """Staff answered how far a case is without a word that could be told."""

    response = "utter_staff_progress_words"


class CallBackNotOpen(ServiceError):
    """The call-back was answered, cancelled or is not theirs."""

    response = "utter_button_expired"


class NoVisitWanted(ServiceError):
    """Nobody is to come for this case: it is over, somebody is there, or it needs no visit."""

    response = "utter_visit_not_wanted"


class VisitChanged(ServiceError):
    """The button belongs to an appointment that was moved, is over or is not theirs."""

    response = "utter_visit_changed"


class WindowGone(ServiceError):
    """The window has begun, or is offered no more."""

    response = "utter_visit_gone"


class WindowFull(ServiceError):
    """Others have the last places of the window."""

    response = "utter_visit_full"


class SurveyNotOpen(ServiceError):
    """The survey was answered, withdrawn or is not theirs."""

    response = "utter_button_expired"


class ButtonExpired(ServiceError):
    """The button belongs to an earlier question, or was never ours."""

    response = "utter_button_expired"


class ConversationTaken(ServiceError):
    """Another butler answers this resident."""

    response = "utter_staff_taken"


class ResidentUnreachable(ServiceError):
    """The resident has blocked the bot: nothing that is said reaches them."""

    response = "utter_staff_blocked"


class NothingToHandBack(ServiceError):
    """The bot answers this resident already."""

    response = "utter_staff_not_claimed"


class TranscriptNotFound(ServiceError):
    """Nobody of this community is called so, or several are."""


class IncidentNotClear(ServiceError):
    """An incident needs a place, what fails there, and times that can be read."""

    response = "utter_staff_incident_usage"


class IncidentNotFound(ServiceError):
    """No such incident of this community, or it is over."""

    response = "utter_staff_incident_over"


class NothingToTakeBack(ServiceError):
    """It never went to the resident, or is taken back already."""

    response = "utter_staff_nothing_to_take_back"


class TooLateToTakeBack(ServiceError):
    """Telegram deletes for a bot only what is younger than two days."""

    response = "utter_staff_too_late_to_take_back"


class NotStaff(ServiceError):
    """The person is not an active member of this community's staff."""

    response = "utter_staff_only"


class NotAllowed(ServiceError):
    """Their role does not allow it."""

    response = "utter_staff_not_allowed"


class NoSuchMember(ServiceError):
    """Nobody in the staff group has this number."""

    response = "utter_staff_no_such_member"


class NoSuchTarget(ServiceError):
    """Neither a staff number nor a department."""

    response = "utter_staff_no_such_target"


class ShiftNotClear(ServiceError):
    """The hours of a shift cannot be read."""

    response = "utter_staff_shift_not_clear"


class NoSuchPhrase(ServiceError):
    """There is no canned phrase of this name."""

    response = "utter_staff_no_such_phrase"


class PhraseNotReady(ServiceError):
    """A slot of the phrase has nothing to fill it, so it is not sent."""

    response = "utter_staff_phrase_not_ready"


class PhraseNotClear(ServiceError):
    """A canned phrase names slots that nothing fills, or its braces do not match."""

    response = "utter_staff_phrase_not_clear"


class InvitationNotValid(ServiceError):
    """The invitation is unknown, used, revoked or expired; the answer is the same."""

    response = "utter_invitation_not_valid"


class FollowUpNotFound(ServiceError):
    """There is no such follow-up that is still to come, or it is another community's."""

    response = "utter_follow_up_not_found"


class FollowUpHeld(ServiceError):
    """Somebody holds it back already."""

    response = "utter_follow_up_held"


class FollowUpNotHeld(ServiceError):
    """Nobody holds it back."""

    response = "utter_follow_up_not_held"


class CommunityNotFound(ServiceError):
    """There is no community of this name, or there are several."""

    response = "utter_community_not_found"


class TableUnreadable(ServiceError):
    """The file is no such table, or broken."""

    response = "utter_roster_broken"

    def __init__(self, response: str | None = None, **facts: object) -> None:
        super().__init__(**facts)
        self.response = response or self.response


class TooManyMovedOut(ServiceError):
    """A roster that is said to be complete lacks more people than can have moved out."""

    response = "utter_roster_too_many_moved_out"


class CandidateNotFound(ServiceError):
    """There is no such message to label."""

    response = "utter_staff_candidate_not_found"


class UnknownIntent(ServiceError):
    """Nothing is understood under this name."""

    response = "utter_staff_unknown_intent"


class LabelConflicts(ServiceError):
    """The very same words have another label already."""

    response = "utter_staff_label_conflicts"


class QuestionNotFound(ServiceError):
    """There is no such open question of this community."""

    response = "utter_staff_question_not_found"


class NoAnswerYet(ServiceError):
    """No butler has answered the question, so there is nothing to learn."""

    response = "utter_staff_no_answer_yet"


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


class ModelServedAlready(ServiceError):
    """The model is served, so there is nothing for it to read along with."""


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


class LinkNotValid(ServiceError):
    """The link to the console is unknown, used or expired; the answer is the same."""

    response = "utter_staff_console_link_not_valid"


class TooManyTries(ServiceError):
    """Too many links were tried from one address."""

    response = "utter_staff_console_too_many_tries"


class ChangedMeanwhile(ServiceError):
    """Somebody else has changed it since this person saw it."""

    response = "utter_staff_changed_meanwhile"
