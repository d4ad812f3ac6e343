"""Whoever is praised by name hears of it, and nobody else."""

from __future__ import annotations

import pytest

from service import praise
from service.models.people import Staff
from tests.stage import Stage


def staff_of(stage: Stage) -> dict[str, Staff]:
    """Two of one surname, one with a name in Latin letters."""
    names = ("李强", "李敏", "周涛", "Ada Brook")
    members = {name: stage.member() for name in names}
    for name, member in members.items():
        member.display_name = name
    return members


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("周管家今天特别耐心，表扬一下", "周涛"),
        ("李强师傅手艺真好", "李强"),
        ("李师傅手艺真好", None),  # there are two of them
        ("Ada Brook was so kind to my mother", "Ada Brook"),
        ("门口的保安很热心", None),
        ("住在周边的人都说好", None),
    ],
)
def test_a_name_or_a_surname_with_a_trade_says_who_is_meant(stage, words, name):
    members = staff_of(stage)

    assert praise.whom(list(members.values()), words) is (members[name] if name else None)


@pytest.mark.parametrize(("words", "is_meant"), [("{number}号员工服务很好", True), ("住{number}号楼的人都说好", False)])
def test_a_staff_number_says_it_and_the_number_of_a_building_does_not(stage, words, is_meant):
    member = stage.member()

    assert (praise.whom([member], words.format(number=member.number)) is member) is is_meant


def test_it_is_read_in_the_residents_topic_with_their_name_once(stage):
    """Telegram lets a colleague know who is mentioned, wherever they are."""
    member, case = staff_of(stage)["周涛"], stage.case(kind="praise", matter="周管家今天特别耐心")

    for _ in range(2):
        praise.pass_on(stage.session, case, key="turn:9")

    [row] = [row for row in stage.outbox("note") if "🌟" in str(row.payload["text"])]
    assert "周管家今天特别耐心" in row.payload["text"]
    assert row.payload["entities"][0]["user"]["id"] == member.user_id
