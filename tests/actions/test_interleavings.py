"""Whatever a resident says in whatever order: no fact is lost, no case is doubled, no message stays unanswered."""

from __future__ import annotations

import re

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from actions.facts import Facts, stated
from service.models.cases import Case
from tests.actions.talks import NOT_UNDERSTOOD, Line, Talk
from tests.stage import Stage

HAN = re.compile(r"[\u4e00-\u9fff]")
TAP = Line("/affirm", "affirm")
ADDRESSES = ("5栋1单元301", "8栋2单元1102", "21栋3单元606")
PHONES = ("13812340001", "13912340002")
DETAILS = ("水是从柜子底下渗出来的，木板都泡软了", "滴水声夜里特别响，孩子睡不着觉")
LINES = [
    *(Line(f"厨房水龙头关不紧，{place}", "repair", {"location": place}) for place in ADDRESSES),
    Line("报修", "repair"),
    Line("卧室的灯不亮了", "repair"),
    *(Line(f"在{place}", "inform", {"location": place}) for place in ADDRESSES),
    *(Line(f"不对，是{place}", "correct", {"location": place}) for place in ADDRESSES),
    *(Line(f"电话{phone}", "inform", {"phone": phone}) for phone in PHONES),
    *(Line(detail, "inform") for detail in DETAILS * 3),
    Line("明天下午", "inform", {"time": "明天下午"}),
    Line("你好", "greet"),
    Line("谢谢", "thanks"),
    Line("怎么还没人来", "urge"),
    Line("昨天的保安很热心，要表扬", "praise"),
    Line("算了不修了", "cancel"),
    Line("呜哩哇啦", NOT_UNDERSTOOD),
    Line("转人工", "request_human"),
    TAP,
    Line("the kitchen tap drips", "repair", language="en"),
    Line("how far is my case", "urge", language="en"),
    Line("thank you so much", "thanks", language="en"),
    Line("blah blah", NOT_UNDERSTOOD, language="en"),
]
AGAIN = "the same turn again"
# A confirmation now and then, or hardly any talk comes to a case.
HISTORIES = st.lists(st.sampled_from([*LINES, *([TAP] * 8), *([AGAIN] * 4)]), min_size=3, max_size=14)
QUIETLY = {"deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}


@settings(max_examples=40, derandomize=True, **QUIETLY)  # type: ignore[arg-type]
@given(HISTORIES)
def test_forty_talks_lose_nothing_and_double_nothing(engine, history):
    """The same forty every time; hypothesis gives the shortest talk that breaks a promise."""
    with Session(engine, expire_on_commit=False) as session:
        talk = Talk(Stage(session))
        for line in history:
            if talk.has_people:
                break
            if line == AGAIN:
                assert_once_more_changes_nothing(talk)
            else:
                assert_a_turn_keeps_its_promises(talk, line)
        assert_everybody_was_answered(talk)
        assert_a_case_stands_on_a_yes(talk)
        session.rollback()


def assert_a_turn_keeps_its_promises(talk: Talk, line: Line) -> None:
    """What was known before a turn is known after it, or stands in the case that it opened."""
    before, cases = talk.told, len(talk.cases())

    talk.hear(line)

    opened = talk.cases()[cases:]
    if before is None or talk.has_people or line.intent in ("cancel", "praise"):
        return
    holds = talk.told or case_as_told(opened)
    assert holds is not None, f"the form is gone after {line.words}"
    assert (holds.matter or "").startswith(before.matter or ""), f"{line.words} took the matter away"
    for fact in ("location", "phone"):
        said = line.found.get(fact)
        kept = getattr(holds, fact)
        assert kept or not stated(getattr(before, fact)), f"{line.words} took the {fact} away"
        assert said is None or said in str(kept), f"{line.words} is not in {kept}"
    if line.words in DETAILS and all((before.matter, before.location, before.phone)):
        assert line.words in str(holds.matter), f"{line.words} was said when only the yes was missing, and is lost"


def case_as_told(opened: list[Case]) -> Facts | None:
    """The facts of the case that a turn has opened."""
    return Facts(opened[0].matter, opened[0].place, opened[0].phone) if opened else None


def assert_once_more_changes_nothing(talk: Talk) -> None:
    """Rasa repeats a turn whose answer it has lost."""
    before = [case.number for case in talk.cases()]

    talk.hear_again()

    assert [case.number for case in talk.cases()] == before


def assert_everybody_was_answered(talk: Talk) -> None:
    """Every turn has an answer, in the language of the turn."""
    for line, said in talk.answers:
        assert any(said), f"no answer to {line.words}"
        bare = " ".join(said)
        for quoted in (*(one.words for one in LINES), "王芳", *talk_places(talk)):
            bare = bare.replace(quoted, "")
        if line.language == "zh":
            assert HAN.search(bare), f"{line.words} is answered with {bare}"


def talk_places(talk: Talk) -> list[str]:
    """Places and matters of cases, which are repeated as they were said."""
    return [words for case in talk.cases() for words in (case.matter, case.place or "") if words]


def assert_a_case_stands_on_a_yes(talk: Talk) -> None:
    """None was opened that nobody confirmed (N7), and each says what it is about and where."""
    opened = [case for case in talk.cases() if case.kind == "repair"]
    assert len(opened) <= len({turn for turn, line in talk.turns if line.intent in ("affirm", "thanks")})
    assert all(case.matter and case.place for case in opened)
