"""`guanjia review`: in a terminal one key a message, elsewhere options; and every decision is kept at once."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from typing import Any

import pytest
import yaml

from cli import review
from service import candidates, guidelines, learning
from service.candidates import Guess
from service.config import ROOT
from service.db import Sessions
from service.kinds import KINDS
from service.models.understanding import Candidate, CandidateReason, Label
from tests.stage import NOON, Stage

Why = CandidateReason
TEXTS = ("物业乱收费凭什么", "楼上又在装修了", "楼上又在装修", "去年三栋着火的事")


def notice(stage: Stage, text: str, why: Why, **facts: Any) -> None:
    told: dict[str, Any] = {"source": f"turn:{text}", "language": "zh", "guess": Guess("inquiry", 0.4, 0.1)} | facts
    candidates.notice(stage.session, stage.community.id, text, why=why, now=NOON, **told)


@pytest.fixture
def waiting(sessions: Sessions) -> dict[str, int]:
    """Four messages to review, by their numbers."""
    charges, renovation, again, fire = TEXTS
    with sessions.begin() as session:
        stage = Stage(session)
        notice(stage, charges, Why.CORRECTED, detail="complaint")
        notice(stage, renovation, Why.LOW_MARGIN, guess=Guess("inquiry", 0.4, 0.05, "guanjia-abc"))
        notice(stage, again, Why.LOW_MARGIN)
        notice(stage, fire, Why.NEAR_MISS, detail="fire / past", guess=Guess("inquiry", 0.9))
    with sessions.begin() as session:
        return {candidate.text: candidate.id for candidate in session.query(Candidate)}


def labels(sessions: Sessions) -> dict[str, tuple[str, str]]:
    with sessions.begin() as session:
        return {label.text: (label.intent, label.labelled_by) for label in session.query(Label)}


def states(sessions: Sessions) -> dict[str, str]:
    with sessions.begin() as session:
        return {candidate.text: str(candidate.state) for candidate in session.query(Candidate)}


# --- In a terminal --------------------------------------------------------------------------------------------------


@pytest.fixture
def type_in(sessions: Sessions):
    """Sit at the desk and type lines until they end; what is shown."""

    def type_lines(*lines: str) -> str:
        typed, shown = iter(lines), list[str]()

        def ask() -> str:
            try:
                return next(typed)
            except StopIteration:
                raise EOFError from None

        with sessions.begin() as session:
            clusters = learning.review(session)
        review.Desk(sessions, "li", ask, shown.append).review(clusters)
        return "\n".join(shown)

    return type_lines


def test_enter_takes_the_proposal_a_word_another_intent_and_i_puts_aside(waiting, sessions, type_in):
    """What a butler said is proposed before what the model guessed; alike messages are one question."""
    shown = type_in("", "complaint", "i")

    assert labels(sessions) == {TEXTS[0]: ("complaint", "li"), TEXTS[1]: ("complaint", "li")}
    assert states(sessions) == dict(zip(TEXTS, ["labelled", "labelled", "labelled", "ignored"], strict=True))
    for fact in ("×2", "a butler says complaint", "confidence 0.40 · margin 0.05 · guanjia-abc", "fire / past"):
        assert fact in shown


@pytest.mark.parametrize("last", ["q", None])
def test_a_skipped_message_stays_and_what_was_decided_is_kept(waiting, sessions, type_in, last):
    """Also when the terminal is closed."""
    type_in("", "s", *([last] if last else []))

    assert labels(sessions) == {TEXTS[0]: ("complaint", "li")}
    assert list(states(sessions).values()).count("open") == 3


def test_a_typing_error_is_asked_again_with_the_intents_there_are(waiting, sessions, type_in):
    shown = type_in("complian", "complaint", "q")

    assert '"complian" is no intent; there are: repair, reopen' in shown
    assert labels(sessions) == {TEXTS[0]: ("complaint", "li")}


def test_the_guideline_and_the_whole_cluster_are_shown_on_demand(waiting, type_in):
    shown = type_in("?", "? urge", "? nonsense", "s", "m", "q")

    for words in ("complaint: 对人、服务、邻居", "or repair?", "urge: 催自己已经报过的事", f"· {TEXTS[2]}"):
        assert words in shown
    assert "nonsense: there is no guideline" in shown


def test_without_a_proposal_enter_explains_the_keys(sessions, type_in):
    with sessions.begin() as session:
        notice(Stage(session), "去年着火的事", Why.NEAR_MISS, guess=Guess())

    shown = type_in("", "?", "q")

    assert shown.count("i ignore") == 2
    assert "repair, reopen" in shown


def test_what_a_label_on_the_way_has_settled_is_not_asked(waiting, sessions, type_in):
    """Two people may review at once."""

    def label_it() -> str:
        with sessions.begin() as session:
            for candidate in session.query(Candidate).with_for_update():
                learning.ignore(session, candidate)
        return "s"

    with sessions.begin() as session:
        clusters = learning.review(session)
    shown: list[str] = []
    review.Desk(sessions, "li", label_it, shown.append).review(clusters)

    assert len(shown) == 1


def test_what_would_steer_the_terminal_is_not_shown(sessions, type_in):
    """A resident may send anything."""
    with sessions.begin() as session:
        notice(Stage(session), "\x1b]0;hi\x07灯", Why.LOW_MARGIN)

    assert "\x1b" not in type_in("m", "q")


def test_a_real_terminal_is_asked_line_by_line(waiting, sessions, database_url):
    ours, theirs = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GUANJIA_")}
    environment |= {"GUANJIA_DATABASE_URL": database_url, "PYTHONPATH": str(ROOT), "TERM": "dumb"}
    command = [sys.executable, "-m", "cli", "review", "--by", "li"]
    with subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, env=environment, text=True) as process:
        os.close(theirs)
        os.write(ours, b"\nq\n")
        assert process.stdout is not None
        shown = process.stdout.read()
    os.close(ours)

    assert (process.returncode, "that was all for now" in shown) == (0, True), shown
    assert labels(sessions) == {TEXTS[0]: ("complaint", "li")}


# --- Without one ----------------------------------------------------------------------------------------------------


@pytest.fixture
def run(guanjia, database_url):
    """Run `guanjia review` where there is no terminal."""

    def with_options(*options: str) -> subprocess.CompletedProcess[str]:
        result: subprocess.CompletedProcess[str] = guanjia("review", *options, DATABASE_URL=database_url)
        return result

    return with_options


def test_without_a_terminal_the_options_are_named(run):
    done = run()

    assert (done.returncode, "needs a terminal" in done.stderr) == (1, True)


def test_the_list_for_other_programs_is_in_the_order_of_worth_and_nothing_of_it_is_logged(waiting, run):
    """Standard error is where logs go."""
    done = run("--json")

    first, second, third = json.loads(done.stdout)
    assert (first["text"], first["why"], first["detail"], first["count"]) == (TEXTS[0], "corrected", "complaint", 1)
    assert (second["text"], second["count"], second["margin"]) == (TEXTS[1], 2, 0.05)
    assert second["members"] == [waiting[TEXTS[1]], waiting[TEXTS[2]]]
    assert third["text"] == TEXTS[3]
    assert not any(text in done.stderr for text in TEXTS)


def test_options_label_and_ignore_by_number_and_list_what_is_left(waiting, run, sessions):
    told = ["--label", f"{waiting[TEXTS[1]]}=complaint", "--ignore", str(waiting[TEXTS[0]]), "--by", "wang"]

    done = run(*told, "--json", "--why", "near_miss")

    assert [row["text"] for row in json.loads(done.stdout)] == [TEXTS[3]]
    assert labels(sessions) == {TEXTS[1]: ("complaint", "wang")}
    assert states(sessions)[TEXTS[0]] == "ignored"


@pytest.mark.parametrize(
    ("label", "ignored", "words"),
    [
        ("{first}=complian", [], '"complian" is no intent; there are: repair'),
        ("{first}", [], "--label 42=repair"),
        ("x=repair", [], "--label 42=repair"),
        ("{first}=complaint", [999999], "no message number 999999"),
    ],
)
def test_what_cannot_be_done_says_why_and_changes_nothing(waiting, sessions, label, ignored, words):
    with pytest.raises(SystemExit) as ended:
        review.settle(sessions, labels=[label.format(first=waiting[TEXTS[0]])], ignored=ignored, by="li")

    assert words in str(ended.value)
    assert (labels(sessions), set(states(sessions).values())) == ({}, {"open"})


def test_a_reason_nobody_knows_is_refused_with_those_there_are():
    with pytest.raises(SystemExit, match="low_margin, rephrase, corrected, near_miss"):
        review.reason("boredom")


# --- Guidelines -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_intent_that_can_be_a_label_has_a_guideline(language):
    """Whoever labels must be able to look it up."""
    assert yaml.safe_load(guidelines.FILE.read_text("utf-8")).keys() == KINDS.keys()
    assert all(len(guidelines.entry(intent, language)) > 5 for intent in KINDS)
