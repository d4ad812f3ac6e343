"""Builders for the household archive."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from service.models.archive import Building, Household, Member, MemberRole
from tests.stage import Stage


def household(stage: Stage, address: str = "3-2-1201") -> Household:
    """A door, by building-unit-room."""
    building, unit, room = address.split("-")
    known = select(Building).where(Building.community_id == stage.community.id, Building.name == building)
    block = stage.session.scalars(known).one_or_none() or Building(community_id=stage.community.id, name=building)
    stage.session.add(block)
    stage.session.flush()
    same = select(Household).where(Household.building_id == block.id, Household.unit == unit, Household.room == room)
    door = stage.session.scalars(same).one_or_none() or Household(
        community_id=stage.community.id, building_id=block.id, building=block, unit=unit, room=room
    )
    stage.session.add(door)
    stage.session.flush()
    return door


def member(stage: Stage, name: str = "王芳", *, address: str = "3-2-1201", **facts: Any) -> Member:
    """Somebody who lives behind that door."""
    door = household(stage, address)
    told = {"surname": name[0], "role": MemberRole.OWNER, "phone": None} | facts
    person = Member(community_id=stage.community.id, household_id=door.id, household=door, name=name, **told)
    stage.session.add(person)
    stage.session.flush()
    return person
