"""Which question is meant, over the whole base: cli/bench_knowledge.yml is the set on which thresholds were chosen."""

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from service import knowledge, knowledge_base
from service.config import ROOT
from service.knowledge import OFFERED, Match, Reader, Suggestions
from service.knowledge_shelf import Shelf
from tests.stage import NOON, Stage

QUESTIONS = yaml.safe_load((ROOT / "cli/bench_knowledge.yml").read_text("utf-8"))
PAIRS = [(question, key) for key, questions in QUESTIONS["asked"].items() for question in questions]


class Library:
    """The base, in one transaction that all tests of this file share: it holds the lock of edits."""

    def __init__(self, session: Session) -> None:
        self.session, self.stage = session, Stage(session)
        knowledge_base.bring_up_to_date(session, now=NOON)
        self.shelf = Shelf()

    def reader(self, language="zh", now=NOON):
        return Reader(self.stage.community, language, now)

    def ask(self, question, language="zh", now=NOON):
        return knowledge.answer(self.session, self.shelf, self.reader(language, now), question)

    def meant(self, question):
        """The key that is answered, None when it only suggests or is silent."""
        found = self.ask(question)
        return found.entry.key if isinstance(found, Match) else None

    def in_reach(self, question):
        """The keys a resident gets to, answered or offered."""
        found = self.ask(question)
        if isinstance(found, Suggestions):
            return [entry.key for entry in found.entries]
        return [found.entry.key] if found else []


@pytest.fixture(scope="module")
def library(engine):
    with Session(engine, expire_on_commit=False) as session:
        yield Library(session)
        session.rollback()


def test_most_paraphrases_get_their_answer(library):
    """More than half at once, nearly all the others as one of three buttons, and a wrong answer is rare (norm D)."""
    given = [(library.meant(question), key) for question, key in PAIRS]

    assert sum(answered == key for answered, key in given) >= 0.55 * len(PAIRS)
    assert sum(answered not in {key, None} for answered, key in given) <= 0.02 * len(PAIRS)
    assert sum(key in library.in_reach(question) for question, key in PAIRS) >= 0.93 * len(PAIRS)


def test_what_nobody_wrote_down_is_hardly_ever_answered(library):
    """A wrong answer costs more trust than a question handed to a butler."""
    answered = [question for question in QUESTIONS["unanswerable"] if library.meant(question)]

    assert len(answered) <= 0.03 * len(QUESTIONS["unanswerable"]), answered


def test_the_development_set_is_large_and_no_copy_of_the_entries(library):
    """A copy would measure nothing."""
    entries = library.shelf.book(library.session, library.stage.community.id).entries
    written = {
        question for entry in entries.values() for each in entry.wordings.values() for question in each.questions
    }
    asked = {question for question, _ in PAIRS}

    assert len(asked | set(QUESTIONS["unanswerable"])) >= 400
    assert len(asked & written) <= 0.05 * len(asked), asked & written
    assert set(QUESTIONS["asked"]) <= set(entries)


def test_the_answer_is_in_the_language_of_the_resident(library):
    """Whatever language the question is in."""
    found = library.ask("停车月卡怎么办理", "en")
    line = knowledge.tell(library.session, library.stage.resident(), library.reader("en"), found.entry)

    assert line.text.startswith("Tell me your room and plate number")
    assert "Please bring: the vehicle licence, your ID" in line.text
    assert "Please contact: desk 0731-1, 08:00–20:00" in line.text


def test_an_answer_that_rests_on_a_law_names_it(library):
    """A resident can look it up, and show it to a neighbour."""
    found = library.ask("欠物业费可以停水停电吗")
    line = knowledge.tell(library.session, library.stage.resident(), library.reader(), found.entry)

    assert line.text.splitlines()[-1] == "依据：《民法典》第944条"


@pytest.mark.parametrize(
    "question",
    ["wu ye fei zen me jiao", "物业肥怎么缴", "物業費怎麼交", "物业费咋交啊", "ｗｈｅｒｅ to pay management fee"],
)
def test_a_question_typed_otherwise_comes_within_reach(library, question):
    """Pinyin, a word by ear, Traditional characters, dialect, full width."""
    assert "fee_payment" in library.in_reach(question)


def test_no_more_than_three_are_offered(library):
    """A list is no answer."""
    offered = [found for question, _ in PAIRS if isinstance(found := library.ask(question), Suggestions)]

    assert offered
    assert max(len(found.entries) for found in offered) <= OFFERED


@settings(deadline=None)
@given(question=st.text(alphabet=st.characters(codec=None, categories=None), max_size=400))
def test_any_question_can_be_asked(library, question):
    """Residents send anything."""
    assert library.ask(question) is None or library.in_reach(question)


def test_one_character_in_common_answers_nothing(library):
    """「打听个事儿」 asks for nothing yet."""
    assert library.meant("打听个事儿") is None


def test_my_cases_are_the_residents_own(library):
    """From the database, and never a neighbour's (N12)."""
    stage = library.stage
    mine, theirs = stage.resident(), stage.resident()
    case, other = stage.case(mine), stage.case(theirs, matter="客厅的灯不亮")
    found = library.ask("我有哪些没处理完的工单")

    told = knowledge.tell(library.session, mine, library.reader(), found.entry).text

    assert case.number in told
    assert other.number not in told
    assert "客厅" not in told


@pytest.mark.parametrize(
    "question", ["我家物业费欠多少", "我的车位什么时候到期", "我的访客码还有效吗", "how much property fee do I owe"]
)
def test_personal_figures_that_are_not_here_are_never_invented(library, question):
    """An honest answer says whom to ask; it holds no figure but the phone and the hours of the desk."""
    found = library.ask(question)
    assert isinstance(found, Match)

    told = knowledge.tell(library.session, library.stage.resident(), library.reader(), found.entry).text

    rest = told.replace("0731-1", "").replace("08:00–20:00", "")
    assert "0731-1" in told
    assert not any(character.isdecimal() for character in rest)


@pytest.mark.parametrize(
    ("language", "question", "account", "not_here"),
    [
        ("zh", "物业费怎么交", "官方账户", "不会在聊天里收款"),
        ("en", "how do I pay the property fee", "official account", "never take money in this chat"),
    ],
)
def test_who_asks_how_to_pay_is_shown_the_official_account_and_nothing_is_taken_here(
    library, language, question, account, not_here
):
    """N15: whoever asks for money in a chat afterwards is known for a swindler."""
    found = library.ask(question, language)
    told = knowledge.tell(library.session, library.stage.resident(), library.reader(language), found.entry).text

    assert account in told
    assert not_here in told


@pytest.mark.parametrize(
    ("question", "key"),
    [
        ("Are you a robot?", "who_answers"),
        ("are you a bot??", "who_answers"),
        ("匿名可以吗？", "anonymity"),
        ("收红包吗", "no_gifts"),
    ],
)
def test_a_question_that_stands_there_word_for_word_has_its_answer(library, question, key):
    """However short it is: one word in common would be too little to be sure."""
    assert library.meant(question) == key
