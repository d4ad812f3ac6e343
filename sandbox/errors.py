"""What the Bot API answers when it refuses."""

from __future__ import annotations

from typing import Any

PREFIXES = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 409: "Conflict"}


class ApiError(Exception):
    """A refusal with its code, its text and the parameters a client may act on."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters

    def body(self) -> dict[str, Any]:
        """The JSON a client sees."""
        answer: dict[str, Any] = {"ok": False, "error_code": self.code, "description": self.description}
        if self.parameters:
            answer["parameters"] = self.parameters
        return answer


def refuse(code: int, reason: str = "", **parameters: int) -> ApiError:
    """Word an error the way Telegram does: the name of the code, then the reason."""
    text = f"{PREFIXES[code]}: {reason}" if reason else PREFIXES[code]
    return ApiError(code, text, **parameters)


def bad_request(reason: str, **parameters: int) -> ApiError:
    """The commonest refusal."""
    return refuse(400, reason, **parameters)


def too_many_requests(retry_after: int) -> ApiError:
    """A flood limit was hit; the client must wait that many seconds."""
    return ApiError(429, f"Too Many Requests: retry after {retry_after}", retry_after=retry_after)
