"""While the bot answers: every kind that is no text is kept where it belongs, and answered."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from service import cases, conversations, files, work
from service.models.cases import CaseState
from service.models.talks import Conversation, Message, Owner
from tests.bot.updates import RESIDENT, message, photo, receive, said_without_rasa, turn_of
from tests.stage import NOON, STAFF_CHAT, Stage

FILE = {"file_id": "f", "file_unique_id": "u"}
POINT = {"latitude": 28.2, "longitude": 112.9}
OPTIONS = [{"persistent_id": str(number), "text": text, "voter_count": 0} for number, text in enumerate(["一", "二"])]
KINDS: dict[str, tuple[dict[str, Any], str]] = {
    "photo": ({"photo": [FILE | {"width": 1, "height": 1}]}, "已经保存"),
    "document": ({"document": FILE}, "已经保存"),
    "voice": ({"voice": FILE | {"duration": 3}}, "听不懂语音"),
    "video_note": ({"video_note": FILE | {"duration": 3, "length": 1}}, "听不懂语音"),
    "location": ({"location": POINT}, "位置"),
    "venue": ({"location": POINT, "venue": {"location": POINT, "title": "北门", "address": "1号"}}, "位置"),
    "sticker": ({"sticker": FILE | {"type": "regular", "width": 1, "height": 1, "is_animated": False,
                                    "is_video": False}}, "直接告诉我"),
    "dice": ({"dice": {"emoji": "🎲", "value": 3}}, "直接告诉我"),
    "poll": ({"poll": {"id": "1", "question": "?", "options": OPTIONS, "total_voter_count": 0, "is_closed": False,
                       "is_anonymous": True, "type": "regular", "allows_multiple_answers": False,
                       "allows_revoting": True, "members_only": False}}, "转给管家"),
    "story": ({"story": {"chat": {"id": -1, "type": "channel", "title": "新闻"}, "id": 1}}, "转给管家"),
    "unsupported": ({"hologram": {"file_id": "f"}}, "转给管家"),
}  # fmt: skip
TELLING = ("photo", "document", "voice", "video_note", "location", "venue")


@pytest.fixture
def talk(stage: Stage) -> Conversation:
    """A resident whom the bot answers."""
    return stage.resident(chat_id=RESIDENT)


def shown_to_department(stage: Stage, case: Any) -> list[str]:
    return [row.act for row in stage.outbox("relay") if row.topic_id == case.department.topic_id]


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_answered_in_its_own_words(stage, talk, kind):
    """A smile gets no "please describe what it is about"; a voice message must not wait for ears we do not have."""
    content, answer = KINDS[kind]

    ask = receive(stage, turn_of(message(None, **content)))

    assert answer in (said_without_rasa(ask) if ask else stage.lines_to(talk)[-1])
    assert talk.owner is Owner.BOT


def test_what_comes_without_words_leaves_the_open_question_to_the_dialogue(stage, talk):
    """In a form it was answered as if nothing had been asked."""
    ask = receive(stage, turn_of(message(None, **KINDS["sticker"][0])))

    assert ask is not None
    assert (ask.text, ask.aside, ask.metadata["aside"]) == ("/aside", True, "utter_sticker_received")


@pytest.mark.parametrize("kind", KINDS)
def test_what_tells_something_of_a_case_is_shown_to_its_department(stage, talk, kind):
    """And nothing else: a sticker is not for the plumber."""
    case = stage.case(talk)

    ask = receive(stage, turn_of(message(None, **KINDS[kind][0])))

    assert shown_to_department(stage, case) == (["copy"] if kind in TELLING else [])
    said = said_without_rasa(ask) if ask else stage.lines_to(talk)[-1]
    assert (case.number in said) == (kind in TELLING)


def test_a_picture_for_a_case_is_an_event_of_it_once(stage, talk):
    """N3: an album is one message; whoever reads the case later sees that something was sent in."""
    case = stage.case(talk)
    album = turn_of(*(photo(media_group_id="a") for _ in range(3)))

    for _ in range(2):
        receive(stage, album)

    assert [(event.event, event.data) for event in cases.events(stage.session, case)[1:]] == [("amended", {"media": 3})]
    assert shown_to_department(stage, case) == ["copy"]


def test_a_picture_is_an_answer_to_the_department_that_asked(stage, talk):
    """It said that a photo is welcome too; the clocks must not go on waiting for words."""
    asked, newer = stage.case(talk), stage.case(talk, matter="客厅灯不亮")
    work.tap(stage.session, stage.member(), asked.id, "ask", key="ask", now=NOON)

    receive(stage, turn_of(photo()))

    assert asked.state is CaseState.ACCEPTED
    assert asked.number in stage.lines_to(talk)[-1]
    assert [event.event for event in cases.events(stage.session, newer)] == ["opened"]


@pytest.mark.parametrize("kind", ["poll", "story", "unsupported"])
def test_what_the_bot_cannot_use_is_told_to_staff(stage, talk, kind):
    """The resident hears that a butler will look, so a butler must know."""
    receive(stage, turn_of(message(None, **KINDS[kind][0])))

    assert any("📎" in str(row.payload.get("text")) for row in stage.outbox() if row.chat_id == STAFF_CHAT)


def test_a_sticker_beside_a_picture_does_not_hide_it(stage, talk):
    """The picture is what has to be asked about."""
    ask = receive(stage, turn_of(message(None, **KINDS["sticker"][0]), photo()))

    assert "已经保存" in said_without_rasa(ask)


def test_what_only_reports_something_is_no_message(stage, talk):
    """Somebody pinned a line or changed the background: nobody is answered and nothing is kept."""
    pinned = message("旧话")

    assert receive(stage, turn_of(message(None, pinned_message=pinned))) is None

    assert stage.lines_to(talk) == []


def test_a_live_location_that_moves_tells_nobody_again(stage, talk):
    """It would be a note a second to the department."""
    case = stage.case(talk)
    said = message(None, location=POINT | {"live_period": 900})
    receive(stage, turn_of(said))
    rows = len(stage.outbox())

    receive(stage, turn_of(said | {"location": POINT | {"live_period": 900, "latitude": 28.3}}, kind="edited_message"))

    assert len(stage.outbox()) == rows
    assert case.number


def test_a_line_said_to_the_bot_and_changed_later_reaches_the_butler(stage, talk):
    """It has no copy in the topic, so the new wording is said there."""
    said = message("3栋")
    receive(stage, turn_of(said))
    stage.take_over(talk)

    receive(stage, turn_of(said | {"text": "5栋"}, kind="edited_message"))

    assert "5栋" in stage.outbox()[-1].payload["text"]
    assert conversations.lock(stage.session, talk.id).owner is Owner.BUTLER


@pytest.mark.parametrize(
    ("widths", "small"), [((90, 320, 1280), "320"), ((90, 200), "200"), ((90,), None)], ids=["usual", "tiny", "one"]
)
def test_of_a_photo_the_whole_is_kept_and_a_size_for_lists(stage, talk, widths, small):
    """Fifty whole photos would be a page of fifty megabytes; one of ninety pixels shows nothing."""
    sizes = [{"file_id": str(width), "file_unique_id": str(width), "width": width, "height": 9} for width in widths]

    receive(stage, turn_of(message(None, photo=sizes)))

    [media] = stage.session.scalars(select(Message.media).where(Message.kind == "photo"))
    assert files.whole(media) == str(widths[-1])
    assert files.small(media) == (small or str(widths[-1]))
