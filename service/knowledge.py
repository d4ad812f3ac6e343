"""Questions residents ask again and again: the answer when one is clearly meant, otherwise the nearest to choose."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import yaml
from sqlalchemy.orm import Session

from service import archive, binding, conversations, desk_hours, greetings, knowledge_entries, ledger, texts
from service.knowledge_entries import Entry
from service.models.communities import Community
from service.models.talks import Conversation
from service.texts import Line

if TYPE_CHECKING:
    from service.knowledge_shelf import Shelf  # with the library of its index, which the bot does not need: 60 MB

# Chosen on cli/bench_knowledge.yml; docs/knowledge.md says what they cost.
SURE = 0.33  # of the question that the nearest entry holds, from which it is the answer …
AHEAD = 0.16  # … if the next entry is behind by this part …
PIECES = 1.5  # … and it holds this much, so that one character in common answers nothing
NEAR = 0.10  # of the question, from which an entry is worth offering
OFFERED = 3
LONGEST_IN_BETWEEN = 60  # characters; who writes more asks for more
WORD = re.compile(r"\w+")

BETWEEN = {"zh": "、", "en": ", "}  # what is listed
WHO_ANSWERS = "who_answers"  # the entry on the assistant itself
WORDS = Path(__file__).with_suffix(".yml")
PERSONAL: Mapping[str, Callable[..., Line]] = {"cases": greetings.my_cases}


@dataclass(frozen=True)
class Match:
    """The entry that is clearly meant."""

    entry: Entry
    word_for_word: bool = False  # whether the question stands there just so


@dataclass(frozen=True)
class Suggestions:
    """Entries that may be meant, the nearest first."""

    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Reason:
    """What keeps an entry from being said, or should be looked at: a phrase of domain.yml and what fills it."""

    phrase: str
    facts: dict[str, object]


@dataclass(frozen=True)
class Reader:
    """Who asks: for whom, in which language and on which day an entry has to be fit to be said."""

    community: Community
    language: str
    now: datetime

    @cached_property
    def today(self) -> date:
        """The day in the community's time zone."""
        return self.now.astimezone(ZoneInfo(self.community.timezone)).date()

    @cached_property
    def facts(self) -> dict[str, str]:
        """What fills the placeholders: the community's settings, and what its staff have written beside the entries."""
        community, language = self.community, self.language
        told = {name: words[language] for name, words in community.facts.items() if language in words}
        desk = desk_hours.told(community, language=language)
        return {**told, "community": community.name, "phone": community.phone, "desk_hours": desk}


def answer(session: Session, shelf: Shelf, reader: Reader, question: str) -> Match | Suggestions | None:
    """Find what a question is about, among what can be said to its reader.

    Args:
        session: the caller's transaction.
        shelf: the process's indexes.
        reader: who asks.
        question: their words, in either language whatever the reader's is.

    Returns:
        A Match when one entry is clearly meant, up to three Suggestions when some are near, None when none is.
    """
    book = shelf.book(session, reader.community.id)
    ranked = ((book.entries[found.key], found) for found in book.index.rank(question))
    fit = ((entry, found) for entry, found in ranked if _is_fit(entry, reader))
    nearest = list(islice(fit, OFFERED))
    if not nearest or nearest[0][1].share < NEAR:
        return None
    for entry, _ in nearest:
        if _asks_so(entry, question):
            return Match(entry, word_for_word=True)
    (entry, first), *others = nearest
    is_ahead = not others or others[0][1].rank <= first.rank * (1 - AHEAD)
    if first.share >= SURE and first.pieces >= PIECES and is_ahead:
        return Match(entry)
    return Suggestions(tuple(entry for entry, found in nearest if found.share >= NEAR))


def _asks_so(entry: Entry, question: str) -> bool:
    """Whether the question stands there word for word, however short it is: "are you a robot"."""
    asked = _plain(question)
    return any(asked == _plain(known) for wording in entry.wordings.values() for known in wording.questions)


def _plain(question: str) -> str:
    return " ".join(WORD.findall(question.casefold()))


def in_between(session: Session, reader: Reader, words: str) -> Line | None:
    """Who answers here, or who learns of a report, if the words ask nothing else: no form takes that for an answer.

    It is asked of every short message, before anything else, so no index of all entries is made for it.
    """
    if len(words) > LONGEST_IN_BETWEEN:
        return None
    known = _asked_in_between().get(_plain(words))
    entry = knowledge_entries.entry(session, reader.community.id, known or WHO_ANSWERS)
    if entry is None or not (known or _asks_so(entry, words)) or not _is_fit(entry, reader):
        return None
    return worded(reader, entry)


