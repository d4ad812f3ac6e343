"""Residents: made at their first word, addressed by name, known by what they told."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from service import residents
from service.db import Sessions
from service.models.people import Resident
from service.models.talks import Conversation, Owner
from tests.stage import NOON, Stage


def test_the_first_word_makes_a_resident_whom_the_bot_answers(stage):
    talk = stage.resident(display_name="王芳", language="en")

    assert (talk.owner, talk.epoch, talk.resident.display_name, talk.resident.language) == (
        Owner.BOT, 0, "王芳", "en",
    )  # fmt: skip


def test_the_second_word_finds_the_same_resident(stage):
    talk = stage.resident(chat_id=77)

    assert stage.resident(chat_id=77, display_name="改名了").id == talk.id


def test_two_first_words_at_once_make_one_resident(sessions: Sessions):
    with sessions.begin() as session:
        community_id = Stage(session).community.id
    start = Barrier(4)

    def write(_: int) -> int:
        start.wait()
        with sessions.begin() as session:
            return residents.access_conversation(session, community_id, 77, display_name="王", language="zh").id

    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(write, range(4)))

    assert len(found) == 1
    with sessions.begin() as session:
        assert (session.query(Resident).count(), session.query(Conversation).count()) == (1, 1)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, ""),
        ({"surname": "王"}, "王先生/女士，"),
        ({"surname": "王", "honorific": "女士"}, "王女士，"),
        ({"surname": "Wang", "honorific": "Ms", "language": "en"}, ", Ms Wang"),
        ({"surname": "王", "honorific": "ms"}, "王女士，"),
        ({"surname": "Wang", "honorific": "mr", "language": "en"}, ", Mr Wang"),
    ],
)
def test_a_resident_is_addressed_by_surname_when_it_is_known(stage, facts, expected):
    """N2; otherwise every sentence reads well without it."""
    assert residents.salutation(stage.resident(**facts).resident) == expected


def test_what_is_told_later_replaces_and_what_is_not_told_stays(stage):
    resident = stage.resident(phone="1", place="3栋").resident

    residents.remember(resident, phone="2")

    assert (resident.phone, resident.place) == ("2", "3栋")


def test_home_is_remembered_without_the_room_a_matter_was_about(stage):
    """Nobody lives in a toilet; and /me shows it in their own language."""
    resident = stage.resident(language="en").resident

    residents.remember(resident, place="Building 3, Unit 2, Room 1201, toilet")

    assert resident.place == "3栋2单元1201室"
    assert residents.home(resident, language="en") == "Building 3, Unit 2, Room 1201"


def test_staff_are_told_once_that_a_resident_is_out_of_reach(stage):
    resident = stage.resident().resident

    assert [residents.unreachable(resident, now=NOON) for _ in range(2)] == [True, False]
    residents.reachable(resident)
    assert residents.unreachable(resident, now=NOON), "gone again is news again"


def test_a_chosen_language_stays_whatever_is_typed(stage):
    """An address is typed in Chinese characters by people who read English."""
    resident = stage.resident(language="en").resident
    resident.language_chosen = True

    residents.follow_language(resident, "3栋2单元1201")

    assert resident.language == "en"


def test_without_a_choice_the_language_follows(stage):
    resident = stage.resident(language="zh").resident

    residents.follow_language(resident, "the pipe leaks")

    assert resident.language == "en"
