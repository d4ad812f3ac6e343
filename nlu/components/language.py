"""The spaCy pipeline: Jieba's words, with the entities of nlu/lexicon exact to the character.

spaCy's own EntityRuler can only mark whole tokens, and Jieba cuts "3栋2单元1201厨房" as it likes. So the rules run over
the text, and the words are cut once more where an entity begins or ends.
"""

import json
import logging
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any, Dict, List

import jieba
import spacy
from spacy.language import Language
from spacy.tokens import Doc

from components.rules import Rules, read_lexicon

FACTORY = "guanjia_rules"

# Jieba keeps a cache in the world-writable /tmp under a guessable name and unmarshals whatever lies there.
jieba.dt.tmp_dir = tempfile.mkdtemp(prefix="guanjia-jieba-")
jieba.setLogLevel(logging.WARNING)


class RuleFinder:
    """Sets `doc.ents` from the lexicon, and keeps the lexicon in the saved pipeline."""

    def __init__(self, lexicon: List[Dict[str, Any]]) -> None:
        self._use(lexicon)

    def _use(self, lexicon: List[Dict[str, Any]]) -> None:
        self.lexicon = lexicon
        self.rules = Rules(lexicon) if lexicon else None

    def __call__(self, doc: Doc) -> Doc:
        """Return the document cut anew around its entities, their value in `ent_id_`."""
        found = self.rules.find(doc.text)
        cuts = {token.idx for token in doc} | {0, len(doc.text)}
        cuts.update(edge for span in found for edge in (span.start, span.end))
        edges = sorted(cuts)
        words = [doc.text[start:end] for start, end in pairwise(edges)]
        exact = Doc(doc.vocab, words=words, spaces=[False] * len(words))
        exact.ents = [exact.char_span(s.start, s.end, label=s.label, span_id=s.value) for s in found]
        return exact

    def to_disk(self, path: Path, exclude=()) -> None:
        """Write the lexicon into spaCy's folder."""
        Path(path).write_text(json.dumps(self.lexicon, ensure_ascii=False, indent=1), encoding="utf-8")

    def from_disk(self, path: Path, exclude=()) -> "RuleFinder":
        """Read the lexicon the model was trained with, which may be older than the one in the tree."""
        self._use(json.loads(Path(path).read_text(encoding="utf-8")))
        return self


@Language.factory(FACTORY, default_config={"lexicon": []})
def _make_rule_finder(nlp: Language, name: str, lexicon: List[Dict[str, Any]]) -> RuleFinder:
    return RuleFinder(lexicon)


def build() -> Language:
    """Return a new pipeline with the lexicon in the tree."""
    jieba.initialize()
    nlp = spacy.blank("zh", config={"nlp": {"tokenizer": {"segmenter": "jieba"}}})
    nlp.add_pipe(FACTORY)._use(read_lexicon())
    return nlp


def load(folder: Path) -> Language:
    """Return the pipeline that was saved with a model."""
    jieba.initialize()  # half a second, better now than in front of the first resident
    return spacy.load(folder)
