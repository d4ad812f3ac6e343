"""The same number, however it is written."""

from __future__ import annotations

import pytest

from service import phones


@pytest.mark.parametrize(
    "written", ["13800138000", "+86 138 0013 8000", "138-0013-8000", "8613800138000", "0086 13800138000"]
)
def test_one_number_has_one_spelling(written):
    """Telegram writes +86, rosters write dashes: matching them must not depend on it."""
    assert phones.normalise(written) == "13800138000"


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("0731-88888888", "073188888888"),
        ("（0731）8888 8888", "073188888888"),
        ("+852 2345 6789", "+85223456789"),
        ("+44 20 7946 0958", "+442079460958"),
    ],
)
def test_landlines_keep_their_area_code_and_numbers_abroad_their_country(written, kept):
    assert phones.normalise(written) == kept


@pytest.mark.parametrize("written", ["", "1380013800", "138001380001", "88888888", "无", "12", "1" * 300])
def test_what_nobody_could_dial_is_no_number(written):
    """A digit too few is the commonest mistake of a roster."""
    assert phones.normalise(written) is None
