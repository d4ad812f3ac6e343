"""N12: what a resident sees of themselves, takes along, and chooses."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import select

from service import archive, conversations, own_data, texts
from service.conversations import Said
from service.errors import ButtonExpired
from service.models.archive import ArchiveEvent, MemberRole
from service.models.queues import OutboxRow
from service.models.talks import Conversation
from tests.households import member
from tests.lives import AMONG_STAFF, BY_STAFF, FILE, TAKEN_BACK, WORDS, lived
from tests.stage import NOON, Stage


def bound(stage: Stage, name: str = "王芳", **facts: Any) -> Conversation:
    talk = stage.resident(display_name=name)
    told: dict[str, Any] = {"phone": "13800138000", "honorific": "ms"} | facts
    person = member(stage, name, **told)
    archive.bind(stage.session, talk.resident, person, how="phone", actor="resident", now=NOON)
    return talk


def says(stage: Stage, talk: Conversation, words: str, *, number: int) -> None:
    said = Said(kind="text", text=words, chat_id=talk.resident.chat_id, message_id=number, inbox_id=number)
    conversations.hear(stage.session, talk, said, now=NOON)


def acts(stage: Stage, talk: Conversation) -> list[str]:
    found = select(ArchiveEvent.act).where(ArchiveEvent.resident_id == talk.resident_id).order_by(ArchiveEvent.id)
    return list(stage.session.scalars(found))


def exported(stage: Stage) -> OutboxRow:
    return stage.outbox("export")[-1]


def test_the_bound_see_their_file_and_how_much_is_kept(stage):
    talk = bound(stage, role=MemberRole.TENANT)
    stage.case(talk)

    text = own_data.me(stage.session, talk, now=NOON).text

    assert all(fact in text for fact in ("王芳", "租户", "3栋2单元1201室", "13800138000", "工单 1 件"))
    assert acts(stage, talk) == ["bound", "shown"], "what is shown is logged"


def test_the_unbound_see_what_they_told_and_the_way_in(stage):
    line = own_data.me(stage.session, stage.resident(place="3栋2单元1201"), now=NOON)

    assert "3栋2单元1201" in line.text
    assert "没有登记" in line.text, "no number is known"
    assert line.contact_key


def test_an_export_holds_everything_of_them(stage):
    talk = bound(stage)
    says(stage, talk, "厨房水管漏水", number=1)
    case = stage.case(talk, state="finished", phone="13800138000")

    assert own_data.export(stage.session, talk, key="turn:1", now=NOON) is None

    row = exported(stage)
    told = json.loads(row.payload["content"])
    assert (row.chat_id, row.act) == (talk.resident.chat_id, "document")
    assert row.payload["file_name"] == "guanjia-2026-11-23.json"
    assert told["account"]["phone"] == "13800138000"
    assert told["file"]["home"] == "3栋2单元1201室"
    [kept] = told["cases"]
    assert (kept["number"], [event["event"] for event in kept["events"]]) == (
        case.number,
        ["opened", "accepted", "finished"],
    )
    assert "厨房水管漏水" in [line["text"] for line in told["messages"]]
    assert [event["act"] for event in told["log"]] == ["bound", "exported"]


def test_an_export_holds_what_came_of_their_words(stage):
    """The file they sent, what their line said before, who answered, what nobody could answer, what is learnt from."""
    own_data.export(stage.session, lived(stage), key="turn:1", now=NOON)

    told = json.loads(exported(stage).payload["content"])
    [picture] = [line for line in told["messages"] if line["kind"] == "photo"]
    assert FILE in str(picture["media"])
    assert picture["earlier"][0]["text"] == WORDS
    assert BY_STAFF in [line["text"] for line in told["messages"]]
    assert [change["owner"] for change in told["who_answered"]] == ["waiting", "butler", "butler", "bot"]
    assert [asked["text"] for asked in told["questions"]] == [WORDS]
    assert [left["words"] for left in told["desk_messages"]] == [WORDS]
    assert told["cases"][0]["surveys"][0]["comment"] == WORDS
    assert {noticed["why"] for noticed in told["kept_for_learning"]} == {"rephrase", "near_miss"}
    assert WORDS in [(event["data"] or {}).get("words") for event in told["cases"][0]["events"]]


@pytest.mark.parametrize("words", [AMONG_STAFF, TAKEN_BACK])
def test_an_export_holds_nothing_that_staff_did_not_mean_for_them(stage, words):
    """Notes among staff, hints to a colleague, and what went to the wrong person and was taken back."""
    own_data.export(stage.session, lived(stage), key="turn:1", now=NOON)

    assert words not in exported(stage).payload["content"]


def test_an_export_holds_nothing_of_anybody_else(stage):
    """Not of the neighbour, and not of those behind the same door."""
    neighbour = bound(stage, "李雷", address="5-1-302", phone="13900139000")
    says(stage, neighbour, "我家门锁坏了", number=2)
    stage.case(neighbour, matter="门锁坏了")
    member(stage, "王建国", phone="13700137000")

    own_data.export(stage.session, bound(stage), key="turn:1", now=NOON)

    content = exported(stage).payload["content"]
    assert not any(secret in content for secret in ("李雷", "13900139000", "门锁", "王建国", "13700137000", "302"))


def test_while_a_butler_talks_the_file_waits_and_the_butler_knows(stage):
    """After a takeover no line of the bot's reaches the resident; and the file is not for the staff topic."""
    talk = bound(stage)
    stage.take_over(talk)
    before = len(stage.outbox())

    line = own_data.export(stage.session, talk, key="turn:1", now=NOON)

    assert line == texts.say("utter_export_later", language="zh")
    assert len(stage.outbox()) == before


def test_exporting_the_same_turn_again_sends_one_file(stage):
    talk = bound(stage)

    for _ in range(2):
        own_data.export(stage.session, talk, key="turn:1", now=NOON)

    assert len(stage.outbox("export")) == 1


@pytest.mark.parametrize(
    ("chosen", "language", "stays"), [("en", "en", True), ("zh", "zh", True), ("auto", "zh", False)]
)
def test_a_language_is_chosen_until_further_notice(stage, chosen, language, stays):
    talk = stage.resident(language="zh")

    line = own_data.choose_language(stage.session, talk, chosen, now=NOON)

    assert (talk.resident.language, talk.resident.language_chosen) == (language, stays)
    assert ("answer in English" in line.text) == (chosen == "en")
    assert acts(stage, talk) == ["language_chosen"]


def test_a_language_nobody_speaks_is_refused(stage):
    with pytest.raises(ButtonExpired):
        own_data.choose_language(stage.session, stage.resident(), "xx", now=NOON)


def test_the_languages_are_offered_each_in_its_own_words(stage):
    talk = stage.resident()

    assert [(one.title, one.data) for one in own_data.ask_language(talk).buttons][:2] == [
        ("中文", f"l:{talk.id}:zh"),
        ("English", f"l:{talk.id}:en"),
    ]
