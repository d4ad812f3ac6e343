"""What staff are told to look at."""

from typing import Any

from service import knowledge_check, knowledge_entries, texts
from tests.stage import NOON

ASKED = ["泳池几点开", "游泳时间", "泳池开放吗"]
FIT: dict[str, Any] = {
    "source": {"kind": "practice"},
    "zh": {"questions": ASKED, "answer": "六点。"},
    "en": {"questions": ["When is the pool open", "pool hours", "swimming times"], "answer": "At six."},
}


def reasons(stage, **changes):
    """What is said about an entry with these changes, and whether it is offered."""
    content = {name: value for name, value in (FIT | changes).items() if value}
    knowledge_entries.put(stage.session, stage.community.id, "pool", content, by="li", now=NOON)
    [checked] = knowledge_check.check(stage.session, stage.community, now=NOON)
    assert all(texts.words(reason.phrase, language="zh", **reason.facts) for reason in checked.reasons)
    phrases = [reason.phrase.removeprefix("utter_staff_knowledge_") for reason in checked.reasons]
    return phrases, checked.is_offered


def test_a_good_entry_is_left_in_peace(stage):
    assert reasons(stage) == ([], True)


def test_an_expired_entry_is_reported_and_not_offered(stage):
    """Once, although it is expired in both languages."""
    assert reasons(stage, valid={"until": "2026-11-22"}) == (["expired"], False)


def test_an_entry_that_is_about_to_expire_is_announced(stage):
    assert reasons(stage, valid={"until": "2026-12-10"}) == (["expires"], True)


def test_an_entry_for_later_is_reported(stage):
    assert reasons(stage, valid={"from": "2026-12-01"}) == (["not_yet"], False)


def test_an_entry_without_a_source_is_offered_and_reported(stage):
    assert reasons(stage, source=None) == (["no_source"], True)


def test_a_placeholder_nobody_filled_is_reported_with_its_name(stage):
    """In the language in which it is missing."""
    wording = FIT["zh"] | {"answer": "{pool_hours}"}

    assert reasons(stage, zh=wording) == (["unfilled"], True)
    [checked] = knowledge_check.check(stage.session, stage.community, now=NOON)
    assert checked.reasons[0].facts == {"names": "pool_hours", "lang": "zh"}


def test_a_missing_language_and_too_few_questions_are_reported(stage):
    assert reasons(stage, en=None, zh=FIT["zh"] | {"questions": ["泳池"]}) == (["no_wording", "few_questions"], True)
