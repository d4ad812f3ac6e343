"""Who hears what: handmade updates through the router, each handled twice as after a crash."""

from __future__ import annotations

import json
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select

from bot.handlers import answers, route
from bot.handlers.route import Unreadable
from bot.rasa import Answer, Ask, Reply
from service import callbacks, cases, conversations, emergency, knowledge_base, work
from service.candidates import Guess, Heard
from service.models.cases import Case, CaseState
from service.models.communities import Topic
from service.models.follow_ups import CallBack, FollowUpState, Survey
from service.models.people import Staff
from service.models.talks import Conversation, Message, Owner
from service.models.understanding import Candidate
from tests.bot.updates import (
    BUTLER,
    RESIDENT,
    member_update,
    message,
    photo,
    raw_turn,
    receive,
    said_without_rasa,
    staff_message,
    tap,
    turn_of,
    user,
)
from tests.stage import BOT_ID, NOON, STAFF_CHAT, Stage

THREAD = 77
STAFF_GROUP = {"id": STAFF_CHAT, "type": "supergroup", "is_forum": True}


@pytest.fixture
def talk(stage: Stage) -> Conversation:
    """The resident of the updates, with a topic of their own."""
    talk = stage.resident(chat_id=RESIDENT, display_name="王芳")
    conversations.to_staff(stage.session, talk, "say", {"text": "卡片"}, key="card")
    topic = stage.outbox()[-1].topic_id
    stage.session.get_one(Topic, topic).thread_id = THREAD
    stage.session.flush()
    return talk


def told(stage: Stage, talk: Conversation) -> list[str]:
    return stage.lines_to(talk)


def relayed(stage: Stage, chat_id: int) -> list[list[int]]:
    """The messages that were copied to a chat, call by call."""
    return [row.payload["message_ids"] for row in stage.outbox("relay") if row.chat_id == chat_id and row.act == "copy"]


def to_staff(stage: Stage) -> list[str]:
    return [str(row.payload.get("text", "")) for row in stage.outbox() if row.chat_id == STAFF_CHAT]


def kept(stage: Stage, talk: Conversation) -> list[tuple[str, str, str]]:
    """What stands in the transcript: by whom, what kind, which words."""
    found = select(Message).where(Message.conversation_id == talk.id, Message.author != "bot").order_by(Message.id)
    return [(line.author, line.kind, line.text) for line in stage.session.scalars(found)]


# --- A resident writes ----------------------------------------------------------------------------------------------


def test_words_are_kept_and_asked_of_rasa(stage, talk):
    ask = receive(stage, turn_of(message("厨房水管漏水")))

    assert ask is not None
    assert (ask.conversation_id, ask.epoch, ask.text, ask.payload) == (talk.id, 0, "厨房水管漏水", False)
    assert kept(stage, talk) == [("resident", "text", "厨房水管漏水")]


def test_bubbles_are_one_turn_and_every_one_is_kept(stage, talk):
    ask = receive(stage, turn_of(message("厨房"), message("水管漏水")))

    assert ask is not None
    assert ask.text == "厨房，水管漏水"
    assert [text for _, _, text in kept(stage, talk)] == ["厨房", "水管漏水"]


def test_the_first_word_of_a_stranger_makes_a_resident_in_their_phones_language(stage):
    newcomer = message("??", sender=user(42, language_code="en-GB"), chat={"id": 42, "type": "private"})

    ask = receive(stage, turn_of(newcomer))

    assert ask is not None
    assert ask.metadata["language"] == "en"


@pytest.mark.parametrize(
    ("command", "answer"), [("/start", "我是阳光花园的小管家"), ("/help", "报修"), ("/cases", "您目前还没有工单")]
)
def test_a_command_is_answered_without_rasa(stage, talk, command, answer):
    assert receive(stage, turn_of(message(command))) is None

    assert answer in told(stage, talk)[-1]


def test_a_command_may_name_the_bot_and_be_written_large(stage, talk):
    assert receive(stage, turn_of(message("/START@guanjia_bot ref123"))) is None

    assert "小管家" in told(stage, talk)[-1]


@pytest.mark.parametrize(("words", "heard"), [("/水管漏水", "水管漏水"), ("/", "?"), ("/ /", "?"), ("//漏水", "漏水")])
def test_an_unknown_command_is_a_message_like_any_other(stage, talk, words, heard):
    """N3: nothing a resident says is lost, whatever it begins with; and it never reaches Rasa as an order."""
    ask = receive(stage, turn_of(message(words)))

    assert ask is not None
    assert (ask.text, ask.payload) == (heard, False)


def test_a_big_key_is_its_intent(stage, talk):
    ask = receive(stage, turn_of(message("转人工")))

    assert ask is not None
    assert (ask.text, ask.payload) == ("/request_human", True)


@pytest.mark.parametrize("words", ["\x00", " ", "\ud800", "👍👍👍", "字" * 4096, "{salutation}", '/inform{"a":1}'])
def test_strange_words_are_kept_and_answered(stage, talk, words):
    """Never a stack trace, never silence."""
    ask = receive(stage, turn_of(message(words)))

    assert ask is not None or told(stage, talk)
    assert len(kept(stage, talk)) == 1


