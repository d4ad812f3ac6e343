"""The training examples with the line each stands on, and what may not be among them.

`nlu/.venv/bin/python nlu/examples.py [--against labelled.jsonl]` checks the corpus and names every offending line.
"""

import argparse
import json
import re
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Sequence, Set, Tuple

import launcher

AT_ONCE = 1000  # texts that are held against all others: a table of pairs takes memory
TOO_ALIKE = 0.6  # of the character bigrams in common (Jaccard), inside an intent
LIKE_AN_EXAM = 0.5  # the same, against messages that measure …
ANNOTATED = re.compile(r"\[([^]]*)](?:{[^}]*}|\([^)]*\))")  # Rasa's way to mark an entity: [3栋](location)
CHARACTERS, WORDS = 6, 4  # … of at least so many: there are only so many ways to say thanks


class Example(NamedTuple):
    """One training example and where it stands."""

    text: str
    intent: str
    file: Path
    line: int

    @property
    def place(self) -> str:
        """Return file and line, as editors open them."""
        return f"{self.file}:{self.line}"


class BadData(Exception):
    """A training file cannot be used; says which, where and why."""


def read_examples(path: Path) -> List[Example]:
    """Return the examples of a Rasa training file, or of a folder of them.

    Raises:
        BadData: no YAML, or not Rasa's form.
    """
    files = sorted(path.rglob("*.yml")) if path.is_dir() else [path]
    return [example for file in files for example in _read_file(file)]


def _read_file(file: Path) -> Iterator[Example]:
    try:
        content = read_yaml(file)
        entries = content.get("nlu", []) if hasattr(content, "get") else content["nlu"]
        for entry in entries:
            yield from _read_entry(entry, file)
    except (TypeError, KeyError, AttributeError) as error:
        raise BadData(f"{file}: not a Rasa training file; it starts with `nlu:` and a list of intents") from error


