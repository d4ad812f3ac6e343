"""Entries as rows: nothing is changed without its history, and every process sees the change."""

from sqlalchemy import text

from service import knowledge_entries
from tests.stage import NOON

PETS = {"zh": {"questions": ["能养狗吗"], "answer": "可以，请牵绳。"}}
CATS = {"zh": {"questions": ["能养猫吗"], "answer": "可以。"}}


def put(stage, content, *, by="li", base=False):
    owner = None if base else stage.community.id
    return knowledge_entries.put(stage.session, owner, "pets", content, by=by, now=NOON)


def stamp(stage):
    return knowledge_entries.stamp(stage.session, stage.community.id)


def test_every_wording_an_entry_had_is_kept_with_who_wrote_it(stage):
    """A resident may come back with what was said last year."""
    put(stage, PETS, by="li")
    put(stage, CATS, by="wang")

    edits = knowledge_entries.history(stage.session, stage.community.id, "pets")

    assert [(edit.by, edit.content) for edit in edits] == [("wang", CATS), ("li", PETS)]


def test_writing_the_same_again_is_no_edit(stage):
    """An import may be run again."""
    put(stage, PETS)

    assert put(stage, PETS) is None
    assert len(knowledge_entries.history(stage.session, stage.community.id, "pets")) == 1


def test_the_stamp_moves_with_an_edit_of_the_community_and_of_the_base(stage):
    """It tells each process that its index is stale."""
    stamps = [stamp(stage)]
    for base in (False, True):
        put(stage, PETS, base=base)
        stamps.append(stamp(stage))
    put(stage, PETS)
    stamps.append(stamp(stage))

    assert stamps[0] != stamps[1] != stamps[2] == stamps[3]


def test_the_stamp_moves_although_numbers_begin_anew(sessions):
    """A database that was restored, or emptied as between tests, gives the same numbers to other edits."""
    stamps = []
    for content in (PETS, CATS, PETS):
        with sessions.begin() as session:
            knowledge_entries.put(session, None, "pets", content, by="li", now=NOON)
        with sessions.begin() as session:
            stamps.append(knowledge_entries.stamp(session, 1))
            session.execute(text("TRUNCATE knowledge_edits, knowledge_entries RESTART IDENTITY CASCADE"))

    (_, (first,), (second,)) = stamps
    assert first[0] == second[0], "the numbers are the same"
    assert first != second
