"""What the record says of a talk, and who may look for words in it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from service import cases, communities, conversations, residents, takeover, texts, transcripts, transfer
from service.conversations import Said
from service.errors import TranscriptNotFound
from service.models.queues import OutboxState
from service.models.talks import Conversation
from tests.stage import NOON, Stage

MINUTE = timedelta(minutes=1)


def say(stage: Stage, talk: Conversation, text: str, *, at: int = 0, **facts: Any) -> Said:
    """A line of the resident's, some minutes after noon."""
    number = facts.pop("message_id", 1000 + at)
    said = Said("text", text, talk.resident.chat_id, number, inbox_id=10_000 + number, **facts)
    conversations.hear(stage.session, talk, said, now=NOON + at * MINUTE)
    return said


def told(stage: Stage, talk: Conversation) -> list[tuple[str, str, str]]:
    return [(entry.by, entry.kind, entry.text) for entry in transcripts.read(stage.session, talk)]


def test_everybodys_lines_and_the_steps_of_cases_stand_in_order(stage):
    """What the butler reads before they call: the whole of it, not one side."""
    talk = stage.resident()
    say(stage, talk, "厨房漏水")
    line = texts.say("utter_thanks", language="zh")
    conversations.tell(stage.session, talk, line, now=NOON + MINUTE, key="thanks")
    case = stage.case(talk)
    cases.advance(stage.session, case, cases.Event.ACCEPTED, actor="staff:101", key="a", now=NOON + 2 * MINUTE)
    say(stage, talk, "好的", at=3)

    assert told(stage, talk) == [
        ("resident", "text", "厨房漏水"),
        ("system", "opened", case.number),
        ("bot", "text", line.text),
        ("system", "accepted", case.number),
        ("resident", "text", "好的"),
    ]


def test_who_answered_when_stands_among_the_lines(stage):
    """What was said between is a butler's word, and whose."""
    talk = stage.resident()
    takeover.escalate(stage.session, talk, reason="asked", source="turn:1", now=NOON, quietly=True)
    first, second = stage.member(), stage.member()
    takeover.claim(stage.session, talk, first, source="turn:2", now=NOON + MINUTE)
    transfer.transfer(stage.session, talk, first, second, note="耳朵不好", source="turn:3", now=NOON + 2 * MINUTE)
    takeover.hand_back(stage.session, talk, second, source="turn:4", now=NOON + 3 * MINUTE)

    steps = [entry for entry in transcripts.read(stage.session, talk) if entry.kind.startswith("handover_")]

    assert [(step.kind.removeprefix("handover_"), step.staff_no, step.text) for step in steps] == [
        ("asked", None, ""),
        ("claimed", first.number, ""),
        ("transferred", second.number, "耳朵不好"),
        ("handed_back", None, ""),
    ]


