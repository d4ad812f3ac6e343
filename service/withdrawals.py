"""A resident takes a matter back (W3): the case they mean is named, they say yes once, and nobody comes any more.

The question stands by itself: who taps or writes yes answers it, whatever else the dialogue was about.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from pathlib import Path

import yaml
from sqlalchemy.orm import Session

from service import (
    callbacks,
    case_meant,
    cases,
    categories,
    conversations,
    keyboards,
    likeness,
    outbox,
    surveys,
    texts,
    visit_offers,
    work_orders,
)
from service.cases import AT_WORK, Event
from service.errors import ButtonExpired, CaseIsOver
from service.models.cases import Case, CaseState
from service.models.queues import OutboxRow
from service.models.talks import Conversation
from service.texts import Button, Line

WORDS = Path(__file__).with_suffix(".yml")
KIND = "withdrawal"  # of the line that asks; its row names the case, unless it asks which one
MOST = 3  # cases to choose from
REASON = "the resident withdrew the case"  # of what is not asked any more
UNDER_WAY = (CaseState.ON_THE_WAY, CaseState.ON_SITE)
HAN_PAIR = re.compile(r"[\u4e00-\u9fff]{2}")
MARKS = " ,.!~，。！～"


def call_off(session: Session, conversation: Conversation, words: str, *, key: str, now: datetime) -> bool:
    """Do what a resident wants who calls something off: ask about the case they mean, or take it for their yes.

    Args:
        session: the caller's transaction; the conversation is locked in it.
        conversation: who wrote.
        words: the whole message.
        key: the turn.
        now: the moment, aware UTC.

    Returns:
        False when nothing of theirs is at work and they name nothing either.

    Raises:
        CaseNotFound: the number is nobody's, or not theirs.
        CaseIsOver: it is done or taken back already.
    """
    if _is_told(session, key):
        return True
    found, asked, kept = _meant(session, conversation, words), _case_in_question(session, conversation), keeps(words)
    if asked is not None and (kept or asked in found):
        (_keep if kept else _withdraw)(session, asked, key=key, now=now)
        return True
    if not found or kept:
        return False
    _ask(session, conversation, found, key=key, now=now)
    return True


def means_a_case(session: Session, conversation: Conversation, words: str, *, beside: str) -> bool:
    """Whether words that call something off mean a case, and not what is just being taken down.

    Args:
        session: the caller's transaction; the conversation is locked in it.
        conversation: who wrote.
        words: a case number stands in them, whosever it is, or what a case at work is about.
        beside: what is being taken down.
    """
    if cases.NUMBER.search(words):
        return True
    about = categories.deciding_words(words) - categories.deciding_words(beside)
    named = likeness.bigrams(_any("calls_off").sub(" ", words.lower())) - likeness.bigrams(beside)
    spoken = {pair for pair in named if HAN_PAIR.fullmatch(pair)}
    return any(
        about & categories.deciding_words(case.matter) or len(spoken & likeness.bigrams(case.matter)) > 1
        for case in case_meant.at_work(session, conversation)
    )


def keeps(words: str) -> bool:
    """Whether the words say that nothing is to be called off: 「先别取消」."""
    return bool(_any("keeps").search(words.lower()))


def calls_off(words: str) -> bool:
    """Whether the words say so plainly, whatever was asked of the resident."""
    return bool(_any("calls_off").search(words.lower())) and not keeps(words)


def settle(session: Session, conversation: Conversation, *, is_yes: bool, key: str, now: datetime) -> bool:
    """Take a yes or a no in words to what was asked last; False when that was something else.

    Args:
        session: the caller's transaction; the conversation is locked in it.
        conversation: who wrote.
        is_yes: what they said.
        key: the turn; the same one again does nothing.
        now: the moment, aware UTC.
    """
    if _is_told(session, key):
        return True
    case = _case_in_question(session, conversation)
    if case is None:
        return False
    (_withdraw if is_yes else _keep)(session, case, key=key, now=now)
    return True


def take_words(session: Session, conversation: Conversation, words: str, *, key: str, now: datetime) -> bool:
    """Take words that say which of the offered cases is meant, or a plain yes or no; False when they say neither.

    Args:
        session: the caller's transaction; the conversation is locked in it.
        conversation: who wrote.
        words: the whole message.
        key: the turn.
        now: the moment, aware UTC.
    """
    asked = question(session, conversation)
    if asked is None or asked.case_id is not None:
        is_yes = _any("agrees").search(words.lower().strip(MARKS)) is not None
        return (is_yes or keeps(words)) and settle(session, conversation, is_yes=is_yes, key=key, now=now)
    if calls_off(words):
        return False  # the dialogue hears that, and what else they say
    found = case_meant.fitting(case_meant.at_work(session, conversation), words)
    if len(found) != 1:
        return False
    _ask(session, conversation, found, key=key, now=now)
    return True


def answer(session: Session, conversation: Conversation, case_id: int, word: str, *, key: str, now: datetime) -> None:
    """A resident taps: which case it is, that it is to be taken back, or that it is not.

    Args:
        session: the caller's transaction; the conversation is locked in it.
        conversation: the one who taps.
        case_id: as the button said.
        word: which, yes or no, and how often the case had been finished when it was asked.
        key: the update; the same one again does nothing.
        now: the moment, aware UTC.

    Raises:
        CaseNotFound: no such case, or not theirs.
        CaseIsOver: it is done or taken back already.
        ButtonExpired: the case was reopened since, or the word is none of ours.
    """
    verdict, _, resolution = word.partition("_")
    if verdict not in _TAPS:
        raise ButtonExpired
    case = cases.access_case(session, conversation, case_id)
    if _is_told(session, key):
        return
    _check(case)
    if resolution != str(case.resolution):
        raise ButtonExpired
    _TAPS[verdict](session, case, key=key, now=now)


def question(session: Session, conversation: Conversation) -> OutboxRow | None:
    """The question that words of the resident's answer now: since it was asked nothing was said but what went with it.

    Somebody who is on the way meanwhile makes a 「好的」 mean something else.
    """
    lines = conversations.newest_lines(session, conversation)
    ours = next((place for place, line in enumerate(lines) if line.author != "resident"), len(lines))
    for author, sent in lines[ours:] if ours else ():
        row: OutboxRow | None = sent
        if author != "bot" or row is None or row.kind not in (KIND, conversations.REPLY):
            return None
        if row.kind == KIND:
            return row
    return None


def ask_again(session: Session, conversation: Conversation, asked: OutboxRow, *, key: str, now: datetime) -> None:
    """Put the question once more, because what came in between was no answer and had one of its own.

    Args:
        session: the caller's transaction; the conversation is locked in it.
        conversation: who was asked.
        asked: the line that asked.
        key: the turn.
        now: the moment, aware UTC.
    """
    possible = case_meant.at_work(session, conversation)
    meant = [case for case in possible if asked.case_id in (None, case.id)]
    if meant:
        _ask(session, conversation, meant, key=f"{key}:again", now=now)


def _is_told(session: Session, key: str) -> bool:
    """Whether this very turn has been answered before."""
    return outbox.find(session, key=f"{key}:{KIND}") is not None


def _case_in_question(session: Session, conversation: Conversation) -> Case | None:
    """The case that the resident was asked about last, locked, if it is still at work."""
    asked = question(session, conversation)
    if asked is None or asked.case_id is None:
        return None
    case = cases.access_case(session, conversation, asked.case_id)
    return case if case.state in AT_WORK else None


def _meant(session: Session, conversation: Conversation, words: str) -> Sequence[Case]:
    """The cases at work that the words may mean.

    Raises:
        CaseNotFound: the number is nobody's, or not theirs.
        CaseIsOver: the one that they mean is done or taken back already.
    """
    named = cases.named(session, conversation, words)
    if named is not None:
        _check(named)
        return [named]
    found = case_meant.at_work(session, conversation)
    last = None if found else next(iter(cases.of_resident(session, conversation, limit=1)), None)
    if last is not None and last.kind in case_meant.kinds(words):
        _check(last)
    return case_meant.fitting(found, words)


def _check(case: Case) -> None:
    if case.state not in AT_WORK:
        state = texts.words(f"utter_word_{case.state}", language=case.resident.language)
        raise CaseIsOver(number=case.number, matter=case.title, state=state)


def _ask(session: Session, conversation: Conversation, found: Sequence[Case], *, key: str, now: datetime) -> None:
    """Name the one case and ask for the yes, or ask which of several is meant."""
    if len(found) == 1:
        _ask_about(session, found[0], key=key, now=now)
        return
    language, said = conversation.resident.language, conversations.said_last(session, conversation)
    line = texts.say("utter_withdraw_which", language=language, seed=key, unlike=said)
    keys = tuple(_key(case, language) for case in found[:MOST])
    conversations.tell(session, conversation, replace(line, buttons=keys), key=f"{key}:{KIND}", kind=KIND, now=now)


def _ask_about(session: Session, case: Case, *, key: str, now: datetime) -> None:
    said = conversations.said_last(session, case.conversation)
    line = cases.say(case, "utter_withdraw_ask", seed=key, unlike=said, case_id=case.id, resolution=case.resolution)
    conversations.tell(session, case.conversation, line, key=f"{key}:{KIND}", kind=KIND, case_id=case.id, now=now)


def _key(case: Case, language: str) -> Button:
    title = texts.words("utter_word_key_case", language=language, number=case.number, matter=case.matter[:20])
    return Button(title, f"wd:{case.id}:which_{case.resolution}")


def _withdraw(session: Session, case: Case, *, key: str, now: datetime) -> None:
    """The case is off: its place is free, its clocks stop, its department reads it, and nobody asks after it later."""
    phrase = "utter_staff_withdrawn_under_way" if case.state in UNDER_WAY else "utter_staff_withdrawn"
    if not cases.advance(session, case, Event.WITHDRAWN, actor="resident", key=key, now=now):
        return
    callbacks.cancel(session, case, reason=REASON)
    surveys.withdraw(session, case, reason=REASON)
    visit_offers.put_away(session, case)
    _put_question_away(session, case)
    if case.conversation.awaiting_case_id == case.id:
        case.conversation.awaiting_case_id = None
    work_orders.note(session, case, phrase, key=f"case:{case.id}:{key}:withdrawn")
    department = texts.words(f"utter_word_{case.department.key}", language=case.resident.language)
    goes_on = (case.conversation.keyboard_turn or 0) > 0  # the dialogue asks something else meanwhile: no farewell yet
    said = "utter_withdrawn_meanwhile" if goes_on else "utter_withdrawn"
    _tell(session, case, cases.say(case, said, department=department), key=key, now=now)


def _keep(session: Session, case: Case, *, key: str, now: datetime) -> None:
    _put_question_away(session, case)
    _tell(session, case, cases.say(case, "utter_withdraw_not"), key=key, now=now)


def _put_question_away(session: Session, case: Case) -> None:
    keyboards.put_away(session, case.conversation, f"wd:{case.id}:")


def _tell(session: Session, case: Case, line: Line, *, key: str, now: datetime) -> None:
    conversations.tell(session, case.conversation, line, now=now, key=f"{key}:{KIND}")


_TAPS: Mapping[str, Callable[..., None]] = {"which": _ask_about, "yes": _withdraw, "no": _keep}


@cache
def _any(group: str) -> re.Pattern[str]:
    """Any word of a group of the table; Latin words match whole, and a pattern may say what must not stand before."""
    return re.compile("|".join(rf"\b(?:{word})\b" if word.isascii() else word for word in _table()[group]))


@cache
def _table() -> Mapping[str, list[str]]:
    table: Mapping[str, list[str]] = yaml.safe_load(WORDS.read_text("utf-8"))
    return table
