"""Answers in the browser: previewed, written with history, made of what nobody had answered."""

from __future__ import annotations

from console.knowledge import HOME
from service import knowledge_entries, unanswered
from service.models.people import Role
from tests.stage import NOON, Stage

ANSWER = {"questions": ["游泳池几点开"], "answer": "早上六点到晚上九点，{community}业主凭卡。"}
HOSTILE = "<script>alert(1)</script>"


def has_an_answer(stage: Stage) -> None:
    """The base knows when the pool is open."""
    knowledge_entries.put(stage.session, None, "pool", {"zh": ANSWER}, by="operator", now=NOON)


def asks(stage: Stage, words: str = "健身房能带狗吗") -> int:
    """A resident asks what nobody has answered; a butler answers later. Gives the question's number."""
    talk = stage.resident()
    unanswered.note(stage.session, talk, words, stage.case(talk), source=f"turn:{words}", now=NOON)
    butler = stage.take_over(talk)
    stage.hears(talk, "不可以，请见谅", by=butler)
    return unanswered.review(stage.session, stage.community.id)[0].question.id


def version(page: str) -> str:
    """The stamp of the editor."""
    return page.partition('name="version" value="')[2].partition('"')[0]


async def test_an_answer_is_shown_as_residents_read_it(signed_in, committed):
    """With the community's facts filled in, and what keeps it back in a language it lacks."""
    committed(has_an_answer)
    browser = await signed_in()

    page = (await browser.get(f"{HOME}/entry?key=pool")).text

    assert "早上六点到晚上九点，阳光花园业主凭卡。" in page
    assert "<textarea" not in page  # a butler reads
    assert "pool" in (await browser.get(HOME)).text


async def test_an_inherited_answer_becomes_the_communitys_own_and_can_be_what_it_was(signed_in, committed):
    """The base is everybody's: what one community writes stands before it, not in it."""
    committed(has_an_answer)
    browser = await signed_in(Role.SUPERVISOR)
    stamp = version((await browser.get(f"{HOME}/entry?key=pool")).text)

    await browser.send_form(
        f"{HOME}/entry", key="pool", version=stamp, zh_questions="游泳池几点开\n泳池开门时间", zh_answer="冬天不开。"
    )
    page = (await browser.get(f"{HOME}/entry?key=pool")).text
    assert '<p class="bubble">冬天不开。</p>' in page
    base = committed(lambda stage: [row.content for row in knowledge_entries.own(stage.session, None)])
    assert base == [{"zh": ANSWER}]

    await browser.send_form(f"{HOME}/restore", key="pool", version=version(page), edit=stamp)

    assert "早上六点到晚上九点，阳光花园业主凭卡。</p>" in (await browser.get(f"{HOME}/entry?key=pool")).text


async def test_the_second_of_two_editors_is_told_and_nothing_is_overwritten(signed_in, committed):
    committed(has_an_answer)
    browser = await signed_in(Role.SUPERVISOR)
    stamp = version((await browser.get(f"{HOME}/entry?key=pool")).text)
    form = {"key": "pool", "version": stamp, "zh_questions": "游泳池几点开"}
    await browser.send_form(f"{HOME}/entry", zh_answer="七点开。", **form)

    second = await browser.send_form(f"{HOME}/entry", zh_answer="八点开。", **form)

    assert second.status_code == 409
    assert "七点开。" in (await browser.get(f"{HOME}/entry?key=pool")).text


async def test_what_cannot_be_said_is_shown_again_with_what_is_wrong(signed_in):
    """What somebody typed is not lost."""
    browser = await signed_in(Role.SUPERVISOR)

    answer = await browser.send_form(
        f"{HOME}/entry", key="gym", version="0", zh_questions="健身房", zh_answer="见 {Phone!r}", valid_from="soon"
    )

    assert answer.status_code == 422
    assert "见 {Phone!r}" in answer.text
    assert (await browser.send_form(f"{HOME}/entry", key="../x", version="0")).status_code == 404


async def test_a_withdrawn_answer_is_said_no_more(signed_in, committed):
    committed(has_an_answer)
    browser = await signed_in(Role.SUPERVISOR)
    stamp = version((await browser.get(f"{HOME}/entry?key=pool")).text)

    await browser.send_form(f"{HOME}/withdraw", key="pool", version=stamp)

    assert committed(lambda stage: "pool" not in knowledge_entries.of_community(stage.session, stage.community.id))


async def test_a_question_becomes_an_answer_with_what_a_butler_said(signed_in, committed):
    """The butler has answered it once; nobody should have to again."""
    number = committed(asks)
    browser = await signed_in(Role.SUPERVISOR)

    page = (await browser.get(f"{HOME}/questions/{number}")).text
    assert "不可以，请见谅" in page
    await browser.send_form(
        f"{HOME}/questions/{number}/learn", key="gym_dogs", question="健身房能带狗吗", answer="不可以。"
    )

    assert "不可以。" in (await browser.get(f"{HOME}/entry?key=gym_dogs")).text
    assert "没有待答的问题" in (await browser.get(f"{HOME}/questions")).text
    assert (await browser.get(f"{HOME}/questions/{number}")).status_code == 404


async def test_an_answer_that_is_too_long_is_not_cut_in_silence(signed_in, committed):
    number = committed(asks)
    browser = await signed_in(Role.SUPERVISOR)

    answer = await browser.send_form(f"{HOME}/questions/{number}/learn", key="gym", question="狗", answer="长" * 401)

    assert answer.status_code == 422
    assert "401" in answer.text


async def test_what_residents_ask_is_text_and_can_be_put_aside(signed_in, committed):
    number = committed(lambda stage: asks(stage, HOSTILE))
    browser = await signed_in(Role.SUPERVISOR)

    for path in (f"{HOME}/questions", f"{HOME}/questions/{number}"):
        assert HOSTILE not in (await browser.get(path)).text
    await browser.send_form(f"{HOME}/questions/{number}/ignore")

    assert "没有待答的问题" in (await browser.get(f"{HOME}/questions")).text


async def test_standard_phrases_are_found_by_their_words(signed_in):
    """Whoever wonders what the bot says must not have to read YAML."""
    browser = await signed_in()

    found = (await browser.get("/phrases?words=utter_staff_changed_meanwhile")).text
    none = (await browser.get("/phrases?words=没有这样的话术在任何地方")).text

    assert "刚才有同事改过这里" in found
    assert "A colleague has changed this" in found
    assert "没有这样的话术。" in none
    assert "后面的" in (await browser.get("/phrases?words=")).text
