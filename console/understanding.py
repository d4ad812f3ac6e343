"""Messages worth a look: the list, the deck that is labelled by one key a message, second looks, conflicts."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from starlette.responses import Response

from console.doors import deed, page
from console.visit import Visit
from service import guidelines, learning, opinions, teaching
from service.kinds import KINDS
from service.models.understanding import Candidate, CandidateReason
from service.opinions import Answer, Outcome
from service.staff import Right

HOME = "/understanding"
REASONS = (*CandidateReason, teaching.NEW_WORDS)

# One key an intent: digits for what comes most, then the letter that its English name offers.
KEYS = {
    "repair": "1",
    "complaint": "2",
    "inquiry": "3",
    "urge": "4",
    "emergency": "5",
    "request_service": "6",
    "request_human": "7",
    "suggestion": "8",
    "praise": "9",
    "out_of_scope": "0",
    "affirm": "a",
    "deny": "d",
    "inform": "f",
    "cancel": "c",
    "correct": "r",
    "greet": "g",
    "thanks": "t",
    "goodbye": "b",
    "reopen": "o",
}
ACCEPT, IGNORE, NOISE, SKIP, BACK = "Enter", "i", "x", "s", "z"

TOLD = {
    Outcome.KEPT: "understanding.told_kept",
    Outcome.AGREED: "understanding.told_agreed",
    Outcome.DISAGREED: "understanding.told_disagreed",
}


def listing(visit: Visit) -> Response:
    """What waits to be labelled, what a label is worth most first."""
    why = visit.asked("why")
    clusters = teaching.review(visit.session, visit.community.id, why=why)
    return visit.page(
        "understanding/list.html",
        **_around(visit),
        clusters=clusters,
        shown=clusters[: teaching.SHOWN],
        messages=sum(cluster.count for cluster in clusters),
        why=why,
        reasons=[(reason, visit.t(f"understanding.why_{reason}")) for reason in REASONS],
        proposed=teaching.proposed,
        agreement=opinions.agreement(visit.session, visit.community.id),
    )


def deck(visit: Visit) -> Response:
    """One message after the other; by script a key settles one, without it every card is a form."""
    why = visit.asked("why")
    clusters = teaching.review(visit.session, visit.community.id, why=why, limit=teaching.DECK)
    cards = teaching.cards(visit.session, clusters)
    return visit.page("understanding/deck.html", **_around(visit), cards=cards, why=why)


def one(visit: Visit) -> Response:
    """A single message, settled or not."""
    candidate = _access(visit)
    cards = teaching.cards(visit.session, [learning.Cluster((candidate,))])
    return visit.page("understanding/deck.html", **_around(visit), cards=cards, why="")


def label(visit: Visit) -> Response:
    """Say what a message means, and so what all alike to it mean."""
    candidate = _access(visit)
    answer = opinions.say(
        visit.session, candidate, visit.said("intent"), by=who(visit), seen=visit.said("version"), now=visit.now
    )
    return told(visit, answer)


def ignore(visit: Visit) -> Response:
    """Put a message aside for good."""
    return _put_aside(visit, as_noise=False)


def noise(visit: Visit) -> Response:
    """Say that it is no message."""
    return _put_aside(visit, as_noise=True)


def _put_aside(visit: Visit, *, as_noise: bool) -> Response:
    opinions.put_aside(visit.session, _access(visit), seen=visit.said("version"), as_noise=as_noise)
    return _kept(visit, "understanding.told_put_aside")


def checks(visit: Visit) -> Response:
    """A share of the labels, for a second person who does not see what the first has said."""
    labels = opinions.to_check(visit.session, visit.community.id, by=who(visit))
    return visit.page("understanding/checks.html", **_around(visit), labels=labels)


def check(visit: Visit) -> Response:
    """Say as the second person what a message means."""
    found = opinions.access_label(visit.session, visit.community.id, visit.id())
    answer = opinions.give(visit.session, found, visit.said("intent"), by=who(visit), now=visit.now)
    return told(visit, answer)


def conflicts(visit: Visit) -> Response:
    """Messages of which two people say different things."""
    found = opinions.conflicts(visit.session, visit.community.id)
    return visit.page(
        "understanding/conflicts.html", **_around(visit), conflicts=found, may_decide=visit.may(Right.TRAIN)
    )


def decide(visit: Visit) -> Response:
    """Agree on one of the two, or on a third."""
    found = opinions.access_label(visit.session, visit.community.id, visit.id())
    opinions.decide(visit.session, found, visit.said("intent"), by=who(visit), now=visit.now)
    return visit.back(f"{HOME}/conflicts", told="understanding.told_decided")


def who(visit: Visit) -> str:
    """The visitor, as labels and logs name them."""
    return f"staff:{visit.member.number}"


def _access(visit: Visit) -> Candidate:
    """A message of this community.

    Raises:
        CandidateNotFound: there is none; or it is another community's, and the answer is the same.
    """
    return learning.access_candidate(visit.session, visit.id(), community_id=visit.community.id)


def told(visit: Visit, answer: Answer) -> Response:
    """Say whether somebody had spoken before, and what they had said."""
    response = _kept(visit, TOLD[answer.outcome])
    if answer.outcome is Outcome.KEPT or not visit.by_htmx:
        return response
    slots = {
        "by": answer.label.labelled_by.removeprefix("staff:"),
        "intent": visit.t(f"understanding.intent_{answer.label.intent}"),
    }
    return visit.plain("toast.html", phrase=f"understanding.{answer.outcome}", slots=slots)


def _kept(visit: Visit, key: str) -> Response:
    """To a script nothing; without one, back to where the form was."""
    if visit.by_htmx:
        return Response(status_code=HTTPStatus.NO_CONTENT)
    return visit.back(visit.said("next") or HOME, told=key)


def _around(visit: Visit) -> dict[str, Any]:
    """What every page of the topic shows: intents with key, name and guideline."""
    language = visit.language or "zh"
    return {
        "intents": [
            {"name": name, "key": KEYS.get(name, ""), "title": visit.t(f"understanding.intent_{name}")}
            for name in KINDS
        ],
        "known_intents": KINDS,
        "guideline": lambda intent: guidelines.entries().get(intent),
        "language": language,
        "keys": {"accept": ACCEPT, "ignore": IGNORE, "noise": NOISE, "skip": SKIP, "back": BACK},
    }


DOORS = (
    page(HOME, listing, Right.TEACH, shows="candidate"),
    page(f"{HOME}/deck", deck, Right.TEACH, shows="candidate"),
    page(f"{HOME}/{{id:int}}", one, Right.TEACH, shows="candidate"),
    deed(f"{HOME}/{{id:int}}/label", label, Right.TEACH, act="label", object="candidate"),
    deed(f"{HOME}/{{id:int}}/ignore", ignore, Right.TEACH, act="ignore", object="candidate"),
    deed(f"{HOME}/{{id:int}}/noise", noise, Right.TEACH, act="noise", object="candidate"),
    page(f"{HOME}/checks", checks, Right.TEACH, shows="label"),
    deed(f"{HOME}/checks/{{id:int}}", check, Right.TEACH, act="check", object="label"),
    page(f"{HOME}/conflicts", conflicts, Right.TEACH, shows="label"),
    deed(f"{HOME}/conflicts/{{id:int}}", decide, Right.TRAIN, act="decide", object="label"),
)