def test_an_emergency_is_answered_before_anything_else(stage, talk):
    """N11: without Rasa, in whatever state the talk is."""
    assert receive(stage, turn_of(message("着火了！"))) is None

    assert "119" in told(stage, talk)[-1]
    assert len(stage.outbox("alert")) == 1
    assert talk.owner is Owner.WAITING


@pytest.mark.parametrize("hour", range(0, 24, 3))
def test_the_bot_listens_at_any_hour(stage, talk, hour):
    """N14: the desk has hours, the bot has none."""
    asked = receive(stage, turn_of(message("厨房水管漏水")), now=NOON.replace(hour=hour))

    assert asked is not None


def test_while_people_have_the_talk_words_go_to_them(stage, talk):
    stage.take_over(talk)

    bubble = message("还在吗")
    assert receive(stage, turn_of(bubble)) is None

    assert relayed(stage, STAFF_CHAT) == [[bubble["message_id"]]]


def test_writing_makes_a_resident_reachable_again(stage, talk):
    talk.resident.unreachable_since = NOON

    receive(stage, turn_of(message("我回来了")))

    assert talk.resident.unreachable_since is None


# --- Pictures and the like ------------------------------------------------------------------------------------------


def test_a_picture_with_words_is_read_by_its_words(stage, talk):
    ask = receive(stage, turn_of(photo(caption="这里漏水")))

    assert ask is not None
    assert ask.text == "这里漏水"
    assert kept(stage, talk) == [("resident", "photo", "这里漏水")]


def test_a_picture_without_words_is_kept_and_asked_about(stage, talk):
    assert "收到" in said_without_rasa(receive(stage, turn_of(photo())))
    assert kept(stage, talk) == [("resident", "photo", "")]


def test_an_album_goes_to_the_department_as_one(stage, talk):
    case = stage.case(talk)
    album = [photo(media_group_id="a") for _ in range(3)]

    assert receive(stage, turn_of(*album)) is None

    assert relayed(stage, STAFF_CHAT) == [[one["message_id"] for one in album]]
    assert case.number in told(stage, talk)[-1]


def test_what_was_sent_shortly_before_belongs_to_the_case(stage, talk):
    album = [photo(media_group_id="a") for _ in range(2)]
    receive(stage, turn_of(*album))

    stage.case(talk)

    assert relayed(stage, STAFF_CHAT) == [[one["message_id"] for one in album]]


def test_while_a_butler_talks_an_album_is_relayed_as_one(stage, talk):
    stage.take_over(talk)
    album = [photo(media_group_id="a") for _ in range(2)]

    receive(stage, turn_of(*album, message("就是这里")))

    assert relayed(stage, STAFF_CHAT)[0] == [one["message_id"] for one in album]
    assert len(relayed(stage, STAFF_CHAT)) == 2


