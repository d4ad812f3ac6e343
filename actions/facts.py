"""The facts of a matter, gathered turn by turn: only what is missing is asked (N8), nothing said is lost (N3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace

from actions import places
from actions.turns import Turn
from service import categories, texts

DECLINED = "-"  # asked for, and the resident would rather not say
SOON = "asap"  # no time was named
MOST_MATTER = 500  # characters; the whole talk is kept elsewhere
MORE_THAN_A_CORRECTION = 6  # characters beside the corrected fact: something else was said too
FEWEST_DIGITS = 5  # of what may be a telephone number

# Intents that leave the question open and go to their own rule, and how sure the understanding must be.
FOR_OTHERS = {"emergency": 0.0, "cancel": 0.4, "request_human": 0.4, "inquiry": 0.6}
OPENS_ANOTHER = frozenset({"repair", "complaint", "inquiry", "urge"})  # with no more words than that
SMALL_TALK = frozenset({"greet", "thanks", "goodbye", "affirm", "deny"})
SURE_OF_SMALL_TALK = 0.4


@dataclass(frozen=True)
class Facts:
    """What is known so far; `confirmed` is False while the resident wants something changed."""

    matter: str | None = None
    location: str | None = None
    phone: str | None = None
    visit_time: str | None = None
    contact: str | None = None
    confirmed: bool | None = None


def begin(turn: Turn) -> Facts:
    """Take everything the first message and the resident's record tell."""
    matter = None if turn.says_nothing_new else turn.text[:MOST_MATTER]
    facts = _with_entities(Facts(matter=matter), turn)
    surname, home = turn.known("surname"), places.home(turn.known("place"), language=turn.language)
    return replace(
        facts,
        location=facts.location or home,
        phone=facts.phone or turn.known("phone"),
        contact=facts.contact or (called(surname, turn.language) if surname else None),
    )


def answer(facts: Facts, asked: str, turn: Turn, *, kind: str) -> Facts | None:
    """Take what a message says while something is asked.

    Args:
        facts: so far.
        asked: the question it answers, as `question` named it.
        turn: the message.
        kind: repair, complaint or inquiry.

    Returns:
        None when the message is no answer but a matter of its own.
    """
    if _is_for_others(turn, asked, kind):
        return None
    told = _TAKE[asked](facts, _with_entities(facts, turn), turn)
    moved = stated(facts.location) and told.location != facts.location and told.matter == facts.matter
    return _with_more(told, turn) if moved and places.names_address(told.matter or "") else told


def question(facts: Facts, *, kind: str) -> str | None:
    """Name what is to be asked next, or None when everything is there."""
    if not facts.matter:
        return "matter" if facts.location or kind == "inquiry" else "matter_and_place"
    if kind == "inquiry":
        return None
    if not facts.location:
        return "location"
    if kind == "repair" and not facts.phone:
        return "phone" if facts.visit_time else "phone_and_time"
    return {None: "confirmed", False: "change", True: None}[facts.confirmed]


def summary(facts: Facts, *, kind: str, language: str) -> str:
    """Say the five facts back (N7, N8)."""
    department = categories.categorise(facts.matter or "").department
    reached = " ".join(filter(None, (facts.contact, stated(facts.phone))))
    return texts.words(
        f"utter_word_summary_{kind}",
        language=language,
        matter=facts.matter,
        place=stated(facts.location) or texts.words("utter_word_not_said", language=language),
        wanted_at=wanted_at(facts, language),
        contact=reached or texts.words("utter_word_you_here", language=language),
        department=texts.words(f"utter_word_{department}", language=language),
    )


def wanted_at(facts: Facts, language: str) -> str:
    """When the visit suits, in words."""
    named = facts.visit_time and facts.visit_time != SOON
    return str(facts.visit_time) if named else texts.words("utter_word_as_soon_as_possible", language=language)


def stated(fact: str | None) -> str | None:
    """The fact if the resident told it."""
    return None if fact == DECLINED else fact


def called(name: str, language: str) -> str:
    """How a contact is written down: a bare surname gets its honorific."""
    if len(name) > 1 and not name.isascii():
        return name
    dear = texts.words("utter_word_dear", language=language)
    if name.isascii():
        return name
    return texts.words("utter_word_salutation", language=language, surname=name, honorific=dear).strip("，, ")


def from_slots(slots: Mapping[str, object]) -> Facts:
    """Read the facts back from Rasa's slots."""
    return Facts(**{name: slots.get(name) for name in asdict(Facts())})  # type: ignore[arg-type]


def _is_for_others(turn: Turn, asked: str, kind: str) -> bool:
    if turn.tapped:
        return turn.intent not in {"affirm", "deny", "inform", kind}
    if turn.says_nothing_new:
        asks_for_a_person = turn.intent in {"cancel", "request_human"} and not turn.entities
        return asks_for_a_person or (turn.intent in OPENS_ANOTHER - {kind} and not turn.entities)
    if turn.intent == "inquiry" and asked.startswith("matter"):
        return False
    return turn.confidence >= FOR_OTHERS.get(turn.intent, 2.0)


