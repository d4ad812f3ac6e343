"""The dialogues as they stand in the files of this folder, and what holds for every one of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cli.demo import STORY
from sandbox.mirror import Message
from sandbox.play import text
from service.language import detect

HERE = Path(__file__).parent
SPEAKS = ("says", "sends", "edits", "replies", "taps")  # what a resident does counts as a turn
HAN = re.compile(r"[\u4e00-\u9fff]")
SENTENCE = re.compile(r"[。！？!?\n]|\. ")
SHORT = 6  # characters: a 「好的」 may come twice
FACT = re.compile(
    r"^[^：:]{1,12}[：:]|\d"
)  # a line of a summary, a number, an hour: what is so is said as often as it is


@dataclass(frozen=True)
class Script:
    """One dialogue.

    `story` is what it shows, `norms` the rows of docs/norms.md it stands for. `never` are words that no message to its
    first resident may hold, `once` words that exactly one holds. `knows` says whether the first message tells all facts
    of a case or none, which bounds the turns until it is confirmed. `not_yet` is what the assistant still gets wrong
    here: the dialogue must then fail, so that whoever mends it takes the remark away.
    """

    name: str
    people: Mapping[str, Any]
    steps: Sequence[Mapping[str, Any]]
    norms: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    once: tuple[str, ...] = ()
    knows: str | None = None
    not_yet: str | None = None

    @property
    def first(self) -> str:
        """Whose talk it is."""
        return next(iter(self.people))

    @property
    def residents(self) -> list[str]:
        """Who is not of the staff."""
        return [name for name, who in self.people.items() if isinstance(who, str) or not who.get("staff")]

    def language(self, who: str) -> str:
        """What Telegram says of somebody's language."""
        known = self.people[who]
        return "zh" if isinstance(known, str) else str(known.get("language_code", "zh"))

    def turns_until(self, *words: str) -> int:
        """How often the resident had to do something until they saw one of the words."""
        turns = 0
        for step in self.steps:
            turns += step.get("who", self.first) == self.first and any(verb in step for verb in SPEAKS)
            if any(word in str(step.get("sees")) for word in words):
                return turns
        raise AssertionError(f"{self.name}: nobody sees {words}")


def read_all() -> list[Script]:
    """Every dialogue of this folder, and the demo's own."""
    return [script for path in (STORY, *sorted(HERE.glob("*.yml"))) for script in _read(path)]


def _read(path: Path) -> Iterator[Script]:
    stories = [story for story in yaml.safe_load_all(path.read_text("utf-8")) if story]
    for story in stories:
        name = f"{path.stem}: {story['story']}" if "story" in story else path.stem
        lists = {key: tuple(story.get(key, ())) for key in ("norms", "never", "once")}
        yield Script(
            name, story["people"], story["steps"], knows=story.get("knows"), not_yet=story.get("not_yet"), **lists
        )


def repeated(talk: Sequence[Message]) -> str | None:
    """A sentence that the bot says in two messages, one right after the other; None when there is none."""
    before: set[str] = set()
    for message in _bots(talk):
        now = set(sentences(text(message)))
        if again := now & before:
            return again.pop()
        before = now
    return None


def waits(talk: Sequence[Message], shown_at: Sequence[float]) -> Iterator[float]:
    """How long each answer took: from a resident's line to the bot's next one, in seconds."""
    asked: float | None = None
    for message, at in zip(talk, shown_at, strict=True):
        if not message["from"]["is_bot"]:
            asked = at
        elif asked is not None:
            yield at - asked
            asked = None


def sentences(words: str) -> Iterator[str]:
    """The sentences of a message that are not facts of a case."""
    for sentence in SENTENCE.split(words):
        bare = sentence.strip()
        if len(bare) >= SHORT and not FACT.search(bare):
            yield bare


def in_another_language(talk: Iterable[Message], first: str, *, quoted: Iterable[str]) -> str | None:
    """A message of the bot's that is not in the language the resident wrote last; None when all are.

    Args:
        talk: what stands in the chat, one after the other.
        first: zh or en, the language before anything was written.
        quoted: what people said, which is repeated in their own words.
    """
    language, chosen = first, False
    for message in talk:
        words = text(message)
        if not message["from"]["is_bot"]:
            picked = re.fullmatch(r"/language (zh|en)", words)
            language = picked[1] if picked else language if chosen else detect(words, before=language)
            chosen = chosen or picked is not None
        elif words and _language(_without(words, quoted), language) != language:
            return words
    return None


def _language(words: str, before: str) -> str:
    """Of a message of the bot's, whose every letter is meant."""
    if HAN.search(words):
        return "zh"
    return "en" if any(letter.isascii() and letter.isalpha() for letter in words) else before


def _without(words: str, quoted: Iterable[str]) -> str:
    for piece in sorted(quoted, key=len, reverse=True):
        words = words.replace(piece, "")
    return words


def _bots(talk: Iterable[Message]) -> Iterator[Message]:
    """What the bot says, each message as it stood first."""
    known = set()
    for message in talk:
        if message["from"]["is_bot"] and text(message) and message["message_id"] not in known:
            known.add(message["message_id"])
            yield message
