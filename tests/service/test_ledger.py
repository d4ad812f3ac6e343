"""What is told of a household, to whom, and to nobody else (N12)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import event

from service import archive, forgetting, ledger, own_data
from service.models.archive import Fee, Member
from service.models.talks import Conversation
from tests.households import household, member
from tests.ledgers import fee, space, visitor_code
from tests.stage import NOON, Stage

TODAY = date(2026, 11, 23)


def bound(stage: Stage, person: Member, *, how: str = "phone") -> Conversation:
    talk = stage.resident()
    archive.bind(stage.session, talk.resident, person, how=how, actor="resident", now=NOON)
    return talk


def told(stage: Stage, talk: Conversation, *kinds: str, language: str = "zh") -> str:
    line = ledger.answer(stage.session, talk, kinds, language=language, now=NOON)
    assert line is not None
    return line.text


def test_what_is_owed_comes_with_its_sum_and_what_was_paid_last(stage):
    """Amounts to the cent, days as the community has them, and of when the figures are."""
    home = household(stage)
    fee(stage, home, period="2026年第四季度", due=date(2026, 12, 31))
    fee(stage, home, "停车费", "300", due=date(2026, 11, 15))
    fee(stage, home, period="2026年第三季度", paid_on=date(2026, 9, 5))
    talk = bound(stage, member(stage))

    assert told(stage, talk, "fees") == (
        "3栋2单元1201室，截至11月22日：\n"
        "· 停车费：300.00元，应于11月15日前交，还没有入账\n"
        "· 物业费 2026年第四季度：1,234.50元，12月31日前交\n"
        "· 物业费 2026年第三季度：1,234.50元，9月5日已交\n"
        "合计未交：1,534.50元。\n"
        "刚交的款项要等账目更新后才显示。需要核对，请联系前台0731-1。"
    )


def test_the_same_in_english(stage):
    home = household(stage)
    fee(stage, home, "Property fee", period="Q4", due=date(2027, 1, 10))
    fee(stage, home, "Club", "80", currency="USD")
    talk = bound(stage, member(stage))

    assert told(stage, talk, "fees", language="en").splitlines()[:4] == [
        "Building 3, Unit 2, Room 1201, as of 22 Nov:",
        "· Property fee Q4: 1,234.50 yuan, due by 10 Jan 2027",
        "· Club: 80.00 USD, not received yet",
        "Still to be paid: 1,234.50 yuan, 80.00 USD.",
    ]


def test_a_part_that_was_paid_or_waived_is_told_and_only_the_rest_is_owed(stage):
    """A bill that says the whole again sounds as if the payment had been lost."""
    home = household(stage)
    fee(stage, home, due=date(2026, 12, 31), waived=Decimal(100), paid=Decimal(500), paid_on=date(2026, 11, 2))
    talk = bound(stage, member(stage))

    assert told(stage, talk, "fees").splitlines()[1:3] == [
        "· 物业费：634.50元（应收1,234.50元，已减免100.00元、已收500.00元），12月31日前交",
        "合计未交：634.50元。",
    ]
    assert "634.50 yuan (1,234.50 yuan charged, 100.00 yuan waived, 500.00 yuan received), due by" in told(
        stage, talk, "fees", language="en"
    )


def test_money_they_have_with_the_office_is_told_as_theirs_and_not_set_off(stage):
    """Which fee it goes to, the office decides."""
    home = household(stage)
    fee(stage, home, "预存款", "-200")
    fee(stage, home, "装修押金", "-3000", paid=Decimal(-3000), paid_on=date(2026, 9, 5))
    fee(stage, home, "停车费", "300", paid=Decimal(300))
    fee(stage, home, "水费", "80")

    assert told(stage, bound(stage, member(stage)), "fees").splitlines()[1:6] == [
        "· 水费：80.00元，还没有入账",
        "· 预存款：账上有您的余额 200.00元",
        "· 装修押金：3,000.00元，已退还",
        "· 停车费：300.00元，已结清",
        "合计未交：80.00元。",
    ]


def test_who_owes_nothing_is_thanked(stage):
    fee(stage, household(stage), paid_on=date(2026, 9, 5))

    assert "没有未交的费用" in told(stage, bound(stage, member(stage)), "fees")


def test_what_others_paid_before_somebody_moved_in_is_not_theirs_to_know(stage):
    """What is owed stays: a wrong "nothing" would be worse."""
    home = household(stage)
    fee(stage, home, "旧账", paid_on=date(2025, 9, 5))
    fee(stage, home, "新账", paid_on=date(2026, 9, 5))
    fee(stage, home, "未付", due=date(2025, 1, 1))

    said = told(stage, bound(stage, member(stage, moved_in=date(2026, 1, 1))), "fees")

    assert "旧账" not in said
    assert "新账" in said
    assert "未付" in said


def test_a_long_bill_is_cut_and_its_sum_is_not(stage):
    home = household(stage)
    for month in range(1, 14):
        fee(stage, home, f"{month}月", "100", due=date(2025, 1, month))

    said = told(stage, bound(stage, member(stage)), "fees")

    assert said.count("还没有入账") == ledger.MOST_OWED
    assert "另有 3 笔" in said
    assert "合计未交：1,300.00元" in said


def test_a_space_is_told_with_its_car_and_until_when(stage):
    home = household(stage)
    space(stage, home)
    space(stage, home, "B1-024", plate=None, valid_until=None)
    space(stage, home, "B1-025", plate=None, valid_until=TODAY - timedelta(1))

    lines = told(stage, bound(stage, member(stage)), "parking").splitlines()

    assert lines[1:4] == [
        "· 车位 B1-023，车牌 湘A12345，有效期至2027年3月1日",
        "· 车位 B1-024，长期有效",
        "· 车位 B1-025，已于11月22日到期",
    ]


def test_a_code_stands_on_a_button_and_never_in_the_text(stage):
    """The text is kept in the transcript, which staff read in card, console and topic; the button is the resident's."""
    home = household(stage)
    visitor_code(stage, home, "482913", begins=NOON - timedelta(hours=4), ends=NOON + timedelta(days=1))
    visitor_code(stage, home, "111111", begins=NOON - timedelta(days=9), ends=NOON)

    line = ledger.answer(stage.session, bound(stage, member(stage)), ["visitor_codes"], language="zh", now=NOON)

    assert line is not None
    assert "· 外婆：11月23日 周一 08:00至11月24日 周二 12:00" in line.text
    assert [(button.title, button.copy) for button in line.buttons] == [("外婆 · 482913", "482913")]
    assert "482913" not in line.text, "staff read the transcript"
    assert "111111" not in str(line), "what is over is not shown"


