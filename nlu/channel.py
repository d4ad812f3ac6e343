"""The one door of Rasa: the bot posts a message and gets the answer; the same message again, the same answer.

POST /webhooks/guanjia/webhook {sender, text, message_id, metadata?, payload?} -> {replies, intent, entities, heard,
    repeated}
POST /webhooks/guanjia/forget  {sender, message_id} -> {repeated}
POST /webhooks/guanjia/erase   {sender} -> {erased}: the dialogue is deleted for good
GET  /webhooks/guanjia/ready   -> 200 when a model is served, 503 until then; needs no token
The first three want `Authorization: Bearer <token>`, because Rasa's own --auth-token does not cover channels. An error
is {"error": <code>, "detail": <words>}: 400 never try again, 401 wrong token, 503 try the same message again.
"""

import asyncio
import hmac
import logging
from typing import Any, Awaitable, Callable, Dict, Optional

from rasa.core.channels.channel import InputChannel
from rasa.core.lock_store import LockError
from sanic import Blueprint, response
from sanic.request import Request
from sanic.response import HTTPResponse
from sqlalchemy.exc import SQLAlchemyError

import turn
from envelope import BadRequest, answer_from, identifier, read_message, read_object

logger = logging.getLogger(__name__)

# What may be tried again, and the code the bot sees. Nothing of the turn was recorded.
RETRYABLE = {
    SQLAlchemyError: "tracker_store_unavailable",
    turn.ActionFailed: "action_failed",
    asyncio.TimeoutError: "turn_too_slow",
    LockError: "busy",
}


class GuanjiaInput(InputChannel):
    """The input channel; see the module."""

    def __init__(self, token: str) -> None:
        self._expected = f"Bearer {token}".encode()

    @classmethod
    def name(cls) -> str:
        """Return the piece of the URL that is this channel's."""
        return "guanjia"

    @classmethod
    def from_credentials(cls, credentials: Optional[Dict[str, Any]]) -> "GuanjiaInput":
        """Create the channel from credentials.yml; a channel without a secret does not start."""
        token = (credentials or {}).get("token")
        if not token:
            cls.raise_missing_credentials_exception()
        return cls(str(token))

    def blueprint(self, on_new_message: Callable[[Any], Awaitable[Any]]) -> Blueprint:
        """Return the routes."""
        routes = Blueprint("guanjia")

        @routes.post("/webhook")
        async def webhook(request: Request) -> HTTPResponse:
            return await self._guarded(request, _webhook)

        @routes.post("/forget")
        async def forget(request: Request) -> HTTPResponse:
            return await self._guarded(request, _forget)

        @routes.post("/erase")
        async def erase(request: Request) -> HTTPResponse:
            return await self._guarded(request, _erase)

        @routes.get("/ready")
        async def ready(request: Request) -> HTTPResponse:
            return response.json({"ready": True}) if request.app.ctx.agent.is_ready() else _no_model()

        return routes

    async def _guarded(self, request: Request, handle: Callable[[Request], Awaitable[dict]]) -> HTTPResponse:
        """Answer with what the handler returns, or with the error's own status."""
        given = request.headers.get("authorization", "").encode("utf-8", "replace")
        if not hmac.compare_digest(given, self._expected):
            return _error(401, "unauthorized", "wrong or missing token")
        if not request.app.ctx.agent.is_ready():
            return _no_model()
        try:
            return response.json(await handle(request))
        except BadRequest as error:
            return _error(400, "bad_request", str(error))
        except tuple(RETRYABLE) as error:
            return _retryable(error)


async def _webhook(request: Request) -> dict:
    events, repeated = await turn.answer(request.app.ctx.agent, read_message(request.body))
    return answer_from(events, repeated=repeated)


async def _forget(request: Request) -> dict:
    data = read_object(request.body)
    sender, message = identifier(data, "sender"), identifier(data, "message_id")
    return {"repeated": await turn.forget(request.app.ctx.agent, sender, message)}


async def _erase(request: Request) -> dict:
    sender = identifier(read_object(request.body), "sender")
    return {"erased": await turn.erase(request.app.ctx.agent, sender)}


def _retryable(error: Exception) -> HTTPResponse:
    """Log the class only: the words of an SQL error hold what the resident wrote."""
    code = next(code for kind, code in RETRYABLE.items() if isinstance(error, kind))
    logger.error("Turn not recorded: %s (%s)", code, type(error).__name__)
    return _error(503, code, "nothing was recorded; send the same message again")


def _no_model() -> HTTPResponse:
    return _error(503, "no_model", "no model is loaded yet")


def _error(status: int, code: str, detail: str) -> HTTPResponse:
    return response.json({"error": code, "detail": detail}, status=status)
