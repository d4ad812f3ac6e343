"""Ask Rasa: one call, and whatever is not an answer is `RasaDown`."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from aiohttp import web

from bot.rasa import Answer, Ask, Rasa, RasaDown, Reply
from tests.bot.servers import Handler, serving

TURN = Ask(conversation_id=5, epoch=2, turn="turn:9", text="水管漏水", metadata={"language": "zh"})


async def ask(handler: Handler, *, timeout_s: float = 5.0) -> Answer:
    async with serving(handler) as url:
        rasa = Rasa(url, "a-token", timeout=timeout_s)
        await rasa.open()
        try:
            return await rasa.ask(TURN)
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


async def test_how_sure_the_model_was_is_read_with_its_name():
    """What it hesitated about is kept for people to look at."""
    body = {"replies": [], "intent": GUESSES[0], "guesses": GUESSES, "model": "guanjia-abc", "asked": "location"}

    found = await ask(answering(body))

    assert (found.intent, found.confidence, found.model, found.asked) == ("repair", 0.5, "guanjia-abc", True)
    assert found.margin == pytest.approx(0.2)
    assert found.danger == 0.3


async def test_a_guess_nobody_believed_is_still_the_guess():
    fallback = {"name": "nlu_fallback", "confidence": 0.5}
    body = {"replies": [{"custom": {"not_understood": True}}], "intent": fallback, "guesses": GUESSES[::-1]}

    found = await ask(answering(body))

    assert (found.intent, found.understood, found.danger) == ("emergency", False, 0.3)


async def test_an_emergency_that_was_the_decision_is_no_near_miss():
    found = await ask(answering({"replies": [], "intent": GUESSES[1], "guesses": GUESSES[::-1]}))

    assert (found.intent, found.danger) == ("emergency", 0.0)


@pytest.mark.parametrize("rest", [{}, {"guesses": []}, {"guesses": GUESSES[:1]}, {"guesses": None, "model": None}])
async def test_a_tap_or_an_older_rasa_has_no_margin(rest):
    found = await ask(answering({"replies": [], "intent": GUESSES[0]} | rest))

    assert (found.intent, found.confidence, found.margin, found.understood) == ("repair", 0.5, None, True)


async def test_an_action_that_has_told_the_resident_itself_is_no_silence():
    found = await ask(answering({"replies": [{"custom": {"silent": True}}], "intent": None}))

    assert (found.replies, found.handled) == ((), True)


async def test_silence_is_told_apart_from_an_action_that_answered():
    found = await ask(answering({"replies": []}))

    assert (found.replies, found.handled, found.intent) == ((), False, None)


@pytest.mark.parametrize("status", [400, 401, 404, 500, 503])
async def test_any_other_status_is_rasa_down(status):
    with pytest.raises(RasaDown):
        await ask(answering({"replies": []}, status))


@pytest.mark.parametrize(
    "body",
    [None, [], "text", 5, {"replies": None}, {"replies": "x"}, {"replies": [5]},
     {"replies": [{"text": "a", "buttons": 5}]}, {"replies": [{"text": "a", "buttons": [{"title": "x"}]}]},
     {"replies": [{"text": 5}]}, {"replies": [], "intent": "repair"},
     {"replies": [], "intent": {"confidence": "high"}}, {"replies": [], "guesses": "repair"},
     {"replies": [], "guesses": [5]}, {"replies": [{"custom": "x"}]}],
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
