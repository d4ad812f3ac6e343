"""`guanjia review`: messages worth a look, the most telling first, each labelled with one key or a word."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from service import db, guidelines, learning, texts
from service.db import Sessions
from service.errors import ServiceError
from service.kinds import KINDS
from service.learning import Cluster
from service.models.understanding import Candidate, CandidateReason, CandidateState

HELP = "[Enter] yes · an intent · ? guideline, ? intent · m more like it · i ignore · s skip · q quit"
REASONS = {
    CandidateReason.CORRECTED: "a butler says",
    CandidateReason.REPHRASE: "the bot did not understand it",
    CandidateReason.LOW_MARGIN: "the model hesitated",
    CandidateReason.NEAR_MISS: "almost an emergency",
    CandidateReason.SHADOW: "a candidate model reads it otherwise",
}


def reason(word: str | None) -> CandidateReason | None:
    """The reason somebody typed.

    Raises:
        SystemExit: there is no such reason.
    """
    if word is None or word in tuple(CandidateReason):
        return CandidateReason(word) if word else None
    sys.exit(f"--why {word}: there are: {', '.join(CandidateReason)}")


def as_json(clusters: Sequence[Cluster]) -> str:
    """The clusters for other programs: what speaks for each, and the numbers of all it speaks for."""
    fields = ("id", "text", "language", "why", "detail", "intent", "confidence", "margin", "model", "source")
    rows = [
        {name: getattr(cluster.candidate, name) for name in fields}
        | {"noticed_at": cluster.candidate.noticed_at.isoformat(), "community": cluster.candidate.community_id}
        | {"count": cluster.count, "members": [member.id for member in cluster.members]}
        for cluster in clusters
    ]
    return json.dumps(rows, ensure_ascii=False, indent=1)


def settle(sessions: Sessions, *, labels: Sequence[str], ignored: Sequence[int], by: str) -> None:
    """Do what the options say: all of it, or nothing.

    Args:
        sessions: the site's database.
        labels: each `ID=intent`.
        ignored: numbers of candidates.
        by: who says so.

    Raises:
        SystemExit: an option cannot be done; the message says why.
    """
    with _refusals_end_it(), db.transaction(sessions) as session:
        for one in labels:
            number, equals, intent = one.partition("=")
            if not (equals and number.isdecimal()):
                sys.exit(f"--label {one}: say which and what (example: --label 42=repair)")
            candidate = learning.access_candidate(session, int(number))
            learning.label(session, candidate, intent, by=by, now=datetime.now(UTC))
        for wanted in ignored:
            learning.ignore(session, learning.access_candidate(session, wanted))


@contextmanager
def _refusals_end_it() -> Iterator[None]:
    try:
        yield
    except ServiceError as error:
        sys.exit(_told(error))


def _told(error: ServiceError) -> str:
    return texts.words(error.response, language="en", **error.facts)


@dataclass(frozen=True)
class Desk:
    """Where somebody reviews: the site's labels, who it is, and how they are asked and told."""

    sessions: Sessions
    by: str
    ask: Callable[[], str]
    say: Callable[[str], None]

    def review(self, clusters: Sequence[Cluster]) -> None:
        """Go through the clusters; every decision is kept at once, and the end of the input ends it."""
        for place, cluster in enumerate(clusters, 1):
            if not self._is_open(cluster.candidate):
                continue  # a label on the way has settled it
            self.say("\n".join(shown(cluster, f"{place}/{len(clusters)}")))
            try:
                while not self._decide(cluster, self.ask().strip()):
                    pass
            except EOFError:
                return

    def _decide(self, cluster: Cluster, word: str) -> bool:
        """Do what was typed; True when the next cluster may come."""
        command, _, rest = word.partition(" ")
        act = COMMANDS.get(command)
        try:
            return act(self, cluster, rest) if act else self._label(cluster, word)
        except ServiceError as error:
            self.say(_told(error))
            return False

    def _label(self, cluster: Cluster, intent: str) -> bool:
        with db.transaction(self.sessions) as session:
            candidate = learning.access_candidate(session, cluster.candidate.id)
            learning.label(session, candidate, intent, by=self.by, now=datetime.now(UTC))
        return True

    def accept(self, cluster: Cluster, _: str) -> bool:
        """Take the proposal."""
        intent = proposed(cluster.candidate)
        if intent is None:
            self.say(HELP)
            return False
        return self._label(cluster, intent)

    def ignore(self, cluster: Cluster, _: str) -> bool:
        """Put it aside for good."""
        with db.transaction(self.sessions) as session:
            learning.ignore(session, learning.access_candidate(session, cluster.candidate.id))
        return True

    def skip(self, *_: object) -> bool:
        """Leave it for another time."""
        return True

    def leave(self, *_: object) -> bool:
        """End the review."""
        raise EOFError

    def explain(self, cluster: Cluster, intent: str) -> bool:
        """Say what an intent means, the proposed one unless another is named."""
        wanted = intent.strip() or proposed(cluster.candidate)
        entry = guidelines.entry(wanted, cluster.candidate.language) if wanted else [", ".join(KINDS)]
        self.say("\n".join(entry))
        return False

    def show_all(self, cluster: Cluster, _: str) -> bool:
        """Show every message that the label would settle."""
        self.say("\n".join(f"  · {line}" for member in cluster.members for line in lines(member.text)))
        return False

    def _is_open(self, candidate: Candidate) -> bool:
        with db.transaction(self.sessions) as session:
            return learning.access_candidate(session, candidate.id).state is CandidateState.OPEN


COMMANDS: dict[str, Callable[[Desk, Cluster, str], bool]] = {
    "": Desk.accept,
    "i": Desk.ignore,
    "s": Desk.skip,
    "q": Desk.leave,
    "?": Desk.explain,
    "m": Desk.show_all,
}


def proposed(candidate: Candidate) -> str | None:
    """What Enter says: the kind that a butler chose, otherwise the model's guess."""
    intent = candidate.detail if candidate.why is CandidateReason.CORRECTED else candidate.intent
    return intent if intent in KINDS else None


def shown(cluster: Cluster, place: str) -> list[str]:
    """What somebody needs to decide."""
    candidate = cluster.candidate
    why = " ".join(filter(None, (REASONS[candidate.why], candidate.detail)))
    return [
        "",
        f"{place}  no. {candidate.id}  ×{cluster.count}  {why}",
        *(f"    {line}" for line in lines(candidate.text)),
        f"  guess: {_guess(candidate)}",
        f"  {proposed(candidate) or '?'}   {HELP}",
    ]


def lines(text: str) -> list[str]:
    """What a resident wrote, without what would steer the terminal."""
    return [
        "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in line)
        for line in text.splitlines()
    ]


def _guess(candidate: Candidate) -> str:
    numbers: dict[str, Any] = {"confidence": candidate.confidence, "margin": candidate.margin}
    told = [f"{name} {value:.2f}" for name, value in numbers.items() if value is not None]
    return " · ".join([candidate.intent or "none", *told, *filter(None, [candidate.model])])
