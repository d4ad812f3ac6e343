"""Where it is: what the resident said, on top of what is known of where they live."""

from __future__ import annotations

from dataclasses import asdict, replace

from actions.turns import any_of
from service import where
from service.where import Where


def locate(text: str, *, home: str | None, language: str) -> str | None:
    """Say where a matter is that was just told of.

    Args:
        text: the resident's words of place.
        home: where they live, when that is known; it completes "in the kitchen" but never another building.
        language: of the answer.

    Returns:
        None when nobody could find the way with it.
    """
    said, lives = where.parse(text), where.parse(home or "")
    if said == Where():
        return f"{home} {text}".strip() if home else None
    if not said.building:
        said = _under(lives, said)
    if not (said.building or said.unit or said.room) and _is_in_every_building(said):
        return None
    return where.display(said, language)


def home(place: str | None, *, language: str) -> str | None:
    """The resident's own door, without the room a former matter was about; None when only a spot is known."""
    lives = where.parse(place or "")
    return where.display(Where(lives.building, lives.unit, lives.room), language) or None


def names_place(text: str) -> bool:
    """Whether anything in it says where."""
    return where.parse(text) != Where()


def is_in_every_building(text: str) -> bool:
    """Whether only a spot is named that every building has."""
    said = where.parse(text)
    return said.place is not None and not (said.building or said.unit or said.room) and _is_in_every_building(said)


def names_address(text: str) -> bool:
    """Whether a building, a unit or a room is named."""
    named = where.parse(text)
    return bool(named.building or named.unit or named.room)


def correct(told: str, text: str, *, language: str) -> str:
    """Change what was told by what is said now: 「不对，是5栋」 keeps the unit and the room.

    Args:
        told: the place so far.
        text: the words that correct it.
        language: of the answer.
    """
    before, now = asdict(where.parse(told)), asdict(where.parse(text))
    changed = Where(**{part: now[part] or before[part] for part in now})
    return (where.display(changed, language) if any(now.values()) else text) or told


def fuller(found: str, text: str, *, language: str) -> str:
    """A place with the building, unit or room that stands beside the words that were recognised of it."""
    known, said = where.parse(found), where.parse(text)
    missing = {
        part: getattr(said, part)
        for part in ("building", "unit", "room")
        if getattr(said, part) and not getattr(known, part)
    }
    return where.display(replace(known, **missing), language) if missing else found


def another_room(told: str | None, room: str, *, language: str) -> str | None:
    """The same address with another room, if it has one."""
    before = where.parse(told or "")
    return where.display(replace(before, room=room), language) if before.room else told


def with_spot(place: str, matter: str | None, *, language: str) -> str:
    """Add the room that the matter names to an address without one."""
    address, spot = where.parse(place), where.parse(matter or "").place
    if address.place or not address.building or not spot:
        return where.display(address, language) or place
    return where.display(Where(address.building, address.unit, address.room, spot), language)


def _under(lives: Where, said: Where) -> Where:
    """Fill what stands above the first part that was said: a unit lies in the building where the resident lives."""
    if said.unit:
        return Where(lives.building, said.unit, said.room, said.place)
    if said.room:
        return Where(lives.building, lives.unit, said.room, said.place)
    if _is_in_every_building(said):
        return Where(lives.building, lives.unit, lives.room, said.place)
    return said


def _is_in_every_building(said: Where) -> bool:
    """Whether the spots alone lead nowhere."""
    left = any_of("in_every_building").sub("", where.display(Where(place=said.place), "en").lower())
    return not any(character.isalpha() for character in left)
