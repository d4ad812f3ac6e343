"""One of everything that has a number in an address, with the same words wherever a resident can write some."""

from __future__ import annotations

import json
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import segno
from sqlalchemy import select

from service import (
    callbacks,
    candidates,
    cases,
    conversations,
    inbox,
    learning,
    opinions,
    outbox,
    saved_views,
    takeover,
    unanswered,
)
from service.conversations import Said
from service.inbox import Arrival
from service.models.cases import Case
from service.models.follow_ups import FollowUpState, Survey
from service.models.people import Staff
from service.models.queues import OutboxRow, OutboxState
from service.models.talks import Conversation, FetchedFile, Message
from service.models.understanding import Candidate, CandidateReason, LabelUse
from tests.households import member
from tests.stage import NOON, Stage

_drawn = BytesIO()
segno.make("1201").save(_drawn, kind="png", scale=8)
PNG = _drawn.getvalue()
SITES = "/models/"  # whose numbers are the site's: all communities share its models

# Whose number an address has, by how it begins; the first that fits.
OBJECTS = (
    ("/cases/views/", "view"),
    ("/cases/", "case"),
    ("/talks/", "talk"),
    ("/residents/", "resident"),
    ("/households/", "household"),
    ("/letters/{id:int}/decide", "doubt"),
    ("/letters/{id:int}/send-again", "refused"),
    ("/letters/{id:int}/handle-again", "update"),
    ("/schedule/", "call_back"),
    ("/understanding/checks/", "label"),
    ("/understanding/conflicts/", "label"),
    ("/understanding/", "candidate"),
    ("/knowledge/questions/", "question"),
    ("/files/", "photo"),
)


def address(path: str, numbers: Mapping[str, int]) -> str:
    """A path with the number of the thing it is about, where it has a place for one."""
    if "{id:int}" not in path or path.startswith(SITES):
        return path.replace("{id:int}", "1")
    thing = next(thing for begin, thing in OBJECTS if path.startswith(begin))
    return path.replace("{id:int}", str(numbers[thing]))


def everything(stage: Stage, words: str, *, who: Staff) -> dict[str, int]:
    """Fill the stage's community; gives the number of each thing.

    Args:
        stage: whose community is filled.
        words: what residents call themselves, and write wherever they can.
        who: of staff, who has kept a view.
    """
    person = member(stage, words)
    facts: dict[str, Any] = {"surname": words, "phone": words, "place": words, "member_id": person.id}
    talk = stage.resident(display_name=words, **facts)
    photo = _send(stage, talk, words)
    takeover.escalate(stage.session, talk, reason="asked", source=f"turn:{talk.id}", now=NOON)
    case, finished = _case(stage, talk, words), _finished(stage, talk, words)
    source = f"turn:{talk.id}:asked"
    unanswered.note(stage.session, talk, words, case, source=source, now=NOON)
    saved_views.keep(stage.session, who, "cases", name=words, query="state=at_work")
    stage.session.flush()
    return {
        "view": saved_views.of(stage.session, who, "cases")[0].id,
        "case": case.id,
        "talk": talk.id,
        "resident": talk.resident_id,
        "household": person.household_id,
        "call_back": callbacks.of_case(stage.session, finished)[0].id,
        "question": unanswered.review(stage.session, stage.community.id)[0].question.id,
        "photo": photo,
        **_taught(stage, words),
        **_lost(stage, words),
    }


