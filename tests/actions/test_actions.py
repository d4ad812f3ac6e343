"""Actions on a real database: each does one thing once, however often Rasa repeats the turn."""

from dataclasses import replace
from typing import Any

import pytest
from rasa_sdk.executor import CollectingDispatcher

import actions.alarms
import actions.cases
import actions.conversations
import actions.greetings
import actions.knowledge
import actions.urging
import actions.withdrawals
from actions.base import Desk
from actions.turns import read
from service import cases, knowledge_base, knowledge_entries, texts, unanswered
from service.models.archive import ArchiveEvent
from service.models.talks import Owner
from tests.actions.turns import message
from tests.households import member
from tests.ledgers import fee
from tests.stage import NOON

FILLED = {"matter": "水管漏水", "location": "3栋2单元1201室", "phone": "13800138000", "confirmed": True}
FORM = [{"event": "active_loop", "name": "repair_form"}, {"event": "active_loop", "name": None}]


@pytest.fixture
def desk_for(stage):
    def make(
        text: str = "",
        intent: str = "inform",
        *,
        talk: Any = None,
        slots: Any = None,
        events: Any = (),
        turn: str = "7",
        known: Any = None,
        **entities: Any,
    ) -> Desk:
        conversation = talk or stage.resident()
        ours = {"conversation_id": conversation.id, "turn": turn} | (known or {})
        latest = message(text, intent, known=ours, **entities)
        return Desk(stage.session, conversation, read(latest), slots or {}, events, CollectingDispatcher())

    return make


def answers(desk: Desk) -> list[str]:
    return [said["text"] for said in desk.dispatcher.messages if said["text"]]


def is_silent(desk: Desk) -> bool:
    """The resident was told by the service: an empty answer is no failure."""
    return any(said["custom"] == {"silent": True} for said in desk.dispatcher.messages)


def test_a_confirmed_form_becomes_one_case(desk_for, stage):
    talk = stage.resident()

    for _ in range(2):
        desk = desk_for("/affirm", "affirm", talk=talk, slots=FILLED, events=FORM)
        actions.cases.open_case(desk)

    assert "R2611-" in answers(desk)[0]
    assert len(stage.outbox("work_order")) == 1


def test_nothing_is_opened_without_a_yes(desk_for):
    """Rasa goes on to the next rule when a form's own call failed."""
    desk = desk_for("确认", "affirm", slots=FILLED | {"confirmed": None}, events=FORM)

    with pytest.raises(AssertionError):
        actions.cases.open_case(desk)


def test_a_declined_phone_is_not_written_on_the_work_order(desk_for, stage):
    desk = desk_for("/affirm", "affirm", slots=FILLED | {"phone": "-"}, events=FORM)

    actions.cases.open_case(desk)

    assert stage.outbox("work_order")[0].payload["text"].rstrip().endswith("王芳")


def test_the_work_order_shows_the_day_and_clock_the_resident_was_told(desk_for, stage):
    """The words as they were said, and what they mean, in the language of staff."""
    visit = {"visit_time": "tomorrow after 6", "visit_from": "2026-11-24T10:00:00+00:00"}
    slots = FILLED | visit | {"visit_until": "2026-11-24T16:00:00+00:00"}

    actions.cases.open_case(desk_for("/affirm", "affirm", slots=slots, events=FORM))

    assert "时间：tomorrow after 6（11月24日 周二 18:00以后）" in stage.outbox("work_order")[0].payload["text"]


@pytest.mark.parametrize(
    ("words", "shown"), [("明天下午", "明天下午（11月24日 周二 13:00–18:00）"), ("昨天", "昨天\n")]
)
def test_a_request_is_taken_down_with_the_time_that_lies_ahead(desk_for, stage, words, shown):
    talk = stage.resident()
    latest = message(f"{words}帮忙搬家具", "request_service", known={"conversation_id": talk.id}, time=words)
    desk = Desk(stage.session, talk, read(latest), {}, (), CollectingDispatcher())

    actions.cases.take_down(desk)

    assert shown in stage.outbox("work_order")[0].payload["text"]


