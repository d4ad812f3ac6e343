"""The facts of a matter, gathered turn by turn: only what is missing is asked (N8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from actions import places, times
from actions.turns import Turn
from service import categories, texts
from service.when import When

DECLINED = "-"  # asked for, and the resident would rather not say
SOON = "asap"  # no time was named
AGAIN = {"phone": "phone_again", "place": "place_again"}  # asked once more, with what makes no sense of it
MOST_MATTER = 500  # characters; the whole talk is kept elsewhere


@dataclass(frozen=True)
class Facts:
    """What is known so far; `confirmed` is False while the resident wants something changed."""

    matter: str | None = None
    location: str | None = None
    phone: str | None = None
    visit_time: str | None = None  # in the resident's words
    contact: str | None = None
    visit_from: str | None = None  # what visit_time means, in ISO 8601; none when that is unclear
    visit_until: str | None = None
    already: str | None = None  # what is known of it (actions/already.py); DECLINED: theirs is another thing
    doubt: str | None = None  # phone or place (actions/doubts.py): what was said of it makes no sense, and is read back
    doubted: str | None = None  # … in their words; stays, so that it is asked once
    confirmed: bool | None = None

    @property
    def visit(self) -> When | None:
        """When a visit suits, if the words are clear."""
        return times.from_slots(self.visit_from, self.visit_until)


def begin(turn: Turn) -> Facts:
    """Take everything the first message and the resident's record tell."""
    matter = None if turn.says_nothing_new else turn.matter[:MOST_MATTER]
    facts = with_entities(Facts(matter=matter), turn)
    if matter and turn.found("location") and not facts.location:
        facts = replace(facts, matter=turn.text[:MOST_MATTER])  # 「厨房」, of a home that is not known yet, stays in it
    surname, home = turn.known("surname"), places.home(turn.known("place"), language=turn.language)
    own_name = called(surname, turn.language, honorific=turn.known("honorific")) if surname else None
    return replace(
        facts,
        location=facts.location or home,
        phone=facts.phone or turn.known("phone"),
        contact=facts.contact or own_name,
        visit_time=facts.visit_time or turn.known("visit_time"),
        visit_from=facts.visit_from if facts.visit_time else turn.known("visit_from"),
        visit_until=facts.visit_until if facts.visit_time else turn.known("visit_until"),
    )


def question(facts: Facts, *, kind: str, now: datetime) -> str | None:
    """Name what is to be asked next, or None when everything is there.

    Args:
        facts: so far.
        kind: repair, complaint or inquiry.
        now: aware; a visit that was wanted before it is asked about again.
    """
    if facts.already and facts.already != DECLINED:
        return "same_thing" if facts.already.startswith("case:") and not facts.confirmed else None
    if not facts.matter:
        return "matter" if facts.location or kind == "inquiry" else "matter_and_place"
    if kind == "inquiry":
        return None
    return AGAIN[facts.doubt] if facts.doubt else _missing(facts, kind=kind, now=now)


def _missing(facts: Facts, *, kind: str, now: datetime) -> str | None:
    if not facts.location and _has_place(facts, kind):
        return "location"
    if kind == "repair" and facts.visit and facts.visit.is_over(now):
        return "another_time"
    if kind == "repair" and not facts.phone:
        return "phone" if facts.visit_time else "phone_and_time"
    return {None: "confirmed", False: "change", True: None}[facts.confirmed]


def _has_place(facts: Facts, kind: str) -> bool:
    """Whether it lies anywhere: what somebody was charged does not."""
    return kind == "repair" or categories.categorise(facts.matter or "").has_place


def from_slots(slots: Mapping[str, object]) -> Facts:
    """Read the facts back from Rasa's slots."""
    return Facts(**{name: slots.get(name) for name in asdict(Facts())})  # type: ignore[arg-type]


def stated(fact: str | None) -> str | None:
    """The fact if the resident told it."""
    return None if fact == DECLINED else fact


def called(name: str, language: str, *, honorific: str | None = None) -> str:
    """How a contact is written down: a bare surname gets its honorific."""
    if len(name) > 1 and not honorific:
        return name
    dear = honorific or texts.words("utter_word_dear", language=language)
    return texts.words("utter_word_salutation", language=language, surname=name, honorific=dear).strip("，, ")


def with_entities(facts: Facts, turn: Turn) -> Facts:
    """The facts with what the understanding found; it corrects what was said before, at any moment."""
    phones, contact = turn.found("phone") or turn.shared_phone, turn.contact
    about_visit = bool(facts.matter and facts.matter != turn.matter[:MOST_MATTER])
    visit = " ".join(times.of_a_visit(turn, is_asked=about_visit))
    return replace(
        facts if not visit else to_come(facts, visit, turn),
        location=_location(facts, turn),
        phone=phones[-1] if phones else facts.phone,
        contact=called(contact, turn.language) if contact else facts.contact,
    )


def to_come(facts: Facts, words: str, turn: Turn) -> Facts:
    """The facts with when a visit suits, by the words of this turn."""
    meant = times.meaning(words, turn, before=facts.visit)
    begins, ends = (meant.begins, meant.ends) if meant else (None, None)
    return replace(facts, visit_time=words, visit_from=times.to_slot(begins), visit_until=times.to_slot(ends))


def _location(facts: Facts, turn: Turn) -> str | None:
    said = turn.found("location")
    if not said:
        return facts.location
    if not stated(facts.location):
        found = locate(" ".join(said), turn)
        return places.with_spot(found, facts.matter, language=turn.language) if found else facts.location
    tells_more = turn.intent in {"repair", "complaint"} and turn.rest
    if tells_more and not any(character.isdigit() for character in "".join(said)):
        return facts.location  # "the bedroom lamp too" is more of the matter, not another address
    words = said[-1] if turn.intent == "correct" else " ".join(said)
    return places.correct(str(facts.location), words, language=turn.language)


def locate(words: str, turn: Turn) -> str | None:
    """Where the words of place lead, on top of where the resident lives."""
    home = places.home(turn.known("place"), language=turn.language)
    return places.locate(words, home=home, language=turn.language)
