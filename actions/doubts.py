"""A number nobody can ring, a building nobody has: read back once with what is wrong, before it becomes a fact."""

from __future__ import annotations

from dataclasses import replace

from actions.facts import DECLINED, Facts
from actions.turns import Turn, no_building
from service import phones

PHONE, PLACE = "phone", "place"
ASKS_FOR_A_NUMBER = frozenset({"phone", "phone_and_time", "phone_again"})
FEWEST = 3  # digits that were meant as a number at all


def raised(before: Facts, told: Facts, turn: Turn, *, asked: str | None) -> Facts:
    """The facts without what makes no sense; said a second time, or with a yes, it holds.

    Args:
        before: this message; empty when it opens a form.
        told: with what was read in it.
        turn: the message.
        asked: the question it answers, if any.
    """
    if turn.tapped:
        return told
    building, number = no_building(turn.text), _number(before, told, turn, asked=asked)
    is_odd = number is not None and number != before.doubted and not phones.may_be_rung(number)
    if is_odd:
        told = replace(told, phone=before.phone)
    if building is not None and not _is_the_same(building, before.doubted or ""):
        return replace(told, location=before.location, doubt=PLACE, doubted=building, confirmed=None)
    if is_odd:
        return replace(told, doubt=PHONE, doubted=number, confirmed=None)
    return replace(told, phone=number) if number is not None and number == before.doubted else told


def _is_the_same(building: str, doubted: str) -> bool:
    """Whether it was read back already; the second time it may be told with its room, or without."""
    return bool(doubted) and (building.startswith(doubted) or doubted.startswith(building))


def _number(before: Facts, told: Facts, turn: Turn, *, asked: str | None) -> str | None:
    """The number that is new, also when it is too short to have been taken for one."""
    if told.phone != before.phone:
        return None if told.phone == DECLINED else told.phone
    if asked not in ASKS_FOR_A_NUMBER or turn.keeps_number:
        return None
    digits = "".join(character for character in turn.rest if character.isdecimal())
    return digits if len(digits) >= FEWEST and not any(map(str.isalpha, turn.rest)) else None