@pytest.mark.parametrize("kind", ["praise", "suggestion", "request_service"])
def test_what_is_no_case_of_trouble_is_taken_down_in_one_turn(desk_for, kind):
    """N9: taken down and handed up, with a number."""
    desk = desk_for("建议装几个充电桩", kind)

    actions.cases.take_down(desk)

    assert "S2611-0001" in answers(desk)[0]


@pytest.fixture
def base(stage):
    """The answers that come with Guanjia."""
    knowledge_base.bring_up_to_date(stage.session, now=NOON)


def test_a_common_question_is_answered_at_once(base, desk_for):
    desk = desk_for("物业费怎么交", "inquiry")

    assert actions.knowledge.answer(desk) == []
    assert "阳光花园" in answers(desk)[0]
    assert "{" not in answers(desk)[0]


def test_near_questions_are_offered_and_a_tap_answers(base, desk_for, stage):
    """The slots remember what stood on the buttons; a payload holds no more than an intent."""
    talk = stage.resident()
    desk = desk_for("装修", "inquiry", talk=talk)
    slots = {event["name"]: event["value"] for event in actions.knowledge.answer(desk)}
    offered = desk.dispatcher.messages[0]["buttons"]

    tapped = desk_for("/second_choice", "second_choice", talk=talk, slots=slots)
    actions.knowledge.answer(tapped)

    assert answers(desk)[0].startswith("您想问的是不是：")
    assert [button["payload"] for button in offered][-1] == "/none_of_these"
    entry = knowledge_base.shipped()[slots["offered"].split()[1]]["zh"]
    assert offered[1]["title"] == entry["questions"][0]
    assert answers(tapped)[0][:12] == entry["answer"][:12]


def test_a_tap_on_an_answer_that_was_withdrawn_meanwhile_asks_again(base, desk_for, stage):
    """The button is older than the edit; what is wrong now is not said."""
    knowledge_entries.put(stage.session, stage.community.id, "pets", {"withdrawn": True}, by="li", now=NOON)
    tapped = desk_for("/first_choice", "first_choice", slots={"offered": "pets dog_walking"})

    assert [event["name"] for event in actions.knowledge.answer(tapped)] == ["inquiry_form"]


def test_none_of_these_takes_the_question_down_in_its_own_words(desk_for, stage):
    """And staff see it among the questions that have no answer."""
    desk = desk_for("/none_of_these", "none_of_these", slots={"asked": "物业费"})

    actions.knowledge.answer(desk)

    assert "I2611-0001" in answers(desk)[0]
    assert "物业费" in stage.outbox("work_order")[0].payload["text"]
    assert [asked.question.text for asked in unanswered.review(stage.session, stage.community.id)] == ["物业费"]


def test_a_question_nobody_can_answer_yet_gets_the_standard_phrase_and_a_number(base, desk_for, stage):
    """Asked again by Rasa in the same turn, it is still one question and one case."""
    talk = stage.resident()

    for _ in range(2):
        desk = desk_for("您家隔壁老王哪年结婚", "inquiry", talk=talk)
        actions.knowledge.answer(desk)

    assert texts.words("utter_handoff", language="zh") in answers(desk)[0]
    assert "I2611-0001" in answers(desk)[0]
    assert [asked.count for asked in unanswered.review(stage.session, stage.community.id)] == [1]


def test_what_is_a_households_own_is_said_by_the_service_and_written_down_once(base, desk_for, stage):
    """Rasa would keep it in its tracker. N12: what was shown to whom is logged, and no figure of it."""
    person = member(stage)
    fee(stage, person.household)
    talk = stage.resident(member_id=person.id)

    for _ in range(2):
        desk = desk_for("我家物业费交了吗", "inquiry", talk=talk)
        actions.knowledge.answer(desk)

    assert is_silent(desk)
    assert answers(desk) == []
    assert ["1,234.50元" in line for line in stage.lines_to(talk)] == [True]
    shown = stage.session.query(ArchiveEvent).filter_by(act="ledger_shown").one()
    assert (shown.member_id, shown.detail) == (person.id, {"kinds": ["fees"]})


