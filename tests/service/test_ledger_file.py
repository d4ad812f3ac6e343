"""Files of property systems: what is meant is read, and what is no exact amount, day or door is named with its row."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service import ledger_file, texts
from service.errors import TableUnreadable
from service.ledger_file import Row, open_ledger
from tests.service.test_roster_file import CELLS, excel

FEES = ("楼栋", "单元", "房号", "收费项目", "账期", "应收金额", "币种", "应缴日期", "缴费日期", "账单号")
FEE = (3, 2, 1201, "物业费", "2026年第四季度", 1234.5, None, date(2026, 12, 31), None, "A-1")


def read(content: bytes) -> tuple[str, list[Row]]:
    kind, table = open_ledger(content)
    found = list(table.read())
    rows = [row for row in found if isinstance(row, Row)]
    assert len(rows) == len(found), found
    return kind, rows


def problems(content: bytes) -> list[tuple[int, str]]:
    """The row of each problem, and what is said of it."""
    return [
        (problem.row, texts.words(problem.phrase, language="en", **problem.facts))
        for row in open_ledger(content)[1].read()
        if isinstance(row, list)
        for problem in row
    ]


def with_cell(column: str, value: object) -> bytes:
    cells = [value if name == column else cell for name, cell in zip(FEES, FEE, strict=True)]
    return excel(cells, header=FEES)


def test_fees_are_read_to_the_cent():
    kind, [row] = read(excel(FEE, header=FEES))

    assert (kind, row[:4]) == ("fees", (2, "3", "2", "1201"))
    assert row.facts == {
        "name": "物业费",
        "period": "2026年第四季度",
        "amount": Decimal("1234.50"),
        "waived": Decimal(0),
        "paid": Decimal(0),
        "currency": "CNY",
        "due": date(2026, 12, 31),
        "paid_on": None,
        "reference": "A-1",
    }


def test_parking_and_visitor_codes_are_told_by_their_headers():
    """Whoever imports says nothing about what a file is; English systems are understood too."""
    parking = "address,parking space,plate,valid until\n3-2-1201,B1-023,湘A12345,\n".encode()
    codes = "房屋,访客码,访客,生效时间,失效时间\n3栋2单元1201,482913,外婆,2026-11-27 08:00,2026-11-29\n".encode()

    assert [row.facts for row in read(parking)[1]] == [{"name": "B1-023", "plate": "湘A12345", "valid_until": None}]
    assert (read(parking)[0], read(codes)[0]) == ("parking", "visitor_codes")
    assert [row.facts for row in read(codes)[1]] == [
        {
            "name": "外婆",
            "code": "482913",
            "valid_from": datetime.fromisoformat("2026-11-27 08:00"),
            "valid_until": datetime.fromisoformat("2026-11-30"),  # a day counts to its end
        }
    ]


@pytest.mark.parametrize(
    ("cell", "amount"),
    [
        ("1,234.50", "1234.50"),
        ("￥1234.5元", "1234.5"),
        ("１２００", "1200"),
        (250.17999999999998, "250.18"),  # what a spreadsheet makes of 89.35 × 2.8
        (0, "0"),
        ("12.3400", "12.34"),
        ("-¥1,200.5", "-1200.50"),  # the household's
        (-5, "-5"),
    ],
)
def test_an_amount_is_what_the_office_means(cell, amount):
    _, [row] = read(with_cell("应收金额", cell))

    assert row.facts["amount"] == Decimal(amount)


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [
        ("应收金额", "1.234,50", "金额 is no amount: 1.234,50. Write 1234.50, with a point before the cents; -1234.50"),
        ("应收金额", "12.345", "金额 has more than two decimals: 12.345. Round it to the cent first."),
        ("应收金额", None, "金额 is empty."),
        ("币种", "贝壳", "币种 says 贝壳; it may say: 人民币, 港币"),
        ("应缴日期", "年底", "应缴日期 is no date: 年底. For example 2024-03-01."),
        ("缴费日期", "已缴", "缴费日期 is no date: 已缴."),
        ("房号", "二楼左边", "楼栋 names no door: 3 2 二楼左边."),
        ("收费项目", "费" * 65, "收费项目 is longer than 64 characters"),
        ("账期", "#REF!", "账期 is a formula that failed: #REF!"),
    ],
)
def test_what_is_wrong_in_a_row_says_how_to_mend_it(column, cell, said):
    [(row, words)] = problems(with_cell(column, cell))

    assert row == 2
    assert words.startswith(said)


BILL = "地址,收费项目,应收金额,减免金额,已收金额,未收金额\n3-2-1201,"


@pytest.mark.parametrize(
    ("row", "charged_waived_paid"),
    [
        ("物业费,1000,100,300,600", (1000, 100, 300)),
        ("物业费,1000,,300,", (1000, 0, 300)),
        ("物业费,1000,,,600", (1000, 0, 400)),
        ("物业费,,,300,600", (900, 0, 300)),
        ("物业费,,,,600", (600, 0, 0)),
        ("物业费,1000,,,", (1000, 0, 0)),
        ("物业费,1000,,1200,-200", (1000, 0, 1200)),
        ("预存款,-200,,,", (-200, 0, 0)),
        ("预存款,,,,-200", (-200, 0, 0)),
    ],
)
def test_what_an_export_leaves_out_follows_from_the_rest(row, charged_waived_paid):
    """Offices export 应收, 减免, 已收 and 未收, or any of them; a list of arrears has the last alone."""
    _, [fee] = read(f"{BILL}{row}\n".encode())

    assert tuple(int(fee.facts[name]) for name in ("amount", "waived", "paid")) == charged_waived_paid


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("物业费,1000,100,300,700", "The amounts contradict each other: charged 1000.0, waived 100.0, paid 300.0, and"),
        ("预存款,200,,,", "Is 预存款 the household's money, or owed? Write -200.0 for"),
        ("物业费,,,,", "金额 is empty."),
    ],
)
def test_money_is_not_guessed(row, said):
    """A credit told as a debt, or a debt of the wrong height, costs more trust than a file that is sent again."""
    [(number, words)] = problems(f"{BILL}{row}\n".encode())

    assert (number, words.startswith(said)) == (2, True), words


def test_a_day_of_payment_alone_means_paid_in_full():
    _, [fee] = read(with_cell("缴费日期", date(2026, 11, 2)))

    assert fee.facts["paid"] == fee.facts["amount"] == Decimal("1234.50")


def test_a_code_that_ends_before_it_begins_is_a_mistake():
    content = "地址,访客码,生效时间,失效时间\n3-2-1201,1,2026-11-29 09:00,2026-11-29 08:00\n".encode()

    assert problems(content) == [(2, "The code ends before it begins.")]


def test_an_hour_that_is_none_is_no_midnight():
    """8点 read as the whole day would open the gate at night."""
    content = "地址,访客码,生效时间,失效时间\n3-2-1201,1,2026-11-29 8点,2026-11-29\n".encode()

    assert problems(content) == [(2, "生效时间 is no date: 2026-11-29 8点. For example 2024-03-01.")]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "The file is empty."),
        ("楼栋,房号,收费项目,金额\n".encode(), "No header in the first rows: 缴费日期/已收金额/未收金额 is missing."),
        ("楼栋,房号,车位\n".encode(), "No header in the first rows: 有效期至 is missing."),
    ],
)
def test_a_file_that_is_none_of_them_says_what_it_lacks(content, said):
    """Without the column that says what was paid, everything would look owed."""
    with pytest.raises(TableUnreadable) as refused:
        open_ledger(content)

    assert texts.words(refused.value.response, language="en", **refused.value.facts).startswith(said)


@settings(max_examples=200, deadline=None)
@given(cells=st.lists(CELLS, min_size=7, max_size=7))
def test_any_cells_are_an_entry_or_problems(cells):
    """What a spreadsheet can hold, somebody has put into one."""
    names = ("address", "name", "period", "amount", "currency", "due", "paid_on")

    found = ledger_file._read("fees", 2, dict(zip(names, cells, strict=True)))

    assert isinstance(found, Row) or all(texts.words(one.phrase, language="zh", **one.facts) for one in found)
