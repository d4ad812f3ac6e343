"""What people make of candidates: the most telling first, one label for all alike, tested on before trained on."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service.errors import CandidateNotFound, LabelConflicts, UnknownIntent
from service.kinds import KINDS, kind_of
from service.likeness import Crowd, digest
from service.models.understanding import Candidate, CandidateReason, CandidateState, Label, LabelUse

REVIEW_LOCK = 7_262_615  # any fixed number: one label settles many rows, so people label one after the other
MOST = 2_000  # open candidates that are looked at, the most telling ones
STAY_ONE_OF = 3  # labels of an intent and language stay in the test set, the newest
LIKE_AN_EXAM = 0.5  # of the bigrams in common: such a text is not trained on while its twin is tested on

# What a group of alike messages is worth beside the hesitation of the model, which is 1 at a margin of 0.
DISAGREEMENT_IS_WORTH = 0.5  # two guesses for the same words, or a rule of the tripwire against its filter
DOUBLING_IS_WORTH = 0.25  # twice as many messages settled by one label


class Labelled(NamedTuple):
    """A text and what it means, as training and evaluation want it."""

    text: str
    intent: str
    language: str


@dataclass(frozen=True)
class Cluster:
    """Open candidates that are alike; the first speaks for them."""

    members: tuple[Candidate, ...]

    @property
    def candidate(self) -> Candidate:
        """The one to look at."""
        return self.members[0]

    @property
    def count(self) -> int:
        """How many messages one label settles."""
        return len({(member.community_id, member.source) for member in self.members})

    @property
    def worth(self) -> tuple[bool, float]:
        """What a label teaches: a butler has spoken first of all, then hesitation, disagreement and size."""
        corrected = any(member.why is CandidateReason.CORRECTED for member in self.members)
        hesitation = 1.0 - min((member.margin for member in self.members if member.margin is not None), default=1.0)
        guesses = {member.intent for member in self.members if member.intent}
        disagree = len(guesses) > 1 or any(member.why is CandidateReason.NEAR_MISS for member in self.members)
        return corrected, hesitation + DISAGREEMENT_IS_WORTH * disagree + DOUBLING_IS_WORTH * math.log2(self.count)


def review(
    session: Session, *, community_id: int | None = None, limit: int = 20, why: CandidateReason | None = None
) -> list[Cluster]:
    """The open candidates, alike ones together, in the order in which a label is worth most.

    Args:
        session: the caller's transaction.
        community_id: whose; None means all of the site.
        limit: clusters.
        why: only candidates for this reason.
    """
    found = _open(session, community_id=community_id, why=why)
    groups = _groups([(candidate.text, _kind_by_butler(candidate)) for candidate in found])
    clusters = [Cluster(tuple(found[place] for place in group)) for group in groups]
    return sorted(clusters, key=lambda cluster: cluster.worth, reverse=True)[:limit]


def access_candidate(session: Session, candidate_id: int, *, community_id: int | None = None) -> Candidate:
    """A candidate by its number; until the transaction ends nobody else settles any.

    Args:
        session: the caller's transaction.
        candidate_id: which.
        community_id: whose it has to be; None on the machine itself, where all of the site is labelled.

    Raises:
        CandidateNotFound: there is none, or it is another community's.
    """
    session.execute(select(func.pg_advisory_xact_lock(REVIEW_LOCK)))
    candidate = session.get(Candidate, candidate_id, populate_existing=True)
    if candidate is None or community_id not in (None, candidate.community_id):
        raise CandidateNotFound(number=candidate_id)
    return candidate


def label(session: Session, candidate: Candidate, intent: str, *, by: str, now: datetime) -> Label:
    """Say what a message means, and settle every open candidate that is alike to it.

    The label goes to the site's test set. Labelling the same candidate again corrects the label, in whatever set it is.

    Args:
        session: the caller's transaction.
        candidate: one that `access_candidate` gave.
        intent: what it means, one of `kinds.KINDS`.
        by: who says so.
        now: the moment, aware UTC.

    Raises:
        UnknownIntent: there is no such intent.
        LabelConflicts: somebody has given these very words another label, from another candidate or a file.
    """
    item = Labelled(candidate.text, intent, candidate.language)
    kept = _keep(session, item, use=LabelUse.TEST, by=by, at=now)
    if kept.intent != intent:
        if candidate.label_id != kept.id:
            raise LabelConflicts(known=kept.intent, by=kept.labelled_by)
        kept.intent, kept.labelled_by, kept.labelled_at = intent, by, now
    _settle(session, candidate, CandidateState.LABELLED, kind=kind_of(intent), label_id=kept.id)
    return kept


def ignore(session: Session, candidate: Candidate, *, as_noise: bool = False) -> None:
    """Put a message aside, with every open candidate that is alike to it; the same words stay ignored.

    Args:
        session: the caller's transaction.
        candidate: one that `access_candidate` gave.
        as_noise: because it is no message at all.
    """
    state = CandidateState.NOISE if as_noise else CandidateState.IGNORED
    _settle(session, candidate, state, kind=_kind_by_butler(candidate), label_id=None)


def follow(session: Session, candidate: Candidate, known: Label) -> None:
    """Settle a message, with those alike to it, by a label that is here already."""
    kind = _kind_by_butler(candidate) or kind_of(known.intent)
    _settle(session, candidate, CandidateState.LABELLED, kind=kind, label_id=known.id)


def add(session: Session, item: Labelled, *, use: LabelUse, by: str, at: datetime) -> bool:
    """Take a label over from elsewhere; one that is here already stays as it is, its use included.

    Args:
        session: the caller's transaction.
        item: the text and what it means.
        use: test or train.
        by: who said so.
        at: when, aware.

    Returns:
        Whether it is new.

    Raises:
        UnknownIntent: there is no such intent.
        LabelConflicts: the text has another label here.
    """
    is_new = find(session, item.text) is None
    kept = _keep(session, item, use=use, by=by, at=at)
    if kept.intent != item.intent:
        raise LabelConflicts(known=kept.intent, by=kept.labelled_by)
    same = update(Candidate).where(Candidate.text == item.text, Candidate.state == CandidateState.OPEN)
    session.execute(same.values(state=CandidateState.LABELLED, label_id=kept.id))
    return is_new


def find(session: Session, text: str) -> Label | None:
    """The label of these very words."""
    return session.scalars(select(Label).where(Label.digest == digest(text))).one_or_none()


def promote(session: Session, *, older_than: timedelta, now: datetime) -> list[Label]:
    """Move labels from the test set to training, the oldest first; what moves is tested on no more.

    Of every intent and language a third stays, rounded up, and whatever is younger than `older_than`. A text also stays
    while one that resembles it stays: what was learnt by heart measures nothing.

    Args:
        session: the caller's transaction.
        older_than: how long a label must have measured.
        now: the moment, aware UTC.

    Returns:
        The labels that moved.
    """
    everything = session.scalars(select(Label).order_by(Label.labelled_at, Label.id).with_for_update()).all()
    groups: dict[tuple[str, str], list[Label]] = defaultdict(list)
    for each in everything:
        groups[each.intent, each.language].append(each)
    old_enough = [each for group in groups.values() for each in _spare(group) if each.labelled_at <= now - older_than]
    chosen = {each.id for each in old_enough}
    staying = Crowd([each.text for each in everything if each.use is LabelUse.TEST and each.id not in chosen])
    moved = [each for each in old_enough if not staying.alike(each.text, above=LIKE_AN_EXAM)]
    for each in moved:
        each.use = LabelUse.TRAIN
    return moved


def counts(session: Session) -> Mapping[LabelUse, int]:
    """How many labels there are for what."""
    counted = session.execute(select(Label.use, func.count()).group_by(Label.use))
    return dict.fromkeys(LabelUse, 0) | dict(counted.all())


def training_labels(session: Session) -> list[Labelled]:
    """What this site's training may use, in an order that does not depend on who labelled when."""
    return _labelled(session, LabelUse.TRAIN)


