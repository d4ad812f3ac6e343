"""Which pieces of a message are requests of their own, and which only add to a neighbour; pure values.

Requests are told apart by what they want and by the things they speak of. The weaker the cut between two pieces, the
plainer it must be: a false split tears one story apart, a missed one costs a second question.
"""

from __future__ import annotations

from typing import FrozenSet, List, NamedTuple, Optional, Sequence

from components.cuts import Link, are_apart, aspects

TROUBLE = frozenset({"repair", "complaint", "reopen", "urge", "emergency"})
PLAIN_TROUBLE = TROUBLE - {"emergency"}
REQUESTS = TROUBLE | {"inquiry", "request_human", "praise", "suggestion", "request_service"}
WISHES = frozenset({"inquiry", "request_service"})  # by whose side a fault is another matter
CALLS_OFF = "cancel"  # an answer to a question of ours, and beside a request a wish of its own: first, or set off
ANSWERS = frozenset({"inform", "correct", "affirm", "deny", "cancel"})  # to a question of ours

# The confidence that is wanted on both sides of a cut, if the model's own threshold is lower; and across any cut where
# no things that are named tell the two apart.
SURE = {Link.LIST: 0.5, Link.TURN: 0.5, Link.ADD: 0.5, Link.SENTENCE: 0.8, Link.COMMA: 0.85}
SURE_ALONE = 0.75
SURE_UNNAMED = 0.98  # the same where no word turns to something else either
FEW = 3  # pieces; what has more is rather a story, whose sentences sound like many things
SURE_OF_A_STORY = 0.85  # that one of its sentences turns to something else
SURE_OF_TWO = 0.97  # a fault and a complaint behind a word that adds, when one of them names no thing
SURE_OF_DANGER = 0.98  # of a piece, when the whole message does not sound like it


class Heard(NamedTuple):
    """A piece, as the classifier and the lexicon see it."""

    start: int
    end: int
    link: Link
    intent: str
    confidence: float
    threshold: float
    topics: FrozenSet[str]
    bare: bool = False  # facts and nothing else
    asks: bool = True  # has words that ask to be told something


class Part(NamedTuple):
    """Neighbouring pieces that want one thing; `head` is the piece that says what."""

    start: int
    end: int
    head: Heard
    topics: FrozenSet[str]


def parts(pieces: Sequence[Heard], *, answering: bool = False) -> List[Part]:
    """Join the pieces of a message into as many parts as there are matters.

    Args:
        pieces: in the order of the text.
        answering: a question of ours is open, so an answer beside a request is a part of its own.
    """
    found: List[Part] = []
    begun: Optional[int] = None  # where the pieces before the first head begin
    before = Link.COMMA  # the cut before facts goes on to what they are about
    for piece in pieces:
        link = max(before, piece.link)
        is_sure = piece.confidence >= SURE_ALONE
        takes_back = piece.intent == CALLS_OFF and is_sure and (not found or link >= Link.TURN)
        is_head = _is_head(piece, answering=answering or takes_back, pieces=len(pieces))
        if found and not (is_head and _is_another(found[-1], piece, link, pieces=len(pieces))):
            found[-1] = _joined(found[-1], piece, piece.topics if is_head else frozenset())
        elif is_head:
            found.append(Part(piece.start if begun is None else begun, piece.end, piece, piece.topics))
            begun = None
        elif begun is None:
            begun = piece.start
        before = link if piece.bare else Link.COMMA
    return found


def _is_head(piece: Heard, *, answering: bool, pieces: int) -> bool:
    believed = min(piece.threshold, SURE[piece.link]) if pieces <= FEW else piece.threshold
    if piece.confidence < believed or (piece.intent == "inquiry" and not piece.asks):
        return False
    return (answering and piece.intent in ANSWERS) or (piece.intent in REQUESTS and not piece.bare)


def _joined(part: Part, piece: Heard, topics: FrozenSet[str]) -> Part:
    return part._replace(end=piece.end, topics=part.topics | topics)


def _is_another(part: Part, piece: Heard, link: Link, *, pieces: int) -> bool:
    """Say whether a piece is another matter than the part before it, in a message of so many pieces."""
    intents = {part.head.intent, piece.intent}
    told_apart = are_apart(part.topics, piece.topics) or (link >= Link.TURN and pieces <= FEW)
    wanted = SURE[link] if told_apart else max(SURE[link], SURE_ALONE if link >= Link.ADD else SURE_UNNAMED)
    if pieces > FEW and link < Link.LIST:
        wanted = max(wanted, SURE_OF_A_STORY)
    if "emergency" in intents:
        wanted = SURE_OF_DANGER
    sure = min(part.head.confidence, piece.confidence)
    if sure < wanted:
        return False
    if intents & ANSWERS:
        return not intents <= ANSWERS
    if len(intents) == 1:
        return _is_a_second(piece.intent, part.topics, piece.topics, link, pieces=pieces)
    if sure >= SURE_OF_TWO and intents <= PLAIN_TROUBLE and link >= Link.ADD and pieces == 2:
        return not (part.topics and piece.topics) or are_apart(part.topics, piece.topics)
    return _differs(intents, part.topics, piece.topics, link, pieces=pieces)


def _is_a_second(intent: str, ours: FrozenSet[str], theirs: FrozenSet[str], link: Link, *, pieces: int) -> bool:
    """Say it of two that want the same; many questions in a row turn round one thing."""
    if link < Link.LIST:
        ours, theirs = ours - aspects(), theirs - aspects()
    if intent == "inquiry":
        return are_apart(ours, theirs) and (link is Link.LIST or pieces == 2)
    return intent == "repair" and link >= Link.ADD and are_apart(ours, theirs)


def _differs(intents: set, ours: FrozenSet[str], theirs: FrozenSet[str], link: Link, *, pieces: int) -> bool:
    """Say it of two that want different things."""
    if "emergency" in intents:  # scraps of a story sound like one
        return link >= Link.TURN
    if intents <= TROUBLE:  # a fault, the anger about it and the wait for it are one matter
        return link >= _plain_enough(pieces) and are_apart(ours, theirs)
    if link >= Link.TURN or (link is Link.ADD and "request_human" in intents):
        return True
    if link is Link.ADD:
        return bool(theirs - ours)
    if "request_human" in intents:
        return pieces == 2
    asks = intents & WISHES or (link is Link.SENTENCE and pieces == 2 and intents & {"praise", "suggestion"})
    return bool(asks) and (are_apart(ours, theirs) or (pieces == 2 and not ours & theirs))


def _plain_enough(pieces: int) -> Link:
    """Return the weakest cut that parts two troubles about different things: the more pieces, the rather a story."""
    if pieces == 2:
        return Link.COMMA
    return Link.SENTENCE if pieces <= FEW else Link.ADD
