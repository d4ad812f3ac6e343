"""Who is speaking: every way in, and every way somebody could get in where they do not belong."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Barrier

import pytest
from sqlalchemy import select

from service import archive, binding, communities, conversations, invitations, residents, texts
from service.db import Sessions
from service.errors import ButtonExpired, InvitationNotValid, ServiceError
from service.models.archive import ArchiveEvent, BindingRequest, Member, MemberRole
from service.models.people import Resident
from service.models.talks import Conversation
from service.texts import Line
from tests.households import household, member
from tests.stage import NOON, Stage

TODAY = date(2026, 11, 23)


def invited(stage: Stage, address: str = "3-2-1201") -> str:
    return invitations.invite(stage.session, household(stage, address), now=NOON)


def redeem(stage: Stage, talk: Conversation, token: str, *, now=NOON) -> Line:
    return binding.redeem(stage.session, talk, token, now=now)


def accept(stage: Stage, talk: Conversation, person: Member | int, *, now=NOON) -> Line:
    number = person if isinstance(person, int) else person.id
    return binding.accept(stage.session, talk, number, key="turn:1", now=now)


def titles(line: Line) -> list[str]:
    return [button.title for button in line.buttons]


def zh(key: str, **facts: object) -> str:
    return texts.words(key, language="zh", **facts)


NOT_VALID = zh("utter_invitation_not_valid")


# --- By invitation ----------------------------------------------------------------------------------------------------


def test_an_invitation_asks_who_of_the_household_it_is_and_one_tap_binds(stage):
    person = member(stage, "王芳", honorific="ms")
    member(stage, "王建国", honorific="mr")
    talk, token = stage.resident(), invited(stage)

    asked = redeem(stage, talk, token)
    assert titles(asked) == ["王女士", "王先生", "都不是"]
    assert talk.resident.member_id is None, "nothing is bound before they say yes"
    said = accept(stage, talk, person)

    assert talk.resident.member_id == person.id
    assert "3栋2单元1201室" in said.text
    assert person.consented_at == NOON


def test_an_invitation_is_used_once(stage):
    """Found in a bin, it opens nothing."""
    person, token = member(stage), invited(stage)
    first, second = stage.resident(), stage.resident()
    redeem(stage, first, token)
    accept(stage, first, person)

    assert redeem(stage, second, token).text == NOT_VALID


def test_who_opens_it_without_a_yes_has_not_used_it(stage):
    person, token = member(stage), invited(stage)
    curious, rightful = stage.resident(), stage.resident()
    redeem(stage, curious, token)
    redeem(stage, rightful, token)
    accept(stage, rightful, person)

    with pytest.raises(InvitationNotValid):
        accept(stage, curious, person)

    assert curious.resident.member_id is None


@pytest.mark.parametrize("what", ["unknown", "used", "revoked", "expired", "another community's"])
def test_whatever_is_wrong_with_an_invitation_the_answer_is_the_same(stage, what):
    """Nobody learns whether a household exists, or is bound already."""
    person, token, now = member(stage), invited(stage), NOON
    stage.session.flush()
    invitation = invitations.find(stage.session, stage.community.id, token)
    assert invitation is not None
    if what == "used":
        invitation.used_at = NOON
    elif what == "revoked":
        invitations.revoke(stage.session, [person.household], now=NOON)
    elif what == "expired":
        now = NOON + invitations.VALID
    elif what == "another community's":
        invitation.community_id = other_community(stage)
    else:
        token = "x" * 32

    line = redeem(stage, stage.resident(), token, now=now)

    assert (line.text, line.buttons) == (NOT_VALID, ())
    assert line.contact_key, "there is another way in"


def other_community(stage: Stage) -> int:
    profile = communities.Profile("翠湖苑", "Asia/Shanghai", "1", None)
    return communities.settle_in(stage.session, 100002, profile).id


def test_the_same_link_again_says_that_all_is_well(stage):
    person, token, talk = member(stage), invited(stage), stage.resident()
    redeem(stage, talk, token)
    accept(stage, talk, person)

    assert redeem(stage, talk, token).text == zh("utter_bound_already", place="3栋2单元1201室")
    assert accept(stage, talk, person).text == zh("utter_bound_already", place="3栋2单元1201室"), "a second tap"


def test_another_households_invitation_takes_the_account_there(stage):
    """Who moves within the community."""
    old, new = member(stage, address="3-2-1201"), member(stage, address="5-1-302")
    talk = stage.resident()
    archive.bind(stage.session, talk.resident, old, how="staff", actor="staff:101", now=NOON)

    redeem(stage, talk, invited(stage, "5-1-302"))
    accept(stage, talk, new)

    assert talk.resident.place == "5栋1单元302室"


def test_none_of_them_shows_the_other_way_and_uses_nothing_up(stage):
    person, token, talk = member(stage), invited(stage), stage.resident()
    redeem(stage, talk, token)

    assert "/bind" in accept(stage, talk, 0).text

    redeem(stage, talk, token)
    accept(stage, talk, person)
    assert talk.resident.member_id == person.id


def test_who_has_moved_out_is_not_offered_and_cannot_be_chosen(stage):
    gone, here = member(stage, "李雷", moved_out=TODAY), member(stage, "王芳")
    talk = stage.resident()

    assert titles(redeem(stage, talk, invited(stage))) == [f"{here.surname}先生/女士", "都不是"]
    with pytest.raises(ButtonExpired):
        accept(stage, talk, gone)


def test_a_forged_tap_binds_nobody(stage):
    """Numbers of members can be guessed; only what was offered to this account counts."""
    neighbour = member(stage, address="5-1-302")
    member(stage)
    talk = stage.resident()
    with pytest.raises(ButtonExpired):
        accept(stage, talk, neighbour)
    redeem(stage, talk, invited(stage))

    for forged in (neighbour.id, 999_999):
        with pytest.raises(ButtonExpired):
            accept(stage, talk, forged)

    assert talk.resident.member_id is None


def test_an_offer_ends_after_an_hour(stage):
    person, talk = member(stage), stage.resident()
    redeem(stage, talk, invited(stage))

    with pytest.raises(ButtonExpired):
        accept(stage, talk, person, now=NOON + binding.OFFERED_FOR)


@pytest.mark.parametrize(
    ("role", "offered"),
    [(MemberRole.FAMILY, ["王先生（业主）", "王先生（家属）"]), (MemberRole.OWNER, ["王建国", "王小宝"])],
)
def test_two_of_one_title_are_told_apart_by_as_little_as_will_do(stage, role, offered):
    """The sheet may lie in the wrong letter box."""
    member(stage, "王建国", honorific="mr")
    member(stage, "王小宝", honorific="mr", role=role)

    assert titles(redeem(stage, stage.resident(), invited(stage)))[:2] == offered


def test_two_accounts_that_tap_at_once_share_no_invitation(sessions: Sessions):
    with sessions.begin() as session:
        scene = Stage(session)
        person, token = member(scene), invited(scene)
        talks = [scene.resident().id for _ in range(2)]
    for talk_id in talks:
        with sessions.begin() as session:
            binding.redeem(session, conversations.lock(session, talk_id), token, now=NOON)
    start = Barrier(2)

    def tap(talk_id: int) -> bool:
        start.wait()
        try:
            with sessions.begin() as session:
                talk = conversations.lock(session, talk_id)
                binding.accept(session, talk, person.id, key=f"turn:{talk_id}", now=NOON)
        except ServiceError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        won = list(pool.map(tap, talks))

    assert sorted(won) == [False, True]
    with sessions.begin() as session:
        assert session.query(Resident).where(Resident.member_id == person.id).count() == 1


# --- By their own number ----------------------------------------------------------------------------------------------


def share(stage: Stage, talk: Conversation, number: str = "+8613800138000") -> Line:
    return binding.share_phone(stage.session, talk, number, now=NOON)


def test_a_number_of_the_roster_is_enough(stage):
    person, talk = member(stage, phone="13800138000"), stage.resident()

    assert titles(share(stage, talk)) == ["王先生/女士", "都不是"]
    accept(stage, talk, person)

    assert talk.resident.member_id == person.id


def test_a_number_opens_only_its_own_file(stage):
    """Not those of the others behind the same door."""
    member(stage, "王芳", phone="13800138000")
    other = member(stage, "王建国")
    talk = stage.resident()
    share(stage, talk)

    with pytest.raises(ButtonExpired):
        accept(stage, talk, other)


@pytest.mark.parametrize("who", ["nobody's", "two people's", "moved out", "no number"])
def test_a_number_that_does_not_fit_is_answered_in_one_way(stage, who):
    number = "+8613800138000"
    if who == "two people's":
        member(stage, "王芳", phone="13800138000")
        member(stage, "王建国", phone="13800138000")
    elif who == "moved out":
        member(stage, phone="13800138000", moved_out=TODAY)
    elif who == "no number":
        number = "anonymous"

    assert share(stage, stage.resident(), number) == texts.say("utter_bind_phone_not_matched", language="zh")


def test_a_second_account_of_one_person_is_bound_and_the_first_hears_of_it(stage):
    """A stolen number must not go unnoticed."""
    person = member(stage, phone="13800138000")
    first, second = stage.resident(), stage.resident()
    for talk in (first, second):
        share(stage, talk)
        accept(stage, talk, person)

    assert stage.lines_to(first) == [zh("utter_bound_elsewhere")]
    assert second.resident.member_id == person.id


# --- By a yes of staff ------------------------------------------------------------------------------------------------


def ask(stage: Stage, talk: Conversation, words: str = "3栋2单元1201 王芳", *, now=NOON) -> Line:
    return binding.ask_staff(stage.session, talk, words, key="turn:1", now=now)


def requests(stage: Stage) -> list[BindingRequest]:
    return list(stage.session.scalars(select(BindingRequest).order_by(BindingRequest.id)))


def decide(stage: Stage, *, approved: bool, by=None, key: str = "turn:9") -> None:
    staff = by or stage.member()
    binding.decide(stage.session, staff, requests(stage)[-1].id, approved=approved, key=key, now=NOON)


def test_staff_see_the_words_beside_the_roster_and_a_yes_binds(stage):
    person, talk = member(stage), stage.resident(display_name="小王")

    assert ask(stage, talk).text == zh("utter_bind_asked")
    [sheet] = stage.outbox("alert")
    assert "小王" in sheet.payload["text"]
    assert "3栋2单元1201室 王芳，相符" in sheet.payload["text"]
    decide(stage, approved=True)

    assert talk.resident.member_id == person.id
    assert "3栋2单元1201室" in stage.lines_to(talk)[-1]
    assert stage.outbox("card")[-1].payload.get("buttons") is None, "the request has no buttons any more"


@pytest.mark.parametrize("words", ["3栋2单元1201 王芳", "3栋2单元1201 李四", "9栋9单元909 王芳", "我是业主"])
def test_the_answer_never_says_what_the_roster_holds(stage, words):
    member(stage)

    assert ask(stage, stage.resident(), words).text == zh("utter_bind_asked")


@pytest.mark.parametrize(
    ("words", "found", "buttons"),
    [
        ("3栋2单元1201 王芳", "相符", 2),
        ("3栋2单元1201 李四", "姓名对不上", 1),
        ("9栋9单元909 王芳", "没有对上的房屋", 1),
        ("我是业主", "没有对上的房屋", 1),
    ],
)
def test_only_what_matches_can_be_approved(stage, words, found, buttons):
    member(stage)

    ask(stage, stage.resident(), words)

    [sheet] = stage.outbox("alert")
    assert found in sheet.payload["text"]
    assert len(sheet.payload["buttons"]) == buttons


def test_a_no_is_told_kindly_with_the_way_to_go(stage):
    talk = stage.resident()
    member(stage)
    ask(stage, talk)

    decide(stage, approved=False)

    assert talk.resident.member_id is None
    assert stage.lines_to(talk) == [zh("utter_bind_declined")]


def test_a_request_is_decided_once(stage):
    """Two butlers tap; the second is told that the button has expired."""
    member(stage)
    ask(stage, stage.resident())
    decide(stage, approved=True)

    with pytest.raises(ButtonExpired):
        decide(stage, approved=False, key="turn:10")


def test_staff_of_another_community_decide_nothing(stage):
    member(stage)
    talk = stage.resident()
    ask(stage, talk)
    stranger = stage.member()
    stranger.community_id = other_community(stage)

    with pytest.raises(ButtonExpired):
        decide(stage, approved=True, by=stranger)

    assert talk.resident.member_id is None


def test_who_moved_out_meanwhile_is_not_bound(stage):
    person = member(stage)
    ask(stage, stage.resident())
    person.moved_out = TODAY

    with pytest.raises(ButtonExpired):
        decide(stage, approved=True)


def test_asking_again_before_the_answer_does_not_bother_staff_twice(stage):
    talk = stage.resident()
    ask(stage, talk)

    assert ask(stage, talk).text == zh("utter_bind_asked_before")
    assert len(stage.outbox("alert")) == 1


def test_three_requests_a_day_are_enough(stage):
    talk = stage.resident()
    for number in range(binding.MOST_REQUESTS):
        ask(stage, talk)
        decide(stage, approved=False, key=f"turn:{number}")

    assert ask(stage, talk).text == zh("utter_bind_asked_before")
    assert ask(stage, talk, now=NOON + timedelta(days=1)).text == zh("utter_bind_asked")


def test_without_words_the_way_is_shown(stage):
    assert ask(stage, stage.resident(), "  ").text == zh("utter_bind_how")
    assert requests(stage) == []


# --- Telling of it, and its end ---------------------------------------------------------------------------------------


def test_what_binding_gives_is_told_once_after_a_first_case(stage):
    member(stage)
    talk = stage.resident()
    assert binding.hint(stage.session, talk, now=NOON) is None, "they have not been served yet"
    stage.case(talk)

    told = [binding.hint(stage.session, talk, now=NOON) for _ in range(2)]

    assert told[0] is not None
    assert told[0].contact_key == "📱 分享手机号"
    assert "转人工" in told[0].menu, "the usual keys stay"
    assert told[1] is None


def test_nothing_is_told_where_there_is_no_archive(stage):
    talk = stage.resident()
    stage.case(talk)

    assert binding.hint(stage.session, talk, now=NOON) is None


def test_who_is_bound_is_told_nothing(stage):
    talk = stage.resident()
    stage.case(talk)
    archive.bind(stage.session, talk.resident, member(stage), how="staff", actor="staff:101", now=NOON)

    assert binding.hint(stage.session, talk, now=NOON) is None


def test_on_the_day_of_moving_out_the_account_is_let_go(stage):
    person, talk = member(stage, moved_out=TODAY + timedelta(1)), stage.resident()
    archive.bind(stage.session, talk.resident, person, how="staff", actor="staff:101", now=NOON)

    binding.let_go_of_moved_out(stage.session, talk, now=NOON)
    assert talk.resident.member_id == person.id
    binding.let_go_of_moved_out(stage.session, talk, now=NOON + timedelta(1))

    assert (talk.resident.member_id, talk.resident.place) == (None, None)
    assert stage.lines_to(talk) == [zh("utter_moved_out")]


def test_every_step_is_written_down(stage):
    """N12: who was let in how, and who was not."""
    person, talk = member(stage, phone="13800138000"), stage.resident()
    redeem(stage, talk, "x" * 32)
    share(stage, talk, "13900139000")
    share(stage, talk)
    accept(stage, talk, person)

    events = stage.session.scalars(select(ArchiveEvent).order_by(ArchiveEvent.id))
    assert [(event.act, event.detail) for event in events] == [
        ("invitation_refused", {"why": "unknown"}),
        ("phone_not_matched", None),
        ("bound", {"how": "phone"}),
    ]


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_all_of_it_is_said_in_the_residents_language(stage, language):
    person, talk = member(stage, "Wang Fang", surname="Wang", honorific="ms"), stage.resident(language=language)

    lines = [redeem(stage, talk, invited(stage)), accept(stage, talk, person), redeem(stage, talk, "wrong")]

    is_chinese = [any("\u4e00" <= letter <= "\u9fff" for letter in line.text) for line in lines]
    assert is_chinese == [language == "zh"] * 3
    assert residents.salutation(talk.resident) == {"zh": "Wang女士，", "en": ", Ms Wang"}[language]
