"""The spaCy pipeline: Jieba's words, with the entities of nlu/lexicon exact to the character.

spaCy's own EntityRuler can only mark whole tokens, and Jieba cuts "3栋2单元1201厨房" as it likes. So the rules run over
the text, and the words are cut once more where an entity begins or ends.
"""

import io
import json
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Dict, List

import jieba
import spacy
from spacy.lang.zh import ChineseTokenizer
from spacy.language import Language
from spacy.tokens import Doc

from components.rules import Rules, read_lexicon, read_words

FACTORY = "guanjia_rules"
DICTIONARY = Path(jieba.__file__).with_name("dict.txt")
COMMON = 10  # times Jieba has counted a word; the 240,000 rarer ones cost 45 MB and teach nothing
OURS = 1000  # times a word of the lexicon counts as seen, so that it stays whole

# Empty and never used, but ready: spaCy tries Jieba out when it makes a pipeline, which would load all of its words.
jieba.dt.FREQ, jieba.dt.total, jieba.dt.initialized = {}, 1, True


class RuleFinder:
    """Sets `doc.ents` from the lexicon; lexicon and words are kept in the saved pipeline."""

    def __init__(self, tokenizer: ChineseTokenizer, lexicon: List[Dict[str, Any]], words: str) -> None:
        self._tokenizer = tokenizer
        self._use(lexicon, words)

    def _use(self, lexicon: List[Dict[str, Any]], words: str) -> None:
        self.lexicon, self.words = lexicon, words
        self.rules = Rules(lexicon) if lexicon else None
        if words:
            self._tokenizer.jieba_seg = _cutter(words)

    def __call__(self, doc: Doc) -> Doc:
        """Return the document cut anew around its entities, their value in `ent_id_`."""
        text = doc.text  # spaCy puts it together anew each time it is asked
        found = self.rules.find(text)
        cuts = {token.idx for token in doc} | {0, len(text)}
        cuts.update(edge for span in found for edge in (span.start, span.end))
        edges = sorted(cuts)
        words = [text[start:end] for start, end in pairwise(edges)]
        exact = Doc(doc.vocab, words=words, spaces=[False] * len(words))
        exact.ents = [exact.char_span(s.start, s.end, label=s.label, span_id=s.value) for s in found]
        return exact

    def to_disk(self, path: Path, exclude=()) -> None:
        """Write the lexicon and the words into spaCy's folder."""
        kept = {"lexicon": self.lexicon, "words": self.words}
        Path(path).write_text(json.dumps(kept, ensure_ascii=False, indent=1), encoding="utf-8")

    def from_disk(self, path: Path, exclude=()) -> "RuleFinder":
        """Read those the model was trained with, which may be older than the ones in the tree."""
        self._use(**json.loads(Path(path).read_text(encoding="utf-8")))
        return self


@Language.factory(FACTORY, default_config={"lexicon": [], "words": ""})
def _make_rule_finder(nlp: Language, name: str, lexicon: List[Dict[str, Any]], words: str) -> RuleFinder:
    return RuleFinder(nlp.tokenizer, lexicon, words)


@lru_cache(maxsize=1)
def build() -> Language:
    """Return the pipeline with the lexicon in the tree, made once."""
    lexicon = read_lexicon()
    terms = [term for rules in lexicon for term in rules.get("terms", ()) if not term.isascii()]
    words = _common_words() + "".join(f"{word} {OURS}\n" for word in dict.fromkeys([*terms, *read_words()]))
    nlp = spacy.blank("zh", config={"nlp": {"tokenizer": {"segmenter": "jieba"}}})
    nlp.add_pipe(FACTORY)._use(lexicon, words)
    return nlp


def load(folder: Path) -> Language:
    """Return the pipeline that was saved with a model."""
    return spacy.load(folder)


def _common_words() -> str:
    """Return the common lines of Jieba's own dictionary: word, count, part of speech."""
    with DICTIONARY.open(encoding="utf-8") as lines:
        return "".join(line for line in lines if int(line.split(" ")[1]) >= COMMON)


@lru_cache(maxsize=1)  # the next model mostly has the same words
def _cutter(words: str) -> jieba.Tokenizer:
    """Return a Jieba of the pipeline's own that knows exactly these words, in the form of its dictionaries.

    The one that Jieba shares out would change under a model that is served while the next is loaded. Jieba's own
    loading leaves a cache under a guessable name in the world-writable /tmp, and unmarshals whatever lies there.
    """
    cutter = jieba.Tokenizer()
    cutter.FREQ, cutter.total = cutter.gen_pfdict(io.BytesIO(words.encode()))
    cutter.initialized = True
    return cutter
