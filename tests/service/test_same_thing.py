"""The same trouble in the same place, in other words, is one case."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service import same_thing
from service.models.cases import CaseState

HOME = "3栋2单元1201"
KITCHEN = f"{HOME} 厨房"


@pytest.mark.parametrize(
    ("matter", "place", "is_it"),
    [
        ("厨房水管漏水", KITCHEN, True),
        ("水管还在漏水，地上都是水", HOME, True),
        ("厨房漏水越来越大了", KITCHEN, True),
        ("漏水报了两天没人来", HOME, True),
        ("马桶堵了", HOME, False),
        ("水管漏水", f"{HOME} 卫生间", False),
        ("水管漏水", "5栋2单元1201", False),
        ("厨房灯不亮了", KITCHEN, False),
    ],
)
def test_what_is_at_work_already_is_found(stage, matter, place, is_it):
    """A second work order for one leak sends two plumbers; a leak elsewhere that is swallowed sends none."""
    talk = stage.resident()
    case = stage.case(talk, matter="厨房水管漏水", place=KITCHEN)

    assert same_thing.find(stage.session, talk, matter, place) == (case if is_it else None)


@pytest.mark.parametrize("state", ["finished", "closed"])
def test_what_is_done_is_no_case_at_work(stage, state):
    talk = stage.resident()
    stage.case(talk, state=state)

    assert same_thing.find(stage.session, talk, "厨房水管漏水", HOME) is None


def test_a_neighbours_case_is_nobody_elses(stage):
    """N12: whoever names another's address learns nothing."""
    assert stage.case().state is CaseState.OPEN

    assert same_thing.find(stage.session, stage.resident(), "厨房水管漏水", HOME) is None


@given(st.text(max_size=60))
def test_whatever_is_said_twice_is_one_matter_in_one_place(words):
    """The same thing twice is one case, however it is worded."""
    assert same_thing.is_one_matter(words, words)
    assert same_thing.is_one_place(words, words)
