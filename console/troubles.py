"""What can go wrong with a request, and the page that says so: in the reader's language, or in both."""

from __future__ import annotations

from enum import StrEnum
from http import HTTPStatus

from service import errors
from service.errors import ServiceError


class Kind(StrEnum):
    """Why a request is not answered; errors.yml says it to people."""

    SIGNED_OUT = "signed_out"
    FORGED = "forged"  # a form that our page did not make, or one from before the last sign-in
    NOT_FOUND = "not_found"
    NOT_ALLOWED = "not_allowed"
    WRONG_METHOD = "wrong_method"
    TOO_LARGE = "too_large"
    UNREADABLE = "unreadable"
    BUG = "bug"
    AWAY = "away"  # the database
    BUSY = "busy"  # a line of the bot's is on its way to the very resident who is to be taken over


STATUS: dict[Kind, HTTPStatus] = {
    Kind.SIGNED_OUT: HTTPStatus.UNAUTHORIZED,
    Kind.FORGED: HTTPStatus.FORBIDDEN,
    Kind.NOT_FOUND: HTTPStatus.NOT_FOUND,
    Kind.NOT_ALLOWED: HTTPStatus.FORBIDDEN,
    Kind.WRONG_METHOD: HTTPStatus.METHOD_NOT_ALLOWED,
    Kind.TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Kind.UNREADABLE: HTTPStatus.BAD_REQUEST,
    Kind.BUG: HTTPStatus.INTERNAL_SERVER_ERROR,
    Kind.AWAY: HTTPStatus.SERVICE_UNAVAILABLE,
    Kind.BUSY: HTTPStatus.SERVICE_UNAVAILABLE,
}

# What the service refuses with its own words; everything that is not here is 422.
REFUSED: dict[type[ServiceError], HTTPStatus] = {
    errors.LinkNotValid: HTTPStatus.FORBIDDEN,
    errors.TooManyTries: HTTPStatus.TOO_MANY_REQUESTS,
    errors.ChangedMeanwhile: HTTPStatus.CONFLICT,
    errors.ConversationTaken: HTTPStatus.CONFLICT,
    errors.NotAllowed: HTTPStatus.FORBIDDEN,
    errors.CaseNotFound: HTTPStatus.NOT_FOUND,
    errors.FollowUpNotFound: HTTPStatus.NOT_FOUND,
    errors.FollowUpHeld: HTTPStatus.CONFLICT,
    errors.FollowUpNotHeld: HTTPStatus.CONFLICT,
    errors.CandidateNotFound: HTTPStatus.NOT_FOUND,
    errors.QuestionNotFound: HTTPStatus.NOT_FOUND,
    errors.ModelNotFound: HTTPStatus.NOT_FOUND,
    errors.NoSuchMember: HTTPStatus.NOT_FOUND,
    errors.ButtonExpired: HTTPStatus.NOT_FOUND,  # also a row of another community
}


class Trouble(Exception):
    """The request is not answered."""

    def __init__(self, kind: Kind) -> None:
        super().__init__(kind)
        self.kind = kind


def status_of(trouble: Trouble | ServiceError) -> HTTPStatus:
    """The status that goes with it."""
    if isinstance(trouble, Trouble):
        return STATUS[trouble.kind]
    return REFUSED.get(type(trouble), HTTPStatus.UNPROCESSABLE_ENTITY)
