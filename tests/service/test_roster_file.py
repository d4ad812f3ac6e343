"""Rosters as office programs write them: what is meant is read, what is lost is named with its row."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import date, datetime
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service import roster_file, texts
from service.errors import TableUnreadable
from service.roster_file import Row, open_roster

HEADER = ("楼栋", "单元", "房号", "姓名", "手机号", "称呼", "身份", "入住日期", "迁出日期")
NO_HEADER = "No header in the first rows:"
WANG = (3, 2, 1201, "王芳", 13800138000, "女士", "业主", date(2020, 5, 1), None)


def excel(*rows: Sequence[Any], header: Sequence[Any] = HEADER, above: Iterable[Sequence[Any]] = ()) -> bytes:
    book = openpyxl.Workbook()
    for row in (*above, header, *rows):
        book.active.append(list(row))  # type: ignore[union-attr]
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def read(content: bytes) -> list[Row]:
    found = list(open_roster(content).read())
    rows = [row for row in found if isinstance(row, Row)]
    assert len(rows) == len(found), found
    return rows


def problems(content: bytes) -> list[tuple[int, str]]:
    """The row of each problem, and what is said of it."""
    return [
        (problem.row, texts.words(problem.phrase, language="en", **problem.facts))
        for row in open_roster(content).read()
        if isinstance(row, list)
        for problem in row
    ]


def test_a_spreadsheet_is_read():
    [row] = read(excel(WANG))

    assert row == Row(
        2, "3", "2", "1201", "王芳", "王", "ms", None, "13800138000", "owner", date(2020, 5, 1), None
    )  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("mark", [",", "\t", ";"])
def test_a_text_file_is_read_whatever_wrote_it(encoding, mark):
    """Excel writes a byte order mark, Chinese Excel GB18030, "Unicode text" UTF-16 with tabs."""
    header, person = ("楼栋", "单元", "房号", "姓名", "电话"), ("3栋", "二单元", "1201室", "欧阳兰", "138 0013 8000")

    [row] = read("\r\n".join(map(mark.join, (header, person))).encode(encoding))

    assert (row[1:6], row.phone) == (("3", "2", "1201", "欧阳兰", "欧阳"), "13800138000")


def test_a_title_above_the_header_empty_rows_and_unknown_columns_are_no_obstacle():
    rows = [(None,) * 3, ("x", "王芳", "3栋2单元1201")]

    [row] = read(excel(*rows, header=("备注", "业主姓名（必填）", " 房屋地址 "), above=[("阳光花园业主名册",), ()]))

    assert (row.number, row[1:5]) == (5, ("3", "2", "1201", "王芳"))


@pytest.mark.parametrize(
    ("written", "door"),
    [
        (("3", "2", "1201"), ("3", "2", "1201")),
        ((3.0, 2.0, 1201.0), ("3", "2", "1201")),
        (("3号楼", "二单元", "1201室"), ("3", "2", "1201")),
        (("三栋", "", "301"), ("3", "", "301")),
        (("A座", None, "2501"), ("A", "", "2501")),
        (("a", "1", "302a"), ("A", "1", "302A")),
        (("３", "２", "１２０１"), ("3", "2", "1201")),
        (("03", "01", "0302"), ("3", "1", "0302")),
        (("12", "1", "5"), ("12", "1", "5")),
    ],
)
def test_a_door_has_one_spelling(written, door):
    """Otherwise a second import, or a resident's own words, would find another household."""
    [row] = read(excel((*written, "王芳")))

    assert row[1:4] == door


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        (datetime.fromisoformat("2024-03-01T08:30"), date(2024, 3, 1)),
        ("2024-03-01", date(2024, 3, 1)),
        ("2024/3/1", date(2024, 3, 1)),
        ("2024.3.1", date(2024, 3, 1)),
        ("2024年3月1日", date(2024, 3, 1)),
        ("2024-03-01 00:00:00", date(2024, 3, 1)),
        ("20240301", date(2024, 3, 1)),
        (45352, date(2024, 3, 1)),
        ("45352", date(2024, 3, 1)),
        ("", None),
    ],
)
def test_a_day_is_read_as_excel_and_people_write_it(cell, day):
    [row] = read(excel((*WANG[:7], cell)))

    assert row.moved_in == day