@pytest.mark.parametrize(
    ("kind", "said"), [("fees", "没有登记费用"), ("parking", "没有登记车位"), ("visitor_codes", "没有有效的访客码")]
)
def test_without_anything_on_file_the_desk_is_offered(stage, kind, said):
    """Nothing on file is not nothing owed."""
    talk = bound(stage, member(stage))

    line = ledger.answer(stage.session, talk, [kind], language="zh", now=NOON)

    assert line is not None
    assert said in line.text
    assert "0731-1" in line.text
    assert "转人工" in line.menu


@pytest.fixture
def neighbours(stage: Stage) -> tuple[Conversation, Conversation]:
    """Two households with something of every kind, each with its account."""
    talks = []
    for number, name in enumerate(("王芳", "李雷"), 1):
        person = member(stage, name, address=f"3-2-120{number}", phone=f"1380013800{number}")
        fee(stage, person.household, f"费用{number}", f"{number}00")
        space(stage, person.household, f"车位{number}")
        visitor_code(stage, person.household, f"{number}" * 6, begins=NOON, ends=NOON + timedelta(days=1))
        talks.append(bound(stage, person))
    return talks[0], talks[1]


def everything(stage: Stage, talk: Conversation) -> str:
    return f"{ledger.answer(stage.session, talk, ledger.KINDS, language='zh', now=NOON)}"


