"""Conversations in the console: read as they go on, and answered by the rules that hold in Telegram."""

from __future__ import annotations

import re
from typing import Any

import pytest

from console import doors
from service import conversations, takeover
from service.conversations import Said
from service.models.people import Role
from service.models.queues import OutboxState
from service.models.talks import Conversation, Handover, Owner
from tests.stage import NOON, Stage

HOSTILE = '"><img src=x onerror=alert(1)><script>alert(1)</script>'
DEEDS = ("say", "note", "phrase", "claim", "hand-back", "hand-on")


def waits(stage: Stage) -> int:
    """Somebody asked for a person."""
    talk = stage.resident(display_name="王芳", place="3栋2单元1201")
    stage.hears(talk, "我要找管家")
    takeover.escalate(stage.session, talk, reason="asked", source="turn:1", now=NOON)
    return talk.id


def talk_of(stage: Stage, talk_id: int) -> Conversation:
    return stage.session.get_one(Conversation, talk_id)


@pytest.fixture
def seen(committed):
    """What the resident will read, and what stands in their topic."""

    def read(talk_id: int) -> tuple[list[str], list[str]]:
        def lines(stage: Stage) -> tuple[list[str], list[str]]:
            talk = talk_of(stage, talk_id)
            topic = [str(row.payload.get("text")) for row in stage.outbox() if row.topic_id == talk.topic_id]
            return stage.lines_to(talk), topic

        read_now: tuple[list[str], list[str]] = committed(lines)
        return read_now

    return read


@pytest.fixture
def form(signed_in):
    """Open a talk as a butler, and send one of its forms as the page has it."""

    async def opened(talk_id: int, role: Role = Role.BUTLER) -> Any:
        browser = await signed_in(role)
        page = (await browser.get(f"/talks/{talk_id}")).text
        hidden = {
            name: re.findall(rf'name="{name}" value="([^"]+)"', page)[0]
            for name in ("version", "once")
            if f'name="{name}"' in page
        }

        async def send(deed: str, **fields: str) -> Any:
            return await browser.send_form(f"/talks/{talk_id}/{deed}", **(hidden | fields))

        return send

    return opened


async def test_who_types_in_the_browser_takes_over_and_the_group_sees_it(committed, form, seen):
    """The same as typing in the topic: greeting, words, and colleagues who know."""
    talk_id = committed(waits)
    send = await form(talk_id)

    first = await send("say", words="您好,我马上为您查。\n请稍等。")
    again = await send("say", words="您好,我马上为您查。\n请稍等。")

    to_resident, topic = seen(talk_id)
    assert (first.status_code, again.status_code) == (303, 303)
    assert to_resident[-1] == "您好,我马上为您查。\n请稍等。"
    assert to_resident.count("您好,我马上为您查。\n请稍等。") == 1
    assert any("号员工" in line for line in to_resident)
    assert any("已接手" in line for line in topic)
    assert topic[-1].endswith("您好,我马上为您查。\n请稍等。")
    written = committed(lambda stage: takeover_log(stage, talk_id))
    assert written == [("waiting", 1), ("butler", 2)]


def takeover_log(stage: Stage, talk_id: int) -> list[tuple[str, int]]:
    rows = stage.session.query(Handover).filter_by(conversation_id=talk_id).order_by(Handover.epoch)
    return [(row.owner.value, row.epoch) for row in rows]


async def test_a_resident_another_butler_has_is_not_talked_to_and_the_words_come_back(committed, form, seen):
    """One butler answers; the other is told who, and types nothing twice."""
    talk_id = committed(waits)
    send = await form(talk_id)
    committed(lambda stage: stage.take_over(talk_of(stage, talk_id)).number)
    before = seen(talk_id)

    refused = await send("say", words="我来处理")
    late = await send("claim")

    assert (refused.status_code, late.status_code) == (409, 409)
    assert ">我来处理</textarea>" in refused.text
    assert "接手" in refused.text
    assert seen(talk_id) == before


async def test_a_claim_waits_for_the_line_that_is_on_its_way(committed, form, seen, monkeypatch):
    """Nothing can call it back: so nobody has the resident before it has arrived."""
    monkeypatch.setattr(doors, "CLAIM_TRIES", 2)

    def is_being_said(stage: Stage) -> int:
        talk_id = waits(stage)
        [row] = [row for row in stage.outbox() if row.epoch is not None]
        row.state, row.sender = OutboxState.SENDING, None
        return talk_id

    talk_id = committed(is_being_said)
    send = await form(talk_id)

    busy = await send("claim")
    assert busy.status_code == 503
    assert committed(lambda stage: talk_of(stage, talk_id).owner) is Owner.WAITING
    committed(arrives)
    taken = await send("claim")

    assert taken.status_code == 303
    assert committed(lambda stage: talk_of(stage, talk_id).owner) is Owner.BUTLER


def arrives(stage: Stage) -> None:
    for row in stage.outbox():
        if row.state is OutboxState.SENDING:
            row.state = OutboxState.SENT


async def test_notes_phrases_handing_on_and_handing_back(committed, form, seen, signed_in):
    """All that the topic offers; a note never leaves it."""
    talk_id = committed(waits)
    colleague = committed(lambda stage: str(stage.member().number))
    send = await form(talk_id)

    assert (await send("note", words="住户有点着急")).status_code == 303
    assert (await send("phrase", phrase="looking_into")).status_code == 303
    to_resident, topic = seen(talk_id)
    assert "住户有点着急" not in "".join(to_resident)
    assert [line for line in topic if line.startswith("// ") and line.endswith("住户有点着急")]
    assert "了解情况" in to_resident[-1]
    send = await form(talk_id, Role.SUPERVISOR)
    assert (await send("hand-on", to=colleague, note="请跟进")).status_code == 303
    assert (await send("hand-back")).status_code == 409  # it is another's epoch now
    send = await form(talk_id, Role.SUPERVISOR)
    assert (await send("hand-back")).status_code == 303
    assert committed(lambda stage: talk_of(stage, talk_id).owner) is Owner.BOT


