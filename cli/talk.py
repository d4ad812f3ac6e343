"""`guanjia talk`: the same assistant in the terminal; only Telegram is replaced, by the lines below."""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from bot import process
from bot.arrivals import arrival
from bot.rasa import Rasa
from bot.scheduler import Scheduler
from bot.sender import Sender
from bot.wake import Wake
from bot.worker import Worker
from cli import children, database, upgrading
from cli.supervisor import Supervisor
from service import db, inbox, outbox
from service.config import Settings
from service.sending import Rates

RESIDENT, STAFF_GROUP, BUTLER = 1, -1, 2
BOT_ID = 0
NAMES = {RESIDENT: "Resident", BUTLER: "Butler", BOT_ID: "Guanjia"}
AT_ONCE = Rates(bot_per_second=1000, private_per_second=1000, private_burst=1000, group_per_minute=60000)
QUIET_FOR = 0.6  # seconds without a new line before the prompt comes back
HELP = "(Enter a line as the resident; a number taps a button; '> text' answers as the butler; Ctrl-D ends.)"


class Terminal:
    """Does what Telegram does, on the terminal: the calls the sender makes, and the updates people cause."""

    token = f"{BOT_ID}:terminal"

    def __init__(self) -> None:
        self._ids = itertools.count(1)
        self._texts: dict[tuple[int, int], str] = {}
        self._buttons: list[tuple[int, int, str]] = []
        self._thread: int | None = None
        self.printed = asyncio.Event()

    async def send_message(self, chat_id: int, text: str, **rest: Any) -> SimpleNamespace:
        """Print a line with its buttons numbered."""
        message_id = next(self._ids)
        keyboard = rest.get("reply_markup") or {}
        self._show(chat_id, message_id, text, rest.get("message_thread_id"), keyboard)
        return SimpleNamespace(message_id=message_id)

    async def edit_message_text(self, chat_id: int, message_id: int, text: str, **rest: Any) -> SimpleNamespace:
        """Print the new wording."""
        self._show(chat_id, message_id, f"(…) {text}", None, rest.get("reply_markup") or {})
        return SimpleNamespace(message_id=message_id)

    async def copy_message(self, chat_id: int, from_chat_id: int, message_id: int, **rest: Any) -> SimpleNamespace:
        """Print what is passed on."""
        text = self._texts.get((from_chat_id, message_id), "")
        return await self.send_message(chat_id, text, **rest)

    async def create_forum_topic(self, chat_id: int, name: str) -> SimpleNamespace:
        """Name a topic."""
        thread = next(self._ids)
        self._show(chat_id, 0, f"# {name}", thread, {})
        return SimpleNamespace(message_thread_id=thread)

    def update(self, line: str) -> dict[str, Any] | None:
        """What Telegram would have sent for a line typed here."""
        base = {"update_id": int(datetime.now(UTC).timestamp() * 1e6)}
        if line.isdecimal() and 0 < int(line) <= len(self._buttons):
            return base | {"callback_query": self._tap(*self._buttons[int(line) - 1])}
        message_id = next(self._ids)
        butler = line.startswith(">")
        text = line.removeprefix(">").strip()
        chat_id = STAFF_GROUP if butler else RESIDENT
        self._texts[chat_id, message_id] = text
        message = _message(chat_id, message_id, BUTLER if butler else RESIDENT, text)
        if butler:
            message |= {"message_thread_id": self._thread, "is_topic_message": True}
        return base | {"message": message} if text else None

    def _tap(self, chat_id: int, message_id: int, data: str) -> dict[str, Any]:
        who = _user(BUTLER if chat_id == STAFF_GROUP else RESIDENT)
        keyboard = {"inline_keyboard": [[{"text": "…", "callback_data": data}]]}
        message = _message(chat_id, message_id, BOT_ID, "…") | {"reply_markup": keyboard}
        return {"id": str(next(self._ids)), "from": who, "chat_instance": "1", "message": message, "data": data}

    def _show(self, chat_id: int, message_id: int, text: str, thread: int | None, keyboard: dict[str, Any]) -> None:
        if chat_id == STAFF_GROUP:
            self._thread = thread or self._thread
        print(f"{'    [staff] ' if chat_id == STAFF_GROUP else '  '}{text}".replace("\n", "\n    "))
        for row in keyboard.get("inline_keyboard", ()):
            for key in row:
                self._buttons.append((chat_id, message_id, key["callback_data"]))
                print(f"      ({len(self._buttons)}) {key['text']}")
        if keyboard.get("keyboard"):
            print("      " + " | ".join(key["text"] for row in keyboard["keyboard"] for key in row))
        self.printed.set()


