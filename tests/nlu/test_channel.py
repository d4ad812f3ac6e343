"""The door of Rasa, against a running one: a message is handled once, and a failure is never silence."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor, wait
from itertools import pairwise

import pytest


def test_an_answer_carries_replies_buttons_data_and_what_was_understood(rasa, actions):
    """The bot needs all of it and asks only once."""
    status, answer = rasa.say("3栋灯不亮了", sender="anna")

    assert status == 200
    assert [reply["text"] for reply in answer["replies"]] == ["action_echo: 3栋灯不亮了", None, "您好王"]
    assert answer["replies"][0]["buttons"] == [{"title": "是", "payload": "/affirm"}]
    assert answer["replies"][1]["custom"] == {"card": 7}
    assert answer["replies"][2]["response"] == "utter_greet"
    assert answer["intent"]["name"] == "repair"
    assert [(found["entity"], found["start"], found["end"]) for found in answer["entities"]] == [
        ("location", 0, 2),
        ("fixture", 2, 3),
    ]
    assert answer["repeated"] is False


def test_an_answer_carries_the_real_guesses_and_the_model_that_made_them(rasa, actions, model):
    """The bot keeps messages that were sorted with little margin; the fallback is no intent of anybody's."""
    _, answer = rasa.say("灯不亮了", sender="guesses")
    _, unsure = rasa.say("asdf qwer zxcv", sender="guesses")

    for given in (answer, unsure):
        [heard] = given["heard"]
        sure = [guess["confidence"] for guess in heard["guesses"]]
        assert len(sure) > 1
        assert sure == sorted(sure, reverse=True)
        assert "nlu_fallback" not in {guess["name"] for guess in heard["guesses"]}
        assert (heard["model"], heard["asked"]) == (model.name.removesuffix(".tar.gz"), None)
    assert (answer["heard"][0]["text"], answer["heard"][0]["intent"]) == ("灯不亮了", "repair")
    assert answer["heard"][0]["guesses"][0] == answer["intent"]


def test_metadata_reaches_the_action(rasa, actions):
    rasa.say("灯不亮了", sender="meta", metadata={"language": "en", "household": 5})

    assert actions.calls[-1]["tracker"]["latest_message"]["metadata"] == {"language": "en", "household": 5}


def test_a_message_sent_again_gets_the_recorded_answer(rasa, actions):
    """The bot's request may time out after the turn was done."""
    _, first = rasa.say("灯不亮了", sender="again", message_id="m1")

    status, second = rasa.say("灯不亮了", sender="again", message_id="m1")

    assert (status, second.pop("repeated")) == (200, True)
    assert second == {key: value for key, value in first.items() if key != "repeated"}
    assert len(actions.calls) == 1


def test_a_message_sent_again_later_gets_its_own_answer(rasa, actions):
    """Not the answer to what was said in between, nor both."""
    _, first = rasa.say("灯不亮了", sender="later", message_id="m1")
    rasa.say("你好", sender="later")
    rasa.post("forget", b'{"sender": "later", "message_id": "f"}')
    rasa.say("水管漏水了", sender="later")

    _, again = rasa.say("灯不亮了", sender="later", message_id="m1")

    assert (again["repeated"], again["replies"]) == (True, first["replies"])


def test_two_requests_in_a_message_are_one_turn(rasa, actions):
    """The bot knows one message and one answer; sent again, nothing of it is done twice."""
    _, first = rasa.say("灯不亮了，另外物业费怎么交", sender="both", message_id="m1", metadata={"turn": "7"})
    rasa.say("你好", sender="both")

    _, again = rasa.say("灯不亮了，另外物业费怎么交", sender="both", message_id="m1", metadata={"turn": "7"})

    heard = [call["tracker"]["latest_message"] for call in actions.calls]
    assert [message["text"] for message in heard] == ["物业费怎么交", "灯不亮了"]
    assert [message["metadata"]["turn"] for message in heard] == ["7", "7:2"]
    assert [reply["text"] for reply in first["replies"] if reply["text"]][::2] == [
        "action_echo: 物业费怎么交",
        "action_echo: 灯不亮了",
    ]
    assert (again["repeated"], again["replies"]) == (True, first["replies"])


def test_the_recorded_answer_survives_a_kill(rasa, actions):
    """A machine may lose power between the turn and its answer."""
    _, first = rasa.say("灯不亮了", sender="killed", message_id="m1")
    rasa.kill()
    rasa.start()

    _, second = rasa.say("灯不亮了", sender="killed", message_id="m1")

    assert (second["repeated"], second["replies"]) == (True, first["replies"])
    assert len(actions.calls) == 1


