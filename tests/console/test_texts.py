"""The words of the pages: each in both languages, each used, none in a template."""

import re
from string import Formatter

import pytest

from console import rendering, texts
from tests.house.tree import ROOT, python_files, strings

TEMPLATES = sorted((ROOT / "console/templates").rglob("*.html"))
KEY = re.compile(r"'([a-z_]+\.[a-z_]+)'")
BEGINNING = re.compile(r"'([a-z_]+\.[a-z_]+_)' ~")
JINJA = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", re.DOTALL)
MARKUP = re.compile(r"<[^>]*>|[\w-]+=\"[^\"]*\"")
READ_ALOUD = re.compile(r"(?:alt|title|placeholder|aria-label)=\"([^\"{]+)\"")


def named() -> set[str]:
    """Every key that stands in a template or in the code, and may be one of ours."""
    found = {key for file in TEMPLATES for key in KEY.findall(file.read_text("utf-8"))}
    for _, tree in python_files("console"):
        found |= {one.value for one in strings(tree) if re.fullmatch(r"[a-z_]+\.[a-z_]+", str(one.value))}
    return found


def test_every_text_is_there_in_both_languages_with_the_same_slots():
    """Half of the staff would read nothing, or half of the facts."""
    uneven = [
        key
        for key, said in texts.catalogue().items()
        if set(said) != {"zh", "en"}
        or len({frozenset(name for _, name, _, _ in Formatter().parse(text) if name) for text in said.values()}) > 1
    ]

    assert uneven == []


def test_every_text_that_a_page_names_exists():
    """A missing key is a page that fails."""
    topics = {key.partition(".")[0] for key in texts.catalogue()}
    beginnings = {found for file in TEMPLATES for found in BEGINNING.findall(file.read_text("utf-8"))}

    ours = {key for key in named() if key.partition(".")[0] in topics and not key.endswith((".html", ".yml"))}
    begun = {key for key in ours if key.endswith("_") and any(one.startswith(key) for one in texts.catalogue())}
    missing = {key for key in ours - beginnings - begun if key not in texts.catalogue()}

    assert missing == set()


def own_words(template: str) -> list[str]:
    """What a template says itself: between its tags, or to a screen reader."""
    return re.findall(r"[^\W\d_]{2,}", MARKUP.sub(" ", JINJA.sub("", template))) + READ_ALOUD.findall(template)


def test_no_word_stands_in_a_template():
    """It would be read in one language only."""
    found = {file.name: said for file in TEMPLATES if (said := own_words(file.read_text("utf-8")))}

    assert found == {}


@pytest.mark.parametrize("line", ["<p>{{ t('a.b') }} cases</p>", "<p>工单</p>", '<a title="Cases">{{ x }}</a>'])
def test_a_word_in_a_template_is_seen(line):
    """The rule above, on three lines it must not let through."""
    assert own_words(line)


def test_every_template_can_be_read():
    """A mistake in one would be found by whoever opens it."""
    for template in TEMPLATES:
        rendering.environment().get_template(str(template.relative_to(ROOT / "console/templates")))

    assert TEMPLATES
