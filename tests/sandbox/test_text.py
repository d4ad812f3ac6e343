"""Markup, entities, lengths."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.errors import ApiError
from sandbox.text import format_text
from sandbox.text.spans import units

HTML = [
    ("<b>a</b>", "a", [("bold", 0, 1)]),
    ("<b><i>a</i>b</b>", "ab", [("bold", 0, 2), ("italic", 0, 1)]),
    ("😀<u>a</u>", "😀a", [("underline", 2, 1)]),
    ("<s>a</s><tg-spoiler>b</tg-spoiler>", "ab", [("strikethrough", 0, 1), ("spoiler", 1, 1)]),
    ("&lt;b&gt; &amp; &#33;", "<b> & !", []),
    ("<code>x</code>", "x", [("code", 0, 1)]),
    ('<pre><code class="language-py">x</code></pre>', "x", [("pre", 0, 1)]),
    ("<blockquote>a</blockquote>", "a", [("blockquote", 0, 1)]),
    ("<blockquote expandable>a</blockquote>", "a", [("expandable_blockquote", 0, 1)]),
    ('<a href="https://x.cn/">a</a>', "a", [("text_link", 0, 1)]),
    ("  <b> a </b>  ", "a", [("bold", 0, 1)]),
    ("<b></b>a", "a", []),
]
MARKDOWN = [
    ("*a*", "a", [("bold", 0, 1)]),
    ("_a_ __b__", "a b", [("italic", 0, 1), ("underline", 2, 1)]),
    ("~a~||b||", "ab", [("strikethrough", 0, 1), ("spoiler", 1, 1)]),
    (r"1\.5 \- 2", "1.5 - 2", []),
    ("`a.b`", "a.b", [("code", 0, 3)]),
    ("```py\nx = 1\n```", "x = 1", [("pre", 0, 5)]),
    (r"[a](https://x.cn/\))", "a", [("text_link", 0, 1)]),
    (">a\n>b\nc", "a\nb\nc", [("blockquote", 0, 4)]),
    ("*a _b_*", "a b", [("bold", 0, 3), ("italic", 2, 1)]),
]
BROKEN = [
    ("HTML", "<b>a", 'Can\'t find end tag corresponding to start tag "b"'),
    ("HTML", "<blink>a</blink>", 'Unsupported start tag "blink" at byte offset 0'),
    ("HTML", "<b><i>a</b></i>", 'Unmatched end tag at byte offset 7, expected "</i>", found "</b>"'),
    ("HTML", "好</b>", "Unexpected end tag at byte offset 3"),
    ("MarkdownV2", "3.5", "Character '.' is reserved and must be escaped with the preceding '\\'"),
    ("MarkdownV2", "*a", "Can't find end of Bold entity at byte offset 0"),
    ("MarkdownV2", "`a", "Can't find end of Code entity at byte offset 0"),
]


def spans(entities):
    return [(entity["type"], entity["offset"], entity["length"]) for entity in entities]


@pytest.mark.parametrize(("source", "text", "expected"), HTML)
def test_html_becomes_text_and_entities(source, text, expected):
    plain, entities = format_text(source, "HTML", None)

    assert (plain, spans(entities)) == (text, expected)


@pytest.mark.parametrize(("source", "text", "expected"), MARKDOWN)
def test_markdown_becomes_text_and_entities(source, text, expected):
    plain, entities = format_text(source, "MarkdownV2", None)

    assert (plain, spans(entities)) == (text, expected)


@pytest.mark.parametrize(("mode", "source", "reason"), BROKEN)
def test_broken_markup_is_refused_with_the_place(mode, source, reason):
    with pytest.raises(ApiError) as refused:
        format_text(source, mode, None)

    assert refused.value.description == f"Bad Request: can't parse entities: {reason}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/start 你好", [("bot_command", 0, 6)]),
        ("😀 /help@guanjia_bot", [("bot_command", 3, 17)]),
        ("a/b 1/2", []),
        ("见 https://x.cn/a.", [("url", 2, 14)]),
        ("@wangjie 请看", [("mention", 0, 8)]),
        ("写信 a@b.cn", [("email", 3, 6)]),
    ],
)
def test_commands_and_links_are_found_unmarked(text, expected):
    assert spans(format_text(text, None, None)[1]) == expected


def test_nothing_is_found_inside_code():
    assert spans(format_text("`/start`", "MarkdownV2", None)[1]) == [("code", 0, 6)]


def test_entities_given_are_kept_and_move_with_the_trimmed_text():
    plain, entities = format_text("  abc  ", None, [{"type": "bold", "offset": 1, "length": 6}])

    assert (plain, spans(entities)) == ("abc", [("bold", 0, 3)])


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=60))
def test_escaped_html_comes_back_as_it_was(text):
    """Whatever a resident writes survives a bot that escapes it."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

    assert format_text(f"<b>{escaped}</b>", "HTML", None)[0] == text.strip()


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_no_entity_reaches_beyond_the_text(text):
    plain, entities = format_text(text, None, [{"type": "bold", "offset": 0, "length": 500}])

    assert all(entity["offset"] + entity["length"] <= units(plain) for entity in entities if plain != text)
