"""Entries as a file: taken as a whole or not at all, with the line of whatever is wrong."""

import pytest

from service import knowledge_entries, knowledge_file, texts
from tests.stage import NOON

GOOD = """\
facts: {pool_hours: {zh: 6:00-21:00, en: 6 am to 9 pm}}
entries:
  - key: pool
    valid: {from: 2026-05-01, until: 2026-10-31}
    source: {kind: estate, zh: 泳池公告, en: the pool's notice, date: 2026-04-20}
    zh: {questions: [泳池几点开, 游泳时间], answer: '泳池{pool_hours}开放。', documents: [泳卡], contact: '{phone}'}
    en: {questions: [When does the pool open], answer: 'The pool is open {pool_hours}.'}
  - key: pets
    withdrawn: true
"""


def take(stage, content, **more):
    raw = content if isinstance(content, bytes) else content.encode()
    return knowledge_file.take_in(stage.session, stage.community, raw, by="li", now=NOON, **more)


def entry(text):
    """A file of one entry with these lines in it; the first of them stands in line 3."""
    return "entries:\n  - key: pool\n" + "".join(f"    {line}\n" for line in text.splitlines())


def told(problem):
    return f"{problem.line}: {texts.words(problem.phrase, language='en', **problem.facts)}"


def test_a_file_is_taken_and_taken_again_nothing_changes(stage):
    first, again = take(stage, GOOD), take(stage, GOOD)

    assert (first.new, first.changed, first.known) == (2, 0, 0)
    assert (again.new, again.changed, again.known) == (0, 0, 2)
    assert stage.community.facts["pool_hours"]["en"] == "6 am to 9 pm"


def test_what_was_written_out_is_read_back(stage):
    """A file that was exported, changed and imported is how staff work."""
    take(stage, GOOD)
    content = knowledge_file.write(stage.session, stage.community)

    again = take(stage, content)

    assert (again.new, again.changed, again.known) == (0, 0, 2)
    assert "泳池{pool_hours}开放" in content


def test_a_dry_run_only_counts(stage):
    taken = take(stage, GOOD, dry_run=True)

    assert taken.new == 2
    assert knowledge_entries.own(stage.session, stage.community.id) == []


def test_one_bad_entry_keeps_the_whole_file_out(stage):
    """Half an import is a state that nobody wrote."""
    taken = take(stage, GOOD + "  - key: gym\n    zh: {questions: [], answer: 好}\n")

    assert [problem.line for problem in taken.problems] == [11]
    assert knowledge_entries.own(stage.session, stage.community.id) == []


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("entries: [}", "1: not YAML"),
        (b"\xff\xfe", "1: not YAML: UTF-8"),
        ("", "1: expected here: entries: [...]"),
        ("entries: {}", "1: expected here: entries: [...]"),
        ("entries:\n  - kee: pool", '2: there is no field "kee"'),
        ("entries:\n  - zh: {}", "2: expected here: - key"),
        ("entries:\n  - key: Pool!\n    withdrawn: true", "2: expected here: key: a-z 0-9 _"),
        ("entries:\n  - key: pool", "2: expected here: zh: {questions"),
        ("entries:\n  - {key: a, withdrawn: true}\n  - {key: a, withdrawn: true}", '3: entry "a" stands in line 2'),
        (entry("zh: {questions: [泳池], answer: ''}"), "3: 0 characters, should be 1 to 400"),
        (entry(f"zh: {{questions: [泳池], answer: {'好' * 401}}}"), "3: 401 characters"),
        (entry(f"zh: {{questions: [{'好' * 121}], answer: 好}}"), "3: 121 characters, should be 1 to 120"),
        (entry("zh: {questions: [泳池], answer: '{phone'}"), "3: expected here: {phone}"),
        (entry("zh: {questions: [泳池], answer: '{0}'}"), "3: expected here: {phone}"),
        (entry("zh: {questions: [泳池], answer: '{phone.x}'}"), "3: expected here: {phone}"),
        (entry("zh: {questions: [泳池]}"), "3: expected here: zh: {questions"),
        (entry("zh: {answer: 好}"), "3: expected here: zh: {questions"),
        (entry("valid: {from: 2026-13-01}\nzh: {questions: [泳池], answer: 好}"), "3: expected here: date"),
        (entry("valid: {from: 2026-12-01, until: 2026-01-01}\nzh: {questions: [泳池], answer: 好}"), "3: expected"),
        (entry("source: gossip\nzh: {questions: [泳池], answer: 好}"), "3: expected here: source: practice"),
        (entry("source: {kind: law}\nzh: {questions: [泳池], answer: 好}"), "3: expected here: source"),
        (entry("personal: pets\nzh: {questions: [泳池], answer: 好}"), "3: expected here: personal: cases | fees"),
        ("facts: {a: b}\nentries: []", "1: expected here: fee_per_m2"),
        ('entries:\n  - key: pool\n    zh: {questions: ["泳\\0池"], answer: 好}', "3: expected here"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(stage, content, problem):
    """Staff write these files by hand."""
    [first, *_] = take(stage, content).problems

    assert told(first).startswith(problem)


def test_everything_wrong_is_told_at_once(stage):
    """Not one after the other, import by import."""
    content = "entries:\n  - kee: a\n  - key: b\n    zh: {}\n  - key: c\n"

    assert [problem.line for problem in take(stage, content).problems] == [2, 4, 5]


def test_the_base_has_no_facts(stage):
    """They are a community's."""
    taken = knowledge_file.take_in(stage.session, None, GOOD.encode(), by="li", now=NOON)

    assert told(taken.problems[0]).startswith('1: there is no field "facts"')
