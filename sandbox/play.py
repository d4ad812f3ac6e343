"""Play a story against the look-alike: people say and tap, and see what they should, in YAML a butler could write.

    people:  {wang: {first_name: 王芳, language_code: zh}, li: {first_name: 李, staff: true}}
    steps:
      - {clock: "2026-11-24T10:00:00+08:00"}
      - {who: wang, says: 厨房水管漏水}
      - {who: wang, sees: 您的电话}                  # a text, or several that one message holds; `a|b` is one of both
      - {who: wang, taps: 确认}                      # a button by its title
      - {who: li, topic: 工程, sees: 水管}            # the staff group: a topic by part of its name
      - {advance: 25h}

`sees` looks for a message that nobody has looked at yet. Run it with `python -m sandbox.play FILE --url URL`.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import yaml

PATIENCE = 15.0  # seconds for `sees` unless the step says `within`
LOOK_EVERY = 0.03  # seconds
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

Say = Callable[[str, str], None]


class NotSeen(AssertionError):
    """Somebody did not see in time what the story says."""


class Stage:
    """The people of a story on a look-alike that is running."""

    def __init__(self, http: aiohttp.ClientSession, url: str, *, group: int | None, bot_name: str, say: Say) -> None:
        self._http = http
        self._url = url
        self._group = group
        self._bot_name = bot_name
        self._say = say
        self._people: dict[str, dict[str, Any]] = {}
        self._seen: set[tuple[int, int, str]] = set()

    async def enter(self, people: Mapping[str, Mapping[str, Any]]) -> None:
        """Let the people exist; staff are in the group."""
        for name, who in people.items():
            facts = {key: value for key, value in who.items() if key != "staff"}
            person = await self._post("users", facts)
            self._people[name] = person
            if who.get("staff"):
                status = {"user_id": person["id"], "status": "member"}
                await self._post(f"groups/{self._group}/members", status)

    async def step(self, step: Mapping[str, Any]) -> None:
        """Do one step.

        Raises:
            NotSeen: what should be seen did not come in time.
        """
        if "advance" in step:
            await self._post("clock", {"advance": seconds(str(step["advance"]))})
            self._say("⏩", str(step["advance"]))
            return
        if "clock" in step:
            await self._post("clock", {"set": str(step["clock"])})
            return
        verb = next(verb for verb in VERBS if verb in step)
        await VERBS[verb](self, step)

    async def says(self, step: Mapping[str, Any]) -> None:
        """A person types."""
        await self._send(step, {"text": step["says"]}, str(step["says"]))

    async def sends(self, step: Mapping[str, Any]) -> None:
        """A person sends a photo, a place, …: the content as the control API takes it."""
        await self._send(step, dict(step["sends"]), f"[{', '.join(step['sends'])}]")

    async def taps(self, step: Mapping[str, Any]) -> None:
        """A person taps the newest button with this title, as soon as it is there."""
        wanted = str(step["taps"])
        chat_id, message, data = await self._wait(step, lambda found: _button(found, wanted), f"button {wanted}")
        self._say(self._name(step["who"]), f"👆 {wanted}")
        body = {"from": self._id(step["who"]), "chat_id": chat_id, "message_id": message["message_id"], "data": data}
        await self._post("taps", body)

    async def sees(self, step: Mapping[str, Any]) -> None:
        """A person sees a message that holds all the words."""
        wanted = [step["sees"]] if isinstance(step["sees"], str) else list(step["sees"])

        def fits(message: Mapping[str, Any]) -> str | None:
            text = _text(message)
            ours = message["from"]["is_bot"] and all(holds(text, word) for word in wanted)
            return text if ours and (message["chat"]["id"], message["message_id"], text) not in self._seen else None

        chat_id, message, text = await self._wait(step, fits, f"message with {wanted}")
        self._seen.add((chat_id, message["message_id"], text))
        keys = " ".join(f"[{key['text']}]" for row in _rows(message) for key in row)
        where = f" → {step['topic']}" if "topic" in step else ""
        self._say(f"{self._bot_name}{where}", f"{text} {keys}".strip())

    async def sees_no(self, step: Mapping[str, Any]) -> None:
        """No message holds the words now."""
        for message in await self._messages(step):
            if str(step["sees_no"]) in _text(message):
                raise NotSeen(f"{step['who']} sees {step['sees_no']!r}")

    async def _send(self, step: Mapping[str, Any], content: dict[str, Any], shown: str) -> None:
        body = {"from": self._id(step["who"]), **content}
        if "topic" in step:
            body |= {"chat_id": self._group, "thread": await self._thread(step)}
        await self._post("messages", body)
        self._say(self._name(step["who"]), shown)

    async def _wait(
        self, step: Mapping[str, Any], find: Callable[[Mapping[str, Any]], str | None], what: str
    ) -> tuple[int, Mapping[str, Any], str]:
        deadline = time.monotonic() + float(step.get("within", PATIENCE))
        while True:
            for message in reversed(await self._messages(step)):
                found = find(message)
                if found is not None:
                    return message["chat"]["id"], message, found
            if time.monotonic() > deadline:
                shown = "\n".join(f"    {_text(message)[:100]}" for message in (await self._messages(step))[-6:])
                raise NotSeen(f"{step['who']} waited for a {what} and sees:\n{shown}")
            await asyncio.sleep(LOOK_EVERY)

    async def _messages(self, step: Mapping[str, Any]) -> list[dict[str, Any]]:
        if "topic" not in step:
            own: list[dict[str, Any]] = await self._get(f"chats/{self._id(step['who'])}/messages")
            return own
        thread = await self._thread(step, wait=False)
        if thread is None and step["topic"] != "General":
            return []
        found = await self._get(f"chats/{self._group}/messages")
        return [message for message in found if message.get("message_thread_id") == thread]

    async def _thread(self, step: Mapping[str, Any], *, wait: bool = True) -> int | None:
        deadline = time.monotonic() + (PATIENCE if wait else 0)
        while True:
            group = next(chat for chat in await self._get("chats") if chat["id"] == self._group)
            for topic in group["topics"]:
                if str(step["topic"]) in topic["name"]:
                    thread: int = topic["message_thread_id"]
                    return thread
            if time.monotonic() >= deadline:
                return None
            await asyncio.sleep(LOOK_EVERY)

    def _id(self, who: str) -> int:
        number: int = self._people[who]["id"]
        return number

    def _name(self, who: str) -> str:
        name: str = self._people[who]["first_name"]
        return name

    async def _get(self, path: str) -> Any:
        async with self._http.get(f"{self._url}/sim/{path}") as response:
            response.raise_for_status()
            return await response.json()

    async def _post(self, path: str, body: Mapping[str, Any]) -> Any:
        async with self._http.post(f"{self._url}/sim/{path}", json=body) as response:
            if response.status >= 400:
                raise RuntimeError(f"{path}: {await response.text()}")
            return await response.json()


VERBS: dict[str, Callable[[Stage, Mapping[str, Any]], Any]] = {
    "says": Stage.says,
    "sends": Stage.sends,
    "taps": Stage.taps,
    "sees": Stage.sees,
    "sees_no": Stage.sees_no,
}


def holds(text: str, wanted: str) -> bool:
    """Whether the text holds the words; `取消|不登记` wants one of them."""
    return any(words in text for words in wanted.split("|"))


def seconds(text: str) -> float:
    """`25h`, `30m`, `2d` as seconds."""
    return float(text[:-1]) * UNITS[text[-1]]


async def play(
    story: Mapping[str, Any], url: str, *, group: int | None, bot_name: str = "小管家", say: Say | None = None
) -> None:
    """Play the whole story.

    Args:
        story: `people` and `steps`.
        url: where the look-alike listens.
        group: the staff group's chat id.
        bot_name: how the bot is called in what is printed.
        say: gets who and what of every line; nothing is printed without it.

    Raises:
        NotSeen: what should be seen did not come in time.
    """
    async with aiohttp.ClientSession() as http:
        stage = Stage(http, url.rstrip("/"), group=group, bot_name=bot_name, say=say or (lambda *_: None))
        await stage.enter(story["people"])
        for number, step in enumerate(story["steps"], 1):
            try:
                await stage.step(step)
            except NotSeen as error:
                raise NotSeen(f"step {number}: {error}") from None


def _text(message: Mapping[str, Any]) -> str:
    return str(message.get("text") or message.get("caption") or "")


def _rows(message: Mapping[str, Any]) -> list[list[dict[str, Any]]]:
    rows: list[list[dict[str, Any]]] = (message.get("reply_markup") or {}).get("inline_keyboard", [])
    return rows


def _button(message: Mapping[str, Any], title: str) -> str | None:
    keys = [key for row in _rows(message) for key in row]
    return next((key["callback_data"] for key in keys if title in key["text"]), None)


def _print(who: str, what: str) -> None:
    sys.stdout.write(f"{who}: {what}".replace("\n", "\n    ") + "\n")
    sys.stdout.flush()


def main() -> None:
    """Play a file and print what is said."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--url", required=True)
    parser.add_argument("--group", type=int)
    given = parser.parse_args()
    try:
        story = yaml.safe_load(given.file.read_text("utf-8"))
        asyncio.run(play(story, given.url, group=given.group, say=_print))
    except NotSeen as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