@pytest.mark.parametrize("question", ["我家物业费交了吗", "查询我的物业费账单"])
def test_who_is_not_bound_hears_how_that_is_done_and_whom_to_ask(base, desk_for, stage, question):
    """Whether the words told it, or the entry that was found; and nothing is logged as shown."""
    fee(stage, member(stage).household)
    talk = stage.resident()

    actions.knowledge.answer(desk_for(question, "inquiry", talk=talk))

    [line] = stage.outbox("reply")
    assert "/bind" in line.payload["text"]
    assert "账单也可以请前台给您看" in line.payload["text"]
    assert line.payload["contact_key"]
    assert "1,234.50" not in line.payload["text"]
    assert stage.session.query(ArchiveEvent).count() == 0


def test_a_bare_question_is_asked_what_it_is(desk_for):
    events = actions.knowledge.answer(desk_for("/inquiry", "inquiry"))

    assert [event["name"] for event in events] == ["inquiry_form"]


def test_asking_how_far_it_is_urges_once_and_a_tap_only_shows(desk_for, stage):
    talk = stage.resident()
    case = stage.case(talk)

    for text in ("/urge", "师傅怎么还没来", "师傅怎么还没来"):
        desk = desk_for(text, "urge", talk=talk)
        actions.urging.case_status(desk)

    urged = [row for row in stage.outbox("note") if case.number in row.payload["text"]]
    assert len(urged) == 1
    assert case.number in answers(desk)[-1]


@pytest.mark.parametrize(("sure", "follows"), [(0.37, ["action_not_understood"]), (0.9, [])])
def test_who_has_no_case_and_hardly_asks_for_one_is_asked_to_say_it_again(desk_for, sure, follows):
    """「我快递丢了」 sounds a little like it; "you have no cases" is no answer to that."""
    desk = desk_for("我的东西丢了", "urge")
    desk.turn = replace(desk.turn, confidence=sure)

    events = actions.urging.case_status(desk)

    assert [event["name"] for event in events] == follows


def test_who_asks_again_how_far_one_case_is_reads_no_list(desk_for, stage):
    """It would be the same one at every asking; when it is expected stands in the answer."""
    talk = stage.resident()
    stage.case(talk)

    desk = desk_for("师傅怎么还没来", "urge", talk=talk)
    actions.urging.case_status(desk)

    assert [("预计" in said, "您的工单" in said) for said in answers(desk)] == [(True, False)]


@pytest.mark.parametrize(("words", "meant"), [("水龙头的怎么还没来", 0), ("催一下灯的事", 1), ("窗户呢", 2)])
def test_who_names_one_of_several_cases_has_that_one_urged(desk_for, stage, words, meant):
    """And then only that one, for a while: the same list at every word sounds deaf."""
    talk = stage.resident()
    found = [stage.case(talk, matter=matter) for matter in ("厨房水龙头漏水", "卧室灯坏了", "客厅窗户关不上")]

    for turn, text in enumerate((words, "快点啊", "人呢")):
        desk = desk_for(text, "urge", talk=talk, turn=str(turn))
        actions.urging.case_status(desk)

        [said] = answers(desk)
        assert found[meant].number in said
        assert "预计" in said


def test_who_names_none_of_several_cases_sees_them_once(desk_for, stage):
    """The newest is urged; whoever means another one says so, and whoever says nothing means the newest."""
    talk = stage.resident()
    for matter in ("厨房水龙头漏水", "卧室灯坏了", "客厅窗户关不上"):
        stage.case(talk, matter=matter)

    said = []
    for turn in ("1", "2", "3"):
        desk = desk_for("怎么还没来", "urge", talk=talk, turn=turn)
        actions.urging.case_status(desk)
        said.append(["您的工单" in line for line in answers(desk)])

    assert said == [[False, True], [False], [False]]


