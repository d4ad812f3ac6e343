"""Who asks for their own, and who asks in general, by their words alone."""

from __future__ import annotations

import pytest
import yaml

from service import knowledge_file, ledger_questions
from service.config import ROOT

OWN = {"my_fees": "fees", "my_parking": "parking", "my_visitor_codes": "visitor_codes"}
ASKED = yaml.safe_load((ROOT / "cli/bench_knowledge.yml").read_text("utf-8"))


def in_general() -> list[str]:
    """All questions of the knowledge base and of its benchmark that another entry than one's own answers."""
    written = [
        (key, question)
        for file in (ROOT / "service/knowledge_base").glob("*.yml")
        for _, key, content in knowledge_file.read(file.read_bytes(), has_facts=False).entries
        for language in ("zh", "en")
        for question in content[language]["questions"]
    ]
    asked = [(key, question) for key, questions in ASKED["asked"].items() for question in questions]
    return [*(question for key, question in [*written, *asked] if key not in OWN), *ASKED["unanswerable"]]


def test_a_general_question_is_never_taken_for_ones_own():
    """「物业费怎么交」 stays with the knowledge base; a household's figures would be no answer."""
    general = in_general()

    assert len(general) > 1000
    assert [question for question in general if ledger_questions.asked(question)] == []


@pytest.mark.parametrize("key", OWN)
def test_ones_own_question_is_told_whatever_its_wording(key):
    """The questions were written for the benchmark before there was this table."""
    missed = [question for question in ASKED["asked"][key] if ledger_questions.asked(question) != (OWN[key],)]

    assert missed == []


@pytest.mark.parametrize(
    ("question", "kinds"),
    [
        ("我家物业费交了吗", "fees"),
        ("还欠多少物业费", "fees"),
        ("可以帮我看看我家还有哪些费用没交吗", "fees"),
        ("我們家停車費交了沒", "fees"),
        ("do I owe anything?", "fees"),
        ("我要查物业费", "fees"),
        ("物业费", "fees"),
        ("查一下水费", "fees"),
        ("看账单", "fees"),
        ("check fees", "fees"),
        ("水费涨了", ""),
        ("装修费", ""),
        ("Is my property fee paid?", "fees"),
        ("我的车位到什么时候", "parking"),
        ("when does my parking run out", "parking"),
        ("访客码多少", "visitor_codes"),
        ("What's my visitor code?", "visitor_codes"),
        ("我的车位到几号，访客码多少", "parking visitor_codes"),
        ("物业费怎么交", ""),
        ("我家没人住要交物业费吗", ""),
        ("访客怎么进", ""),
        ("我的车位被占了", ""),
        ("how do I pay my fee", ""),
        ("你好", ""),
    ],
)
def test_words_tell_ones_own_from_the_general(question, kinds):
    assert ledger_questions.asked(question) == tuple(kinds.split())


def test_a_story_is_no_look_into_a_table():
    """Somebody who writes at length asks for more, whatever words are in it."""
    assert ledger_questions.asked("我家物业费交了吗" + "，事情是这样的" * 10) == ()
