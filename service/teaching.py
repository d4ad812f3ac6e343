"""What somebody sees of a message they are to label: why it is worth a look, the talk around it, what it resembles."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import String, cast, literal, select, true, union_all
from sqlalchemy.orm import Session, aliased

from service import learning, lessons
from service.kinds import KINDS
from service.learning import Cluster
from service.lessons import Neighbour
from service.models.cases import Case
from service.models.talks import Message
from service.models.understanding import Candidate, CandidateReason

LINES = 6  # of the talk, the message itself included
NEW_WORDS = "new_words"  # a reason that the words themselves show, beside those of CandidateReason
DECK = 25  # clusters that are labelled in one go
SHOWN = 100  # clusters of the list; the others come up when those are settled


@dataclass(frozen=True)
class Card:
    """A cluster with all that helps to decide."""

    cluster: Cluster
    talk: Sequence[Message]
    neighbours: Sequence[Neighbour]
    new_words: Sequence[str]

    @property
    def proposed(self) -> str | None:
        """What Enter says."""
        return proposed(self.cluster.candidate)


def proposed(candidate: Candidate) -> str | None:
    """The kind that a butler chose, otherwise the model's guess; None when neither is an intent of today."""
    intent = candidate.detail if candidate.why is CandidateReason.CORRECTED else candidate.intent
    return intent if intent in KINDS else None


def review(session: Session, community_id: int, *, why: str = "", limit: int | None = None) -> list[Cluster]:
    """Clusters of a community's open messages by what a label is worth.

    Args:
        session: the caller's transaction.
        community_id: whose.
        why: a reason of `CandidateReason`, NEW_WORDS, or anything else for all.
        limit: clusters; None means all.
    """
    reason = CandidateReason(why) if why in tuple(CandidateReason) else None
    found = learning.review(session, community_id=community_id, why=reason, limit=learning.MOST)
    if why == NEW_WORDS:
        taught = lessons.base()
        found = [cluster for cluster in found if taught.new_words(cluster.candidate.text)]
    return found[:limit]


def cards(session: Session, clusters: Sequence[Cluster]) -> list[Card]:
    """The clusters with their talks, in one query, and what they resemble."""
    talks = around(session, [cluster.candidate.source for cluster in clusters])
    taught = lessons.base()
    return [
        Card(cluster, talks[_turn(one.source)], taught.nearest(one.text), taught.new_words(one.text))
        for cluster in clusters
        for one in [cluster.candidate]
    ]


def around(session: Session, sources: Iterable[str]) -> Mapping[str, Sequence[Message]]:
    """What was said until the turn of each source, or until its case was opened; oldest first, by source."""
    wanted = {_turn(source) for source in sources}
    turns = select(
        (literal("turn:") + cast(Message.inbox_id, String)).label("source"),
        Message.conversation_id,
        Message.id.label("until"),
    ).where(Message.inbox_id.in_(_numbers(wanted, "turn:")))
    last = select(Message.id).where(Message.conversation_id == Case.conversation_id, Message.said_at <= Case.opened_at)
    cases = select(
        (literal("case:") + cast(Case.id, String)).label("source"),
        Case.conversation_id,
        last.order_by(Message.id.desc()).limit(1).scalar_subquery().label("until"),
    ).where(Case.id.in_(_numbers(wanted, "case:")))
    anchor = union_all(turns, cases).subquery()
    until = select(Message).where(
        Message.conversation_id == anchor.c.conversation_id, Message.id <= anchor.c.until, Message.author != "note"
    )
    line = aliased(Message, until.order_by(Message.id.desc()).limit(LINES).lateral())
    found: dict[str, list[Message]] = defaultdict(list)
    for source, message in session.execute(select(anchor.c.source, line).join(line, true()).order_by(line.id)):
        found[source].append(message)
    return found


def _turn(source: str) -> str:
    """A further matter of a turn was said in the same talk."""
    return ":".join(source.split(":")[:2])


def _numbers(sources: Iterable[str], kind: str) -> list[int]:
    words = [source.removeprefix(kind) for source in sources if source.startswith(kind)]
    return [int(word) for word in words if word.isdecimal()]
