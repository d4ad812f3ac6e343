"""Labelling in the browser: what is shown, what a word settles, and what the second of two people is told."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from console import texts
from console.understanding import ACCEPT, BACK, HOME, IGNORE, KEYS, NOISE, SKIP
from service import candidates, forgetting, learning, opinions
from service.candidates import Guess
from service.kinds import KINDS
from service.models.people import Role
from service.models.talks import Conversation, Message
from service.models.understanding import Candidate, CandidateReason, CandidateState, Label, LabelUse, Opinion
from tests.stage import NOON, Stage

HOSTILE = '"><img src=x onerror=alert(1)><script>alert(1)</script>'


def notice(stage: Stage, text: str, *, community_id: int | None = None, intent: str = "repair", **facts: Any) -> int:
    """A message the model was not sure about; gives its number."""
    source = str(facts.pop("source", f"turn:{text}"))
    told: dict[str, Any] = {
        "why": CandidateReason.LOW_MARGIN,
        "language": "zh",
        "guess": Guess(intent, 0.4, 0.1, "m"),
    } | facts
    candidates.notice(stage.session, community_id or stage.community.id, text, source=source, now=NOON, **told)
    return stage.session.scalars(select(Candidate.id).where(Candidate.source == source)).one()


def said(stage: Stage, number: int, intent: str, *, by: str = "staff:999") -> None:
    """A colleague labels it."""
    candidate = learning.access_candidate(stage.session, number)
    opinions.say(stage.session, candidate, intent, by=by, seen=candidate.state, now=NOON)


@pytest.fixture
def look(committed):
    """Read what stands in the database."""

    def read(number: int) -> Any:
        def found(stage: Stage) -> Any:
            candidate = stage.session.get_one(Candidate, number)
            return candidate, stage.session.get(Label, candidate.label_id) if candidate.label_id else None

        return committed(found)

    return read


def test_every_intent_has_a_key_of_its_own_and_a_name():
    """An intent without a key could not be labelled by keyboard; two with one would be labelled wrongly."""
    keys = [*KEYS.values(), ACCEPT, IGNORE, NOISE, SKIP, BACK]

    assert KEYS.keys() == KINDS.keys()
    assert len(set(keys)) == len(keys)
    assert [name for name in KINDS if f"understanding.intent_{name}" not in texts.catalogue()] == []


async def test_a_message_is_shown_with_its_talk_its_neighbours_and_the_guidelines(signed_in, committed):
    """Whoever labels needs all of it beside the message, in one look."""

    def acts(stage: Stage) -> None:
        talk = stage.resident()
        stage.hears(talk, "你们几点下班", now=NOON - timedelta(minutes=5))
        stage.hears(talk, "厨房水管漏水啊", now=NOON)
        inbox_id = stage.session.scalars(select(Message.inbox_id).order_by(Message.id.desc())).first()
        notice(stage, "厨房水管漏水啊", source=f"turn:{inbox_id}:1")

    committed(acts)
    browser = await signed_in()

    page = (await browser.get(f"{HOME}/deck")).text

    for shown in ("厨房水管漏水啊", "你们几点下班", "厨房水管漏水了", "模型拿不准", "0.10", "刚修过又坏、没修好"):
        assert shown in page


async def test_one_word_settles_all_that_are_alike_and_is_written_down(signed_in, committed, look):
    """The cluster is labelled, not the message."""
    numbers = [
        committed(lambda stage, text=text: notice(stage, text)) for text in ("楼上又在装修了", "楼上又在装修了！")
    ]
    browser = await signed_in()

    answer = await browser.send_form(
        f"{HOME}/{numbers[0]}/label", intent="complaint", version="open", next=f"{HOME}/deck"
    )

    assert answer.headers["location"] == f"{HOME}/deck"
    assert [look(number)[0].state for number in numbers] == ["labelled", "labelled"]
    assert look(numbers[0])[1].intent == "complaint"
    assert "没有待标注的消息" in (await browser.get(HOME)).text


@pytest.mark.parametrize(("deed", "state"), [("ignore", "ignored"), ("noise", "noise")])
async def test_what_is_put_aside_stays_so_when_it_comes_again(signed_in, committed, look, deed, state):
    """Nobody is asked twice about the same words."""
    number = committed(lambda stage: notice(stage, "啊啊啊啊"))
    browser = await signed_in()

    await browser.send_form(f"{HOME}/{number}/{deed}", version="open")
    again = committed(lambda stage: notice(stage, "啊啊啊啊", source="turn:again"))

    assert (look(number)[0].state, look(again)[0].state) == (CandidateState(state), CandidateState(state))


async def test_the_second_of_two_is_told_and_what_they_said_is_kept(signed_in, committed, look):
    """Neither overwrites the other: the two are decided about."""
    number = committed(lambda stage: notice(stage, "门口那个灯"))
    browser = await signed_in(Role.SUPERVISOR)
    committed(lambda stage: said(stage, number, "complaint"))
    browser.headers["hx-request"] = "true"

    answer = await browser.send_form(f"{HOME}/{number}/label", intent="repair", version="open")

    assert answer.status_code == 200
    assert "999 已标为「投诉」" in answer.text
    label = look(number)[1]
    assert label.intent == "complaint"
    del browser.headers["hx-request"]
    assert "门口那个灯" in (await browser.get(f"{HOME}/conflicts")).text

    await browser.send_form(f"{HOME}/conflicts/{label.id}", intent="repair")

    assert look(number)[1].intent == "repair"
    assert "没有分歧" in (await browser.get(f"{HOME}/conflicts")).text
    assert (await browser.send_form(f"{HOME}/conflicts/{label.id}", intent="urge")).status_code == 409


async def test_who_puts_aside_what_a_colleague_has_labelled_is_told(signed_in, committed, look):
    """A label is somebody's work."""
    number = committed(lambda stage: notice(stage, "门口那个灯"))
    committed(lambda stage: said(stage, number, "repair"))
    browser = await signed_in()

    answer = await browser.send_form(f"{HOME}/{number}/ignore", version="open")

    assert answer.status_code == 409
    assert look(number)[0].state is CandidateState.LABELLED