def test_two_requests_for_one_message_at_once_make_one_turn(rasa, actions):
    """The second waits for the first and gets its answer."""
    actions.may_answer.clear()
    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(rasa.say, "灯不亮了", sender="twice", message_id="m1") for _ in range(2)]
        actions.may_answer.wait(0.5)
        actions.may_answer.set()
        answers = [future.result() for future in asked]

    assert sorted(answer["repeated"] for _, answer in answers) == [False, True]
    assert len(actions.calls) == 1


def test_the_same_id_from_another_resident_is_another_message(rasa, actions):
    """Message ids are unique per chat only."""
    rasa.say("灯不亮了", sender="one", message_id="m1")

    _, answer = rasa.say("灯不亮了", sender="two", message_id="m1")

    assert answer["repeated"] is False


@pytest.mark.parametrize("text", ["/repair", "  /repair", '/repair{"location": "9栋"}', "/restart", "/session_start"])
def test_a_slash_typed_by_a_resident_is_only_a_text(rasa, actions, text):
    """Otherwise anybody could fill slots and restart dialogues by hand."""
    _, answer = rasa.say(text, sender="forger")

    assert answer["intent"]["confidence"] < 1.0
    assert not any(found["extractor"] == "RegexMessageHandler" for found in answer["entities"])


def test_the_bots_own_buttons_are_taken_by_their_word(rasa, actions):
    _, answer = rasa.say('/repair{"location": "9栋"}', sender="button", payload=True)

    assert answer["intent"] == {"name": "repair", "confidence": 1.0}
    assert actions.calls[-1]["tracker"]["slots"]["location"] == "9栋"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b"[]",
        b"null",
        b'"text"',
        b"\xff\xfe",
        b"[" * 100_000,
        json.dumps({"message_id": 1, "text": "hi"}).encode(),
        json.dumps({"sender": "a", "text": "hi"}).encode(),
        json.dumps({"sender": "a", "message_id": 1}).encode(),
        json.dumps({"sender": "a", "message_id": 1, "text": ""}).encode(),
        json.dumps({"sender": "a", "message_id": 1, "text": " \n\x00"}).encode(),
        json.dumps({"sender": "a", "message_id": 1, "text": 5}).encode(),
        json.dumps({"sender": "a", "message_id": 1, "text": None}).encode(),
        json.dumps({"sender": ["a"], "message_id": 1, "text": "hi"}).encode(),
        json.dumps({"sender": "a\x00", "message_id": 1, "text": "hi"}).encode(),
        json.dumps({"sender": "a" * 300, "message_id": 1, "text": "hi"}).encode(),
        json.dumps({"sender": "a", "message_id": True, "text": "hi"}).encode(),
        json.dumps({"sender": "a", "message_id": 1, "text": "hi", "metadata": "en"}).encode(),
        json.dumps({"sender": "a", "message_id": 1, "text": "hi" * 200_000}).encode(),
    ],
)
def test_a_bad_body_is_a_400_that_says_why(rasa, body):
    """The bot must know that trying again is no use."""
    status, answer = rasa.post("webhook", body)

    assert (status, answer["error"]) == (400, "bad_request")
    assert answer["detail"]


def test_characters_that_cannot_be_stored_do_no_harm(rasa, actions):
    """PostgreSQL refuses NUL and lone surrogates; a message with one must not fail for ever."""
    status, answer = rasa.say("\x00灯\ud800不亮了", sender="odd", metadata={"name\x00": ["\ud800"]})

    assert status == 200
    assert answer["entities"][0] | {"start": 1, "end": 2} == answer["entities"][0]


def test_a_very_long_text_is_cut(rasa, actions):
    """Ten thousand characters would hold up everybody for a second."""
    rasa.say("灯不亮了" * 2_500, sender="long")

    assert len(actions.calls[-1]["tracker"]["latest_message"]["text"]) == 1_000


def test_without_the_token_nothing_is_answered(rasa):
    """Rasa's own --auth-token does not cover channels."""
    assert rasa.post("webhook", b"{}", token="wrong")[0] == 401
    assert rasa.post("forget", b"{}", token="")[0] == 401
    assert rasa.post("erase", b"{}", token="")[0] == 401


def test_a_failed_action_is_a_503_and_the_message_may_come_again(rasa, actions):
    """Rasa alone would answer with silence and call the turn done."""
    actions.is_failing = True
    status, answer = rasa.say("灯不亮了", sender="unlucky", message_id="m1")
    actions.is_failing = False

    assert (status, answer["error"]) == (503, "action_failed")
    status, answer = rasa.say("灯不亮了", sender="unlucky", message_id="m1")
    assert (status, answer["repeated"], len(answer["replies"])) == (200, False, 3)


def test_a_database_that_is_away_is_a_503_and_nothing_is_lost(rasa, actions, outage):
    """Rasa alone would go on in memory and forget the dialogue at the next restart."""
    rasa.say("3栋灯不亮了", sender="patient")
    outage(down=True)
    status, answer = rasa.say("水管漏水了", sender="patient", message_id="m2")
    outage(down=False)

    assert (status, answer["error"]) == (503, "tracker_store_unavailable")
    status, answer = rasa.say("水管漏水了", sender="patient", message_id="m2")
    assert (status, answer["repeated"]) == (200, False)
    assert actions.calls[-1]["tracker"]["slots"]["location"] == "3栋"


