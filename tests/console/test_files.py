"""Photos and files in the console: seen by staff of the community, as what they are and as nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import pytest
from sqlalchemy import select

from service import files
from service.models.console import AuditEntry
from service.models.talks import FetchedFile, Message
from tests.service.test_files import JPEG, PHOTO, sends
from tests.stage import BOT_ID, NOON, Stage

PAGE = b"<html><script>alert(1)</script>"


@pytest.fixture
def sent(committed):
    """A resident sends a file; gives the numbers of the line and of the talk."""

    def line(media: dict[str, Any] = PHOTO) -> tuple[int, int]:
        def act(stage: Stage) -> tuple[int, int]:
            talk = stage.resident()
            return sends(stage, talk, media)[0], talk.id

        numbers: tuple[int, int] = committed(act)
        return numbers

    return line


@pytest.fixture
def arrives(committed):
    """The bot's process brings everything that was asked for."""

    def bring(content: bytes) -> None:
        def act(stage: Stage) -> None:
            for errand in files.take(stage.session, BOT_ID, limit=9, now=NOON + timedelta(hours=1)):
                files.keep(stage.session, errand, content)

        committed(act)

    return bring


def document(name: str) -> dict[str, Any]:
    return {"kind": "document", "document": {"file_id": "paper", "file_name": name}}


async def test_a_photo_is_fetched_when_somebody_looks_and_then_shown(signed_in, sent, arrives):
    """In the talk as a small picture with words for who does not see it, and whole on a page of its own."""
    row, talk = sent()
    browser = await signed_in()

    assert "正在从 Telegram 取" in (await browser.get(f"/talks/{talk}")).text
    assert "正在从 Telegram 取" in (await browser.get(f"/files/{row}")).text
    assert (await browser.get(f"/files/{row}/small")).status_code == 404
    arrives(JPEG)

    page = (await browser.get(f"/talks/{talk}")).text
    assert f'src="/files/{row}/small" alt="11-23 12:00 发来的照片"' in page
    assert f'href="/files/{row}"' in page
    assert f'src="/files/{row}/content" alt="11-23 12:00 发来的照片"' in (await browser.get(f"/files/{row}")).text
    for which in ("small", "content"):
        picture = await browser.get(f"/files/{row}/{which}")
        assert (picture.content, picture.headers["content-type"]) == (JPEG, "image/jpeg")
        assert picture.headers["content-disposition"].startswith("inline;")
        assert picture.headers["x-content-type-options"] == "nosniff"
        assert picture.headers["cache-control"] == "no-store"


async def test_a_case_shows_what_was_sent_for_it(signed_in, committed, arrives):
    """The department asks for the photo first."""

    def with_photo(stage: Stage) -> tuple[int, int]:
        talk = stage.resident()
        row, _ = sends(stage, talk)
        return stage.case(talk).id, row

    case, row = committed(with_photo)
    browser = await signed_in()
    await browser.get(f"/cases/{case}")
    arrives(JPEG)

    assert f'src="/files/{row}/small"' in (await browser.get(f"/cases/{case}")).text


@pytest.mark.parametrize("name", ["photo.jpg", "page.html", "a.svg"])
async def test_what_is_no_picture_is_only_given_out(signed_in, sent, arrives, name):
    """Whatever it is called: a page or a drawing with scripts in it never becomes one of ours."""
    row, _ = sent(document(name))
    browser = await signed_in()
    await browser.get(f"/files/{row}")
    arrives(PAGE)

    shown = (await browser.get(f"/files/{row}")).text
    given = await browser.get(f"/files/{row}/content")

    assert "<img" not in shown
    assert f'href="/files/{row}/content?save=1"' in shown
    assert given.headers["content-type"] == "application/octet-stream"
    assert given.headers["content-disposition"] == f"attachment; filename*=UTF-8''{name}"


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ('"; x="\r\nSet-Cookie: a=b', '"; x="Set-Cookie: a=b'),
        ("发票.pdf", "发票.pdf"),
        ("\u202egpj.exe", "gpj.exe"),  # a sign that nobody sees, behind which it reads as exe.jpg
        ("长" * 300 + ".pdf", "长" * 96 + ".pdf"),
        ("", None),
    ],
    ids=["header", "chinese", "turned round", "long", "none"],
)
async def test_the_senders_name_for_a_file_is_only_a_name(signed_in, sent, arrives, name, given):
    """Residents choose it."""
    row, _ = sent(document(name))
    browser = await signed_in()
    await browser.get(f"/files/{row}")
    arrives(b"%PDF-1.7")

    answer = await browser.get(f"/files/{row}/content?save=1")

    assert "set-cookie" not in answer.headers
    assert (
        unquote(answer.headers["content-disposition"]) == f"attachment; filename*=UTF-8''{given or f'document-{row}'}"
    )


@pytest.mark.parametrize(("reason", "words"), [("too_large", "超过 20 MB"), ("gone", "已经没有"), ("away", "没有回应")])
async def test_what_cannot_be_shown_says_why(signed_in, committed, sent, reason, words):
    """In the list and on its page, without a picture that is broken."""
    row, talk = sent()

    def refused(stage: Stage) -> None:
        facts = {"community_id": stage.community.id, "message_id": row, "asked_at": NOON, "attempts": 1}
        for file_id in ("small", "large"):
            stage.session.add(FetchedFile(**facts, file_id=file_id, refused=reason))

    committed(refused)
    browser = await signed_in()

    for path in (f"/talks/{talk}", f"/files/{row}"):
        page = (await browser.get(path)).text
        assert words in page
        assert "<img" not in page


async def test_a_voice_is_played_and_a_place_is_no_file(signed_in, sent, arrives):
    """What has no bytes at Telegram has no page."""
    voice, _ = sent({"kind": "voice", "voice": {"file_id": "v", "mime_type": "audio/ogg"}})
    place, talk = sent({"kind": "location", "location": {"latitude": 1.0}})
    browser = await signed_in()
    await browser.get(f"/files/{voice}")
    arrives(b"OggS....")

    assert "<audio controls" in (await browser.get(f"/files/{voice}")).text
    assert (await browser.get(f"/files/{voice}/content")).headers["content-type"] == "audio/ogg"
    assert (await browser.get(f"/files/{place}")).status_code == 404
    assert f"/files/{place}" not in (await browser.get(f"/talks/{talk}")).text


async def test_another_file_in_the_place_of_the_first_is_fetched_anew(signed_in, committed, sent, arrives):
    """A resident may change the picture of a message."""
    row, _ = sent()
    browser = await signed_in()
    await browser.get(f"/files/{row}")
    arrives(JPEG)

    def swapped(stage: Stage) -> None:
        line = stage.session.get_one(Message, row)
        line.media = {"kind": "photo", "photo": {"file_id": "other"}}

    committed(swapped)

    assert (await browser.get(f"/files/{row}/content")).status_code == 404
    assert "正在从 Telegram 取" in (await browser.get(f"/files/{row}")).text


async def test_who_has_seen_it_stands_in_the_log(signed_in, sent, arrives, sessions):
    """N12: the file itself, and not only the page around it."""
    row, _ = sent()
    browser = await signed_in()
    await browser.get(f"/files/{row}")
    arrives(JPEG)
    await browser.get(f"/files/{row}/content")

    with sessions() as session:
        shown = session.execute(select(AuditEntry.object_id).where(AuditEntry.object == "file")).all()
    assert shown == [(row,)]
