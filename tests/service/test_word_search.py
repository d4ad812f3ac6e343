"""Words are found in texts without blanks, and by an index."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text

from service import word_search
from service.models.archive import MEMBER_WORDS, Member
from service.models.cases import CASE_WORDS, Case
from service.models.people import RESIDENT_WORDS, Resident
from service.models.talks import MESSAGE_WORDS, Message

SEARCHED = ((Case, CASE_WORDS), (Resident, RESIDENT_WORDS), (Member, MEMBER_WORDS), (Message, MESSAGE_WORDS))


@pytest.mark.parametrize(("model", "searched"), SEARCHED)
def test_a_search_goes_by_the_index(stage, model, searched):
    """A search that the index does not know by its words would read a million rows."""
    stage.session.execute(text("SET LOCAL enable_seqscan = off"))
    wanted = select(model.id).where(word_search.holds(searched, "水管漏"))
    asked = str(wanted.compile(stage.session.get_bind(), compile_kwargs={"literal_binds": True}))

    plan = "\n".join(stage.session.connection().exec_driver_sql(f"EXPLAIN {asked.replace('%', '%%')}").scalars())

    assert f"{model.__tablename__}_words" in plan


@pytest.mark.parametrize(
    ("words", "is_found"),
    [
        ("水管", True),
        ("漏水 厨房", True),
        ("管漏", True),
        ("水", True),
        ("ZYX-12", True),
        ("zyx", True),
        ("水漏", False),
        ("漏水 客厅", False),
        ("%", False),
        ("__", False),
        ("", True),
    ],
)
def test_every_word_has_to_be_there_and_signs_are_signs(stage, words, is_found):
    """Two characters are a word in Chinese; % and _ mean nothing else."""
    stage.case(matter="厨房水管漏水 ZYX-12", place="3栋")

    found = stage.session.scalars(select(Case).where(word_search.holds(CASE_WORDS, words))).all()

    assert bool(found) is is_found
