"""The third component: the intent, and the parts of a message that asks for several things."""

from __future__ import annotations

from itertools import combinations
from typing import Any, Dict, FrozenSet, List, NamedTuple, Sequence

from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.shared.constants import DEFAULT_NLU_FALLBACK_INTENT_NAME
from rasa.shared.nlu.constants import ENTITIES, INTENT, INTENT_RANKING_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message

from components import cuts, requests
from components.classifier import IntentClassifier, seen
from components.entities import PIECES, STARTS
from components.normaliser import NORMAL_TEXT

SLIGHT = 4  # letters beside the entities: 没有电话
PARTS = "parts"
PARTS_WHEN_ASKED = "parts_when_asked"  # the same, had a question of ours been open


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class PartsClassifier(IntentClassifier):
    """The intent classifier, which is asked for the pieces of a message in the same breath.

    It inherits from the classifier because the components of Rasa's graph cannot ask each other.
    """

    def process(self, messages: List[Message]) -> List[Message]:
        """Set what the classifier sets, and the parts of every message that has several."""
        cut = [_cut(message) for message in messages]
        super().process([*messages, *(one.message for pieces in cut for one in pieces)])
        for message, pieces in zip(messages, cut, strict=True):
            if pieces and message.get(INTENT)["name"] != "emergency":  # people read all of it at once
                _set_parts(message, pieces)
        return messages


class Cut(NamedTuple):
    """A piece of a message, and the message it would be by itself."""

    place: cuts.Piece
    topics: FrozenSet[str]
    message: Message

    @property
    def is_slight(self) -> bool:
        """Whether it is a yes, a no or a fact rather than a request."""
        return seen(self.message).else_left <= SLIGHT

    def heard(self) -> requests.Heard:
        """Return it with what the classifier said."""
        guesses = self.message.get(INTENT_RANKING_KEY)
        best = next(guess for guess in guesses if guess["name"] != DEFAULT_NLU_FALLBACK_INTENT_NAME)
        return requests.Heard(
            *self.place,
            intent=best["name"],
            confidence=best["confidence"],
            threshold=self.message.get("threshold"),
            topics=self.topics,
            bare=seen(self.message).else_left <= 1,
            asks=cuts.asks(self.message.get(NORMAL_TEXT)),
        )


def _cut(message: Message) -> List[Cut]:
    """Return the pieces of a message that are worth a look at what each of them wants."""
    text, normal = message.get(TEXT) or "", message.get(NORMAL_TEXT) or ""
    if "\n" in text:  # which the normaliser made a space
        normal = "".join("\n" if typed == "\n" else plain for typed, plain in zip(text, normal, strict=True))
    entire = [(entity["start"], entity["end"]) for entity in message.get(ENTITIES) or ()]
    places = cuts.pieces(normal, entire)
    found = [Cut(place, cuts.topics(normal[place.start : place.end]), _piece(message, place)) for place in places]
    turns = len(found) == 2 or any(place.link >= cuts.Link.ADD for place in places[1:])
    return found if turns or _are_apart(found) or any(one.is_slight for one in found) else []


def _are_apart(found: Sequence[Cut]) -> bool:
    return any(cuts.are_apart(one.topics, other.topics) for one, other in combinations(found, 2))


def _piece(message: Message, place: cuts.Piece) -> Message:
    words = zip(message.get(STARTS), message.get(PIECES), strict=True)
    piece = Message.build(message.get(TEXT)[place.start : place.end])
    piece.set(NORMAL_TEXT, message.get(NORMAL_TEXT)[place.start : place.end])
    piece.set(PIECES, [word for begins, word in words if place.start <= begins < place.end])
    piece.set(ENTITIES, _entities(message, place.start, place.end))
    return piece


def _entities(message: Message, start: int, end: int) -> List[Dict[str, Any]]:
    return [
        {**entity, "start": entity["start"] - start, "end": entity["end"] - start}
        for entity in message.get(ENTITIES) or ()
        if start <= entity["start"] and entity["end"] <= end
    ]


def _set_parts(message: Message, pieces: Sequence[Cut]) -> None:
    heard = [one.heard() for one in pieces]
    guesses = {one.place.start: one.message.get(INTENT_RANKING_KEY) for one in pieces}
    for key, answering in ((PARTS, False), (PARTS_WHEN_ASKED, True)):
        found = requests.parts(heard, answering=answering)
        if len(found) > 1:
            parts = [_as_data(message, part, guesses[part.head.start]) for part in found]
            message.set(key, parts, add_to_output=True)


def _as_data(message: Message, part: requests.Part, guesses: List[Dict[str, Any]]) -> Dict[str, Any]:
    """Return a part in the form of a parsed message, with its place in the whole one."""
    return {
        "text": message.get(TEXT)[part.start : part.end],
        "start": part.start,
        "end": part.end,
        INTENT: {"name": part.head.intent, "confidence": part.head.confidence},
        INTENT_RANKING_KEY: guesses,
        ENTITIES: _entities(message, part.start, part.end),
    }
