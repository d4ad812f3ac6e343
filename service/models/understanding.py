"""Models, what they are measured by and what people say of it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from service.models.base import Base


class LabelUse(StrEnum):
    """What a label is for; never both at once."""

    TEST = "test"
    TRAIN = "train"


class CandidateReason(StrEnum):
    """Why a message is worth a look."""

    LOW_MARGIN = "low_margin"
    REPHRASE = "rephrase"  # the bot asked to say it again
    CORRECTED = "corrected"  # a butler gave the case another kind
    NEAR_MISS = "near_miss"  # almost an emergency
    SHADOW = "shadow"  # a candidate model reads it otherwise


class CandidateState(StrEnum):
    """What a person made of a candidate."""

    OPEN = "open"
    LABELLED = "labelled"
    IGNORED = "ignored"
    NOISE = "noise"  # no message: a slip of the thumb, a test, the words of a machine


UNCLEAR = "why = 'rephrase'"  # of a candidate, as the index of those has it
DIFFERS = "guess <> intent"  # of a reading of two models, as the index of those has it


class EmergencyAlarm(Base):
    """An emergency that was raised, and which half of the watch caught it."""

    __tablename__ = "emergency_alarms"
    __table_args__ = (UniqueConstraint("conversation_id", "source"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"))
    source: Mapped[str]  # the turn
    kind: Mapped[str] = mapped_column(String(32))
    caught_by: Mapped[str] = mapped_column(String(16))  # tripwire, classifier
    raised_at: Mapped[datetime]


class LanguageModel(Base):
    """A trained model of the understanding; the file lies in the models folder under this name.

    One site trains and serves one model for all of its communities, so these rows belong to none.
    """

    __tablename__ = "language_models"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)  # guanjia-<hash of everything it was made from>
    data_hash: Mapped[str] = mapped_column(String(64))  # of its training examples, the site's labels included
    trained_at: Mapped[datetime]
    trained_by: Mapped[str]
    scores: Mapped[dict[str, Any] | None]  # as `guanjia evaluate` measured it on the frozen sets; None: not yet


class ModelReport(Base):
    """What a model makes of the messages nobody trains on, each error with its message; what two are compared by."""

    __tablename__ = "model_reports"

    model_id: Mapped[int] = mapped_column(ForeignKey("language_models.id"), primary_key=True)
    measured: Mapped[str]  # which messages, read by which code: as in the model's scores
    report: Mapped[dict[str, Any]]  # as nlu/evaluate.py gives it; a message of this site by the digest of its words
    at: Mapped[datetime]


class TrainingState(StrEnum):
    """How far a training is."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class TrainingRun(Base):
    """A training somebody asked for, or models to be measured; one at a time for the whole site."""

    __tablename__ = "training_runs"
    __table_args__ = (
        Index("training_runs_one_at_a_time", text("(true)"), unique=True, postgresql_where=text("ended_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"))  # whose staff asked
    asked_by: Mapped[str]
    asked_at: Mapped[datetime]
    state: Mapped[TrainingState]
    step: Mapped[int]
    steps: Mapped[int]
    doing: Mapped[str]  # a component of Rasa's, or a key of the console's words
    model_id: Mapped[int | None] = mapped_column(ForeignKey("language_models.id"))  # only to be measured; then: made
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    failure: Mapped[str | None] = mapped_column(String(32))  # a key of the console's words


class Activation(Base):
    """A switch of the model that is served; the newest says which one is active. The log is never changed."""

    __tablename__ = "activations"

    id: Mapped[int] = mapped_column(primary_key=True)
    model_id: Mapped[int] = mapped_column(ForeignKey("language_models.id"))
    at: Mapped[datetime]
    by: Mapped[str]
    reason: Mapped[str | None]  # why the gate was overruled
    undoes_id: Mapped[int | None] = mapped_column(ForeignKey("language_models.id"))  # rolled back from this one

    model: Mapped[LanguageModel] = relationship(foreign_keys=[model_id], lazy="joined", innerjoin=True)
    undoes: Mapped[LanguageModel | None] = relationship(foreign_keys=[undoes_id], lazy="joined")


class ShadowEnd(StrEnum):
    """Why a candidate reads along no more."""

    STOPPED = "stopped"  # somebody ended it
    OVER = "over"  # its days are over
    ENOUGH = "enough"  # it has read as many messages as it may
    REPLACED = "replaced"  # another candidate reads along instead
    SERVED = "served"  # it was activated
    GONE = "gone"  # its file was deleted, or is broken
    UNREADABLE = "unreadable"  # Rasa could not load it, or did not come to an end with it


class Shadow(Base):
    """A candidate model reads along, and nobody hears a word of it; one at a time for the whole site."""

    __tablename__ = "shadows"
    __table_args__ = (
        Index("shadows_one_at_a_time", text("(true)"), unique=True, postgresql_where=text("ended_at IS NULL")),
        Index("shadows_by_model", "model_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    model_id: Mapped[int] = mapped_column(ForeignKey("language_models.id"))
    begun_by: Mapped[str]
    begun_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    last_reading: Mapped[int]  # no reading beyond this number is its own
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]
    why: Mapped[ShadowEnd | None]
    messages: Mapped[int | None]  # that both models had read when it ended
    agreed: Mapped[int | None]  # of them: those of which both guessed the same

    model: Mapped[LanguageModel] = relationship(lazy="joined", innerjoin=True)


class Reading(Base):
    """What the served model and a candidate guessed of a message, or of a matter in it. The words are not here.

    They are looked up when they are needed, and the digest says whether they are still the words that were read.
    """

    __tablename__ = "shadow_readings"
    __table_args__ = (
        UniqueConstraint("shadow_id", "source"),
        Index("shadow_readings_by_turn", "turn_id"),
        Index("shadow_readings_unread", "id", postgresql_where=text("guess IS NULL")),
        Index("shadow_readings_differ", "shadow_id", "id", postgresql_where=text(DIFFERS)),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    shadow_id: Mapped[int] = mapped_column(ForeignKey("shadows.id"))
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"))
    turn_id: Mapped[int]  # the row of the inbox
    rows: Mapped[list[Any]]  # all of the turn: several bubbles are read as one
    source: Mapped[str]  # as of a candidate: the turn, with the place of a further matter in it
    begins: Mapped[int]  # characters of the turn's words
    ends: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
    language: Mapped[str] = mapped_column(String(2))
    intent: Mapped[str] = mapped_column(String(32))  # as the served model guessed
    confidence: Mapped[float]
    margin: Mapped[float | None]
    model: Mapped[str]
    guess: Mapped[str | None] = mapped_column(String(32))  # as the candidate did; None: it has not read it yet
    guess_confidence: Mapped[float | None]
    heard_at: Mapped[datetime]


class Label(Base):
    """What a message of this site means, as a person said: first in the site's test set, later in its training."""

    __tablename__ = "labels"

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)  # SHA-256 of the text, which may be too long to index
    text: Mapped[str]
    intent: Mapped[str] = mapped_column(String(32))
    language: Mapped[str] = mapped_column(String(2))
    use: Mapped[LabelUse]
    labelled_by: Mapped[str]
    labelled_at: Mapped[datetime]


class Opinion(Base):
    """What a further person says of a label: asked of a share of them, or given because they see it otherwise."""

    __tablename__ = "opinions"
    __table_args__ = (
        UniqueConstraint("label_id", "by"),
        Index("opinions_in_conflict", "label_id", postgresql_where=text("decided_at IS NULL AND intent <> was")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    label_id: Mapped[int] = mapped_column(ForeignKey("labels.id", ondelete="CASCADE"))
    by: Mapped[str]
    intent: Mapped[str] = mapped_column(String(32))
    was: Mapped[str] = mapped_column(String(32))  # what the label said then
    at: Mapped[datetime]
    decided_at: Mapped[datetime | None]  # when people agreed on one of the two


class Candidate(Base):
    """A message worth a look by a person: why, and what the model made of it."""

    __tablename__ = "candidates"
    __table_args__ = (
        UniqueConstraint("community_id", "source", "why"),
        Index("candidates_open", "community_id", "id", postgresql_where=text("state = 'open'")),
        Index("candidates_by_text", "text", postgresql_using="hash"),  # of any length
        Index("candidates_by_label", "label_id"),
        Index("candidates_near_misses", "community_id", "noticed_at", postgresql_where=text("why = 'near_miss'")),
        Index("candidates_unclear", "community_id", "noticed_at", "id", postgresql_where=text(UNCLEAR)),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"))
    text: Mapped[str]
    language: Mapped[str] = mapped_column(String(2))
    why: Mapped[CandidateReason]
    source: Mapped[str]  # the turn, or the case whose kind a butler corrected
    detail: Mapped[str | None]  # the kind a butler chose, the filter that kept the tripwire quiet
    intent: Mapped[str | None] = mapped_column(String(32))
    confidence: Mapped[float | None]
    margin: Mapped[float | None]  # confidence of the first guess less that of the second
    model: Mapped[str | None]
    noticed_at: Mapped[datetime]
    state: Mapped[CandidateState]
    label_id: Mapped[int | None] = mapped_column(ForeignKey("labels.id"))