@cache
def _asked_in_between() -> dict[str, str]:
    """More ways to ask what is answered in the middle of a form, each with the key of its entry."""
    table: dict[str, list[str]] = yaml.safe_load(WORDS.read_text("utf-8"))
    return {_plain(question): key for key, questions in table.items() for question in questions}


def find(session: Session, shelf: Shelf, reader: Reader, key: str) -> Entry | None:
    """An entry by its key, if it can be said to this reader still."""
    entry = shelf.book(session, reader.community.id).entries.get(key)
    return entry if entry is not None and _is_fit(entry, reader) else None


def _is_fit(entry: Entry, reader: Reader) -> bool:
    return why_not_offered(entry, reader.language, facts=set(reader.facts), today=reader.today) is None


def why_not_offered(entry: Entry, language: str, *, facts: set[str], today: date) -> Reason | None:
    """Why an entry cannot be said to somebody, for staff to mend; None when it can.

    Args:
        entry: the entry.
        language: of who would read it.
        facts: the placeholders the community fills.
        today: the day in the community's time zone.
    """
    wording = entry.wordings.get(language)
    if wording is None:
        return Reason("utter_staff_knowledge_no_wording", {"lang": language})
    if entry.valid_from is not None and today < entry.valid_from:
        return Reason("utter_staff_knowledge_not_yet", {"day": entry.valid_from})
    if entry.valid_until is not None and entry.valid_until < today:
        return Reason("utter_staff_knowledge_expired", {"day": entry.valid_until})
    missing = wording.placeholders - facts
    if missing:
        return Reason("utter_staff_knowledge_unfilled", {"names": ", ".join(sorted(missing)), "lang": language})
    return None


def tell(session: Session, conversation: Conversation, reader: Reader, entry: Entry) -> Line:
    """The answer as it is said: with what to bring, whom to ask and the law it rests on; or their own cases."""
    if entry.personal is not None and entry.personal in PERSONAL:
        return PERSONAL[entry.personal](session, conversation, now=reader.now)
    return worded(reader, entry)


def tell_own(
    session: Session, conversation: Conversation, shelf: Shelf, reader: Reader, kinds: Sequence[str], *, key: str
) -> None:
    """Say what stands there of their household, and write down that it was shown (N12); to nobody but who is bound.

    Args:
        session: the caller's transaction; the conversation is locked in it.
        conversation: who asks.
        shelf: the process's indexes.
        reader: the same person, as a reader.
        kinds: of `ledger.KINDS`.
        key: saying the same key again does nothing.
    """
    told = ledger.answer(session, conversation, kinds, language=reader.language, now=reader.now)
    line = told or _before_binding(session, conversation, shelf, reader, kinds)
    is_said = conversations.tell(session, conversation, line, key=key, now=reader.now) is not None
    if told and is_said:
        who, now = conversation.resident, reader.now
        member = archive.member_of(session, who)
        archive.log(session, who, "ledger_shown", actor="resident", member=member, now=now, kinds=list(kinds))


def _before_binding(
    session: Session, conversation: Conversation, shelf: Shelf, reader: Reader, kinds: Sequence[str]
) -> Line:
    """How an account is bound, and what is said of such questions in general."""
    book, facts = shelf.book(session, reader.community.id), set(reader.facts)
    meant = [entry for entry in book.entries.values() if entry.personal in kinds]
    fit = (one for one in meant if why_not_offered(one, reader.language, facts=facts, today=reader.today) is None)
    general = "\n".join(worded(reader, entry).text for entry in fit)
    last = conversations.said_last(session, conversation)
    line = texts.say("utter_own_unbound", language=reader.language, unlike=last, general=general)
    return binding.with_contact_key(line, reader.language)


def worded(reader: Reader, entry: Entry) -> Line:
    """The answer as its reader sees it; one that can be offered to them, and is not from their own data."""
    wording, language, facts = entry.wordings[reader.language], reader.language, reader.facts
    lines = [wording.answer]
    if wording.documents:
        listed = BETWEEN[language].join(wording.documents)
        lines.append(texts.words("utter_word_documents", language=language, documents=listed))
    if wording.contact:
        lines.append(texts.words("utter_word_contact", language=language, contact=wording.contact))
    told = "\n".join(lines).format(**facts)
    return Line("\n".join([told, *_source(entry, language)]))


def _source(entry: Entry, language: str) -> list[str]:
    """Common practice needs no source; a law and a rule of the estate can be looked up."""
    name = entry.source.name.get(language) if entry.source else None
    return [texts.words("utter_word_source", language=language, source=name)] if name else []