def test_every_step_stands_on_one_page_of_a_long_talk(stage):
    """Page by page nothing is shown twice, and what happened between two pages is on one of them."""
    talk = stage.resident()
    for minute in range(5):
        say(stage, talk, f"第{minute}句", at=10 * minute)
    case = stage.case(talk)
    for minute in (5, 15, 25, 35, 45):
        at = NOON + minute * MINUTE
        cases.advance(stage.session, case, cases.Event.URGED, actor="resident", key=f"{minute}", now=at)

    newest = transcripts.latest(stage.session, talk, rows=2)
    older = transcripts.latest(stage.session, talk, rows=2, before=newest.before)
    oldest = transcripts.latest(stage.session, talk, rows=2, before=older.before)

    assert [(entry.at - NOON) // MINUTE for entry in newest.rows] == [30, 35, 40, 45]
    assert [(entry.at - NOON) // MINUTE for entry in older.rows] == [10, 15, 20, 25]
    assert ([entry.kind for entry in oldest.rows], oldest.before) == (["text", "opened", "urged"], None)


def test_a_line_keeps_its_edits_its_file_and_what_it_answers(stage):
    """A quarrel about what was said is settled by the record."""
    talk = stage.resident()
    file = {"kind": "photo", "photo": {"file_id": "f", "file_unique_id": "u"}}
    said = say(stage, talk, "3栋", media=file, reply_to=7, forwarded_from="老张")
    conversations.amend(
        stage.session, talk, Said("photo", "5栋", said.chat_id, said.message_id, 0, media=file), now=NOON + MINUTE
    )

    (entry,) = transcripts.read(stage.session, talk)

    assert (entry.text, entry.edits[0]["text"], entry.edited_at) == ("5栋", "3栋", NOON + MINUTE)
    assert (entry.media, entry.reply_to, entry.forwarded_from) == (file, 7, "老张")


def test_it_says_what_did_not_get_there(stage):
    """A line in the record is not yet a line that was read."""
    talk = stage.resident()
    conversations.tell(stage.session, talk, texts.say("utter_thanks", language="zh"), now=NOON, key="thanks")
    row = stage.outbox()[-1]
    row.state, row.reason = OutboxState.DROPPED, "the resident cannot be reached"
    stage.session.flush()

    (entry,) = transcripts.read(stage.session, talk)

    assert (entry.delivery, entry.reason) == ("dropped", "the resident cannot be reached")


def test_a_talk_is_found_by_case_telephone_or_telegram_number(stage):
    """What an operator has in hand."""
    talk = stage.resident(phone="13800138000")
    case = stage.case(talk)

    for name in (case.number, case.number.lower(), "13800138000", str(talk.resident.chat_id)):
        assert transcripts.access_conversation(stage.session, stage.community.id, name) is talk


@pytest.mark.parametrize("name", ["", "R9901-0001", "13900000000", "9" * 30, "' OR 1=1", "%"])
def test_a_name_of_nobody_finds_nobody(stage, name):
    """Also when it is nonsense."""
    stage.resident(phone="13800138000")

    with pytest.raises(TranscriptNotFound):
        transcripts.access_conversation(stage.session, stage.community.id, name)


def test_a_telephone_of_two_is_nobodys(stage):
    """A couple shares a number: showing one of them the other's talk would be a guess."""
    stage.resident(phone="13800138000")
    stage.resident(phone="13800138000")

    with pytest.raises(TranscriptNotFound):
        transcripts.access_conversation(stage.session, stage.community.id, "13800138000")


def neighbours(stage: Stage) -> int:
    """Another community in the same database; a resident there has said the same, and it has a case of that number."""
    other = communities.settle_in(stage.session, 777, communities.Profile("隔壁小区", "Asia/Shanghai", "0731-2", -1009))
    talk = residents.access_conversation(stage.session, other.id, 4711, display_name="李", language="zh")
    say(stage, talk, "电梯坏了", message_id=1)
    return other.id


def test_nobody_reads_or_searches_in_another_community(stage):
    """N12: staff see only their community."""
    other = neighbours(stage)

    assert transcripts.search(stage.session, stage.community.id, "电梯") == []
    assert len(transcripts.search(stage.session, other, "电梯")) == 1
    with pytest.raises(TranscriptNotFound):
        transcripts.access_conversation(stage.session, stage.community.id, "4711")


def test_a_search_wants_every_word_and_finds_what_was_edited_away(stage):
    """What somebody wrote first may be what is looked for."""
    talk = stage.resident()
    first = say(stage, talk, "3栋电梯坏了")
    say(stage, talk, "电梯还没修", at=1)
    conversations.amend(
        stage.session, talk, Said("text", "5栋电梯坏了", first.chat_id, first.message_id, 0), now=NOON + MINUTE
    )

    def found(words: str) -> list[str]:
        return [one.entry.text for one in transcripts.search(stage.session, stage.community.id, words)]

    assert found("电梯") == ["电梯还没修", "5栋电梯坏了"]
    assert found("电梯 坏") == ["5栋电梯坏了"]
    assert found("3栋") == ["5栋电梯坏了"]
    assert found("  ") == []


@pytest.mark.parametrize("sign", ["%", "_", "\\", "'"])
def test_signs_are_searched_for_as_they_are(stage, sign):
    """A per cent sign is a discount, not everything."""
    talk = stage.resident()
    say(stage, talk, f"打9折{sign}好吗")
    say(stage, talk, "别的话", at=1)

    found = transcripts.search(stage.session, stage.community.id, sign)

    assert [one.entry.text for one in found] == [f"打9折{sign}好吗"]


def test_a_search_shows_the_newest_first_and_not_without_end(stage):
    """A word like 好 stands in half of all lines."""
    talk = stage.resident()
    for minute in range(5):
        say(stage, talk, f"好{minute}", at=minute)

    found = transcripts.search(stage.session, stage.community.id, "好", limit=2)

    assert [one.entry.text for one in found] == ["好4", "好3"]