def test_another_households_rows_are_never_shown(stage, neighbours):
    """N12; the own ones are, so that this test can tell."""
    mine, theirs = (everything(stage, talk) for talk in neighbours)

    for words in ("费用1", "100.00", "车位1", "111111"):
        assert words in mine
        assert words not in theirs
    for words in ("费用2", "200.00", "车位2", "222222"):
        assert words in theirs
        assert words not in mine


def test_who_was_let_go_sees_nothing_at_once(stage, neighbours):
    """Moved out, revoked, forgotten: whatever ends the binding."""
    mine, _ = neighbours
    archive.unbind(stage.session, mine.resident, why="moved_out", actor="operator", now=NOON)

    assert ledger.answer(stage.session, mine, ledger.KINDS, language="zh", now=NOON) is None


def test_on_the_day_of_moving_out_nothing_is_told_any_more(stage, neighbours):
    """Also before the account is let go of, at its next message."""
    mine, _ = neighbours
    person = archive.member_of(stage.session, mine.resident)
    assert person is not None
    person.moved_out = TODAY

    assert ledger.answer(stage.session, mine, ledger.KINDS, language="zh", now=NOON) is None


def test_a_wish_to_be_forgotten_ends_the_answers_and_keeps_the_households_entries(stage, neighbours):
    """What the property system holds is the household's: whoever lives there too still asks for it."""
    mine, _ = neighbours

    forgetting.forget(stage.session, mine, before=0, key="forget", now=NOON)

    assert ledger.answer(stage.session, mine, ledger.KINDS, language="zh", now=NOON) is None
    assert [one.name for one in stage.session.query(Fee).order_by(Fee.id)] == ["费用1", "费用2"]


@pytest.mark.parametrize(("how", "homes"), [("phone", 2), ("staff", 2), ("invitation", 1)])
def test_two_households_of_one_person_are_each_named_when_the_person_is_proved(stage, how, homes):
    """A tenant who taps the landlord's name on a sheet of paper must not see the landlord's own flat."""
    person = member(stage, "王芳", phone="13800138000")
    fee(stage, person.household)
    fee(stage, member(stage, "王芳", address="5-1-302", phone="13800138000").household)
    fee(stage, member(stage, "王芳", address="6-1-101", phone="13900139000").household)  # a namesake
    fee(stage, member(stage, "王建国", address="7-1-101", phone="13800138000").household)  # a shared number

    said = told(stage, bound(stage, person, how=how), "fees")

    assert said.count("截至") == homes
    assert ("5栋1单元302室" in said) == (homes == 2)
    assert "6栋" not in said
    assert "7栋" not in said


def test_an_answer_costs_a_handful_of_statements(stage):
    """The member, how they were bound, their doors, and and one statement a kind."""
    home = household(stage)
    fee(stage, home)
    talk = bound(stage, member(stage, phone="13800138000"))
    stage.session.flush()
    stage.session.expunge_all()
    talk = stage.session.get_one(Conversation, talk.id)

    asked: list[str] = []
    event.listen(stage.session.connection(), "before_cursor_execute", lambda *facts: asked.append(facts[2]))

    told(stage, talk, "fees")

    assert len(asked) <= 5, asked


def test_an_export_has_what_is_held_of_ones_own_households(stage, neighbours):
    """N12: what is kept can be taken along; staff who hand it out do not see the codes."""
    mine, _ = neighbours

    [home] = own_data.everything(stage.session, mine, now=NOON)["household"]
    by_staff = own_data.as_file(stage.session, mine, codes=False, now=NOON)

    assert [(one["name"], str(one["amount"])) for one in home["fees"]] == [("费用1", "100.00")]
    assert [one["code"] for one in home["visitor_codes"]] == ["111111"]
    assert '"amount": "100.00"' in by_staff
    assert "111111" not in by_staff
    assert "费用2" not in by_staff


def test_days_are_the_communitys(stage):
    """At 23:30 UTC it is tomorrow in Shanghai: what was due today is late."""
    fee(stage, household(stage), due=TODAY)
    talk = bound(stage, member(stage))
    evening = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)

    line = ledger.answer(stage.session, talk, ["fees"], language="zh", now=evening)

    assert line is not None
    assert "应于11月23日前交，还没有入账" in line.text