def read_yaml(file: Path) -> Any:
    """Return what a YAML file holds; its mappings know the line they stand on.

    Raises:
        BadData: no such file, no text, or no YAML.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        return YAML(typ="rt").load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadData(f"{file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadData(f"{file}: not UTF-8 at byte {error.start}") from error
    except MarkedYAMLError as error:
        line = (error.problem_mark or error.context_mark).line + 1
        raise BadData(f"{file}:{line}: not YAML: {error.problem or error.context}") from error
    except YAMLError as error:
        raise BadData(f"{file}: not YAML: {error}") from error


def read_intents(domain: Path) -> Set[str]:
    """Return the intents that a domain, a file or a folder of files, knows.

    Raises:
        BadData: no YAML, or not Rasa's form.
    """
    files = sorted(domain.rglob("*.yml")) if domain.is_dir() else [domain]
    known: Set[str] = set()
    for file in files:
        content = read_yaml(file)
        if not isinstance(content, dict) or not isinstance(content.get("intents", []), list):
            raise BadData(f"{file}: not a Rasa domain; it is a mapping, and `intents` in it a list")
        known.update(str(next(iter(i))) if isinstance(i, dict) else str(i) for i in content.get("intents", []))
    return known


def _read_entry(entry: Dict, file: Path) -> Iterator[Example]:
    if "intent" not in entry:  # synonyms, lookup tables
        return
    if "examples" not in entry:
        raise BadData(f"{file}:{entry.lc.line + 1}: an intent without `examples`")
    first = entry.lc.value("examples")[0] + 1  # the line of `examples: |`, counted from one
    for offset, line in enumerate(str(entry["examples"]).splitlines(), 1):
        if line.startswith("- ") and line[2:].strip():
            yield Example(ANNOTATED.sub(r"\1", line[2:].strip()), str(entry["intent"]), file, first + offset)
        elif line.strip():
            raise BadData(f"{file}:{first + offset}: an example starts with `- `")


def labelled(files: Iterable[Path]) -> List[Dict[str, Any]]:
    """Return every line of JSON Lines files that has a text and an intent, with its language and its file's name.

    Raises:
        BadData: a line is no JSON object with a text: a measure with holes in it measures something else.
    """
    from components.text import language_of

    lines = [{**item, "set": path.stem} for path in files for item in read_messages(path)]
    return [{"language": language_of(i["text"]), **i} for i in lines if isinstance(i.get("intent"), str)]


def read_messages(path: Path) -> Iterator[Dict[str, Any]]:
    """Yield the objects of a JSON Lines file, every one with a text.

    Raises:
        BadData: a line is none.
    """
    from parse import read_line

    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        item = read_line(number, line) if line.strip() else {}
        if "error" in item:
            raise BadData(f"{path}:{number}: {item['error']}")
        yield item


def faults(examples: Sequence[Example], intents: Iterable[str]) -> Iterator[str]:
    """Yield what no model may be trained on: intents nobody knows, and one text under two intents.

    Args:
        examples: the training data.
        intents: those of the domain.
    """
    known = set(intents)
    first: Dict[str, Example] = {}
    for example in examples:
        if example.intent not in known:
            yield f"{example.place}: no such intent in the domain: {example.intent}"
        other = first.setdefault(example.text, example)
        if other.intent != example.intent:
            yield f"{example.place}: {example.intent} here, but {other.intent} in {other.place}: {example.text}"


def near_duplicates(examples: Sequence[Example]) -> Iterator[str]:
    """Yield pairs inside an intent that share more than `TOO_ALIKE` of their bigrams: one of them teaches nothing."""
    groups: Dict[str, List[Example]] = defaultdict(list)
    for example in examples:
        groups[example.intent].append(example)
    for members in groups.values():
        texts = [member.text for member in members]
        for one, other, share in alike(texts, texts, above=TOO_ALIKE):
            if one < other:
                yield f"{members[other].place}: {share:.2f} like {members[one].place}: {members[other].text}"


def leaks(examples: Sequence[Example], exam: Sequence[str]) -> Iterator[str]:
    """Yield examples that resemble a message that measures: what is learnt by heart measures nothing."""
    telling = [text for text in exam if len(text) >= CHARACTERS and (not text.isascii() or len(text.split()) >= WORDS)]
    for one, _, share in alike([example.text for example in examples], telling, above=LIKE_AN_EXAM):
        yield f"{examples[one].place}: {share:.2f} like a message that measures: {examples[one].text}"


def alike(left: Sequence[str], right: Sequence[str], *, above: float) -> Iterator[Tuple[int, int, float]]:
    """Yield index pairs whose sets of character bigrams have a Jaccard index over `above`."""
    number: Dict[str, int] = defaultdict(lambda: len(number))
    mine, theirs = _table(left, number), _table(right, number)
    sizes, their_sizes = mine.getnnz(axis=1), theirs.getnnz(axis=1)
    mine.resize(len(left), len(number))
    for start in range(0, len(left), AT_ONCE):
        shared = (mine[start : start + AT_ONCE] @ theirs.T).tocoo()
        ones = shared.row + start
        shares = shared.data / (sizes[ones] + their_sizes[shared.col] - shared.data)
        for place in (shares > above).nonzero()[0]:
            yield int(ones[place]), int(shared.col[place]), float(shares[place])


def _table(texts: Sequence[str], number: Dict[str, int]) -> Any:
    """Return a row per text with a one for each of its bigrams, which are numbered as they come."""
    from scipy.sparse import csr_matrix

    cells = [(row, number[bigram]) for row, text in enumerate(texts) for bigram in bigrams(text)]
    rows, columns = ([cell[part] for cell in cells] for part in range(2))
    return csr_matrix(([1] * len(cells), (rows, columns)), shape=(len(texts), len(number)), dtype="int32")


def bigrams(text: str) -> Set[str]:
    """Return the pairs of neighbouring characters of the normalised text; a single character is a pair by itself."""
    from components.text import normalise

    plain = normalise(text).lower()
    return {plain[place : place + 2] for place in range(max(1, len(plain) - 1))}


def main() -> None:
    """Check the corpus as the command line says; exit with 1 when a line is to go."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=launcher.HOME / "data" / "nlu", help="file or folder")
    parser.add_argument("--against", type=Path, nargs="*", default=[], help="JSON Lines that nothing may resemble")
    arguments = parser.parse_args()
    exam = [json.loads(line)["text"] for path in arguments.against for line in path.read_text("utf-8").splitlines()]
    try:
        examples = read_examples(arguments.data)
    except BadData as error:
        sys.exit(str(error))
    found = [*faults(examples, {e.intent for e in examples}), *near_duplicates(examples), *leaks(examples, exam)]
    print("\n".join([*found, f"{len(examples)} examples, {len(found)} to mend"]))
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