def test_a_start_waits_for_a_database_that_is_still_starting(rasa, outage):
    """After a crash of the machine everything starts at once; every start in vain costs ten seconds of silence."""
    rasa.kill()
    outage(down=True)

    with ThreadPoolExecutor(1) as pool:
        starting = pool.submit(rasa.start)
        while "does not answer yet" not in rasa.log() and not starting.done():
            wait([starting], timeout=0.1)
        outage(down=False)
        starting.result()

    assert rasa.say("你好", sender="early")[0] == 200


def test_the_assistant_says_once_that_it_did_not_understand(rasa, actions):
    """Rasa's own fallback repeats itself ten times and then swallows every later message."""
    _, answer = rasa.say("13800138000", sender="lost")

    assert [reply["text"] for reply in answer["replies"]].count("action_not_understood: 13800138000") == 1
    assert rasa.say("你好", sender="lost")[1]["replies"][0]["text"] == "您好"


def test_forgetting_begins_anew_and_only_once(rasa, actions):
    """A retry of the request must not wipe what was said since."""
    rasa.say("3栋灯不亮了", sender="handed back")
    forget = b'{"sender": "handed back", "message_id": "f1"}'
    assert rasa.post("forget", forget) == (200, {"repeated": False})

    rasa.say("灯不亮了", sender="handed back")
    assert actions.calls[-1]["tracker"]["slots"]["location"] is None
    rasa.say("5栋灯不亮了", sender="handed back")
    assert rasa.post("forget", forget) == (200, {"repeated": True})
    rasa.say("灯不亮了", sender="handed back")
    assert actions.calls[-1]["tracker"]["slots"]["location"] == "5栋"


def test_an_erased_dialogue_is_gone_for_good_and_nobody_elses(rasa, actions):
    """N12: not even an earlier answer is left, and the next word begins a new acquaintance."""
    _, before = rasa.say("3栋灯不亮了", sender="erased", message_id="e1")
    rasa.say("5栋灯不亮了", sender="neighbour")

    status, answer = rasa.post("erase", b'{"sender": "erased"}')
    assert (status, answer["erased"] > 5) == (200, True)
    assert rasa.post("erase", b'{"sender": "erased"}') == (200, {"erased": 0})

    _, again = rasa.say("灯不亮了", sender="erased", message_id="e1")
    assert (again["repeated"], before["repeated"]) == (False, False)
    assert actions.calls[-1]["tracker"]["slots"]["location"] is None
    rasa.say("灯不亮了", sender="neighbour")
    assert actions.calls[-1]["tracker"]["slots"]["location"] == "5栋"


def test_a_long_session_is_cut_between_two_matters(rasa, actions):
    """Every turn reads and sends the whole session, so an endless one would slow everybody."""
    for _ in range(90):
        rasa.say("你好", sender="talker")

    rasa.say("灯不亮了", sender="talker")

    assert len(actions.calls[-1]["tracker"]["events"]) < 400


@pytest.mark.parametrize(
    ("metadata", "words"), [({"language": "en"}, "Hello "), ({"language": "zh"}, "您好"), ({}, "您好")]
)
def test_the_answer_is_in_the_language_of_the_message(rasa, metadata, words):
    """And a value that is missing is nothing, not "None" and not a failure."""
    _, answer = rasa.say("你好", sender="speaker", metadata=metadata)

    assert answer["replies"][0]["text"] == words


def test_a_missing_translation_is_said_in_chinese(rasa):
    """Better than silence."""
    _, answer = rasa.say("yes", sender="gap", metadata={"language": "en"})

    assert answer["replies"][0]["text"] in {"好的", "好"}


def test_the_same_words_never_come_twice_running(rasa):
    """N7: of two ways to say it the other one is taken, each time."""
    said = [rasa.say("yes", sender="twice", metadata={"language": "zh"})[1]["replies"][0]["text"] for _ in range(6)]

    assert all(one != other for one, other in pairwise(said))


def test_braces_of_a_resident_stay_as_they_are(rasa):
    """Rasa's own way of filling in stumbles over them."""
    body = '/greet{"location": "0[{x}"}'

    _, answer = rasa.say(body, sender="braces", payload=True)

    assert answer["replies"][0]["buttons"][0]["payload"] == '/repair{"location": "0[{x}"}'


def test_the_log_never_quotes_a_resident(rasa, actions):
    """Logs travel further than databases."""
    actions.is_failing = True
    rasa.say("灯不亮了 my secret is violet", sender="private")

    assert "violet" not in rasa.log()