async def test_bad_forms_are_answered_and_say_nothing(committed, form, seen):
    """Empty, endless, unknown: bad input is normal."""
    talk_id = committed(waits)
    send = await form(talk_id)
    before = seen(talk_id)

    answers = [
        (await send(deed, **fields)).status_code
        for deed, fields in (
            ("say", {"words": "  \x00 "}),
            ("say", {"words": "长" * 4001}),
            ("phrase", {"phrase": "nothing"}),
            ("hand-on", {"to": "9999"}),
            ("hand-on", {"to": "x" * 5000}),
            ("claim", {"version": "x"}),
        )
    ]

    assert answers == [303, 413, 422, 404, 422, 409]
    assert seen(talk_id) == before


async def test_who_has_blocked_the_bot_is_not_talked_to(committed, form, seen):
    """The butler hears it at once, and phones."""

    def blocked(stage: Stage) -> int:
        talk_id = waits(stage)
        talk_of(stage, talk_id).resident.unreachable_since = NOON
        return talk_id

    talk_id = committed(blocked)
    send = await form(talk_id)

    refused = await send("say", words="您好")

    assert refused.status_code == 422
    assert "停用了机器人" in refused.text


async def test_the_list_shows_who_waits_and_goes_on_behind_its_last_row(committed, signed_in):
    """By when something was said last, equal moments included: nobody is skipped between two pages."""

    def many(stage: Stage) -> None:
        for number in range(53):
            talk = stage.resident(display_name=f"住户{number}")
            stage.hears(talk, "在吗")
        waits(stage)

    committed(many)
    browser = await signed_in()

    first = (await browser.get("/talks")).text
    rest = (await browser.get(re.findall(r'rel="next" href="([^"]+)"', first)[0])).text
    waiting = (await browser.get("/talks?owner=waiting")).text

    names = re.findall(r'<a href="/talks/\d+">([^<]+)</a>', first + rest)
    assert len(names) == len(set(names)) == 54
    assert re.findall(r'<a href="/talks/\d+">([^<]+)</a>', waiting) == ["王芳"]
    assert "王芳" not in (await browser.get("/talks?owner=mine")).text
    for odd in ("x", "9" * 30 + "-1", "1-x", "-"):
        assert (await browser.get(f"/talks?before={odd}&owner=nobody")).status_code == 200


async def test_words_are_found_and_lead_to_their_line(committed, signed_in):
    """What was said half a year ago, in the community's own talks only."""

    def said(stage: Stage) -> None:
        talk = stage.resident(display_name="李强")
        for number in range(60):
            stage.hears(talk, f"第{number}句")
        stage.hears(talk, "阳台的燃气表在响")
        stage.community = stage.another_community()
        stage.hears(stage.resident(display_name="别人"), "阳台的燃气表也在响")

    committed(said)
    browser = await signed_in()

    found = (await browser.get("/talks?q=燃气表 阳台")).text
    page = (await browser.get(re.findall(r'href="(/talks/\d+\?before=\d+)"', found)[0])).text

    assert "阳台的燃气表在响" in found
    assert "别人" not in found
    assert "阳台的燃气表在响" in page
    assert "第5句" not in page
    older = re.findall(r'href="([^"]+)">更早的', page)[0].replace("&amp;", "&")
    assert "第5句" in (await browser.get(older)).text


async def test_words_of_residents_are_text_in_a_talk(committed, signed_in):
    """Names, lines, captions, file names, earlier wordings."""

    def enters(stage: Stage) -> int:
        talk = stage.resident(display_name=HOSTILE, place=HOSTILE, phone=HOSTILE)
        chat = talk.resident.chat_id
        media = {"kind": "document", "document": {"file_id": "f", "file_name": HOSTILE}}
        said = Said("document", HOSTILE, chat, 9, inbox_id=77, media=media, forwarded_from=HOSTILE)
        conversations.hear(stage.session, talk, said, now=NOON)
        conversations.amend(stage.session, talk, Said("document", "ok", chat, 9, 78, media=media), now=NOON)
        takeover.escalate(stage.session, talk, reason="asked", source="turn:1", now=NOON)
        return talk.id

    talk_id = committed(enters)
    browser = await signed_in()

    for path in ("/talks", f"/talks/{talk_id}", "/talks?q=script"):
        page = (await browser.get(path)).text
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "&lt;img" in page


async def test_another_communitys_talk_is_not_there(committed, signed_in, seen):
    """IDOR: neither to be read nor to be answered, whatever the form says."""

    def neighbours(stage: Stage) -> int:
        stage.community = stage.another_community()
        return waits(stage)

    talk_id = committed(neighbours)
    browser = await signed_in(Role.MANAGER)
    before = seen(talk_id)

    for number in (talk_id, 999_999, 2**63):
        assert (await browser.get(f"/talks/{number}")).status_code == 404
        for deed in DEEDS:
            answer = await browser.send_form(f"/talks/{number}/{deed}", words="您好", version="1", to="101")
            assert answer.status_code == 404, deed
    assert seen(talk_id) == before
    assert "王芳" not in (await browser.get("/talks")).text
