"""`guanjia transcript`: to read, as JSON, and a search."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from cli import transcript_lines
from service import cases, clocks, conversations, take_backs, texts, transcripts, twins, waiting
from service.conversations import Said
from service.db import Sessions
from service.models.queues import OutboxState
from tests.stage import BOT_ID, NOON, STAFF_CHAT, Stage


@pytest.fixture
def run(guanjia, database_url):
    """Run `guanjia transcript`."""

    def transcript(*arguments: object):
        settings = {"DATABASE_URL": database_url, "BOT_TOKEN": f"{BOT_ID}:TEST"}
        return guanjia("transcript", *map(str, arguments), **settings)

    return transcript


@pytest.fixture
def case_number(sessions: Sessions) -> str:
    """A resident corrected a line and sent a file; a butler took an answer back."""
    with sessions.begin() as session:
        stage = Stage(session)
        talk = stage.resident(chat_id=5001)
        minute = timedelta(minutes=1)
        said = Said("text", "3栋漏水", 5001, 1, 1)
        conversations.hear(session, talk, said, now=NOON)
        conversations.amend(session, talk, Said("text", "5栋漏水", 5001, 1, 0), now=NOON + minute)
        file = {"kind": "document", "document": {"file_id": "f", "file_unique_id": "u", "file_name": "合同.pdf"}}
        conversations.hear(session, talk, Said("document", "合同", 5001, 2, 2, media=file), now=NOON + 2 * minute)
        butler = stage.take_over(talk)
        answer = Said("text", "发错了", STAFF_CHAT, 9, 3)
        conversations.hear(session, talk, answer, now=NOON + 3 * minute, by=butler)
        row = conversations.to_resident(session, talk, "copy", {}, key="x")
        assert row is not None
        twins.plan(session, row, [(9, "text")], conversation_id=talk.id, said_chat_id=STAFF_CHAT, chat_id=5001)
        take_backs.take_back(session, talk, butler, 9, chat_id=STAFF_CHAT, key="t", now=NOON + 4 * minute)
        return stage.case(talk).number


def test_a_talk_reads_like_a_talk(case_number, run):
    """In the community's own time; what was changed or taken back stands below the line."""
    shown = run(case_number)

    assert shown.returncode == 0, shown.stderr
    lines = shown.stdout.splitlines()
    assert lines[0] == "2026-11-23 12:00:00 住户：5栋漏水"
    assert lines[1] == "    原来（到 2026-11-23 12:01:00）：3栋漏水"
    assert f"2026-11-23 12:00:00 系统：工单 {case_number} 登记" in lines
    assert "2026-11-23 12:02:00 住户：[文件 合同.pdf] 合同" in lines
    taken = next(number for number, line in enumerate(lines) if line.endswith("管家：发错了"))
    assert lines[taken + 1].strip() == "2026-11-23 12:04:00 由 101 号撤回"


def test_other_programs_get_json_with_times_authors_edits_and_files(case_number, run):
    """All of it, with time zones; what is not known is left out."""
    shown = json.loads(run(5001, "--format", "json").stdout)

    first, *_ = shown
    assert (first["at"], first["by"], first["text"]) == ("2026-11-23T04:00:00+00:00", "resident", "5栋漏水")
    assert first["edits"][0]["text"] == "3栋漏水"
    assert any(entry.get("media", {}).get("document", {}).get("file_id") == "f" for entry in shown)
    assert any(entry["by"] == "butler" and entry.get("withdrawn_by") for entry in shown)
    assert case_number in [entry["text"] for entry in shown if entry["by"] == "system"]


def test_words_are_found_with_whose_they_are(case_number, run):
    """By the wording of now or of before."""
    shown = run("--search", "3栋")

    assert shown.stdout.startswith("5001 王芳  2026-11-23 12:00:00 住户：5栋漏水")
    assert json.loads(run("--search", "合同", "--format", "json").stdout)[0]["chat_id"] == 5001
    assert case_number


def test_showing_is_logged_without_what_was_said(case_number, run):
    """N12: what is shown is logged."""
    shown = run(case_number)

    assert '"transcript_shown"' in shown.stderr
    assert "漏水" not in shown.stderr
    assert OutboxState.DROPPED not in shown.stderr


@pytest.mark.parametrize("arguments", [(), ("R2611-0001", "--search", "x"), ("R9901-0001",), ("--format", "xml", "1")])
def test_wrong_words_end_with_one_line_that_says_what_is_wrong(case_number, run, arguments):
    """An operator in a hurry gets no traceback."""
    shown = run(*arguments)

    assert shown.returncode != 0
    assert "Traceback" not in shown.stderr
    assert shown.stderr.strip()
    assert case_number


REASONS = [
    key.removeprefix("utter_word_because_") for key in texts._responses() if key.startswith("utter_word_because_")
]
STEPS = {
    *cases.Event,
    clocks.TOLD,
    *(f"waiting_{step.step}" for steps in waiting.table().values() for step in steps),
    *(f"handover_{reason}" for reason in (*REASONS, *transcript_lines.SIGNS)),
}


@pytest.mark.parametrize("step", sorted(STEPS))
def test_every_step_can_be_read(step):
    """A step without words would keep the operator from the whole talk."""
    entry = transcripts.Entry(at=NOON, by="system", kind=step, text="2611-0001")

    assert "2611-0001" in transcript_lines._content(entry)