@pytest.mark.parametrize("words", ["还要多久", "how much longer?"])
def test_how_long_it_takes_still_is_asked_of_the_case_at_work(desk_for, stage, words):
    """「您想问的是不是：保安多久巡逻一次」 is no answer to somebody who waits."""
    talk = stage.resident()
    case = stage.case(talk)

    desk = desk_for(words, "inquiry", talk=talk)
    actions.knowledge.answer(desk)

    [said] = answers(desk)
    assert case.number in said
    assert "预计" in said


@pytest.mark.parametrize("words", ["想请师傅喝水", "tip the plumber"])
@pytest.mark.parametrize(
    ("intent", "act"),
    [("request_service", actions.cases.take_down), ("nlu_fallback", actions.conversations.not_understood)],
)
def test_a_gift_is_declined_whatever_the_words_were_taken_for(desk_for, stage, words, intent, act):
    """N15: it is no service to be booked, and nothing to be rephrased."""
    knowledge_base.bring_up_to_date(stage.session, now=NOON)
    talk = stage.resident()

    desk = desk_for(words, intent, talk=talk)
    act(desk)

    assert "我们不收礼物、红包和小费" in answers(desk)[0]
    assert cases.count(stage.session, talk) == 0


def test_praise_with_a_gift_is_taken_down_and_the_gift_declined(desk_for, stage):
    """N15; and what was said of somebody is not lost."""
    knowledge_base.bring_up_to_date(stage.session, now=NOON)
    talk = stage.resident()

    desk = desk_for("给师傅带包烟", "praise", talk=talk)
    actions.cases.take_down(desk)

    assert "我们不收礼物、红包和小费" in answers(desk)[0]
    assert cases.count(stage.session, talk) == 1


@pytest.mark.parametrize(
    ("words", "intent"), [("afternoon", "greet"), ("any time", "nlu_fallback"), ("下午", "inform")]
)
def test_a_bare_time_right_after_a_case_is_when_the_visit_suits(desk_for, stage, words, intent):
    """A bare "afternoon" sounds like a greeting."""
    talk = stage.resident()
    stage.case(talk)
    act = {
        "greet": actions.greetings.greet,
        "nlu_fallback": actions.conversations.not_understood,
        "inform": actions.cases.add_to_case,
    }[intent]

    desk = desk_for(words, intent, talk=talk)
    act(desk)

    assert "11月23日" in str(desk.dispatcher.messages[-1]["buttons"])


def test_somebody_elses_card_goes_along_with_the_case_at_work(desk_for, stage):
    """N3: it is the plumber's number, and no attempt to be somebody."""
    talk = stage.resident()
    case = stage.case(talk)

    desk = desk_for("/share_phone", "share_phone", talk=talk, known={"card": "张师傅", "card_message": 12})
    actions.cases.phone_shared(desk)

    assert [row.payload["message_ids"] for row in stage.outbox("relay")] == [[12]]
    assert case.number in stage.lines_to(talk)[-1]
    assert is_silent(desk)


def test_somebody_elses_card_out_of_the_blue_is_answered_and_binds_nobody(desk_for, stage):
    talk = stage.resident()

    desk = desk_for("/share_phone", "share_phone", talk=talk, known={"card": "张师傅", "card_message": 12})
    actions.cases.phone_shared(desk)

    assert "只认您本人的号码" in stage.lines_to(talk)[-1]


@pytest.mark.parametrize(("text", "act"), [("还有个事", "add_to_case"), ("one more thing", "take_down")])
def test_who_announces_another_matter_is_asked_for_it(desk_for, stage, text, act):
    """It is neither part of the case at work nor one of its own."""
    talk = stage.resident()
    case = stage.case(talk)

    desk = desk_for(text, "suggestion" if act == "take_down" else "inform", talk=talk)
    getattr(actions.cases, act)(desk)

    assert len(answers(desk)) == 1
    assert case.number not in answers(desk)[0]
    assert stage.outbox("note") == []


