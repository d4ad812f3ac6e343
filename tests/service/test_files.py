"""Photos and files that staff look at: asked for once, fetched by the bot, and never kept for long."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from service import conversations, files, forgetting
from service.conversations import Said
from service.files import Look, Wanted
from service.models.talks import Conversation, FetchedFile, Message
from tests.stage import BOT_ID, NOON, Stage

JPEG = b"\xff\xd8\xff\xe0 a picture"
PHOTO = {"kind": "photo", "photo": {"file_id": "large", "thumbnail": {"file_id": "small"}}}


def sends(stage: Stage, talk: Conversation | None = None, media: dict[str, Any] = PHOTO) -> Wanted:
    """A resident sends a file; gives what is wanted of it."""
    talk = talk or stage.resident()
    said = Said(media["kind"], "", talk.resident.chat_id, 9, inbox_id=4_000_000 + talk.id, media=media)
    conversations.hear(stage.session, talk, said, now=NOON)
    row = stage.session.scalars(select(Message.id).where(Message.conversation_id == talk.id)).one()
    return row, files.whole(media) or ""


def ask(stage: Stage, wanted: Wanted, **later: float) -> Look:
    return files.ask(stage.session, stage.community.id, [wanted], now=NOON + timedelta(**later))[wanted]


def errands(stage: Stage, **later: float) -> list[files.Errand]:
    stage.session.flush()
    return list(files.take(stage.session, BOT_ID, limit=9, now=NOON + timedelta(**later)))


def test_looking_has_it_fetched_once_and_then_it_is_there(stage):
    """However many look, and however often."""
    wanted = sends(stage)

    assert [ask(stage, wanted), ask(stage, wanted)] == [Look(None), Look(None)]
    [errand] = errands(stage)
    assert (errand.file_id, errands(stage)) == ("large", [])
    files.keep(stage.session, errand, JPEG)

    assert ask(stage, wanted) == Look("image/jpeg")
    assert files.content(stage.session, wanted) == (JPEG, "image/jpeg")
    assert (errands(stage, hours=1), files.seconds_to_next(stage.session, BOT_ID, now=NOON)) == ([], None)


def test_what_a_dead_process_began_is_fetched_by_another(stage):
    """Nobody has to notice the death: the errand falls due by itself."""
    ask(stage, sends(stage))
    errands(stage)

    assert errands(stage, seconds=files.LEASE.total_seconds() - 1) == []
    assert files.seconds_to_next(stage.session, BOT_ID, now=NOON) == files.LEASE.total_seconds()
    assert len(errands(stage, seconds=files.LEASE.total_seconds())) == 1


def test_when_telegram_is_away_it_is_tried_again_and_given_up_kindly(stage):
    """And asked for once more by whoever looks a minute later."""
    wanted, at = sends(stage), NOON
    ask(stage, wanted)
    for _ in range(files.MOST_ATTEMPTS):
        [errand] = errands(stage, seconds=(at - NOON).total_seconds())
        files.later(stage.session, errand, now=at)
        at += timedelta(minutes=10)

    assert errands(stage, hours=9) == []
    assert ask(stage, wanted, seconds=59).refused == files.AWAY
    assert ask(stage, wanted, seconds=61).refused is None
    assert len(errands(stage, seconds=61)) == 1


def test_what_is_gone_or_too_large_is_not_asked_for_again(stage):
    """It would be gone tomorrow too."""
    wanted = sends(stage)
    ask(stage, wanted)
    [errand] = errands(stage)

    files.keep(stage.session, errand, b"x" * (files.MOST_BYTES + 1))

    assert ask(stage, wanted, hours=1).refused == files.TOO_LARGE
    assert (errands(stage, hours=1), files.content(stage.session, wanted)) == ([], None)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (JPEG, "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8", "image/webp"),
        (b"OggS\x00", "audio/ogg"),
        (b"\x00\x00\x00\x20ftypisom", "video/mp4"),
        (b"<html><script>alert(1)</script>", files.ANYTHING),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", files.ANYTHING),
        (b"%PDF-1.7", files.ANYTHING),
        (b"MZ\x90", files.ANYTHING),
        (b"", files.ANYTHING),
    ],
)
def test_its_bytes_say_what_it_is(content, kind):
    """Not its name, and not what a telephone says of it: a page that is called photo.jpg stays a page."""
    assert files.type_of(content) == kind


@pytest.mark.parametrize(
    ("media", "whole", "small"),
    [
        (PHOTO, "large", "small"),
        ({"kind": "photo", "photo": {"file_id": "old"}}, "old", "old"),  # kept before small sizes were
        ({"kind": "document", "document": {"file_id": "d", "file_name": "a"}}, "d", None),
        ({"kind": "video", "video": {"file_id": "v", "thumbnail": {"file_id": "t"}}}, "v", "t"),
        ({"kind": "location", "location": {"latitude": 1}}, None, None),
        ({"kind": "photo", "photo": None}, None, None),
        ({"kind": "photo", "photo": {"file_id": 7}}, None, None),
        ({"kind": "poll"}, None, None),
        (None, None, None),
    ],
)
def test_what_of_a_message_can_be_fetched(media, whole, small):
    """Whatever Telegram describes, and described in earlier years."""
    assert (files.whole(media), files.small(media)) == (whole, small)


def test_nothing_is_kept_longer_than_a_day(stage):
    """Telegram has it; here it lies only as long as somebody works with it."""
    wanted = sends(stage)
    ask(stage, wanted)
    files.keep(stage.session, errands(stage)[0], JPEG)
    stage.session.flush()

    assert files.let_go(stage.session, now=NOON + files.KEPT_FOR, limit=9) == 0
    assert files.let_go(stage.session, now=NOON + files.KEPT_FOR + timedelta(seconds=1), limit=9) == 1
    assert files.content(stage.session, wanted) is None


def test_the_oldest_make_room(stage, monkeypatch):
    """A community has so many bytes and no more, and nobody has to clean up."""
    monkeypatch.setattr(files, "ROOM", 2 * len(JPEG))
    wanted = [sends(stage) for _ in range(3)]
    for minutes, one in enumerate(wanted):
        ask(stage, one, minutes=minutes)
        files.keep(stage.session, errands(stage, minutes=minutes)[0], JPEG)

    assert [files.content(stage.session, one) is None for one in wanted] == [True, False, False]


def test_who_is_forgotten_leaves_no_file_behind(stage):
    """Neither one that is here, nor one that is on its way (N12)."""
    talk = stage.resident()
    wanted = sends(stage, talk)
    ask(stage, wanted)
    [errand] = errands(stage)

    forgetting.forget(stage.session, talk, before=10**9, key="k", now=NOON)
    files.keep(stage.session, errand, JPEG)

    assert stage.session.scalars(select(FetchedFile)).all() == []


def test_a_neighbours_line_is_none(stage):
    """Nor is one without a file."""
    mine, _ = sends(stage)
    place, _ = sends(stage, media={"kind": "location", "location": {}})
    other = stage.another_community()

    found = [files.line(stage.session, stage.community.id, row) is not None for row in (mine, place, 999_999)]

    assert found == [True, False, False]
    assert files.line(stage.session, other.id, mine) is None
