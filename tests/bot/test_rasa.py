"""Ask Rasa: one call, and whatever is not an answer is `RasaDown`."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from bot.rasa import Answer, Ask, Rasa, RasaDown, Reply
from service.candidates import Guess, Heard
from tests.bot.servers import Handler, serving

TURN = Ask(conversation_id=5, epoch=2, turn="turn:9", text="水管漏水", metadata={"language": "zh"})


async def ask(handler: Handler, turn: Ask = TURN, *, timeout_s: float = 5.0) -> Answer:
    async with serving(handler) as url:
        rasa = Rasa(url, "a-token", timeout=timeout_s)
        await rasa.open()
        try:
            return await rasa.ask(turn)
        finally:
            await rasa.close()


def answering(body: Any, status: int = 200) -> Handler:
    async def handle(_: web.Request) -> web.Response:
        return web.Response(text=json.dumps(body), status=status, content_type="application/json")

    return handle


async def test_the_question_names_the_resident_the_turn_and_the_token():
    """A retry under the same message id returns the recorded answer."""
    asked: list[Any] = []

    async def handle(request: web.Request) -> web.Response:
        asked.extend([request.path, request.headers["Authorization"], await request.json()])
        return web.json_response({"replies": []})

    await ask(handle)

    assert asked == [
        "/webhooks/guanjia/webhook",
        "Bearer a-token",
        {"sender": "5", "text": "水管漏水", "message_id": "turn:9", "payload": False, "metadata": {"language": "zh"}},
    ]


async def test_a_wish_to_be_forgotten_deletes_the_dialogue_and_says_nothing():
    asked: list[Any] = []

    async def handle(request: web.Request) -> web.Response:
        asked.extend([request.path, await request.json()])
        return web.json_response({"erased": 7})

    found = await ask(handle, replace(TURN, erase=True))

    assert asked == ["/webhooks/guanjia/erase", {"sender": "5"}]
    assert (found.replies, found.handled) == ((), True)


async def test_lines_buttons_and_keys_are_read():
    reply = {
        "text": "可以吗？",
        "buttons": [{"title": "确认", "payload": "/affirm"}],
        "quick_replies": [{"title": "报修", "payload": "/repair"}],
    }
    body = {"replies": [reply, {"text": "好"}], "intent": {"name": "repair", "confidence": 0.9}}

    found = await ask(answering(body))

    first = Reply("可以吗？", (("确认", "/affirm"),), ("报修",))
    assert found == Answer((first, Reply("好")), handled=False, intent="repair", confidence=0.9)


GUESSES = [{"name": "repair", "confidence": 0.5}, {"name": "emergency", "confidence": 0.3}]
HEARD = {"text": "灯", "intent": "repair", "guesses": GUESSES, "model": "guanjia-abc", "asked": "location"}


async def heard(*, replies: Any = (), **facts: Any) -> Heard:
    found = await ask(answering({"replies": list(replies), "heard": [HEARD | facts]}))
    [one] = found.heard
    return one


async def test_how_sure_the_model_was_is_read_with_its_name():
    """What it hesitated about is kept for people to look at."""
    one = await heard()

    assert (one.text, one.asked, one.understood) == ("灯", "location", True)
    assert (one.guess.intent, one.guess.confidence, one.guess.model) == ("repair", 0.5, "guanjia-abc")
    assert one.guess.margin == pytest.approx(0.2)


async def test_a_guess_nobody_believed_is_still_the_guess():
    one = await heard(replies=[{"custom": {"not_understood": True}}], intent="nlu_fallback")

    assert (one.guess.intent, one.understood) == ("repair", False)


@pytest.mark.parametrize(("decided", "danger"), [("repair", 0.3), ("nlu_fallback", 0.3), ("emergency", 0.0)])
async def test_an_emergency_is_a_danger_as_long_as_it_was_not_the_decision(decided, danger):
    one = await heard(intent=decided)

    assert one.danger == danger


@pytest.mark.parametrize(
    ("guesses", "guess"), [(GUESSES[:1], Guess("repair", 0.5, None, "guanjia-abc")), ([], Guess(model="guanjia-abc"))]
)
async def test_without_a_second_guess_there_is_no_margin(guesses, guess):
    """As with a tap."""
    one = await heard(guesses=guesses)

    assert (one.guess, one.danger) == (guess, 0.0)


@pytest.mark.parametrize("rest", [{}, {"heard": []}, {"heard": None}])
async def test_an_older_rasa_says_nothing_of_it(rest):
    """While a new version is rolled out."""
    found = await ask(answering({"replies": []} | rest))

    assert found.heard == ()


async def test_an_action_that_has_told_the_resident_itself_is_no_silence():
    found = await ask(answering({"replies": [{"custom": {"silent": True}}], "intent": None}))

    assert (found.replies, found.handled) == ((), True)


async def test_silence_is_told_apart_from_an_action_that_answered():
    found = await ask(answering({"replies": []}))

    assert (found.replies, found.handled, found.intent) == ((), False, None)


async def test_a_database_that_is_gone_for_a_moment_is_waited_for():
    """Rasa says then that nothing was recorded; nobody needs to hear of it."""
    answers = [503, 503, 200]

    async def handle(_: web.Request) -> web.Response:
        return web.json_response({"replies": [{"text": "好"}]}, status=answers.pop(0))

    assert (await ask(handle)).replies == (Reply("好"),)


@pytest.mark.parametrize("status", [400, 401, 404, 500, 503])
async def test_any_other_status_is_rasa_down(status):
    with pytest.raises(RasaDown):
        await ask(answering({"replies": []}, status))


@pytest.mark.parametrize(
    "body",
    [None, [], "text", 5, {"replies": None}, {"replies": "x"}, {"replies": [5]},
     {"replies": [{"text": "a", "buttons": 5}]}, {"replies": [{"text": "a", "buttons": [{"title": "x"}]}]},
     {"replies": [{"text": 5}]}, {"replies": [], "intent": "repair"},
     {"replies": [], "intent": {"confidence": "high"}}, {"replies": [], "heard": "repair"},
     {"replies": [], "heard": [{"text": "灯"}]}, {"replies": [{"custom": "x"}]}],
)  # fmt: skip
async def test_an_answer_of_a_wrong_shape_is_rasa_down(body):
    """The resident hears at once that a person will look, instead of after five attempts."""
    with pytest.raises(RasaDown):
        await ask(answering(body))


@pytest.mark.parametrize("text", ["", "{", "<html>"])
async def test_what_is_no_json_is_rasa_down(text):
    async def handle(_: web.Request) -> web.Response:
        return web.Response(text=text, content_type="application/json")

    with pytest.raises(RasaDown):
        await ask(handle)


async def test_an_answer_that_never_comes_is_rasa_down():
    async def handle(_: web.Request) -> web.Response:
        await asyncio.Event().wait()
        return web.Response()

    with pytest.raises(RasaDown):
        await ask(handle, timeout_s=0.1)


async def test_nobody_there_is_rasa_down():
    rasa = Rasa("http://127.0.0.1:9", "a-token", timeout=5)
    await rasa.open()

    with pytest.raises(RasaDown):
        await rasa.ask(TURN)
    await rasa.close()
