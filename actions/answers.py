"""What a message answers while something is asked: nothing that was said is lost to a wrong guess (N3)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from actions import places, times
from actions.facts import DECLINED, MOST_MATTER, SOON, Facts, locate, stated, to_come, with_entities
from actions.turns import MARKS, Entity, Turn, any_of
from service import amendments

A_WORD = 3  # Chinese characters of a clause of its own beside a place
MORE_THAN_A_WORD = 6  # Chinese characters beside a yes, a no or a corrected fact: something else was said too
LETTERS = 3  # Latin letters weigh as much as one Chinese character
SURE_OF_A_VERDICT = 0.9  # below it, any word beside the yes counts
ROOM = re.compile(r"(?!1(?:10|19|20|22)$)\d{3,4}")  # alone, when everything is said back: "no sorry, 603"; 110 is none
ASKS_FOR_A_TIME = frozenset({"phone_and_time", "phone", "another_time"})
ASKS_FOR_A_FACT = ASKS_FOR_A_TIME | {"location"}
FOR_PEOPLE = frozenset({"emergency", "request_human"})
SAID_BACK = frozenset({"confirmed", "change"})
FEWEST_DIGITS, MOST_DIGITS = 5, 15  # of what may be a telephone number

# Intents that leave the question open and go to their own rule, and how sure the understanding must be.
FOR_OTHERS = {"emergency": 0.0, "cancel": 0.4, "request_human": 0.4, "inquiry": 0.6, "nlu_fallback": 1.0}
OPENS_ANOTHER = frozenset({"repair", "complaint", "inquiry", "urge", "request_human"})  # with no more words than that
ANSWERS = frozenset({"inform", "correct", "affirm", "deny"})
SMALL_TALK = frozenset({"greet", "thanks", "goodbye", "affirm", "deny"})
VERDICTS = {"affirm": True, "thanks": True, "deny": False}  # "thank you" to what was said back means yes
SURE_OF_SMALL_TALK = 0.4
SURE_OF_NO_PLACE = 0.5  # nor time
TROUBLES = ("repair", "complaint")
ABOUT_THE_SAME = frozenset({"urge", "reopen", "repair", "complaint"})  # said of a case that is shown


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
    if turn.intent == "share_phone":
        told = with_entities(facts, turn)
        return replace(told, doubt=None, confirmed=None)  # a number, and no answer to anything else
    if turn.asks_what_is_meant and turn.was is None:
        return facts  # and the question is put in other words
    if kind == "repair":
        turn = _with_bare_time(turn, asked)
    if not _is_other_matter(facts, turn, asked) and _is_for_others(turn, asked, kind):
        return None
    if turn.was is not None and facts.matter:
        return _reworded(facts, facts.matter, turn)
    take = _take_other_matter if _is_other_matter(facts, turn, asked) else _TAKE[asked]
    told = _with_the_right_words(take(facts, with_entities(facts, turn), turn), turn)
    if not (stated(facts.location) and told.location != facts.location):
        return told
    if not turn.instead:  # 「3楼302」, of which only the floor was recognised
        told = replace(told, location=places.fuller(str(told.location), turn.text, language=turn.language))
    was_in_the_matter = told.matter == facts.matter and places.names_address(told.matter or "")
    return _with_more(told, turn) if was_in_the_matter else told


def is_taken_up_again(facts: Facts, turn: Turn) -> bool:
    """Whether they want, with hardly a word more, what they have called off: 「还是报一下吧」."""
    was_called_off = facts.matter is not None and facts.confirmed is False
    wants_it = not turn.tapped and any_of("after_all").search(turn.text.lower()) is not None
    return was_called_off and wants_it and _weight(turn.rest) <= MORE_THAN_A_WORD


def _with_bare_time(turn: Turn, asked: str) -> Turn:
    """A message that is nothing but a time is one where a time is asked for, whatever it was taken for."""
    is_asked = asked in ASKS_FOR_A_TIME or (asked in SAID_BACK and turn.intent == "greet")
    words = times.whole(turn) if is_asked and not turn.found("time") else ""
    if not words:
        return turn
    return replace(turn, intent="inform", entities=(*turn.entities, Entity("time", words, 0, len(words))))


def _with_the_right_words(told: Facts, turn: Turn) -> Facts:
    """「不是厨房，是卫生间」: the matter speaks of the right room too."""
    matter = told.matter
    for was, now in turn.instead if matter else ():
        matter = str(matter).replace(was, now)
    return replace(told, matter=matter)


def _reworded(facts: Facts, matter: str, turn: Turn) -> Facts:
    """An edited line answers nothing: what it told is replaced, and said back again."""
    now = amendments.reworded(matter, str(turn.was), turn.matter)[:MOST_MATTER]
    return replace(with_entities(facts, turn), matter=now, confirmed=None)


def _is_other_matter(facts: Facts, turn: Turn, asked: str) -> bool:
    """Whether it is the matter after all that they put right, "no wait, the heater", and not what was asked."""
    if not facts.matter or asked not in ASKS_FOR_A_FACT or not turn.changes_their_mind or turn.intent in FOR_PEOPLE:
        return False
    is_found = turn.found("phone") or turn.found("time") or places.names_place(turn.text)
    says_a_fact = is_found or turn.keeps_number or turn.speaks_of_a_visit
    return bool(_weight(turn.rest) >= 1 and not says_a_fact and _digits(turn) is None)


def _take_other_matter(facts: Facts, _: Facts, turn: Turn) -> Facts:
    return _with_more(facts, turn)


def _is_for_others(turn: Turn, asked: str, kind: str) -> bool:
    if asked == "same_thing" and turn.intent in ABOUT_THE_SAME:
        return False
    if turn.tapped:
        return turn.intent not in {"affirm", "deny", "inform", kind}
    if turn.is_part:
        return turn.intent not in ANSWERS | {"repair", "complaint", kind}
    if turn.says_nothing_new:
        return turn.intent in OPENS_ANOTHER - {kind} and not turn.entities
    if turn.intent == "inquiry" and (asked.startswith("matter") or turn.speaks_of_a_visit):
        return False
    is_misheard = turn.keeps_number and turn.intent in {"cancel", "request_human"}
    return not is_misheard and turn.confidence >= FOR_OTHERS.get(turn.intent, 2.0)


def _is_small_talk(turn: Turn) -> bool:
    sure = turn.intent in SMALL_TALK and turn.confidence >= SURE_OF_SMALL_TALK
    return sure and not turn.entities and not _digits(turn)


def _take_matter(_: Facts, told: Facts, turn: Turn) -> Facts:
    if turn.says_nothing_new or _is_small_talk(turn):
        return told
    return replace(told, matter=turn.matter[:MOST_MATTER])


def _take_location(facts: Facts, told: Facts, turn: Turn) -> Facts:
    place = told.location
    if turn.tapped or turn.instead:
        pass
    elif place and place != facts.location:
        return _take_place_and_more(told, turn)
    elif turn.intent == "deny" and _is_small_talk(turn):
        place = DECLINED
    elif not (turn.rest or turn.found("location")) or _is_small_talk(turn):
        pass  # 「就我家」, and nobody knows where that is
    elif _is_no_place(turn) and turn.text not in str(told.matter):
        return _with_more(told, turn) if turn.intent in TROUBLES else told
    elif places.is_in_every_building(turn.text):
        return _with_more(told, turn)  # 「厨房」, and nobody knows of which home: it is asked again
    else:
        place = locate(turn.text, turn) or turn.text
    if place and place != DECLINED:
        place = places.with_spot(place, told.matter, language=turn.language)
    return replace(told, location=place)


def _take_place_and_more(told: Facts, turn: Turn) -> Facts:
    """「电梯又坏了按了半天，7栋2单元」 tells more than where."""
    said = [(clause.text, clause.of(turn)) for clause in turn.clauses]
    more = "".join(text for text, clause in said if not (clause.found("location") or clause.says_only_facts))
    if _weight(more) > A_WORD:
        told = _add(told, more.strip(MARKS))
    place = places.fuller(str(told.location), turn.text, language=turn.language)
    return replace(told, location=places.with_spot(place, told.matter, language=turn.language))


def _is_no_place(turn: Turn) -> bool:
    """Whether it plainly says what is wrong, or nothing at all, instead of where: a number, a link, 「人呢」."""
    if turn.found("location") or places.names_place(turn.text):
        return False
    is_plain = turn.intent in (*TROUBLES, "out_of_scope") and turn.confidence >= SURE_OF_NO_PLACE
    return is_plain or bool(turn.found("phone") or any_of("nowhere").search(turn.text.lower()))


def _take_phone_and_time(facts: Facts, told: Facts, turn: Turn) -> Facts:
    if turn.intent == "deny" and _is_small_talk(turn):
        return to_come(replace(told, phone=DECLINED), SOON, turn)
    if _is_small_talk(turn) or (turn.tapped and turn.intent != "inform"):
        return told
    if told.location != facts.location and not (turn.rest or told.phone or turn.found("time")):
        return told  # another place, and neither of what was asked
    told = replace(told, phone=told.phone or _number(turn))
    return to_come(told, SOON, turn) if turn.keeps_number and not turn.found("time") else _take_time(facts, told, turn)


def _take_another_time(facts: Facts, told: Facts, turn: Turn) -> Facts:
    """A time for one that was over; it is said back before anything is registered."""
    if turn.intent == "deny" and _is_small_talk(turn):
        return replace(to_come(told, SOON, turn), confirmed=None)
    if turn.found("time") or _is_small_talk(turn):
        return replace(told, confirmed=None)
    return replace(_take_time(facts, told, turn), confirmed=None)


def _take_time(facts: Facts, told: Facts, turn: Turn) -> Facts:
    """The time that was recognised, or whatever else was said, or as soon as possible."""
    if told.visit_time and told.visit_time != facts.visit_time:
        return told
    if turn.intent in TROUBLES and turn.confidence >= SURE_OF_NO_PLACE and not turn.speaks_of_a_visit:
        return _with_more(told, turn)
    if turn.intent == "urge":
        return to_come(told, SOON, turn)  # "i'm at work, hurry"
    says_more = turn.rest and turn.rest != told.phone and not _is_bare_number(turn)
    return to_come(told, turn.unrecognised if says_more else SOON, turn)


def _take_phone(facts: Facts, told: Facts, turn: Turn) -> Facts:
    says_time = told.visit_time != facts.visit_time and not turn.rest
    if told.phone or turn.tapped or says_time or (_is_small_talk(turn) and turn.intent != "deny"):
        return told
    if told.location != facts.location and not turn.rest:
        return told
    is_mistyped = any(map(str.isdecimal, turn.unrecognised)) and _digits(turn) is None and not turn.keeps_number
    return told if is_mistyped else replace(told, phone=_digits(turn) or DECLINED)


def _take_phone_again(facts: Facts, told: Facts, turn: Turn) -> Facts:
    """The number that was read back is right, or wrong, or there is another one, or none."""
    told = replace(told, doubt=None)
    if turn.keeps_number:
        return replace(told, phone=DECLINED)
    if _is_small_talk(turn):
        return replace(told, phone=facts.doubted) if turn.intent == "affirm" else told
    return _take_phone(facts, told, turn)


def _take_place_again(facts: Facts, told: Facts, turn: Turn) -> Facts:
    told = replace(told, doubt=None)
    if _is_small_talk(turn):
        return replace(told, location=facts.doubted) if turn.intent == "affirm" else told
    return _take_location(facts, told, turn)


def _number(turn: Turn) -> str | None:
    return _digits(turn) or (DECLINED if turn.keeps_number else None)


def _take_verdict(facts: Facts, told: Facts, turn: Turn) -> Facts:
    """Yes, no, a correction, or more about the matter, which is said back again."""
    if told == facts and ROOM.fullmatch(turn.rest):
        told = replace(told, location=places.another_room(told.location, turn.rest, language=turn.language))
    says_more = _weight(turn.rest) > MORE_THAN_A_WORD
    if told == facts and turn.rest and _is_bare_number(turn):
        return replace(told, phone=_digits(turn) or told.phone, confirmed=None)
    if told == facts and turn.keeps_number:
        return replace(told, phone=DECLINED, confirmed=None)
    if told != facts:
        return _with_more(told, turn) if says_more else replace(told, confirmed=None)
    says_more = says_more or bool(turn.rest and turn.confidence < SURE_OF_A_VERDICT)
    if turn.intent in VERDICTS and not says_more:
        return replace(told, confirmed=VERDICTS[turn.intent])
    if turn.rest and turn.says_only_facts and turn.speaks_of_a_visit:
        return to_come(replace(told, confirmed=None), turn.text, turn)
    return told if turn.says_nothing_new or (_is_small_talk(turn) and not says_more) else _with_more(told, turn)


def _take_same_thing(facts: Facts, told: Facts, turn: Turn) -> Facts:
    """It is the same, or another thing; who says more says it of the case that was shown, unless it is elsewhere."""
    if turn.intent == "deny" or any_of("another").search(turn.text.lower()):
        return replace(told, already=DECLINED)
    if told.location != facts.location:
        return replace(told, already=None)
    if turn.says_nothing_new or _is_small_talk(turn) or turn.intent == "urge":
        return replace(told, confirmed=True)
    return replace(told, matter=turn.text[:MOST_MATTER], confirmed=True)


def _with_more(told: Facts, turn: Turn) -> Facts:
    return _add(told, turn.text)


def _add(told: Facts, words: str) -> Facts:
    return replace(told, matter=f"{told.matter}\n{words}"[:MOST_MATTER], confirmed=None)


def _weight(words: str) -> float:
    letters = [character for character in words if character.isalpha()]
    return sum(1 / LETTERS if letter.isascii() else 1 for letter in letters)


def _digits(turn: Turn) -> str | None:
    """What may be a telephone number: an address or an hour, which is recognised, has digits too."""
    digits = "".join(character for character in turn.unrecognised if character.isdecimal())
    return digits if FEWEST_DIGITS <= len(digits) <= MOST_DIGITS else None


def _is_bare_number(turn: Turn) -> bool:
    return not any(character.isalpha() for character in turn.rest)


_TAKE: Mapping[str, Callable[[Facts, Facts, Turn], Facts]] = {
    "matter": _take_matter,
    "matter_and_place": _take_matter,
    "location": _take_location,
    "phone_and_time": _take_phone_and_time,
    "phone": _take_phone,
    "phone_again": _take_phone_again,
    "place_again": _take_place_again,
    "another_time": _take_another_time,
    "confirmed": _take_verdict,
    "change": _take_verdict,
    "same_thing": _take_same_thing,
}
