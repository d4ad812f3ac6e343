"""An index is made once per change, and nobody waits for it but the first."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from service import knowledge_entries
from service.knowledge_index import Index
from service.knowledge_shelf import Shelf
from tests.stage import BOT_ID, NOON, Stage

PETS = {"zh": {"questions": ["能养狗吗"], "answer": "可以，请牵绳。"}}


@pytest.fixture
def community_id(sessions):
    """A community with one entry, committed."""
    with sessions.begin() as session:
        community_id = Stage(session).community.id
        knowledge_entries.put(session, community_id, "pets", PETS, by="li", now=NOON)
    return community_id


def edit(sessions, community_id, answer):
    with sessions.begin() as session:
        content = {"zh": PETS["zh"] | {"answer": answer}}
        knowledge_entries.put(session, community_id, "pets", content, by="li", now=NOON)


def read(sessions, shelf, community_id):
    with sessions.begin() as session:
        return shelf.book(session, community_id)


def test_a_message_finds_the_index_as_it_is(sessions, community_id):
    """Making one takes a second where there are many entries."""
    shelf = Shelf()

    assert read(sessions, shelf, community_id) is read(sessions, shelf, community_id)


def test_an_edit_by_another_process_is_seen_by_the_next_message(sessions, community_id):
    """Nothing is restarted for a new answer."""
    shelf = Shelf()
    read(sessions, shelf, community_id)
    edit(sessions, community_id, "可以，请牵绳、戴牌。")

    book = read(sessions, shelf, community_id)

    assert book.entries["pets"].wordings["zh"].answer == "可以，请牵绳、戴牌。"


def test_while_an_index_is_made_the_old_one_answers(sessions, community_id):
    """A resident never waits for an editor; the making is held up here for as long as the other one reads."""
    making, go_on = Event(), Event()

    def held_up(entries):
        making.set()
        assert go_on.wait(30)
        return Index(entries)

    shelf = Shelf(make=held_up)
    go_on.set()
    old = read(sessions, shelf, community_id)
    edit(sessions, community_id, "新答案")
    making.clear()
    go_on.clear()

    with ThreadPoolExecutor(1) as pool:
        made = pool.submit(read, sessions, shelf, community_id)
        assert making.wait(30)
        meanwhile = read(sessions, shelf, community_id)
        go_on.set()

    assert meanwhile is old
    assert made.result().entries["pets"].wordings["zh"].answer == "新答案"


def test_many_first_messages_make_one_index(sessions, community_id):
    """After a start everybody writes at once."""
    made = []

    def counted(entries):
        made.append(1)
        return Index(entries)

    shelf = Shelf(make=counted)

    with ThreadPoolExecutor(8) as pool:
        books = list(pool.map(lambda _: read(sessions, shelf, community_id), range(16)))

    assert len(made) == 1
    assert len({id(book) for book in books}) == 1


def test_a_start_makes_the_books_before_the_first_question(sessions, community_id):
    """The first resident after a restart is not kept waiting (N1)."""
    made = []

    def counted(entries):
        made.append(1)
        return Index(entries)

    shelf = Shelf(make=counted)
    with sessions.begin() as session:
        shelf.fill(session)
    read(sessions, shelf, community_id)

    assert len(made) == 1


def test_a_shelf_holds_a_bounded_number_of_books(sessions, community_id):
    """Thousands of communities live in one database."""
    shelf = Shelf(held=2)

    for number in (community_id, BOT_ID, BOT_ID + 1, BOT_ID + 2):
        read(sessions, shelf, number)

    assert len(shelf._books) == 2
