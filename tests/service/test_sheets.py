"""The call-back sheet and the results of surveys, as rows of a period."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from sqlalchemy import select

from cli import sheet_file
from service import callbacks, communities, phone_calls, sheets, surveys, texts
from service.models.archive import ArchiveEvent
from service.models.people import Staff
from service.sheets import CALL_BACKS, SURVEYS, Period, Sheet
from tests.service.test_follow_ups import answer, asked, finish, rated, survey_of
from tests.stage import BOT_ID, NOON, Stage

DAY = timedelta(days=1)
SHANGHAI = ZoneInfo("Asia/Shanghai")
FORMULAS = ('=HYPERLINK("http://example.org","点这里")', "+1+1", "-2+3", "@SUM(A1)", "\t=1", "#N/A")


def rows(stage: Stage, sheet: Sheet, first: date | None = None, last: date | None = None) -> list[dict[str, Any]]:
    stage.session.flush()
    names = [column.name for column in sheet.columns]
    found = sheets.read(stage.session, sheet, stage.community, Period(first, last))
    return [dict(zip(names, row, strict=True)) for row in found]


def written(stage: Stage, sheet: Sheet, file: Path) -> list[list[Any]]:
    """The cells of the workbook, read again."""
    stage.session.flush()
    found = sheets.read(stage.session, sheet, stage.community, Period())
    sheet_file.write_xlsx(file, sheet, found, language="zh")
    return [list(row) for row in openpyxl.load_workbook(file).active.iter_rows()]  # type: ignore[union-attr]


def test_the_call_back_sheet_says_what_came_of_every_finished_case(stage):
    held = asked(stage)
    answer(stage, held, held=True, now=NOON + DAY)
    finish(stage, stage.case(contact="王女士", phone="13800138000"))

    first, second = sorted(rows(stage, CALL_BACKS), key=lambda row: row["case"])
    assert (first["outcome"], first["state"], first["called_back_at"]) == ("held", "answered", NOON + DAY)
    assert first["finished_at"].tzinfo == SHANGHAI
    assert (second["outcome"], second["contact"], second["phone"]) == (None, "王女士", "13800138000")
    worker = stage.session.get_one(Staff, held.worker_id)
    assert (first["worker"], first["department"]) == (worker.number, "engineering")


def test_every_resolution_has_a_row_with_its_own_times(stage):
    """A case that was reopened was finished twice."""
    first = asked(stage)
    answer(stage, first, held=False)
    finish(stage, first.case, now=NOON + 2 * DAY)

    assert [(row["resolution"], row["finished_at"], row["outcome"]) for row in rows(stage, CALL_BACKS)] == [
        (1, NOON, "not_held"), (2, NOON + 2 * DAY, None)
    ]  # fmt: skip


def test_a_day_is_the_communitys(stage):
    """23:30 in Shanghai is the afternoon in Greenwich."""
    night = datetime(2026, 11, 30, 23, 30, tzinfo=SHANGHAI)
    finish(stage, now=night)

    assert rows(stage, CALL_BACKS, date(2026, 11, 30), date(2026, 11, 30))
    assert not rows(stage, CALL_BACKS, date(2026, 12, 1))
    assert not rows(stage, CALL_BACKS, None, date(2026, 11, 29))


def test_surveys_come_with_stars_reasons_and_the_reason_why_one_was_not_sent(stage):
    case = rated(stage, 2)
    survey = survey_of(stage, case)
    surveys.say_more(stage.session, case.conversation, survey.id, "slow", key="why", now=NOON)
    surveys.ask(stage.session, stage.case(case.conversation, state="finished"), now=NOON)

    rated_row, unsent = sorted(rows(stage, SURVEYS), key=lambda row: row["state"])
    assert (rated_row["stars"], rated_row["reasons"], rated_row["answered_at"]) == (2, ["slow"], NOON)
    assert (unsent["state"], unsent["reason"]) == ("cancelled", "too soon after the last survey")


def test_nothing_of_another_community_is_in_it(stage):
    asked(stage)
    profile = communities.Profile("隔壁", "Asia/Shanghai", "1", None)
    neighbours = communities.settle_in(stage.session, BOT_ID + 1, profile)

    assert list(sheets.read(stage.session, CALL_BACKS, neighbours, Period())) == []
    assert rows(stage, CALL_BACKS)


def test_what_a_resident_wrote_never_becomes_a_formula(stage, tmp_path):
    """A resident's words would run in the office: they stay text, also when somebody edits the cell."""
    for words in FORMULAS:
        finish(stage, stage.case(matter=words))

    cells = [row[3] for row in written(stage, CALL_BACKS, tmp_path / "sheet.xlsx")[1:]]

    assert sorted(cell.value for cell in cells) == sorted(FORMULAS)
    assert {cell.data_type for cell in cells} == {"s"}
    assert all(cell.quotePrefix for cell in cells if cell.value != "#N/A")


def test_what_excel_cannot_hold_is_left_out(stage, tmp_path):
    """A control character in one message must not lose the whole sheet."""
    finish(stage, stage.case(matter="漏\x0b水\x1f了"))

    assert written(stage, CALL_BACKS, tmp_path / "sheet.xlsx")[1][3].value == "漏水了"


def test_a_workbook_has_titles_in_both_languages_and_values_in_words(stage, tmp_path):
    answer(stage, asked(stage), held=True)

    header, first = written(stage, CALL_BACKS, tmp_path / "sheet.xlsx")

    shown = {title.value: cell.value for title, cell in zip(header, first, strict=True)}
    department = texts.words("utter_word_engineering", language="zh")
    assert (shown["回访结果 outcome"], shown["部门 department"]) == ("好了", department)
    assert shown["完成时间 finished"] == datetime(2026, 11, 23, 12)  # noqa: DTZ001 - as it stands in the cell


def test_json_has_the_stored_keys_and_times_with_their_offset(stage, tmp_path):
    answer(stage, asked(stage), held=True)
    stage.session.flush()
    found = sheets.read(stage.session, CALL_BACKS, stage.community, Period())

    assert sheet_file.write_json(tmp_path / "sheet.json", CALL_BACKS, found, language="zh") == 1

    [row] = json.loads((tmp_path / "sheet.json").read_text("utf-8"))
    assert (row["outcome"], row["finished_at"]) == ("held", "2026-11-23T12:00:00+08:00")


@pytest.mark.parametrize("sheet", sheets.SHEETS.values(), ids=sheets.SHEETS)
def test_every_column_has_a_title_in_both_languages(sheet):
    assert len(set(sheets.titles(sheet))) == len(sheet.columns)


def test_who_exported_how_much_of_what_is_written_down(stage):
    """N12: it leaves the house."""
    period = Period(date(2026, 11, 1), None)
    sheets.log(stage.session, SURVEYS, stage.community, period, by="li", rows=7, now=NOON)

    event = stage.session.scalars(select(ArchiveEvent)).one()
    assert (event.act, event.actor) == ("exported_surveys", "operator")
    assert event.detail == {"by": "li", "rows": 7, "first": "2026-11-01", "last": None}


def test_a_result_by_phone_is_in_the_sheet(stage):
    call_back = asked(stage)
    for days in (2, 4):
        callbacks.send_due(stage.session, now=NOON + days * DAY)
    phone_calls.post_due(stage.session, now=NOON + 6 * DAY)
    phone_calls.result(stage.session, stage.member(), call_back.id, "held", key="tel", now=NOON + 6 * DAY)

    assert [row["outcome"] for row in rows(stage, CALL_BACKS)] == ["held"]