@pytest.mark.parametrize("text", ["no, still no power", "没有，还是漏"])
def test_a_no_that_says_it_is_still_so_reopens_the_case(desk_for, stage, text):
    """W4: whatever the understanding takes it for."""
    talk = stage.resident()
    case = stage.case(talk, state="finished")

    actions.withdrawals.yes_or_no(desk_for(text, "deny", talk=talk))

    assert case.state == "reopened"


def test_not_fixed_reopens_the_last_case_and_the_service_says_so(desk_for, stage):
    talk = stage.resident()
    case = stage.case(talk, state="finished")

    desk = desk_for("还没好", "reopen", talk=talk)
    actions.cases.reopen(desk)

    assert is_silent(desk)
    assert any(case.number in line for line in stage.lines_to(talk))


def test_not_fixed_without_a_case_is_a_new_repair(desk_for):
    events = actions.cases.reopen(desk_for("又漏了", "reopen"))

    assert [event["name"] for event in events] == ["repair_form"]


def test_a_fact_out_of_the_blue_goes_to_the_case_at_work(desk_for, stage):
    """N3: 「对了，门口有狗」 after the case was opened."""
    talk = stage.resident()
    stage.case(talk)

    actions.cases.add_to_case(desk_for("门口有狗，请小心", "inform", talk=talk))

    assert any("门口有狗" in row.payload["text"] for row in stage.outbox("note"))


def test_a_time_nobody_asked_for_is_the_visits_and_another_hour_keeps_the_day(desk_for, stage):
    """Who reads the offered windows may just as well answer in words."""
    talk = stage.resident()
    stage.case(talk)

    first = desk_for("后天下午三点", talk=talk, time="后天下午三点")
    then = desk_for("下午五点", talk=talk, time="下午五点", turn="8")
    actions.cases.add_to_case(first)
    actions.cases.add_to_case(then)

    assert "11月25日 周三 14:00–16:00" in answers(first)[0]
    assert "11月25日 周三 16:00–18:00" in answers(then)[0]
    assert [said["payload"][:2] for said in first.dispatcher.messages[0]["buttons"]] == ["v:", "v:"], "move, or drop"


def test_what_was_said_beside_the_time_reaches_the_department(desk_for, stage):
    talk = stage.resident()
    stage.case(talk)

    actions.cases.add_to_case(desk_for("后天下午三点，请师傅带个梯子", "inform", talk=talk, time="后天下午三点"))

    assert any("梯子" in row.payload["text"] for row in stage.outbox("note"))


def test_a_fact_without_a_case_was_not_understood(desk_for):
    events = actions.cases.add_to_case(desk_for("3栋2单元1201", "inform"))

    assert [event["name"] for event in events] == ["action_not_understood"]


def test_the_third_misunderstanding_calls_a_butler(desk_for, stage):
    """N7: rephrase, choices, butler."""
    talk, seen = stage.resident(), []
    events: list[dict[str, Any]] = []
    for _ in range(3):
        events = [*events, {"event": "user"}]
        desk = desk_for("嗯哼唧唧", "nlu_fallback", talk=talk, events=events)
        actions.conversations.not_understood(desk)
        seen.append([said["buttons"] for said in desk.dispatcher.messages])
        events = [*events, {"event": "action", "name": "action_not_understood"}]

    assert not any(seen[0])
    assert any(seen[1])
    assert is_silent(desk)
    assert talk.owner is Owner.WAITING


