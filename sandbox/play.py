"""Play a story against the look-alike: people say and tap, and see what they should, in YAML a butler could write.

    people:  {wang: 王芳, amy: {first_name: Amy, language_code: en}, li: {first_name: 李, staff: true}}
    steps:
      - {clock: "2026-11-24T10:00:00+08:00"}
      - says: 厨房水管漏水                 # whoever stands first in `people`, unless the step has a `who`
      - says: [我家, 水龙头]               # bubbles, one right after the other
      - sees: [您的电话, 方便|时间]        # one message that holds all of them; `a|b` is one of both
      - taps: 确认                         # a button by its title; `again: true` taps what was tapped last once more
      - copies: "482913"                   # what a button puts into the clipboard; Telegram tells nobody of it
      - sends: {photo: {}}                 # anything but words
      - edits: 卫生间水管漏水              # what was said last, put differently
      - replies: 好的                      # to the message that was seen last
      - {who: li, topic: 工程, sees: 水管}   # the staff group: a topic by part of its name
      - {advance: 25h}

`sees` looks for a message that nobody has looked at yet; others may stand beside it and before it. In the topic of a
department, which many talks share, a tap is on a message that somebody of the story has looked at. Run it with
`python -m sandbox.play FILE --url URL`.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from sandbox.mirror import GENERAL, Message, Mirror, NotInTime, watching

PATIENCE = 15.0  # seconds for `sees` unless the step says `within`
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
MESSAGES_SHOWN = 6  # of what was there instead

Say = Callable[[str, str], None]
Step = Mapping[str, Any]


class NotSeen(AssertionError):
    """Somebody did not see in time what the story says."""


@dataclass
class Stage:
    """The people of a story on a look-alike that is running.

    `move` sets the clock; who plays several stories at once lets it wait until all of them are ready.
    """

    http: aiohttp.ClientSession
    url: str
    mirror: Mirror
    group: int | None = None
    bot_name: str = "小管家"
    say: Say = lambda *_: None
    move: Callable[[Step], Awaitable[None]] | None = None
    patience: float = PATIENCE
    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    _seen: set[tuple[int, int, str]] = field(default_factory=set)
    _said: dict[str, Message] = field(default_factory=dict)
    _tapped: dict[str, Any] = field(default_factory=dict)
    _looked_at: dict[str, Message] = field(default_factory=dict)

    async def enter(self, people: Mapping[str, Any]) -> None:
        """Let the people exist; staff are in the group. A bare name is somebody who speaks Chinese."""
        for name, who in people.items():
            facts = {"first_name": who, "language_code": "zh"} if isinstance(who, str) else dict(who)
            is_staff = facts.pop("staff", False)
            person = await self._post("users", facts)
            self.people[name] = person
            if is_staff:
                await self._post(f"groups/{self.group}/members", {"user_id": person["id"], "status": "member"})

    async def step(self, step: Step) -> None:
        """Do one step.

        Raises:
            NotSeen: what should be seen did not come in time.
        """
        if "clock" in step or "advance" in step:
            self.say("⏩", str(step.get("clock") or step["advance"]))
            await (self.move or self._move)(step)
            return
        verb = next(verb for verb in VERBS if verb in step)
        await VERBS[verb](self, {"who": next(iter(self.people)), **step})

    async def says(self, step: Step) -> None:
        """A person types, perhaps several bubbles."""
        for words in step["says"] if isinstance(step["says"], list) else [step["says"]]:
            await self._send(step, {"text": str(words)}, str(words))

    async def replies(self, step: Step) -> None:
        """A person answers the message they looked at last."""
        seen = self._looked_at[step["who"]]
        await self._send(step, {"text": step["replies"], "reply_to": seen["message_id"]}, str(step["replies"]))

    async def sends(self, step: Step) -> None:
        """A person sends a photo, a place, …: the content as the control API takes it."""
        await self._send(step, dict(step["sends"]), f"[{', '.join(step['sends'])}]")

    async def edits(self, step: Step) -> None:
        """A person puts what they said last in other words."""
        said = self._said[step["who"]]
        self.say(self._name(step["who"]), f"✎ {step['edits']}")
        body = {"from": self.id(step["who"]), "chat_id": said["chat"]["id"], "message_id": said["message_id"]}
        await self._post("edits", body | {"text": step["edits"]})

    async def taps(self, step: Step) -> None:
        """A person taps the newest button with this title, as soon as it is there."""
        wanted, who = str(step["taps"]), step["who"]
        if not step.get("again"):
            message, data = await self._wait(step, lambda one: self._button(step, one, wanted), f"button {wanted}")
            place = {"chat_id": message["chat"]["id"], "message_id": message["message_id"]}
            self._tapped[who] = {"from": self.id(who), **place, "data": data}
        self.say(self._name(who), f"👆 {wanted}")
        await self._post("taps", self._tapped[who] | {"stale": bool(step.get("again"))})

    async def copies(self, step: Step) -> None:
        """A person taps a button that copies these very words."""
        wanted = str(step["copies"])

        def fits(message: Message) -> str | None:
            keys = (key for row in _rows(message) for key in row)
            return next((key["text"] for key in keys if key.get("copy_text") == {"text": wanted}), None)

        _, title = await self._wait(step, fits, f"button that copies {wanted}")
        self.say(self._name(step["who"]), f"📋 {title}")

    async def sees(self, step: Step) -> None:
        """A person sees a message that holds all the words."""
        wanted = [str(word) for word in ([step["sees"]] if isinstance(step["sees"], str) else step["sees"])]

        def fits(message: Message) -> str | None:
            shown = text(message)
            ours = message["from"]["is_bot"] and all(holds(shown, word) for word in wanted)
            return shown if ours and (*_place(message), shown) not in self._seen else None

        message, shown = await self._wait(step, fits, f"message with {wanted}")
        self._seen.add((*_place(message), shown))
        self._looked_at[step["who"]] = message
        keys = " ".join(f"[{key['text']}]" for row in _rows(message) for key in row)
        where = f" → {step['topic']}" if "topic" in step else ""
        self.say(f"{self.bot_name}{where}", f"{shown} {keys}".strip())

    async def sees_no(self, step: Step) -> None:
        """No message holds the words, at once or soon: what takes them away may be on its way."""
        words = str(step["sees_no"])

        def gone() -> bool | None:
            return None if any(words in text(message) for message in self._messages(step)) else True

        try:
            await self.mirror.until(self._chat(step), gone, within=float(step.get("within", self.patience)))
        except NotInTime:
            raise NotSeen(f"{step['who']} sees {words!r}") from None

    def id(self, who: str) -> int:
        """A person's number, which is their chat's too."""
        number: int = self.people[who]["id"]
        return number

    async def _send(self, step: Step, content: dict[str, Any], shown: str) -> None:
        body = {"from": self.id(step["who"]), **content}
        if "topic" in step:
            thread = await self._until(step, lambda: self._thread(step), f"topic {step['topic']}")
            body |= {"chat_id": self.group, "thread": thread}
        self.say(self._name(step["who"]), shown)
        sent = await self._post("messages", body)
        self._said[step["who"]] = sent if isinstance(sent, dict) else sent[-1]

    async def _wait(self, step: Step, find: Callable[[Message], str | None], what: str) -> tuple[Message, str]:
        def look() -> tuple[Message, str] | None:
            for message in reversed(self._messages(step)):
                if (found := find(message)) is not None:
                    return message, found
            return None

        found: tuple[Message, str] = await self._until(step, look, what)
        return found

    async def _until(self, step: Step, look: Callable[[], Any], what: str) -> Any:
        try:
            return await self.mirror.until(self._chat(step), look, within=float(step.get("within", self.patience)))
        except NotInTime:
            shown = "\n".join(f"    {text(message)[:100]}" for message in self._messages(step)[-MESSAGES_SHOWN:])
            raise NotSeen(f"{step['who']} waited for a {what} and sees:\n{shown}") from None

    def _button(self, step: Step, message: Message, title: str) -> str | None:
        keys = [key for row in _rows(message) for key in row]
        data = next((key["callback_data"] for key in keys if title in key["text"] and "callback_data" in key), None)
        is_theirs = not self._is_shared(step) or any(place[:2] == _place(message) for place in self._seen)
        return data if is_theirs else None

    def _is_shared(self, step: Step) -> bool:
        """Whether other talks stand in this topic too."""
        names = (str(who["first_name"]) for who in self.people.values())
        return "topic" in step and not any(name in str(step["topic"]) for name in names)

    def _messages(self, step: Step) -> list[Message]:
        thread = self._thread(step)
        return [] if thread is None else list(self.mirror.rooms[self._chat(step), thread].values())

    def _chat(self, step: Step) -> int:
        return self.group if "topic" in step and self.group is not None else self.id(step["who"])

    def _thread(self, step: Step) -> int | None:
        return self.mirror.topic(self._chat(step), str(step["topic"])) if "topic" in step else GENERAL

    def _name(self, who: str) -> str:
        name: str = self.people[who]["first_name"]
        return name

    async def _move(self, step: Step) -> None:
        moves = {"set": str(step["clock"])} if "clock" in step else {"advance": span(step["advance"]).total_seconds()}
        await self._post("clock", moves)

    async def _post(self, path: str, body: Mapping[str, Any]) -> Any:
        async with self.http.post(f"{self.url}/sim/{path}", json=body) as response:
            if response.status >= 400:
                raise RuntimeError(f"{path}: {await response.text()}")
            return await response.json()


VERBS: dict[str, Callable[[Stage, Step], Awaitable[None]]] = {
    "says": Stage.says,
    "sends": Stage.sends,
    "edits": Stage.edits,
    "replies": Stage.replies,
    "taps": Stage.taps,
    "copies": Stage.copies,
    "sees": Stage.sees,
    "sees_no": Stage.sees_no,
}


def holds(shown: str, wanted: str) -> bool:
    """Whether the text holds the words; `取消|不登记` wants one of them."""
    return any(words in shown for words in wanted.split("|"))


def text(message: Message) -> str:
    """What stands in a message, or below its picture."""
    return str(message.get("text") or message.get("caption") or "")


def span(words: object) -> timedelta:
    """`25h`, `30m`, `2d` as a span of time."""
    return timedelta(**{UNITS[str(words)[-1]]: float(str(words)[:-1])})


def moment(step: Step, *, now: datetime) -> datetime:
    """The moment that a step with `clock` or `advance` moves to."""
    return datetime.fromisoformat(str(step["clock"])) if "clock" in step else now + span(step["advance"])


async def perform(stage: Stage, story: Mapping[str, Any]) -> None:
    """Play the whole story: `people` and `steps`.

    Raises:
        NotSeen: what should be seen did not come in time.
    """
    await stage.enter(story["people"])
    for number, step in enumerate(story["steps"], 1):
        try:
            await stage.step(step)
        except NotSeen as error:
            raise NotSeen(f"step {number}: {error}") from None


def _place(message: Message) -> tuple[int, int]:
    return message["chat"]["id"], message["message_id"]


def _rows(message: Message) -> list[list[dict[str, Any]]]:
    rows: list[list[dict[str, Any]]] = (message.get("reply_markup") or {}).get("inline_keyboard", [])
    return rows


def _print(who: str, what: str) -> None:
    sys.stdout.write(f"{who}: {what}".replace("\n", "\n    ") + "\n")
    sys.stdout.flush()


async def _play(story: Mapping[str, Any], url: str, group: int | None) -> None:
    async with aiohttp.ClientSession() as http, watching(url) as mirror:
        await perform(Stage(http, url, mirror, group=group, say=_print), story)


def main() -> None:
    """Play a file and print what is said."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--url", required=True)
    parser.add_argument("--group", type=int)
    given = parser.parse_args()
    try:
        asyncio.run(_play(yaml.safe_load(given.file.read_text("utf-8")), given.url.rstrip("/"), given.group))
    except NotSeen as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
