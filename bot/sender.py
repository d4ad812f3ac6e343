"""Take outbox rows by priority under the rate budget, call Telegram, record the outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy.orm import Session
from telegram import Bot
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)

from bot import render
from bot.drain import Drain
from bot.transport import certainly_not_sent, retry_after
from bot.wake import Wake
from service import db, delivery, sending, take_backs, topics, twins, undelivered
from service.sending import Parcel, Rates

log = structlog.get_logger(__name__)
IN_FLIGHT = 16  # calls at once
TOPIC_WAIT = 2.0  # seconds

Settle = Callable[[Session], None]


@dataclass(frozen=True)
class Taken:
    """Telegram took a message of which nothing else follows."""

    parcel: Parcel
    message_id: int | None

    def __call__(self, session: Session) -> None:
        """Write it down alone."""
        sending.sent(session, self.parcel, message_id=self.message_id)


class Sender(Drain[Parcel]):
    """The only one who calls Telegram."""

    def __init__(
        self, bot: Bot, sessions: db.Sessions, wake: Wake, *, rates: Rates, now: Callable[[], datetime]
    ) -> None:
        super().__init__(sessions, wake, places=IN_FLIGHT)
        self._bot = bot
        self._bot_id = int(bot.token.split(":")[0])
        self._rates = rates
        self._now = now
        self._taken: list[Taken] = []
        self._writing = asyncio.Lock()

    def take(self, session: Session, places: int) -> Sequence[Parcel]:
        """Mark the next rows as being sent."""
        return sending.take(session, self._bot_id, sender=self._wake.number, limit=places, rates=self._rates)

    def seconds_to_next(self, session: Session) -> float | None:
        """How long until a budget has a token, or a row may be tried again."""
        return sending.seconds_to_next(session, self._bot_id, self._rates)

    def free_orphans(self, session: Session) -> None:
        """Settle what senders that died left in flight, and what this one has taken and does not know of."""
        sending.free_orphans(session)
        sending.free_unknown(session, self._wake.number, in_hand=[parcel.lease for parcel in self.in_hand()])

    async def work(self, parcel: Parcel) -> None:
        """Make the call and write down what became of it."""
        outcome = await self.call(parcel)
        if isinstance(outcome, Taken):
            self._taken.append(outcome)
            await self._write_down_with_others()
        else:
            await self.write_down(outcome)

    async def _write_down_with_others(self) -> None:
        """While one transaction is written, others are taken; the next has all of them."""
        async with self._writing:
            together, self._taken = self._taken, []
            if together:
                await self.write_down(lambda session: self.settle(session, together))

    @staticmethod
    def settle(session: Session, outcomes: Sequence[Settle]) -> None:
        """Write down what became of several calls; what was simply taken is one statement."""
        taken = [outcome for outcome in outcomes if isinstance(outcome, Taken)]
        for outcome in outcomes:
            if not isinstance(outcome, Taken):
                outcome(session)
        sending.all_sent(session, [(outcome.parcel, outcome.message_id) for outcome in taken])

    async def call(self, parcel: Parcel) -> Settle:  # noqa: PLR0911 - one row an outcome
        """Make the call; what comes back is what to write down about it."""
        try:
            if parcel.topic_id is not None and parcel.thread_id is None:
                if parcel.act in render.COSMETIC:
                    return lambda session: sending.dropped(session, parcel, reason="its topic is gone")
                return await self._make_topic(parcel)
            if render.changes_something(parcel) and render.target(parcel) is None:
                return lambda session: sending.dropped(session, parcel, reason="what it edits never arrived")
            method, parameters = render.call(parcel)
            result = await getattr(self._bot, method)(**parameters)
        except TelegramError as error:
            return self._failed(parcel, error)
        except Exception as error:  # noqa: BLE001 - a bug must not hold back what comes after; the row says what it was
            bug = f"{type(error).__name__} before it was sent"
            log.error("not_sendable", outbox_id=parcel.id, kind=parcel.kind, error=bug)  # noqa: TRY400 - texts stay out
            return lambda session: sending.dead(session, parcel, reason=bug)
        ids = _message_ids(result)
        if parcel.act != "delete" and not parcel.twins and "shows" not in parcel.payload:
            return Taken(parcel, ids[0] if ids else None)
        return lambda session: self._sent(session, parcel, ids)

    def _sent(self, session: Session, parcel: Parcel, message_ids: list[int]) -> None:
        take_backs.taken_back(session, parcel, now=self._now())
        sending.sent(session, parcel, message_id=message_ids[0] if message_ids else None)
        if parcel.twins and message_ids and not render.changes_something(parcel):
            count = twins.arrived(session, parcel.id, parcel.chat_id, message_ids)
            if count:
                undelivered.missing(session, parcel, count)
        if "shows" in parcel.payload and message_ids:
            twins.shown(session, parcel.payload["shows"], parcel.chat_id, message_ids[0])

    async def _make_topic(self, parcel: Parcel) -> Settle:
        """Make the parcel's topic first; the parcel itself goes out in the next round."""
        try:
            made = await self._bot.create_forum_topic(parcel.chat_id, parcel.topic_name or "…")
        except NetworkError as error:
            if isinstance(error, BadRequest):
                raise
            # Whether or not there is a topic now, the parcel has not been sent; Telegram's own report of the new topic
            # (`topics.reconcile`) has a moment to come in before another one is made.
            reason = f"{type(error).__name__} while its topic was made"
            return lambda session: sending.again(session, parcel, reason=reason, wait=TOPIC_WAIT)

        def settle(session: Session) -> None:
            assert parcel.topic_id is not None
            topics.made(session, parcel.topic_id, made.message_thread_id)
            sending.again(session, parcel, reason="its topic was made", wait=0.0)

        return settle

    def _failed(self, parcel: Parcel, error: TelegramError) -> Settle:  # noqa: PLR0911 - one row an error class
        log.info("telegram_refused", outbox_id=parcel.id, kind=parcel.kind, error=type(error).__name__)
        reason = f"{type(error).__name__}: {error.message}"
        match error:
            case RetryAfter():
                return lambda session: self._obey(session, parcel, error, reason)
            case ChatMigrated():
                return lambda session: self._migrate(session, parcel, error.new_chat_id)
            case Forbidden():
                return lambda session: delivery.refused(session, parcel, reason=reason, now=self._now())
            case BadRequest():
                return lambda session: self._refused(session, parcel, error.message, reason)
            case NetworkError() if certainly_not_sent(error):
                return lambda session: sending.again(session, parcel, reason=reason)
            case NetworkError():
                return lambda session: sending.uncertain(session, parcel, reason=reason)
            case InvalidToken():  # nothing was sent, and nothing is lost while the operator mends the token
                return lambda session: sending.again(session, parcel, reason=reason)
            case _:  # an answer that nobody can read
                return lambda session: sending.uncertain(session, parcel, reason=reason)

    def _obey(self, session: Session, parcel: Parcel, error: RetryAfter, reason: str) -> None:
        seconds = retry_after(error)
        sending.close_chat(session, parcel.bot_id, parcel.chat_id, seconds=seconds)
        sending.again(session, parcel, reason=reason, wait=seconds)

    @staticmethod
    def _migrate(session: Session, parcel: Parcel, new_chat_id: int) -> None:
        topics.migrate(session, parcel.chat_id, new_chat_id)
        sending.again(session, parcel, reason="the group has a new id", wait=0.0)

    def _refused(self, session: Session, parcel: Parcel, message: str, reason: str) -> None:
        outcome = next((what for said, what in REFUSALS if said in message.lower()), "dead")
        match outcome:
            case "sent":
                sending.sent(session, parcel, message_id=None)
            case "topic":
                assert parcel.topic_id is not None
                if parcel.act in render.COSMETIC:
                    topics.gone(session, parcel.topic_id, parcel.thread_id or 0)
                    sending.dropped(session, parcel, reason=reason)
                    return
                topics.lost(session, parcel.topic_id, parcel.thread_id or 0)
                sending.again(session, parcel, reason=reason, wait=0.0)
            case "bare":
                sending.bare(session, parcel, reason=reason)
            case "chat":
                delivery.refused(session, parcel, reason=reason, now=self._now())
            case "dropped":
                undelivered.refused(session, parcel, reason=reason)
                sending.dropped(session, parcel, reason=reason)
            case _:
                log.error("telegram_never_takes_it", outbox_id=parcel.id, kind=parcel.kind, reason=reason)
                undelivered.refused(session, parcel, reason=reason)
                sending.dead(session, parcel, reason=reason)


# What a 400 says, and what it means for the row.
REFUSALS = (
    ("message is not modified", "sent"),
    ("topic_not_modified", "sent"),
    ("message thread not found", "topic"),
    ("topic_deleted", "topic"),
    ("chat not found", "chat"),
    ("user is deactivated", "chat"),
    ("message to be replied not found", "bare"),
    ("quote_text_invalid", "bare"),
    ("message to edit not found", "dropped"),
    ("message can't be edited", "dropped"),
    ("message to pin not found", "dropped"),
    ("not enough rights to manage pinned", "dropped"),  # the overview is there, only not on top
    ("message to delete not found", "dropped"),
    ("message can't be deleted", "dropped"),
    ("message to copy not found", "dropped"),
    ("message to forward not found", "dropped"),
    ("there are no messages to", "dropped"),
    ("message can't be copied", "dropped"),
    ("message can't be forwarded", "dropped"),
    ("message to react not found", "dropped"),
    ("reaction_invalid", "dropped"),
)


def _message_ids(result: Any) -> list[int]:
    """What Telegram calls the messages it made; nothing where it made none."""
    made = result if isinstance(result, tuple | list) else [result]
    found = [getattr(one, "message_id", None) for one in made]
    return [number for number in found if isinstance(number, int)]