async def test_a_share_is_labelled_by_a_second_person_who_does_not_see_the_first(signed_in, committed):
    """And never by the one who said it first; how often they agree is shown."""
    words = [f"第{number}栋的灯不太亮" for number in range(40)]

    def labels(stage: Stage) -> list[int]:
        for number, text in enumerate(words):
            item = learning.Labelled(text, "repair", "zh")
            learning.add(stage.session, item, use=LabelUse.TEST, by="staff:999", at=NOON)
            notice(stage, text, source=f"turn:{number}")
        return [label.id for label in opinions.to_check(stage.session, stage.community.id, by="staff:1")]

    waiting = committed(labels)
    browser = await signed_in()

    page = (await browser.get(f"{HOME}/checks")).text
    await browser.send_form(f"{HOME}/checks/{waiting[0]}", intent="repair")
    await browser.send_form(f"{HOME}/checks/{waiting[1]}", intent="complaint")

    assert 2 < len(waiting) < 20
    assert page.count("data-card") == len(waiting)
    assert "999" not in re.sub("<[^>]*>", "", page)
    assert committed(lambda stage: opinions.to_check(stage.session, stage.community.id, by="staff:999")) == []
    assert "2 次中 1 次（50%）" in (await browser.get(HOME)).text


async def test_an_intent_that_is_no_more_is_refused_kindly(signed_in, committed, look):
    """A page may be older than the version that serves it."""
    number = committed(lambda stage: notice(stage, "门口那个灯"))
    browser = await signed_in()

    answer = await browser.send_form(f"{HOME}/{number}/label", intent="lost_intent", version="open")

    assert answer.status_code == 422
    assert look(number)[0].state is CandidateState.OPEN


async def test_a_message_whose_resident_was_forgotten_is_gone(signed_in, committed):
    """It may vanish between the look and the key; labels and opinions go with it."""

    def acts(stage: Stage) -> tuple[int, int]:
        talk = stage.resident()
        case = stage.case(talk, state="closed")
        number = notice(stage, "地毯泡水了", source=f"case:{case.id}")
        said(stage, number, "repair")
        said(stage, number, "complaint", by="staff:998")
        return number, talk.id

    number, talk_id = committed(acts)

    def forget(stage: Stage) -> None:
        forgetting.forget(stage.session, stage.session.get_one(Conversation, talk_id), before=10**9, key="k", now=NOON)

    committed(forget)
    browser = await signed_in()

    answer = await browser.send_form(f"{HOME}/{number}/label", intent="repair", version="open")

    assert answer.status_code == 404
    assert committed(lambda stage: stage.session.scalars(select(Opinion)).all()) == []


async def test_the_neighbours_messages_are_nowhere(signed_in, committed):
    """Labels are shared by a site; what residents wrote is not (N12)."""

    def acts(stage: Stage) -> int:
        other = stage.another_community()
        number = notice(stage, "隔壁小区的话", community_id=other.id)
        said(stage, number, "repair")
        said(stage, number, "complaint", by="staff:998")
        return number

    number = committed(acts)
    label_id = committed(lambda stage: stage.session.scalars(select(Label.id)).one())
    browser = await signed_in(Role.MANAGER)

    for path in (HOME, f"{HOME}/deck", f"{HOME}/checks", f"{HOME}/conflicts"):
        assert "隔壁小区的话" not in (await browser.get(path)).text
    statuses = {
        (await browser.get(f"{HOME}/{number}")).status_code,
        (await browser.send_form(f"{HOME}/{number}/label", intent="repair", version="open")).status_code,
        (await browser.send_form(f"{HOME}/checks/{label_id}", intent="repair")).status_code,
        (await browser.send_form(f"{HOME}/conflicts/{label_id}", intent="repair")).status_code,
    }
    assert statuses == {404}


async def test_what_residents_write_is_text(signed_in, committed):
    """The first thing somebody tries."""
    committed(lambda stage: notice(stage, HOSTILE, source="turn:1"))
    browser = await signed_in()

    for path in (HOME, f"{HOME}/deck"):
        page = (await browser.get(path)).text
        assert "&lt;script&gt;alert(1)" in page
        assert "<img src=x" not in page


async def test_new_words_are_shown_and_looked_for(signed_in, committed):
    """What nobody ever taught is worth a look by itself."""
    committed(lambda stage: [notice(stage, "厨房水管漏水"), notice(stage, "鹦鹉螺饕餮纹")])
    browser = await signed_in()

    page = (await browser.get(f"{HOME}?why=new_words")).text

    assert "鹦鹉螺" in page
    assert "厨房水管漏水" not in page
