"""Ask Rasa what to answer: one HTTP call, no state."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from service.candidates import Guess, Heard

BLIP = 1.5  # seconds a turn that failed without a trace is tried again: most outages of a database are that short
BLIP_PAUSE = 0.5  # seconds


class RasaDown(Exception):
    """Rasa or the action server did not answer, or answered with nothing usable."""


class NothingRecorded(RasaDown):
    """Rasa could not do it just now (503) and says that the same message may come again."""


@dataclass(frozen=True)
class Ask:
    """One turn of a resident's, as Rasa is to hear it."""

    conversation_id: int
    epoch: int
    turn: str
    text: str
    payload: bool = False  # a button of ours, not words
    command: bool = False  # one nobody knows, its slash taken away
    afresh: bool = False  # a butler has talked since the last turn: nothing before it counts
    keyboard: int | None = None  # the turn whose buttons were tapped
    erase: bool = False  # the resident wants to be forgotten: the dialogue is deleted, nothing is answered
    aside: bool = False  # nothing is wanted of the dialogue but its open question, asked again
    otherwise: str | None = None  # the phrase for when Rasa cannot be asked; None: that a person will read it
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Reply:
    """One line Rasa wants said."""

    text: str
    buttons: tuple[tuple[str, str], ...] = ()  # title, payload
    menu: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """What Rasa made of the turn; `handled` when an action has told the resident itself."""

    replies: tuple[Reply, ...]
    handled: bool
    intent: str | None
    confidence: float
    heard: tuple[Heard, ...] = ()  # what it understood: the message, or each matter of it


NOTHING_TO_SAY = Answer((), handled=True, intent=None, confidence=0.0)


class Rasa:
    """Rasa's channel by HTTP on this machine."""

    def __init__(self, url: str, token: str, *, timeout: float) -> None:
        self._url = f"{url.rstrip('/')}/webhooks/guanjia"
        self._headers = {"Authorization": f"Bearer {token}"}
        self._timeout = aiohttp.ClientTimeout(total=timeout, sock_connect=2)
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Open the connection pool."""
        self._session = aiohttp.ClientSession(headers=self._headers, timeout=self._timeout)

    async def close(self) -> None:
        """Close the connection pool."""
        if self._session is not None:
            await self._session.close()

    async def ask(self, ask: Ask) -> Answer:
        """Have the turn understood and answered; asking the same turn again returns the recorded answer.

        Raises:
            RasaDown: no usable answer in time.
        """
        if ask.erase:
            await self._post("erase", {"sender": str(ask.conversation_id)})
            return NOTHING_TO_SAY
        if ask.afresh:
            await self.forget(ask.conversation_id, ask.turn)
        body = {
            "sender": str(ask.conversation_id),
            "text": ask.text,
            "message_id": ask.turn,
            "payload": ask.payload,
            "metadata": ask.metadata,
        }
        found = await self._post("webhook", body)
        try:
            return _answer(found)
        except (AttributeError, TypeError, KeyError, ValueError) as error:
            raise RasaDown(f"{type(error).__name__} in its answer") from error

    async def forget(self, conversation_id: int, turn: str) -> None:
        """Start the dialogue afresh, because a butler has answered meanwhile.

        Raises:
            RasaDown: it did not happen.
        """
        await self._post("forget", {"sender": str(conversation_id), "message_id": turn})

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        give_up = time.monotonic() + BLIP
        while True:
            try:
                return await self._post_now(path, body)
            except NothingRecorded:
                if time.monotonic() > give_up:
                    raise
                await asyncio.sleep(BLIP_PAUSE)
            except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
                raise RasaDown(type(error).__name__) from error

    async def _post_now(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        try:
            return await self._post_once(path, body)
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
            # The connection was left over from a Rasa that has been started again, or this one died meanwhile. The
            # message id makes asking again safe; who is down is found out at once.
            return await self._post_once(path, body)

    async def _post_once(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        assert self._session is not None, "open() comes first"
        async with self._session.post(f"{self._url}/{path}", json=body) as response:
            if response.status == 503:
                raise NothingRecorded("HTTP 503")
            if response.status != 200:
                raise RasaDown(f"HTTP {response.status}")
            found: dict[str, Any] = await response.json()
            return found


def _answer(body: dict[str, Any]) -> Answer:
    replies = body.get("replies", [])
    marks = [reply.get("custom") or {} for reply in replies]
    understood = not any(mark.get("not_understood") for mark in marks)
    intent = body.get("intent") or {}
    return Answer(
        replies=tuple(_reply(reply) for reply in replies if reply.get("text")),
        handled=any(mark.get("silent") for mark in marks),
        intent=intent.get("name"),
        confidence=float(intent.get("confidence") or 0.0),
        heard=tuple(_heard(one, understood=understood) for one in body.get("heard") or ()),
    )


def _heard(body: dict[str, Any], *, understood: bool) -> Heard:
    guesses = [(str(guess["name"]), float(guess["confidence"])) for guess in body["guesses"]]
    (intent, confidence), (_, second) = (*guesses, (None, None), (None, None))[:2]
    margin = None if confidence is None or second is None else confidence - second
    return Heard(
        text=str(body["text"]),
        guess=Guess(intent, confidence, margin, body["model"]),
        understood=understood,
        asked=body["asked"],
        danger=0.0 if body["intent"] == "emergency" else dict(guesses).get("emergency", 0.0),
    )


def _reply(reply: dict[str, Any]) -> Reply:
    if not isinstance(reply["text"], str):
        raise TypeError
    return Reply(
        text=reply["text"],
        buttons=tuple((button["title"], button["payload"]) for button in reply.get("buttons") or ()),
        menu=tuple(key["title"] for key in reply.get("quick_replies") or ()),
    )