def test_labels(session: Session) -> list[Labelled]:
    """What this site's models are measured on, and never trained on."""
    return _labelled(session, LabelUse.TEST)


def _labelled(session: Session, use: LabelUse) -> list[Labelled]:
    found = session.scalars(select(Label).where(Label.use == use).order_by(Label.digest))
    return [Labelled(each.text, each.intent, each.language) for each in found]


def _keep(session: Session, item: Labelled, *, use: LabelUse, by: str, at: datetime) -> Label:
    """The label of the text, new or as it was; two people may label the same words at once."""
    if item.intent not in KINDS:
        raise UnknownIntent(intent=item.intent, intents=", ".join(KINDS))
    values = {**item._asdict(), "digest": digest(item.text), "use": use, "labelled_by": by, "labelled_at": at}
    session.execute(insert(Label).values(values).on_conflict_do_nothing(index_elements=["digest"]))
    kept = select(Label).where(Label.digest == values["digest"]).with_for_update()
    return session.scalars(kept.execution_options(populate_existing=True)).one()


def _settle(
    session: Session, candidate: Candidate, state: CandidateState, *, kind: str | None, label_id: int | None
) -> None:
    """Bring a candidate and the open ones alike to it to an end; what a butler sorted otherwise stays open."""
    found = _open(session)
    alike = [found[place] for place in Crowd([other.text for other in found]).alike(candidate.text)]
    for other in (candidate, *(other for other in alike if _may_follow(other, kind))):
        other.state, other.label_id = state, label_id
    session.flush()


def _open(
    session: Session, *, community_id: int | None = None, why: CandidateReason | None = None
) -> Sequence[Candidate]:
    """Open candidates, the most telling first."""
    found = select(Candidate).where(Candidate.state == CandidateState.OPEN)
    if community_id is not None:
        found = found.where(Candidate.community_id == community_id)
    if why is not None:
        found = found.where(Candidate.why == why)
    first = (Candidate.why == CandidateReason.CORRECTED).desc()
    return session.scalars(found.order_by(first, Candidate.margin.nulls_first(), Candidate.id).limit(MOST)).all()


def _groups(found: Sequence[tuple[str, str | None]]) -> Sequence[Sequence[int]]:
    """The places of messages that are alike; each with the kind that a butler chose, which stands against others."""
    kept = _groups_of(digest(repr(found)))
    if not kept:
        crowd = Crowd([text for text, _ in found])
        kept[:] = crowd.groups(may_join=lambda leader, place: found[place][1] in (None, found[leader][1]))
    return kept


@lru_cache(maxsize=16)
def _groups_of(_digest: str) -> list[Sequence[int]]:
    """Where the groups of messages with this digest are kept, without their words: those may be forgotten (N12).

    Two thousand messages take a tenth of a second, and a list is looked at more often than it changes.
    """
    return []


def _kind_by_butler(candidate: Candidate) -> str | None:
    return candidate.detail if candidate.why is CandidateReason.CORRECTED else None


def _may_follow(candidate: Candidate, kind: str | None) -> bool:
    """Whether what is said of a message of this kind holds for an alike one too; a butler's word stands against it."""
    return candidate.why is not CandidateReason.CORRECTED or candidate.detail == kind


def _spare(group: Sequence[Label]) -> Sequence[Label]:
    """Those of one intent and language, oldest first, that the test set can do without."""
    tests = [each for each in group if each.use is LabelUse.TEST]
    return tests[: max(0, len(tests) - math.ceil(len(group) / STAY_ONE_OF))]