def _user(number: int) -> dict[str, Any]:
    return {"id": number, "is_bot": number == BOT_ID, "first_name": NAMES[number], "language_code": "zh"}


def _message(chat_id: int, message_id: int, who: int, text: str) -> dict[str, Any]:
    chat = {"id": chat_id, "type": "supergroup" if chat_id < 0 else "private"}
    now = int(datetime.now(UTC).timestamp())
    return {"message_id": message_id, "date": now, "chat": chat, "from": _user(who), "text": text}


async def run(settings: Settings) -> None:
    """Talk until the input ends."""
    with database.opened(settings) as url:
        await asyncio.to_thread(upgrading.prepare, settings, url)
        family = children.children(settings, database_url=url, rasa_database_url=database.rasa_url(url))
        helpers = Supervisor([child for child in family if child.name in ("actions", "rasa")])
        helpers.start()
        try:
            await helpers.healthy(within=60)
            await _talk(settings, url)
        finally:
            await helpers.stop()


async def _talk(settings: Settings, url: str) -> None:
    sessions = db.sessions(db.connect(url))
    local = settings.model_copy(update={"staff_chat_id": STAFF_GROUP, "bot_token": None})
    process.settle_in(local, sessions)
    terminal = Terminal()
    rasa = Rasa(str(settings.rasa_url), settings.rasa_token.get_secret_value(), timeout=settings.rasa_timeout)
    async with AsyncExitStack() as stack:
        await rasa.open()
        stack.push_async_callback(rasa.close)
        wakes = [Wake(url, inbox.CHANNEL), Wake(url, outbox.CHANNEL)]
        worker = Worker(BOT_ID, sessions, wakes[0], rasa, lanes=2, now=_now)
        sender = Sender(terminal, sessions, wakes[1], rates=AT_ONCE, now=_now)  # type: ignore[arg-type]
        scheduler = Scheduler(sessions, now=_now, every=1.0)
        works = [*(wake.listen() for wake in wakes), worker.run(), sender.run(), scheduler.run()]
        tasks = [asyncio.create_task(work) for work in works]
        stack.callback(lambda: [task.cancel() for task in tasks])
        print(HELP)
        await _converse(terminal, sessions)


async def _converse(terminal: Terminal, sessions: db.Sessions) -> None:
    while True:
        print("> ", end="", flush=True)
        line = await asyncio.to_thread(sys.stdin.readline)
        if not line:
            return
        update = terminal.update(line.strip())
        if update is None:
            continue
        terminal.printed.clear()
        await asyncio.to_thread(_keep, sessions, json.dumps(update).encode())
        await _until_quiet(terminal)


async def _until_quiet(terminal: Terminal) -> None:
    """Wait for the first line, then until no more come."""
    limit = 20.0
    while True:
        try:
            await asyncio.wait_for(terminal.printed.wait(), limit)
        except TimeoutError:
            return
        terminal.printed.clear()
        limit = QUIET_FOR


def _keep(sessions: db.Sessions, body: bytes) -> None:
    with db.transaction(sessions) as session:
        inbox.put(session, BOT_ID, [arrival(body, fragment_wait=0.0)])


def _now() -> datetime:
    return datetime.now(UTC)
