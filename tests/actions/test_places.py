import pytest

from actions import places

HOME = "3栋2单元1201室"


@pytest.mark.parametrize(
    ("said", "home", "located"),
    [
        ("3栋2单元1201 厨房", None, "3栋2单元1201室 厨房"),
        ("厨房", HOME, "3栋2单元1201室 厨房"),
        ("厨房", None, None),
        ("电梯", None, None),
        ("5栋电梯", HOME, "5栋 电梯"),
        ("2单元电梯", HOME, "3栋2单元 电梯"),
        ("1305", HOME, "3栋2单元1305室"),
        ("北门", HOME, "北门"),
        ("楼上", HOME, "3栋2单元1201室 楼上"),
        ("楼上", None, None),
    ],
)
def test_what_is_known_of_home_completes_what_is_said(said, home, located):
    """Asking again what the record tells annoys; sending the plumber to the wrong building costs a day (N8)."""
    assert places.locate(said, home=home, language="zh") == located


@pytest.mark.parametrize(
    ("told", "said", "corrected"),
    [
        ("3栋2单元1201室 厨房", "5栋", "5栋2单元1201室 厨房"),
        ("3栋2单元1201室", "1301", "3栋2单元1301室"),
        ("3栋2单元1201室 厨房", "阳台", "3栋2单元1201室 阳台"),
        ("喷泉边", "亭子旁", "亭子旁"),
    ],
)
def test_a_correction_changes_only_what_it_names(told, said, corrected):
    assert places.correct(told, said, language="zh") == corrected


def test_the_record_is_the_door_not_the_last_repair():
    assert places.home("3栋2单元1201室 厨房", language="zh") == HOME
    assert places.home("北门", language="zh") is None


def test_places_are_said_in_the_language_of_the_talk():
    assert places.locate("building 3 room 1201 kitchen", home=None, language="en") == "Building 3, Room 1201, kitchen"
