"""The audit log of the console."""

from datetime import timedelta
from typing import Any

from service import audit
from service.audit import Wanted
from tests.stage import NOON, Stage


def wrote(stage: Stage, **facts):
    told: dict[str, Any] = {"actor": "staff:101", "act": "shown", "object": "case", "object_id": 1, "now": NOON} | facts
    audit.write(stage.session, stage.community.id, **told)
    stage.session.flush()


def test_the_same_look_is_written_once_in_ten_minutes(stage):
    """A board that renews itself would bury everything else."""
    for minutes in (0, 5, 10):
        wrote(stage, now=NOON + timedelta(minutes=minutes))
    wrote(stage, object_id=None)
    wrote(stage, object_id=None)

    assert len(audit.find(stage.session, stage.community.id, Wanted(object_id=1)).rows) == 2
    assert len(audit.find(stage.session, stage.community.id, Wanted()).rows) == 3


def test_every_deed_is_written(stage):
    """Two changes in a minute are two changes."""
    wrote(stage, act="label")
    wrote(stage, act="label")

    assert len(audit.find(stage.session, stage.community.id, Wanted(act="label")).rows) == 2


def test_it_is_found_by_who_what_and_when(stage):
    """The question is always one of these."""
    wrote(stage)
    wrote(stage, actor="staff:102", act="forget", object="resident", object_id=7, now=NOON + timedelta(days=1))

    for wanted in (
        Wanted(actor="staff:102"),
        Wanted(act="forget"),
        Wanted(object="resident", object_id=7),
        Wanted(since=NOON + timedelta(hours=1)),
    ):
        [row] = audit.find(stage.session, stage.community.id, wanted).rows
        assert row.object_id == 7
    [row] = audit.find(stage.session, stage.community.id, Wanted(until=NOON + timedelta(hours=1))).rows
    assert row.object_id == 1


def test_a_community_sees_its_own(stage):
    """Who looks at what is nobody else's business."""
    wrote(stage)

    assert audit.find(stage.session, stage.community.id + 1, Wanted()).rows == []


def test_pages_follow_each_other_without_gap_or_overlap(stage):
    """Page by key: also when something is written meanwhile."""
    for number in range(120):
        wrote(stage, object_id=number)

    seen, before = [], None
    while True:
        page = audit.find(stage.session, stage.community.id, Wanted(), before=before)
        seen += [row.object_id for row in page.rows]
        wrote(stage, object_id=1000 + len(seen))
        before = page.before
        if before is None:
            break

    assert seen == list(reversed(range(120)))
