"""Words of place, read and written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.where import Where, display, parse

WRITTEN = {
    "3栋2单元1201": Where("3", "2", "1201"),
    "3栋2单元1201室": Where("3", "2", "1201"),
    "12号楼2门901": Where("12", "2", "901"),
    "3栋大门坏了": Where("3", None, None, "大门"),
    "10栋3楼302": Where("10", None, "302"),
    "三栋二单元": Where("3", "2"),
    "十二号楼一单元一二零三": Where("12", "1", "1203"),
    "二十三栋": Where("23"),
    "一百零二栋": Where("102"),
    "5#-2-301": Where("5", "2", "301"),
    "5#1201": Where("5", None, "1201"),
    "12-3-1802 热水出不来": Where("12", "3", "1802"),
    "5-301": Where("5", None, "301"),
    "A-1803": Where("A", None, "1803"),
    "B座1803": Where("B", None, "1803"),
    "A2栋": Where("A2"),
    "６幢甲单元５０２": Where("6", "甲", "502"),
    "３棟２單元１２０１ 厨房漏水": Where("3", "2", "1201", "厨房"),
    "8号楼1单元二十三楼2301室": Where("8", "1", "2301"),
    "2 单元 301": Where(None, "2", "301"),
    "我家1201": Where(None, None, "1201"),
    "1201": Where(None, None, "1201"),
    "1202室漏水3天": Where(None, None, "1202"),
    "tower B flat 1803": Where("B", None, "1803"),
    "Building 3 Room 1201": Where("3", None, "1201"),
    "Block 7 unit 2, room 0803": Where("7", "2", "0803"),
    "bldg 12, 1203": Where("12", None, "1203"),
    "the fifth building, flat 302": Where("5", None, "302"),
    "3rd building, second unit, apartment 1201": Where("3", "2", "1201"),
    "building six unit two room 1203": Where("6", "2", "1203"),
    "unit 1203": Where(None, None, "1203"),
    "kitchen of apt 12B": Where(None, None, "12B", "kitchen"),
    "负一楼": Where(place="负一楼"),
    "地下车库B区": Where(place="地下车库B区"),
    "B1停车场": Where(place="B1 停车场"),
    "12层走廊灯不亮": Where(place="12层 走廊"),
    "二期3栋楼顶": Where("3", place="二期 楼顶"),
    "3rd floor hallway, building 5": Where("5", place="3rd floor hallway"),
}


@pytest.mark.parametrize(("text", "where"), WRITTEN.items())
def test_a_place_is_read_as_residents_write_it(text, where):
    """Figures, numerals, dashes, both scripts and both languages."""
    assert parse(text) == where


@pytest.mark.parametrize(
    "text",
    [
        "",
        "楼上漏水",
        "电话13812345678",
        "2024-03-01",
        "下午3点到5点",
        "物业费一平3.5",
        "押金2000元",
        "等了3天",
        "hello",
    ],
)
def test_what_names_no_place_gives_none(text):
    """A phone number or a date must never become a flat."""
    assert parse(text) == Where()


@pytest.mark.parametrize(
    ("where", "zh", "en"),
    [
        (Where("3", "2", "1201", "厨房"), "3栋2单元1201室 厨房", "Building 3, Unit 2, Room 1201, kitchen"),
        (Where("B", None, "1803"), "B座1803室", "Tower B, Room 1803"),
        (Where(place="地下车库B区"), "地下车库B区", "underground garage zone B"),
        (Where(place="负一楼"), "负一楼", "B1"),
        (Where("5", place="十二层 走廊"), "5栋 十二层 走廊", "Building 5, floor 12 corridor"),
        (Where("5", place="3rd floor kitchen"), "5栋 3楼 厨房", "Building 5, 3rd floor kitchen"),
        (Where(), "", ""),
    ],
)
def test_a_place_is_written_for_its_reader(where, zh, en):
    """Staff read Chinese, the resident their own language."""
    assert (display(where, "zh"), display(where, "en")) == (zh, en)


@pytest.mark.parametrize("language", ["zh", "en"])
@given(
    st.builds(
        Where,
        st.integers(1, 199).map(str) | st.sampled_from("ABCDE") | st.none(),
        st.integers(1, 19).map(str) | st.none(),
        st.integers(101, 4999).map(str) | st.none(),
    )
)
def test_an_address_survives_being_written_and_read(language, where):
    """What a work order shows can be typed back."""
    assert parse(display(where, language)) == where


@given(st.text(max_size=200))
def test_any_text_can_be_read_and_written(text):
    """Residents send anything."""
    where = parse(text)

    assert isinstance(display(where, "zh") + display(where, "en"), str)


@given(st.text(alphabet="零〇一二两三四五六七八九十百幺0123456789栋单元号楼层室#- ab", max_size=40))
def test_any_heap_of_numerals_can_be_read(text):
    """Numerals in an order that no number has."""
    where = parse(text)

    assert all(part is None or part for part in (where.building, where.unit, where.room))
