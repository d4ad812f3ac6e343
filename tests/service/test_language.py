"""A talk goes on in its language until a message shows another."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from service import language

EXAMPLES = Path("nlu/data/nlu")


@pytest.mark.parametrize("before", ["zh", "en"])
@pytest.mark.parametrize(
    "words",
    [
        *("", "ok", "OK thx!", "hello", "thanks", "WeChat", "wifi", "x", "👍", "STOP", "/start"),
        *("asdfgh", "qwer tyui", "Tom Green", "Grace", "Zhang Wei 13800138000"),
        *("13800138000", "A12345", "湘A12345", "B1-023", "https://example.com/the/pipe/leaks", "wang@example.com"),
    ],
)
def test_what_is_no_sentence_of_a_language_changes_nothing(words, before):
    """Slipped fingers, codes, plates and names are typed by everybody; the next answer must still be readable."""
    assert language.detect(words, before=before) == before


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("水管漏了", "zh"),
        ("my pipe 漏了", "zh"),
        ("我家AC突然shut down了，开关on不了", "zh"),
        ("好", "zh"),
        ("the pipe leaks", "en"),
        ("Leak", "en"),
        ("HELP", "en"),
        ("THE LIFT IS STUCK", "en"),
        ("no hot water", "en"),
        ("ok, thank you very much", "en"),
        ("my wifi isn’t working", "en"),
        ("My name is 王芳, the tap in the kitchen drips", "en"),
    ],
)
def test_words_of_a_language_switch_at_once(words, expected):
    other = "en" if expected == "zh" else "zh"

    assert language.detect(words, before=other) == expected


@pytest.mark.parametrize("words", ["wo jia ma tong du le", "shui long tou lou shui", "dianti huai le, 5 dong"])
def test_chinese_in_latin_letters_is_not_english(words):
    assert language.detect(words, before="zh") == "zh"


def test_what_residents_report_in_english_is_answered_in_english():
    """The list of words has to keep up with how they speak; some slips of the finger may pass."""
    items = yaml.load((EXAMPLES / "en" / "complaint.yml").read_text("utf-8"), yaml.CSafeLoader)["nlu"]
    lines = [line for item in items for line in str(item.get("examples", "")).splitlines() if len(line.split()) > 3]

    found = [language.detect(line, before="zh") for line in lines]

    assert found.count("en") >= 0.99 * len(lines) > 100