KINDS: dict[str, Any] = {
    "voice": {"file_id": "f", "file_unique_id": "u", "duration": 3},
    "video": {"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1, "duration": 3},
    "video_note": {"file_id": "f", "file_unique_id": "u", "length": 1, "duration": 3},
    "audio": {"file_id": "f", "file_unique_id": "u", "duration": 3},
    "document": {"file_id": "f", "file_unique_id": "u"},
    "sticker": {"file_id": "f", "file_unique_id": "u", "type": "regular", "width": 1, "height": 1,
                "is_animated": False, "is_video": False},
    "location": {"latitude": 28.2, "longitude": 112.9},
    "dice": {"emoji": "🎲", "value": 3},
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_is_sent_is_kept_and_answered(stage, talk, kind):
    """N3: text, photo, voice, video, file, place; a contact is for the dialogue (test_binding.py)."""
    ask = receive(stage, turn_of(message(None, **{kind: KINDS[kind]})))

    assert [what for _, what, _ in kept(stage, talk)] == [kind]
    assert said_without_rasa(ask)


def test_a_kind_that_does_not_exist_yet_is_kept_and_answered(stage, talk):
    """Telegram adds some every few months."""
    assert receive(stage, turn_of(message(None, hologram={"file_id": "f"}))) is None

    assert [what for _, what, _ in kept(stage, talk)] == ["unsupported"]
    assert told(stage, talk) != []


# --- A department asked for details ---------------------------------------------------------------------------------


def awaited(stage: Stage, talk: Conversation) -> Case:
    case = stage.case(talk)
    work.tap(stage.session, stage.member(), case.id, "ask", key="ask", now=NOON)
    return case


def test_the_next_words_answer_what_the_department_asked(stage, talk):
    case = awaited(stage, talk)

    assert receive(stage, turn_of(message("蓝色的门"))) is None

    assert case.state is CaseState.ACCEPTED
    assert any("蓝色的门" in line for line in to_staff(stage))


def test_a_big_key_is_no_answer_to_the_department(stage, talk):
    """Whoever taps 「转人工」 wants a person, also while a question is open."""
    case = awaited(stage, talk)

    ask = receive(stage, turn_of(message("转人工")))

    assert ask is not None
    assert ask.text == "/request_human"
    assert case.state is CaseState.NEEDS_INFO


def test_words_after_the_case_moved_on_are_words_again(stage, talk):
    case = awaited(stage, talk)
    cases.advance(stage.session, case, cases.Event.FINISHED, actor="staff:101", key="done", now=NOON)

    assert receive(stage, turn_of(message("谢谢"))) is not None


# --- Edits ----------------------------------------------------------------------------------------------------------


def test_an_edit_keeps_both_wordings_and_is_passed_to_the_butler(stage, talk):
    said = message("三栋")
    receive(stage, turn_of(said))
    stage.take_over(talk)

    receive(stage, turn_of(said | {"text": "四栋"}, kind="edited_message"))

    assert ("resident", "text", "四栋") in kept(stage, talk)
    assert any("四栋" in line for line in to_staff(stage))


def test_an_edit_reaches_the_department_that_works_on_the_case(stage, talk):
    said = message("三栋漏水")
    receive(stage, turn_of(said))
    stage.case(talk)

    receive(stage, turn_of(said | {"text": "四栋漏水"}, kind="edited_message"))

    assert any("四栋漏水" in line for line in to_staff(stage))


def test_an_edit_corrects_the_case_it_told_of_and_says_so(stage, talk):
    """The worker would go to building 3."""
    said = message("三栋漏水")
    receive(stage, turn_of(said))
    case = stage.case(talk, matter="三栋漏水")

    receive(stage, turn_of(said | {"text": "四栋漏水"}, kind="edited_message"))

    assert (case.matter, case.place) == ("四栋漏水", "4栋2单元1201室")
    assert case.number in stage.lines_to(talk)[-1]


def test_the_last_line_of_a_talk_is_read_anew_when_it_is_edited(stage, talk):
    """Who mends what the bot did not understand waits for an answer to it."""
    said = message("物业非怎么交")
    receive(stage, turn_of(said))

    ask = receive(stage, turn_of(said | {"text": "物业费怎么交"}, kind="edited_message"))

    assert ask is not None
    assert (ask.text, ask.metadata["was"]) == ("物业费怎么交", "物业非怎么交")
    assert [text for _, _, text in kept(stage, talk)] == ["物业费怎么交"]


def test_an_edit_of_what_is_long_past_or_said_again_is_only_kept(stage, talk):
    """The talk has gone on."""
    old, said = message("一"), message("二")
    receive(stage, turn_of(old))
    receive(stage, turn_of(said))

    assert receive(stage, turn_of(old | {"text": "三"}, kind="edited_message")) is None
    late = NOON + timedelta(hours=2)
    assert receive(stage, turn_of(said | {"text": "四"}, kind="edited_message"), now=late) is None


def test_an_edit_of_a_line_that_a_case_holds_is_for_those_who_work_on_it(stage, talk):
    said = message("门铃坏了，请打电话")
    turn = turn_of(said)
    receive(stage, turn)
    case = stage.case(talk)
    cases.add(stage.session, case, {"words": "门铃坏了，请打电话"}, key=f"turn:{turn.id}:added", now=NOON)

    ask = receive(stage, turn_of(said | {"text": "门铃坏了，请敲门"}, kind="edited_message"))

    assert ask is None
    assert any("请敲门" in line for line in to_staff(stage))


def test_an_edit_that_changes_nothing_in_the_answer_is_not_answered_twice(stage, talk):
    said = message("物业费怎么交呀")
    first = receive(stage, turn_of(said))
    assert first is not None
    answer = Answer((Reply("请到官方账户缴费。"),), handled=False, intent="inquiry", confidence=0.9)
    answers.say(stage.session, turn_of(said), first, answer, now=NOON)
    edit = turn_of(said | {"text": "物业费怎么交"}, kind="edited_message")
    again = receive(stage, edit)
    assert again is not None

    answers.say(stage.session, edit, again, answer, now=NOON)

    assert told(stage, talk) == ["请到官方账户缴费。"]


def test_a_reply_to_the_question_how_far_it_is_goes_to_the_resident(stage, talk):
    """Everything else that is said in a department's topic stays among staff."""
    case = stage.case(talk)
    receive(stage, turn_of(staff_message("早", who=BUTLER)))
    receive(stage, turn_of(tap(f"w:{case.id}:progress", on=staff_message("…"), who=BUTLER), kind="callback_query"))
    [asked] = stage.outbox("progress_ask")
    asked.message_id = 4711
    stage.session.flush()
    question = staff_message(str(asked.payload["text"]), who=BOT_ID) | {"message_id": 4711}

    receive(stage, turn_of(staff_message("配件到了，明天上午装", reply_to_message=question)))
    receive(stage, turn_of(staff_message("中午吃什么", reply_to_message=staff_message("…"))))

    assert "配件到了，明天上午装" in told(stage, talk)[-1]
    assert any("进展已发给住户" in line for line in to_staff(stage))
    assert not any("中午吃什么" in line for line in told(stage, talk))


def test_an_emergency_that_was_edited_in_rings(stage, talk):
    said = message("厨房")
    receive(stage, turn_of(said))

    receive(stage, turn_of(said | {"text": "厨房着火了"}, kind="edited_message"))

    assert len(stage.outbox("alert")) == 1


def test_an_edit_of_a_line_we_never_had_is_kept_as_a_line(stage, talk):
    receive(stage, turn_of(message("改过的话"), kind="edited_message"))

    assert kept(stage, talk) == [("resident", "text", "改过的话")]


# --- What is worth a look -------------------------------------------------------------------------------------------


def hesitant(*texts: str, intent: str = "repair", **taken: Any) -> Answer:
    """An answer to what was sorted with little margin."""
    guess = Guess(intent, 0.41, 0.05, "guanjia-abc")
    return Answer((Reply("好的"),), False, intent, 0.41, tuple(Heard(text, guess, **taken) for text in texts))


def worth_a_look(stage: Stage) -> list[tuple[str, str, str | None]]:
    found = select(Candidate).order_by(Candidate.id)
    return [(one.text, one.why, one.source) for one in stage.session.scalars(found)]


def answered(stage: Stage, text: str, said: Answer) -> str:
    """The bot answers a message; its turn."""
    turn = turn_of(message(text))
    ask = route.receive(stage.session, turn, now=NOON)
    assert ask is not None
    answers.say(stage.session, turn, ask, said, now=NOON)
    return f"turn:{turn.id}"


def test_words_that_were_sorted_with_little_margin_are_kept_for_review(stage, talk):
    turn = answered(stage, "灯又那样了", hesitant("灯又那样了"))

    assert worth_a_look(stage) == [("灯又那样了", "low_margin", turn)]


def test_words_the_bot_asked_to_say_again_are_kept_for_review(stage, talk):
    turn = answered(stage, "那个那个", hesitant("那个那个", understood=False))

    assert worth_a_look(stage) == [("那个那个", "rephrase", turn)]


def test_each_matter_of_a_message_is_looked_at_by_itself(stage, talk):
    turn = answered(stage, "灯那样了，还有那个", hesitant("灯那样了", "还有那个"))

    assert worth_a_look(stage) == [("灯那样了", "low_margin", turn), ("还有那个", "low_margin", f"{turn}:1")]


def test_a_fact_told_to_a_question_is_not(stage, talk):
    answered(stage, "3栋", hesitant("3栋", intent="inform", asked="location"))

    assert worth_a_look(stage) == []


@pytest.mark.parametrize("text", ["报修", "/settings", "/水管"])
def test_a_big_key_and_a_command_are_not(stage, talk, text):
    """They are no words to learn from."""
    answered(stage, text, hesitant(text, understood=False))

    assert worth_a_look(stage) == []


def test_a_tap_is_not(stage, talk):
    yes, no = question(stage, talk)
    ask = receive(stage, turn_of(tap(yes, offered=(yes, no)), kind="callback_query"))
    assert ask is not None

    answers.say(stage.session, turn_of(message("…")), ask, hesitant(ask.text), now=NOON)

    assert worth_a_look(stage) == []


@pytest.mark.parametrize("kind", ["message", "edited_message"])
def test_words_the_tripwire_almost_rang_for_are_kept_whoever_answers(stage, talk, monkeypatch, kind):
    """Also in a talk with a butler, and when a line is changed."""
    miss = SimpleNamespace(rule="fire", filter="past", matched="着火")
    monkeypatch.setattr(emergency, "near_miss", lambda text: miss if "着火" in text else None, raising=False)
    stage.take_over(talk)
    said = turn_of(message("去年着火的事"), kind=kind)

    receive(stage, said)

    assert worth_a_look(stage) == [("去年着火的事", "near_miss", f"turn:{said.id}")]


# --- A resident taps ------------------------------------------------------------------------------------------------


def question(stage: Stage, talk: Conversation, *, said: str = "我家水管漏水") -> list[str]:
    """The bot asks something with two buttons; what the buttons say."""
    turn = turn_of(message(said))
    ask = route.receive(stage.session, turn, now=NOON)
    assert ask is not None
    reply = Reply("这样登记可以吗？", buttons=(("确认", "/affirm"), ("取消", "/cancel")))
    answers.say(stage.session, turn, ask, Answer((reply,), False, "inform", 1.0), now=NOON)
    return [button["data"] for button in stage.outbox("reply")[-1].payload["buttons"]]


def answer(stage: Stage, ask: Ask, *replies: str) -> None:
    """Rasa answers the turn."""
    turn = turn_of(message("…"))
    said = Answer(tuple(Reply(text) for text in replies), not replies, "affirm", 1.0)
    answers.say(stage.session, turn, ask, said, now=NOON)


def test_a_tap_on_the_last_question_is_its_intent(stage, talk):
    yes, no = question(stage, talk)

    ask = receive(stage, turn_of(tap(yes, offered=(yes, no)), kind="callback_query"))

    assert ask is not None
    assert (ask.text, ask.payload) == ("/affirm", True)


def test_a_tap_whose_worker_was_killed_is_asked_again_under_the_same_name(stage, talk):
    """Killed between the commit and Rasa's answer: the resident has confirmed, so the case must come to be, once."""
    yes, no = question(stage, talk)
    turn = turn_of(tap(yes, offered=(yes, no)), kind="callback_query")

    first = route.receive(stage.session, turn, now=NOON)
    again = route.receive(stage.session, turn, now=NOON)

    assert first == again
    assert first is not None


@pytest.mark.parametrize("replies", [("已登记",), ()], ids=["answered by Rasa", "answered by an action"])
def test_a_second_tap_does_nothing(stage, talk, replies):
    yes, no = question(stage, talk)
    ask = route.receive(stage.session, turn_of(tap(yes, offered=(yes, no)), kind="callback_query"), now=NOON)
    assert ask is not None
    answer(stage, ask, *replies)
    before = told(stage, talk)

    second = receive(stage, turn_of(tap(yes, offered=(yes, no)), kind="callback_query"))

    assert second is None
    assert told(stage, talk) == before


def test_a_button_of_an_earlier_question_has_expired(stage, talk):
    old = question(stage, talk)
    question(stage, talk, said="是五栋")

    assert receive(stage, turn_of(tap(old[0], offered=old), kind="callback_query")) is None

    assert "时效" in told(stage, talk)[-1]


@pytest.mark.parametrize(
    "data",
    ["", "x", "r:1:affirm", "r::affirm", "r:-1:affirm", "r:１２:affirm", f"r:{10**30}:affirm", "cb:1:held", "cb:1:x",
     "s:1:5", "s:1:9", "w:1:done", "c:1:claim", "o:1:again", "r:1:a:b", "r:1:request_human", "🙂:1:x"],
)  # fmt: skip
def test_a_forged_tap_gets_a_clear_answer(stage, talk, data):
    question(stage, talk)

    assert receive(stage, turn_of(tap(data), kind="callback_query")) is None

    assert "时效" in told(stage, talk)[-1]


def test_a_word_that_no_button_offered_is_forged(stage, talk):
    """The number of the question is right, the word is not one of its buttons'."""
    yes, no = question(stage, talk)
    forged = yes.replace("affirm", "request_human")

    assert receive(stage, turn_of(tap(forged, offered=(yes, no)), kind="callback_query")) is None

    assert "时效" in told(stage, talk)[-1]


def call_back(stage: Stage, talk: Conversation) -> str:
    case = stage.case(talk)
    work.tap(stage.session, stage.member(), case.id, "done", key="done", now=NOON)
    due = stage.session.scalars(select(CallBack)).one()
    callbacks.send_due(stage.session, now=due.due_at)
    return f"cb:{due.id}"


def test_a_call_back_is_answered_by_a_tap(stage, talk):
    prefix = call_back(stage, talk)

    assert receive(stage, turn_of(tap(f"{prefix}:held"), kind="callback_query")) is None

    assert "打个分" in told(stage, talk)[-1]


def test_a_rating_its_reasons_and_its_comment_are_given_by_taps_and_a_line(stage, talk):
    """From the question to the last word, as a resident does it."""
    prefix = call_back(stage, talk)
    receive(stage, turn_of(tap(f"{prefix}:held"), kind="callback_query"))
    survey = stage.session.scalars(select(Survey)).one()
    for data in (f"s:{survey.id}:3", f"sr:{survey.id}:slow", f"sr:{survey.id}:comment"):
        receive(stage, turn_of(tap(data), kind="callback_query"))

    assert receive(stage, turn_of(message("师傅人很好，就是来得晚"))) is None

    assert (survey.stars, survey.reasons, survey.comment) == (3, ["slow"], "师傅人很好，就是来得晚")
    assert "记下了" in told(stage, talk)[-1]


def test_a_comment_on_low_stars_is_kept_and_reaches_the_butlers_too(stage, talk):
    """Low stars have handed the resident to people, who read every line."""
    prefix = call_back(stage, talk)
    receive(stage, turn_of(tap(f"{prefix}:held"), kind="callback_query"))
    survey = stage.session.scalars(select(Survey)).one()
    for data in (f"s:{survey.id}:1", f"sr:{survey.id}:comment"):
        receive(stage, turn_of(tap(data), kind="callback_query"))
    receive(stage, turn_of(message("等了三天")))

    assert survey.comment == "等了三天"
    assert len(relayed(stage, STAFF_CHAT)) == 1


def test_a_butler_says_by_taps_what_came_of_a_call(stage, talk):
    prefix = call_back(stage, talk)
    due = stage.session.scalars(select(CallBack)).one()
    due.state = FollowUpState.PHONE

    receive(stage, staff_tap(f"tel{prefix.removeprefix('cb')}:not_held"))

    assert due.case.state is CaseState.REOPENED


def test_who_writes_stop_is_not_asked_any_more_and_rasa_hears_nothing_of_it(stage, talk):
    assert receive(stage, turn_of(message("退订"))) is None
    assert talk.resident.questions_off_since == NOON
    assert receive(stage, turn_of(message("恢复"))) is None
    assert talk.resident.questions_off_since is None
    assert receive(stage, turn_of(message("恢复供水了吗"))) is not None


def test_what_is_left_to_do_after_in_part_goes_to_the_department(stage, talk):
    prefix = call_back(stage, talk)
    receive(stage, turn_of(tap(f"{prefix}:partly"), kind="callback_query"))

    assert receive(stage, turn_of(message("水龙头还在滴"))) is None

    assert any("水龙头还在滴" in line for line in to_staff(stage))


def test_another_residents_call_back_has_expired_for_me(stage, talk):
    """N12."""
    prefix = call_back(stage, stage.resident())

    receive(stage, turn_of(tap(f"{prefix}:not_held"), kind="callback_query"))

    assert "时效" in told(stage, talk)[-1]


# --- A butler writes ------------------------------------------------------------------------------------------------


def test_typing_in_a_residents_topic_takes_them_over_and_goes_to_them_as_it_is(stage, talk):
    line = staff_message("马上到", thread=THREAD)

    receive(stage, turn_of(line))

    assert talk.owner is Owner.BUTLER
    assert relayed(stage, RESIDENT) == [[line["message_id"]]]
    assert ("butler", "text", "马上到") in kept(stage, talk)


def test_the_greeting_with_the_number_comes_before_the_first_line(stage, talk):
    """N2."""
    receive(stage, turn_of(staff_message("马上到", thread=THREAD)))

    rows = [row for row in stage.outbox() if row.chat_id == RESIDENT]
    assert [row.kind for row in rows] == ["butler_greets", "relay"]


@pytest.mark.parametrize("words", ["// 这位住户脾气急", "//注意"])
def test_a_note_stays_among_staff(stage, talk, words):
    receive(stage, turn_of(staff_message(words, thread=THREAD)))

    assert relayed(stage, RESIDENT) == []
    assert talk.owner is Owner.BOT


def test_a_picture_with_a_note_as_its_caption_stays_among_staff(stage, talk):
    line = staff_message(None, thread=THREAD, photo=photo()["photo"], caption="// 内部照片")

    receive(stage, turn_of(line))

    assert relayed(stage, RESIDENT) == []


@pytest.mark.parametrize("words", ["@李师傅 请看一下", "@", "@@", "一@b.com", " @x"])
def test_a_line_that_names_somebody_is_a_line_like_any_other(stage, talk, words):
    line = staff_message(words, thread=THREAD)

    receive(stage, turn_of(line))

    assert relayed(stage, RESIDENT) == [[line["message_id"]]]


def test_an_album_of_a_butlers_reaches_the_resident_as_one(stage, talk):
    """Its parts come as updates of their own and are joined into one turn."""
    size = photo()["photo"]
    album = [staff_message(None, thread=THREAD, photo=size, media_group_id="a") for _ in range(3)]

    receive(stage, turn_of(*album))

    assert relayed(stage, RESIDENT) == [[one["message_id"] for one in album]]
    assert [line for line in kept(stage, talk) if line[1] == "photo"] == [("butler", "photo", "")] * 3


def test_done_hands_back(stage, talk):
    receive(stage, turn_of(staff_message("马上到", thread=THREAD)))

    receive(stage, turn_of(staff_message("/done@guanjia_bot", thread=THREAD)))

    assert talk.owner is Owner.BOT
    assert "小管家继续为您服务" in told(stage, talk)[-1]
    assert len(relayed(stage, RESIDENT)) == 1, "the command itself is not relayed"


def test_done_without_a_claim_says_so(stage, talk):
    receive(stage, turn_of(staff_message("/done", thread=THREAD)))

    assert "现在是小管家在回答" in to_staff(stage)[-1]


def test_an_unknown_command_is_never_sent_to_the_resident(stage, talk):
    receive(stage, turn_of(staff_message("/don", thread=THREAD)))

    assert relayed(stage, RESIDENT) == []
    assert "/done" in to_staff(stage)[-1]


def test_the_second_butler_is_told_and_their_line_is_not_relayed(stage, talk):
    receive(stage, turn_of(staff_message("马上到", thread=THREAD)))

    receive(stage, turn_of(staff_message("我来", thread=THREAD, who=BUTLER + 1)))

    assert len(relayed(stage, RESIDENT)) == 1
    assert "已由" in to_staff(stage)[-1]


def test_talk_outside_a_residents_topic_is_staffs_own(stage, talk):
    for line in (staff_message("中午吃什么"), staff_message("开会", thread=5), staff_message("在", thread=THREAD + 1)):
        receive(stage, turn_of(line))

    assert relayed(stage, RESIDENT) == []


def test_a_command_where_no_resident_is_says_so(stage, talk):
    receive(stage, turn_of(staff_message("/done")))

    assert "没有住户" in to_staff(stage)[-1]


def test_a_line_to_somebody_out_of_reach_is_not_lost_silently(stage, talk):
    talk.resident.unreachable_since = NOON

    receive(stage, turn_of(staff_message("在吗", thread=THREAD)))

    assert relayed(stage, RESIDENT) == []
    assert "停用了机器人" in to_staff(stage)[-1]


def test_a_butlers_correction_corrects_the_residents_copy(stage, talk):
    line = staff_message("三点到", thread=THREAD)
    receive(stage, turn_of(line))

    receive(stage, turn_of(line | {"text": "四点到"}, kind="edited_message"))

    edit = stage.outbox("relay")[-1]
    assert (edit.chat_id, edit.act, edit.payload["text"]) == (RESIDENT, "edit", "四点到")
    assert edit.payload["on"]["twin"]


def test_what_the_bots_own_topics_report_is_no_line_of_anybodys(stage, talk):
    """Every message in a topic replies to its creation, and the creation comes to us too."""
    created = {"name": "王芳", "icon_color": 7322096}
    report = staff_message(None, thread=THREAD, forum_topic_created=created) | {"from": user(BOT_ID, is_bot=True)}

    receive(stage, turn_of(report))

    assert relayed(stage, RESIDENT) == []


# --- Staff tap ------------------------------------------------------------------------------------------------------


def staff_tap(data: str, *, who: int = BUTLER) -> Any:
    return turn_of(tap(data, on=staff_message("…", thread=THREAD), who=who), kind="callback_query")


def test_a_tap_on_a_work_order_is_its_step(stage, talk):
    case = stage.case(talk)

    receive(stage, staff_tap(f"w:{case.id}:accept"))

    assert case.state is CaseState.ACCEPTED


def test_a_tap_offers_the_kinds_and_a_second_one_corrects_it(stage, talk):
    case = stage.case(talk)
    receive(stage, staff_tap(f"w:{case.id}:wrong_kind"))
    offered = [button["data"] for button in stage.outbox("note")[-1].payload["buttons"]]

    receive(stage, staff_tap(offered[1]))

    assert case.kind == "complaint"


def test_a_tap_on_the_card_takes_over_and_hands_back(stage, talk):
    owners = []
    for word in ("claim", "hand_back"):
        receive(stage, staff_tap(f"c:{talk.id}:{word}"))
        owners.append(talk.owner)

    assert owners == [Owner.BUTLER, Owner.BOT]


@pytest.mark.parametrize(
    "data", ["", "w:1", "w:{case}:to_mars", "w:{case}:is_praise", "w:{case}:explode", "w:999999:accept", "c:{talk}:x",
             "c:999999:claim", "o:1:again", "o:1:x", "r:1:affirm", "cb:1:held"],
)  # fmt: skip
def test_staffs_forged_or_stale_taps_are_answered_where_they_were_made(stage, talk, data):
    case = stage.case(talk)
    before = len(to_staff(stage))

    receive(stage, staff_tap(data.format(case=case.id, talk=talk.id)))

    assert len(to_staff(stage)) == before + 1
    assert (case.state, talk.owner) == (CaseState.OPEN, Owner.BOT)


# --- Groups and members ---------------------------------------------------------------------------------------------


def test_a_resident_who_blocks_the_bot_is_noted_and_staff_are_told_once(stage, talk):
    for _ in range(2):
        receive(stage, turn_of(member_update("kicked"), kind="my_chat_member"))

    assert talk.resident.unreachable_since == NOON
    assert len([line for line in to_staff(stage) if "停用了机器人" in line]) == 1


def test_a_new_group_is_told_its_id(stage):
    """It has to stand in the settings."""
    group = {"id": -100555, "type": "supergroup", "title": "物业"}

    receive(stage, turn_of(member_update("administrator", old="left", chat=group), kind="my_chat_member"))

    [welcome] = [row for row in stage.outbox() if row.chat_id == -100555]
    assert "-100555" in welcome.payload["text"]


def test_promoting_the_bot_is_no_second_welcome(stage):
    group = {"id": -100555, "type": "supergroup", "title": "物业"}

    receive(stage, turn_of(member_update("administrator", old="member", chat=group), kind="my_chat_member"))

    assert stage.outbox() == []


@pytest.mark.parametrize("kind", ["chat_member", "message"])
def test_whoever_leaves_the_staff_group_loses_the_rights(stage, talk, kind):
    receive(stage, turn_of(staff_message("// 在", thread=THREAD)))
    gone = (
        member_update("left", chat=STAFF_GROUP, who=BUTLER)
        if kind == "chat_member"
        else staff_message(None, left_chat_member=user(BUTLER))
    )

    receive(stage, turn_of(gone, kind=kind))

    stage.session.expire_all()
    assert stage.session.scalars(select(Staff).where(Staff.user_id == BUTLER)).one().left_at == NOON


@pytest.mark.parametrize("reported_in", ["old", "new"])
def test_a_migrated_staff_group_is_followed(stage, reported_in):
    moved = STAFF_CHAT - 7
    if reported_in == "old":
        report = staff_message(None, migrate_to_chat_id=moved)
    else:
        report = message(None, chat={"id": moved, "type": "supergroup"}, migrate_from_chat_id=STAFF_CHAT)

    receive(stage, turn_of(report))

    stage.session.refresh(stage.community)
    assert stage.community.staff_chat_id == moved


def test_what_is_said_in_other_groups_is_nobodys_business(stage):
    group = {"id": -100555, "type": "supergroup"}

    assert receive(stage, turn_of(message("着火了", chat=group))) is None

    assert stage.outbox() == []


# --- What nobody can read -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "update",
    [
        {"update_id": 1},
        {"update_id": 1, "poll": {"id": "1"}},
        {"update_id": 1, "inline_query": {"id": "1", "from": user(), "query": "", "offset": ""}},
        {"update_id": 1, "message": {}},
        {"update_id": 1, "message": "text"},
        {"update_id": 1, "message": []},
        {"update_id": 1, "message": {"chat": {"id": 1, "type": "private"}, "date": 10**18, "message_id": 1}},
        {"update_id": 1, "message": {"chat": 5, "date": 1, "message_id": 1}},
        {"update_id": 1, "message": {"chat": {"id": 1, "type": "private"}, "date": "x", "message_id": 1, "text": "a"}},
        {"update_id": 1, "channel_post": message("x", chat={"id": -1, "type": "channel"})},
        {"update_id": 1, "callback_query": {"id": "1", "from": user(), "chat_instance": "1", "data": "x"}},
        {"update_id": 1, "story_time": message("x")},
    ],
)
def test_an_update_that_no_handler_knows_is_unreadable_and_not_a_bug(stage, update):
    """It becomes a dead letter at once, instead of being tried five times."""
    turn = raw_turn(json.dumps(update).encode())

    with pytest.raises(Unreadable):
        route.receive(stage.session, turn, now=NOON)


def test_a_number_alone_shows_that_case_and_nobody_elses(stage):
    """N12: who copies it off a message wants to know where it stands; a neighbour's is not found."""
    talk = stage.resident(chat_id=RESIDENT)
    mine, theirs = stage.case(talk), stage.case(stage.resident())

    for number in (mine.number, theirs.number):
        assert receive(stage, turn_of(message(number.replace("-", "").lower()))) is None

    assert f"{mine.number}「厨房水管漏水」" in stage.lines_to(talk)[0]
    assert "没有查到" in stage.lines_to(talk)[1]


WHO_ARE_YOU = ["你是真人还是AI", "你到底是不是人啊？", "你叫什么名字？", "are you human or AI?", "what's your name"]


@pytest.mark.parametrize("words", WHO_ARE_YOU)
def test_who_we_are_is_told_in_the_middle_of_a_form_and_calls_nobody(stage, words):
    """It became part of the matter, or a butler was called; whoever wants a person is told how."""
    knowledge_base.bring_up_to_date(stage.session, now=NOON)
    talk = stage.resident(chat_id=RESIDENT)
    talk.keyboard_turn = 1

    ask = receive(stage, turn_of(message(words)))

    assert ask is not None
    assert (ask.text, ask.metadata["aside"]) == ("/aside", None)
    assert "小管家" in stage.lines_to(talk)[0] or "I am Guanjia" in stage.lines_to(talk)[0]
    assert talk.owner is Owner.BOT


@pytest.mark.parametrize("words", ["能不能别说是我说的？", "Please don’t tell them it was me"])
def test_who_learns_of_a_report_is_told_in_the_middle_of_a_form_and_calls_nobody(stage, words):
    """A butler was called for it, and the complaint was left half written."""
    knowledge_base.bring_up_to_date(stage.session, now=NOON)
    talk = stage.resident(chat_id=RESIDENT)

    ask = receive(stage, turn_of(message(words)))

    assert ask is not None
    assert (ask.text, ask.metadata["aside"]) == ("/aside", None)
    assert "不会让对方知道" in stage.lines_to(talk)[0] or "is not told that it was you" in stage.lines_to(talk)[0]


@pytest.mark.parametrize("words", ["滚", "滚！", "你们他妈的", "fuck off", "shut up", "Shut up!"])
def test_an_insult_is_no_matter_and_no_answer(stage, words):
    """N9: it stood in the case as the place or the time for the visit; with a mark behind it everybody was alerted."""
    stage.resident(chat_id=RESIDENT)

    ask = receive(stage, turn_of(message(words)))

    assert ask is not None
    assert (ask.text, ask.metadata["aside"]) == ("/aside", "utter_calm")


OWN_CARD = {"phone_number": "+8613800138000", "first_name": "王", "user_id": RESIDENT}


@pytest.mark.parametrize(
    ("said", "words", "read_by_staff"),
    [
        (message("滚"), "转人工", False),
        (message(None, contact=OWN_CARD), "号码收到了", True),
        (message("厨房水管漏水"), "系统有点忙", True),
    ],
)
def test_what_needs_no_understanding_is_answered_without_rasa(stage, said, words, read_by_staff):
    """A card was put off until later, though its number was kept."""
    talk = stage.resident(chat_id=RESIDENT)
    ask = receive(stage, turn_of(said))
    assert ask is not None

    answers.apologise(stage.session, turn_of(said), ask, talk, now=NOON)

    assert words in stage.lines_to(talk)[-1]
    assert any("note" in row.kind for row in stage.outbox()) == read_by_staff


def test_who_wants_somebody_instead_of_a_robot_is_not_told_what_we_are(stage):
    """They know."""
    knowledge_base.bring_up_to_date(stage.session, now=NOON)

    assert receive(stage, turn_of(message("你是机器人吧？我要真的客服"))) is not None
