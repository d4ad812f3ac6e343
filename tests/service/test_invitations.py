"""Invitations: keys on paper."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from service import invitations
from service.models.archive import Invitation
from tests.households import household
from tests.stage import NOON


def test_a_token_fits_into_a_link_and_is_kept_nowhere(stage):
    """Telegram allows 64 characters of A-Z a-z 0-9 _ -; who reads the database can open no door."""
    token = invitations.invite(stage.session, household(stage), now=NOON)

    stage.session.flush()
    [invitation] = stage.session.scalars(select(Invitation))
    assert invitations.TOKEN.fullmatch(token)
    assert len(token) <= 64
    assert token not in str(vars(invitation))


def test_no_two_tokens_are_alike(stage):
    doors = [household(stage, f"3-2-{room}") for room in range(101, 121)]

    assert len({invitations.invite(stage.session, door, now=NOON) for door in doors}) == 20


def test_an_invitation_opens_until_it_expires(stage):
    token = invitations.invite(stage.session, household(stage), now=NOON, valid=timedelta(days=3))

    found = invitations.find(stage.session, stage.community.id, token)

    assert invitations.why_not(found, now=NOON + timedelta(days=2)) is None
    assert invitations.why_not(found, now=NOON + timedelta(days=3)) == "expired"


def test_a_new_invitation_ends_the_household_s_earlier_one(stage):
    """The sheet that was printed again is the one that counts."""
    first = invitations.invite(stage.session, household(stage), now=NOON)
    second = invitations.invite(stage.session, household(stage), now=NOON)

    reasons = [
        invitations.why_not(invitations.find(stage.session, stage.community.id, token), now=NOON)
        for token in (first, second)
    ]

    assert reasons == ["revoked", None]


def test_revoking_ends_only_what_is_open(stage):
    doors = [household(stage, "3-2-101"), household(stage, "3-2-102")]
    for door in doors:
        invitations.invite(stage.session, door, now=NOON)
    stage.session.flush()

    assert [invitations.revoke(stage.session, doors, now=NOON) for _ in range(2)] == [2, 0]


def test_a_token_of_another_community_opens_nothing(stage):
    token = invitations.invite(stage.session, household(stage), now=NOON)

    assert invitations.find(stage.session, stage.community.id + 1, token) is None


def test_households_are_listed_along_the_stairs(stage):
    """Whoever carries the sheets walks this way."""
    for address in ("10-1-101", "2-1-1001", "2-1-201", "2-2-101"):
        household(stage, address)

    def listed(**wanted: str) -> list[str]:
        asked = {"building": None, "unit": None, "room": None} | wanted
        found = invitations.households(stage.session, stage.community.id, **asked)
        return [f"{door.building.name}-{door.unit}-{door.room}" for door in found]

    assert listed() == ["2-1-201", "2-1-1001", "2-2-101", "10-1-101"]
    assert listed(building="2", unit="1") == ["2-1-201", "2-1-1001"]
    assert listed(building="2", unit="2", room="101") == ["2-2-101"]
