"""Every sentence a person reads, from domain.yml: picked by language, filled with slots."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

DOMAIN = Path(__file__).resolve().parent.parent / "domain.yml"
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same in C, ten times as fast
LANGUAGES = ("zh", "en")
SHORT = 6  # characters: a 「好的」 may come twice running, a sentence may not
_SENTENCE = re.compile(r"[。！？!?\n]|\. |\{\w+\}")  # what is filled in is said as often as it is so


@dataclass(frozen=True)
class Button:
    """An inline button: what it says, and what a tap on it means."""

    title: str
    data: str
    copy: str | None = None  # what a tap puts into the clipboard instead


@dataclass(frozen=True)
class Line:
    """One message in our own terms; `menu` are the big keys below the chat, `contact_key` shares one's own number.

    Telegram shows one kind of keys a message: one with buttons leaves the big keys as they are.
    """

    text: str
    buttons: tuple[Button, ...] = ()
    menu: tuple[str, ...] = ()
    contact_key: str | None = field(default=None)

    def payload(self) -> dict[str, Any]:
        """The line as an outbox payload."""
        buttons = [{name: value for name, value in vars(button).items() if value} for button in self.buttons]
        return {name: value for name, value in (vars(self) | {"buttons": buttons}).items() if value}


class _Blank(dict[str, object]):
    """A slot nobody filled reads as nothing instead of failing: a person is waiting for the sentence."""

    def __missing__(self, key: str) -> str:
        return ""


@cache
def _responses() -> Mapping[str, list[dict[str, Any]]]:
    domain = yaml.load(DOMAIN.read_text("utf-8"), Loader=_Loader)  # noqa: S506 - a safe loader
    responses: Mapping[str, list[dict[str, Any]]] = domain["responses"]
    return responses


def say(key: str, *, language: str, seed: object = "", unlike: object = "", **slots: object) -> Line:
    """Make the line `key` in `language`.

    Args:
        key: a response of domain.yml.
        language: zh or en.
        seed: picks among variants; the same seed gives the same one, so a retry says the same.
        unlike: what was said last; a variant that repeats a sentence of it is the last choice.
        slots: what fills `{…}`; None and missing ones read as nothing.

    Raises:
        KeyError: no such response; a bug, found by the tests.
    """
    variants = _spoken(key, language)
    if unlike:
        variants = [variant for variant in variants if not _repeats(variant["text"], str(unlike))] or variants
    digest = hashlib.blake2s(f"{key}{seed}".encode(), digest_size=4).digest() if len(variants) > 1 else b"\0"
    chosen = variants[int.from_bytes(digest) % len(variants)]
    filled = _Blank({name: value for name, value in slots.items() if value is not None})
    return Line(
        text=chosen["text"].format_map(filled).strip(),
        buttons=tuple(
            Button(b["title"].format_map(filled), b["payload"].format_map(filled)) for b in chosen.get("buttons", ())
        ),
        menu=tuple(reply["title"] for reply in chosen.get("quick_replies", ())),
    )


@cache
def _spoken(key: str, language: str) -> Sequence[dict[str, Any]]:
    """The variants of a line in a language: asked for at every word."""
    return [variant for variant in _responses()[key] if _language_of(variant) in (language, None)]


def _repeats(text: str, said: str) -> bool:
    """Whether a sentence of the text, or what stands around its slots, stands in what was said."""
    sentences = (sentence.strip() for sentence in _SENTENCE.split(text))
    return any(len(sentence) >= SHORT and sentence in said for sentence in sentences)


def template(key: str, *, language: str) -> str:
    """The text of the line with its slots unfilled.

    Raises:
        KeyError: no such response.
    """
    return str(_spoken(key, language)[0]["text"])


def words(key: str, *, language: str, **slots: object) -> str:
    """The text of the line alone, for words inside other sentences."""
    return say(key, language=language, **slots).text


def names() -> list[str]:
    """Every line there is."""
    return sorted(_responses())


def variants(key: str, *, language: str) -> list[Line]:
    """The variants of a line with their slots unfilled, for people who want to know what is said."""
    return [
        Line(
            text=one["text"],
            buttons=tuple(Button(button["title"], button["payload"]) for button in one.get("buttons", ())),
            menu=tuple(reply["title"] for reply in one.get("quick_replies", ())),
        )
        for one in _spoken(key, language)
    ]


def exists(key: str) -> bool:
    """Whether there is a line of this name, for names that are made of stored words."""
    return key in _responses()


def kind_name(kind: str, *, language: str) -> str:
    """What a kind of message is called; one nobody knows yet is new."""
    key = f"utter_word_kind_{kind}"
    return words(key if exists(key) else "utter_word_kind_unsupported", language=language)


def _language_of(variant: Mapping[str, Any]) -> str | None:
    for condition in variant.get("condition", ()):
        if condition.get("name") == "language":
            return str(condition["value"])
    return None


@cache
def menu_words() -> Mapping[str, str]:
    """What the big keys say, in every language, and the intent each stands for."""
    return {
        reply["title"]: reply["payload"]
        for variants in _responses().values()
        for variant in variants
        for reply in variant.get("quick_replies", ())
    }