def _with_entities(facts: Facts, turn: Turn) -> Facts:
    """The facts with what the understanding found; it corrects what was said before, at any moment."""
    phones, times, names = (turn.found(label) for label in ("phone", "time", "name"))
    about_visit = facts.matter and facts.matter != turn.text[:MOST_MATTER]
    if not (about_visit or turn.speaks_of_a_visit):
        times = []
    return replace(
        facts,
        location=_location(facts, turn),
        phone=phones[-1] if phones else facts.phone,
        visit_time=" ".join(times) or facts.visit_time,
        contact=called(names[-1], turn.language) if names else facts.contact,
    )


def _location(facts: Facts, turn: Turn) -> str | None:
    said = turn.found("location")
    if not said:
        return facts.location
    if not stated(facts.location):
        found = _locate(" ".join(said), turn)
        return places.with_spot(found, facts.matter, language=turn.language) if found else facts.location
    tells_more = turn.intent in {"repair", "complaint"} and turn.rest
    if tells_more and not any(character.isdigit() for character in "".join(said)):
        return facts.location  # "the bedroom lamp too" is more of the matter, not another address
    return places.correct(str(facts.location), said[-1] if turn.intent == "correct" else " ".join(said), language=turn.language)


def _locate(words: str, turn: Turn) -> str | None:
    home = places.home(turn.known("place"), language=turn.language)
    return places.locate(words, home=home, language=turn.language)


def _is_small_talk(turn: Turn) -> bool:
    return turn.intent in SMALL_TALK and turn.confidence >= SURE_OF_SMALL_TALK and not turn.entities


def _take_matter(_: Facts, told: Facts, turn: Turn) -> Facts:
    if turn.says_nothing_new or _is_small_talk(turn):
        return told
    return replace(told, matter=turn.text[:MOST_MATTER])


def _take_location(facts: Facts, told: Facts, turn: Turn) -> Facts:
    place = told.location
    if turn.tapped or place != facts.location:
        pass
    elif turn.intent == "deny" and _is_small_talk(turn):
        place = DECLINED
    elif not turn.text or _is_small_talk(turn):
        pass
    else:
        place = _locate(turn.text, turn) or turn.text
    if place and place != DECLINED:
        place = places.with_spot(place, told.matter, language=turn.language)
    return replace(told, location=place)


def _take_phone_and_time(facts: Facts, told: Facts, turn: Turn) -> Facts:
    if turn.intent == "deny" and _is_small_talk(turn):
        return replace(told, phone=DECLINED, visit_time=SOON)
    if _is_small_talk(turn) or (turn.tapped and turn.intent != "inform"):
        return told
    phone = told.phone or _digits(turn)
    named = told.visit_time if told.visit_time != facts.visit_time else None
    if not named and turn.rest and turn.rest != phone and not _is_bare_number(turn):
        named = turn.rest if phone else turn.text
    return replace(told, phone=phone, visit_time=named or SOON)


def _take_phone(facts: Facts, told: Facts, turn: Turn) -> Facts:
    says_time = told.visit_time != facts.visit_time and not turn.rest
    if told.phone or turn.tapped or says_time or (_is_small_talk(turn) and turn.intent != "deny"):
        return told
    return replace(told, phone=_digits(turn) or DECLINED)


def _take_verdict(facts: Facts, told: Facts, turn: Turn) -> Facts:
    """Yes, no, a correction, or more about the matter, which is said back again."""
    told = replace(told, confirmed=None)
    if told != replace(facts, confirmed=None):
        return _with_more(told, turn) if len(turn.rest) > MORE_THAN_A_CORRECTION else told
    if turn.intent in {"affirm", "thanks"}:
        return replace(told, confirmed=True)
    if turn.intent == "deny":
        return replace(told, confirmed=False)
    return told if turn.says_nothing_new or _is_small_talk(turn) else _with_more(told, turn)


def _with_more(told: Facts, turn: Turn) -> Facts:
    return replace(told, matter=f"{told.matter}\n{turn.text}"[:MOST_MATTER])


def _digits(turn: Turn) -> str | None:
    digits = "".join(character for character in turn.text if character.isdecimal())
    return digits if len(digits) >= FEWEST_DIGITS else None


def _is_bare_number(turn: Turn) -> bool:
    return not any(character.isalpha() for character in turn.rest)


_TAKE: Mapping[str, Callable[[Facts, Facts, Turn], Facts]] = {
    "matter": _take_matter,
    "matter_and_place": _take_matter,
    "location": _take_location,
    "phone_and_time": _take_phone_and_time,
    "phone": _take_phone,
    "confirmed": _take_verdict,
    "change": _take_verdict,
}
