"""The table of norms and the removals that prove it do not part: cheap, and so with every `make test`."""

from __future__ import annotations

import ast
from collections import defaultdict

from tests.norms.rows import Removal, removals, rows, text_of

NORMS = {f"N{number}" for number in range(1, 16)}
WHOLE_HOUSE = "conversations/"  # played against real Rasa, by the dozen: a row needs none of them taken apart


def test_every_norm_of_conduct_has_a_row_that_is_watched():
    watched = {norm.split()[0] for norm, tests in rows().items() if tests}

    assert watched >= NORMS


def test_every_row_that_is_kept_has_been_seen_to_break():
    """A test that nobody has seen to fail may watch nothing."""
    kept = {norm for norm, tests in rows().items() if tests}

    assert {removal.norm for removal in removals()} == kept


def test_every_watcher_of_a_row_has_been_seen_to_fail():
    seen = defaultdict(set)
    for removal in removals():
        seen[removal.norm].add(removal.test)

    unseen = {
        norm: missing
        for norm, tests in rows().items()
        if (missing := {test for test in tests - seen[norm] if not test.startswith(WHOLE_HOUSE)})
    }

    assert unseen == {}


def test_no_removal_names_a_test_that_does_not_watch_its_row():
    page = rows()

    assert [removal for removal in removals() if removal.test not in page.get(removal.norm, set())] == []


def test_what_a_removal_takes_out_stands_once_in_its_file():
    """Code moves on; a removal that finds nothing would take nothing out."""
    lost = [
        f"{removal.file}: {removal.take!r} stands there {times} times"
        for removal in removals()
        if (times := text_of(removal).count(removal.take)) != 1
    ]

    assert lost == []


def test_what_a_removal_leaves_is_still_python():
    """Nothing starts without it, and a test that does not start watches nothing."""
    broken = [removal for removal in removals() if removal.file.endswith(".py") and not is_python(removal)]

    assert broken == []


def is_python(removal: Removal) -> bool:
    try:
        ast.parse(removal.of(text_of(removal)))
    except SyntaxError:
        return False
    return True
