"""What of the knowledge base a community's residents are told, and when."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from service import knowledge, knowledge_entries
from service.knowledge import Reader
from service.knowledge_shelf import Shelf
from tests.stage import NOON

POOL: dict[str, Any] = {
    "zh": {"questions": ["泳池几点开"], "answer": "泳池{pool_hours}开放。"},
    "source": {"kind": "practice"},
}


def put(stage, key, content, *, base=False, at=NOON):
    """An entry of the community, or of the base."""
    knowledge_entries.put(stage.session, None if base else stage.community.id, key, content, by="li", now=at)


def ask(stage, question, *, language="zh", now=NOON):
    return knowledge.answer(stage.session, Shelf(), Reader(stage.community, language, now), question)


def test_a_communitys_own_entry_stands_instead_of_the_base(stage):
    put(stage, "pool", POOL | {"zh": POOL["zh"] | {"answer": "一般早上开放。"}}, base=True)
    put(stage, "pool", POOL | {"zh": POOL["zh"] | {"answer": "六点开放。"}})

    found = ask(stage, "泳池几点开")

    assert found.entry.wordings["zh"].answer == "六点开放。"


def test_a_withdrawn_entry_hides_the_one_of_the_base(stage):
    """A community without a pool does not talk of one."""
    put(stage, "pool", POOL | {"zh": POOL["zh"] | {"answer": "一般早上开放。"}}, base=True)
    put(stage, "pool", {"withdrawn": True})

    assert ask(stage, "泳池几点开") is None


def test_an_answer_waits_until_the_community_has_filled_its_placeholders(stage):
    """An empty space in a sentence is worse than a butler's answer."""
    put(stage, "pool", POOL)
    before = ask(stage, "泳池几点开")

    stage.community.facts = {"pool_hours": {"zh": "6:00-21:00"}}
    found = ask(stage, "泳池几点开")
    reader = Reader(stage.community, "zh", NOON)

    assert before is None
    assert knowledge.tell(stage.session, stage.resident(), reader, found.entry).text == "泳池6:00-21:00开放。"


def test_an_entry_is_offered_from_its_first_to_its_last_day_in_the_communitys_zone(stage):
    """In Shanghai the day begins at 16:00 UTC."""
    days = {"from": "2026-11-24", "until": "2026-11-25"}
    put(stage, "pool", {"valid": days, "zh": {"questions": ["泳池几点开"], "answer": "六点开放。"}})
    begins, ends = datetime(2026, 11, 23, 16, tzinfo=UTC), datetime(2026, 11, 25, 16, tzinfo=UTC)
    moments = (begins - timedelta(seconds=1), begins, ends - timedelta(seconds=1), ends)

    found = [ask(stage, "泳池几点开", now=moment) is not None for moment in moments]

    assert found == [False, True, True, False]


def test_an_entry_in_one_language_is_kept_from_who_reads_the_other(stage):
    """The question goes to a butler, who writes English."""
    put(stage, "pool", {"zh": {"questions": ["泳池几点开"], "answer": "六点开放。"}})

    assert ask(stage, "泳池几点开", language="en") is None


def test_another_communitys_entries_are_not_found(stage):
    """What is said of one estate is wrong of the next."""
    other = stage.session.merge(type(stage.community)(**_twin(stage.community)))
    stage.session.flush()
    knowledge_entries.put(stage.session, other.id, "pool", POOL, by="li", now=NOON)

    assert ask(stage, "泳池几点开") is None


def test_a_reader_lives_in_the_day_of_the_community(stage):
    late = datetime(2026, 11, 23, 17, tzinfo=UTC)

    assert Reader(stage.community, "zh", late).today == date(2026, 11, 24)


def _twin(community):
    """A second community, as far as columns must be filled."""
    told = {name: getattr(community, name) for name in ("timezone", "phone", "desk_opens", "desk_closes")}
    return {
        **told,
        "name": "月光花园",
        "bot_id": 2,
        "quiet_from": community.quiet_from,
        "quiet_until": community.quiet_until,
    }