@pytest.mark.parametrize(
    ("name", "surname"),
    [("王芳", "王"), ("欧阳兰", "欧阳"), ("欧阳", "欧"), ("John Smith", "Smith"), ("Smith", "Smith")],
)
def test_the_surname_is_found_in_the_name(name, surname):
    """N2 needs it: 欧阳女士, not 欧女士."""
    assert roster_file.surname_of(name) == surname


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({3: ""}, "姓名 is empty."),
        ({3: "12345"}, "姓名 does not look like a name: 12345"),
        ({0: None}, "楼栋 is empty."),
        ({2: "物业办公室"}, "楼栋 names no door: 3 2 物业办公室"),
        ({0: datetime.fromisoformat("2026-03-02")}, "楼栋 was turned into the date 2026-03-02 00:00:00 by"),
        ({4: "1380013800"}, "电话 is no number that can be dialled: 1380013800"),
        ({4: "1.38001E+10"}, "电话 was shortened to 1.38001E+10 by the spreadsheet program"),
        ({5: "老师"}, "称呼 says 老师; it may say: 先生, 女士"),
        ({6: "猫"}, "身份 says 猫; it may say: 业主, 租户, 家属"),
        ({7: "去年"}, "入住日期 is no date: 去年"),
        ({7: "2024-02-30"}, "入住日期 is no date: 2024-02-30"),
        ({8: date(2019, 1, 1)}, "The day of moving out lies before the day of moving in."),
        ({3: "#REF!"}, "姓名 is a formula that failed: #REF!"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_row_is_said_with_its_number(change, said):
    wrong = [change.get(place, cell) for place, cell in enumerate(WANG)]

    [(row, words)] = problems(excel(WANG, wrong))
    assert (row, words[: len(said)]) == (3, said)


def test_all_that_is_wrong_in_a_row_is_said_at_once():
    """A file that has to be sent back is sent back once."""
    wrong = (3, 2, 1201, "", "12", "老师", "猫", "去年", None)

    assert len(problems(excel(wrong))) == 5


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "The file is empty."),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "This is an old .xls or a file with a password."),
        (b"PK\x03\x04 this is no workbook", "This file cannot be read, it may be damaged (BadZipFile)"),
        (excel(WANG)[:3000], "This file cannot be read, it may be damaged (BadZipFile)"),
        (b"\xff\xff\xff\xff", "The file is neither .xlsx nor .csv"),
        ("房号,电话\n1201,13800138000\n".encode(), f"{NO_HEADER} 姓名, 楼栋/地址 is missing. Found: 房号, 电话"),
        (excel(WANG, header=("a", "b")), f"{NO_HEADER} 姓名, 楼栋/地址, 房号/地址 is missing. Found: a, b"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_roster_says_why(content, said):
    with pytest.raises(TableUnreadable) as refused:
        open_roster(content)

    assert texts.words(refused.value.response, language="en", **refused.value.facts).startswith(said)


def test_a_wrong_size_in_the_file_hides_nobody():
    """Some programs write a dimension of A1, and openpyxl would believe it."""
    many = [(3, 2, 1000 + number, "王芳") for number in range(50)]

    assert len(read(excel(*many))) == 50


@settings(max_examples=150, deadline=None)
@given(content=st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "ignore")))
def test_any_bytes_are_read_or_refused_with_a_reason(content):
    found: list[Any] = []
    with suppress(TableUnreadable):
        found = list(open_roster(content).read())

    assert all(found)


CELLS = st.one_of(
    st.none(), st.text(max_size=20), st.integers(), st.floats(), st.dates(), st.datetimes(), st.booleans(), st.times()
)


@settings(max_examples=300, deadline=None)
@given(cells=st.lists(CELLS, min_size=9, max_size=9))
def test_any_cells_are_a_row_or_problems(cells):
    """What a spreadsheet can hold, somebody has put into one."""
    names = ("building", "unit", "room", "name", "phone", "honorific", "role", "moved_in", "moved_out")

    found = roster_file._read(2, dict(zip(names, cells, strict=True)))

    assert isinstance(found, Row) or all(texts.words(one.phrase, language="zh", **one.facts) for one in found)