def test_idle_talk_to_which_there_is_an_answer_is_answered(desk_for, stage):
    """「你是机器人吗」 is an honest question, whatever it sounds like."""
    knowledge_base.bring_up_to_date(stage.session, now=NOON)
    asked, idle = desk_for("你是机器人吗", "out_of_scope"), desk_for("今天天气真好", "out_of_scope")

    actions.knowledge.off_topic(asked)
    actions.knowledge.off_topic(idle)

    assert "自动助手" in answers(asked)[0]
    assert answers(idle)[0] in [line.text for line in texts.variants("utter_out_of_scope", language="zh")]


def test_nothing_but_question_marks_is_asked_back_and_no_part_of_a_case(desk_for, stage):
    """「？？？」 is said to what we said last."""
    talk = stage.resident()
    case = stage.case(talk)
    desk = desk_for("？？？", "out_of_scope", talk=talk)

    assert [event["name"] for event in actions.knowledge.off_topic(desk)] == ["action_not_understood"]
    actions.conversations.not_understood(desk)

    assert "？" not in case.matter
    assert "重复一遍" in answers(desk)[0]


def test_a_fix_that_failed_of_something_else_is_a_new_repair(desk_for, stage):
    """Whoever's heater is acting up does not urge the roof."""
    talk = stage.resident()
    stage.case(talk, matter="楼顶漏水")

    heater = actions.cases.reopen(desk_for("暖气又不热了", "reopen", talk=talk))
    roof = actions.cases.reopen(desk_for("又漏水了", "reopen", talk=talk, turn="8"))

    assert [event["name"] for event in heater] == ["repair_form"]
    assert roof == []


def test_the_bot_is_told_of_every_misunderstanding(desk_for):
    """So that people can look at the message."""
    desk = desk_for("嗯哼唧唧", "nlu_fallback")

    actions.conversations.not_understood(desk)

    assert {"not_understood": True} in [said["custom"] for said in desk.dispatcher.messages]


def test_an_understood_turn_starts_the_count_afresh():
    missed = [{"event": "user"}, {"event": "action", "name": "action_not_understood"}]
    understood = [{"event": "user"}, {"event": "action", "name": "utter_thanks"}]
    now = [{"event": "user"}]

    assert actions.conversations.misunderstood_before([*missed, *understood, *now]) == 0
    assert actions.conversations.misunderstood_before([*understood, *missed, *missed, *now]) == 2


def test_people_are_called_once_and_the_form_is_left(desk_for, stage):
    talk = stage.resident()

    for _ in range(2):
        desk = desk_for("转人工", "request_human", talk=talk)
        events = actions.conversations.handoff(desk)

    assert stage.lines_to(talk).count(texts.words("utter_handoff", language="zh")) == 1
    assert {"event": "active_loop", "name": None, "timestamp": None} in events


@pytest.mark.parametrize("act", [actions.conversations.handoff, actions.conversations.not_understood])
def test_what_waited_for_a_form_goes_to_the_butler_too(desk_for, stage, act):
    """The resident hears that it is not forgotten, and it does not begin behind the butler's back."""
    talk, misses = stage.resident(), [{"event": "user"}, {"event": "action", "name": "action_not_understood"}]
    slots = {"waiting": '[["客厅灯不亮", {}, {}, true, true]]'}

    desk = desk_for("转人工", "request_human", talk=talk, slots=slots, events=[*misses, *misses, {"event": "user"}])
    events = act(desk)

    assert texts.words("utter_handed_over_too", language="zh", matter="客厅灯不亮") in stage.lines_to(talk)
    assert {"event": "slot", "name": "waiting", "value": None, "timestamp": None} in events


def test_an_emergency_the_tripwire_missed_is_answered_by_the_service(desk_for, stage):
    talk = stage.resident()

    desk = desk_for("快来人啊", "emergency", talk=talk)
    actions.alarms.emergency(desk)

    assert is_silent(desk)
    assert "119" in stage.lines_to(talk)[0]


def test_the_greeting_brings_the_keys(desk_for):
    desk = desk_for("你好", "greet")

    actions.greetings.greet(desk)

    assert {key["title"] for key in desk.dispatcher.messages[0]["quick_replies"]} <= set(texts.menu_words())
