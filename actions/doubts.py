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
    building = no_building(turn.text)
    if building is not None and building != before.doubted:
        return replace(told, location=before.location, doubt=PLACE, doubted=building, confirmed=None)
    number = _number(before, told, turn, asked=asked)
    if number is None or phones.may_be_rung(number):
        return told
    if number == before.doubted:
        return replace(told, phone=number)
    return replace(told, phone=before.phone, doubt=PHONE, doubted=number, confirmed=None)


def _number(before: Facts, told: Facts, turn: Turn, *, asked: str | None) -> str | None:
    """The number that is new, also when it is too short to have been taken for one."""
    if told.phone != before.phone:
        return None if told.phone == DECLINED else told.phone
    if asked not in ASKS_FOR_A_NUMBER or turn.keeps_number:
        return None
    digits = "".join(character for character in turn.rest if character.isdecimal())
    return digits if len(digits) >= FEWEST and not any(map(str.isalpha, turn.rest)) else None