def _send(stage: Stage, talk: Conversation, words: str) -> int:
    """A photo that has been looked at, and a document; both with a caption, passed on from somebody, and edited."""
    body = {"file_id": f"large-{talk.id}", "thumbnail": {"file_id": f"small-{talk.id}"}}
    sent = {"photo": body, "document": {"file_id": f"paper-{talk.id}", "file_name": words}}
    for number, (kind, about) in enumerate(sent.items(), start=1):
        media = {"kind": kind, kind: about}
        facts: dict[str, Any] = {"media": media, "forwarded_from": words}
        inbox_id = 5_000_000 + 10 * talk.id + number
        said = Said(kind, words, talk.resident.chat_id, number, inbox_id, **facts)
        conversations.hear(stage.session, talk, said, now=NOON)
        conversations.amend(stage.session, talk, Said(kind, f"{words}!", *_place(said), **facts), now=NOON)
    photo = stage.session.scalars(
        select(Message.id).where(Message.conversation_id == talk.id, Message.kind == "photo")
    ).one()
    kept = {"community_id": talk.community_id, "message_id": photo, "asked_at": NOON, "attempts": 1}
    for file_id in (body["file_id"], f"small-{talk.id}"):
        stage.session.add(FetchedFile(**kept, file_id=file_id, content=PNG, type="image/png"))
    return photo


def _place(said: Said) -> tuple[int, int, int]:
    return said.chat_id, said.message_id, said.inbox_id


def _case(stage: Stage, talk: Conversation, words: str) -> Case:
    case = stage.case(talk, matter=words, place=words, contact=words, phone=words, wanted_at=words)
    cases.advance(stage.session, case, cases.Event.INFO_ASKED, actor="staff:1", key=f"a{case.id}", now=NOON)
    said = {"words": words, "from": words, "to": words}
    key = f"b{case.id}"
    cases.advance(stage.session, case, cases.Event.INFO_GIVEN, actor="resident", key=key, now=NOON, data=said)
    return case


def _finished(stage: Stage, talk: Conversation, words: str) -> Case:
    case = stage.case(talk, state="finished", matter=words)
    callbacks.plan(stage.session, case, now=NOON)
    rated: dict[str, Any] = {"state": FollowUpState.ANSWERED, "stars": 5, "asked_at": NOON, "answered_at": NOON}
    stage.session.add(Survey(case_id=case.id, resolution=9, comment=words, **rated))
    stage.session.flush()
    return case


def _taught(stage: Stage, words: str) -> dict[str, int]:
    """A message about which two people disagree, and one that is worth a look and came after it."""
    disputed = _noticed(stage, f"{words} 一直没有人来看")
    told = learning.Labelled(disputed.text, "repair", "zh")
    learning.add(stage.session, told, use=LabelUse.TEST, by="staff:999", at=NOON)
    for who, intent in (("staff:999", "repair"), ("staff:998", "complaint")):
        opinions.say(stage.session, disputed, intent, by=who, seen=disputed.state, now=NOON)
    stage.session.flush()
    assert disputed.label_id is not None
    return {"label": disputed.label_id, "candidate": _noticed(stage, words).id}


def _noticed(stage: Stage, text: str) -> Candidate:
    facts: dict[str, Any] = {"why": CandidateReason.REPHRASE, "language": "zh", "now": NOON}
    source = f"turn:{stage.community.id}:{text}"
    candidates.notice(stage.session, stage.community.id, text, source=source, **facts)
    return stage.session.scalars(select(Candidate).where(Candidate.source == source)).one()


def _lost(stage: Stage, words: str) -> dict[str, int]:
    """A message in doubt, one that Telegram refuses, an update nobody could handle."""
    community, rows = stage.community, {}
    for thing, state in (("doubt", OutboxState.UNCONFIRMED), ("refused", OutboxState.DEAD)):
        key = f"lost:{community.id}:{thing}"
        where: dict[str, Any] = {"bot_id": community.bot_id, "community_id": community.id, "chat_id": 77}
        row = outbox.put(
            stage.session, **where, kind="notice", act="say", payload={"text": words}, key=key, state=state
        )
        assert row is not None
        stage.session.get_one(OutboxRow, row).reason = words
        rows[thing] = row
    raw = json.dumps({"message": {"text": words}}).encode()
    inbox.put(stage.session, community.bot_id, [Arrival(1, "chat:77", raw, dead=words)])
    [update] = inbox.dead(stage.session, community.bot_id)
    return {**rows, "update": update.id}
