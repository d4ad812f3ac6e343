"""How a message is read: its words and its entities, as the intent model sees them; without Rasa.

Whatever learns from messages does so before Rasa is in memory (nlu/fit.py), and reads them exactly as the graph does.
"""

from __future__ import annotations

from sys import intern
from typing import Any, Dict, List, NamedTuple, Sequence

from spacy.language import Language
from spacy.tokens import Doc

from components import language
from components.features import Seen
from components.text import language_of, normalise, squeeze

EXTRACTOR = "Entities"  # who found an entity, for Rasa
# What somebody wants does not depend on the room or the hour, so the classifier sees that there is one, not which.
MASKS = {"location": "Ⓛ", "time": "Ⓣ", "phone": "Ⓟ", "name": "Ⓝ"}


class Reading(NamedTuple):
    """A message in pieces: words, and one mask for every place, time, phone and name."""

    pieces: List[str]
    starts: List[int]  # where each of them begins
    entities: List[Dict[str, Any]]  # in Rasa's form


def read(nlp: Language, normal: str) -> Reading:
    """Cut a normalised text into pieces."""
    doc = nlp(normal)
    inside = [token for token in doc if not (token.ent_type_ in MASKS and token.ent_iob_ == "I")]
    # One copy of every word: each message its own made 25 MB of the training's memory.
    pieces = [MASKS.get(token.ent_type_) or intern(token.text) for token in inside]
    return Reading(pieces, [token.idx for token in inside], _as_rasa(doc))


def as_seen(pieces: Sequence[str], normal: str, *, has_entities: bool) -> Seen:
    """Return a message as the intent model sees it."""
    return Seen(
        text=squeeze("".join(pieces)),
        words=squeeze(" ".join(pieces)),
        else_left=sum(character.isalnum() for piece in pieces if piece not in MASKS.values() for character in piece),
        has_entities=has_entities,
        language=language_of(normal),
    )


def seen_texts(texts: Sequence[str]) -> List[Seen]:
    """Return texts as the intent model sees them, without a graph around the components."""
    nlp = language.build()
    found = []
    for normal in map(normalise, texts):
        reading = read(nlp, normal)
        found.append(as_seen(reading.pieces, normal, has_entities=bool(reading.entities)))
    return found


def _as_rasa(doc: Doc) -> List[Dict[str, Any]]:
    """Return the entities in Rasa's form; offsets hold in the original text, because normalising keeps the length."""
    return [
        {
            "entity": entity.label_,
            "start": entity.start_char,
            "end": entity.end_char,
            "value": entity.id_,
            "extractor": EXTRACTOR,
        }
        for entity in doc.ents
    ]
