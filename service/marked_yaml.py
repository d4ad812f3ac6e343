"""YAML that people write, read with the line of everything, so that what is wrong can be pointed at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same in C, ten times as fast

Dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # the slow one writes some line breaks so that they are lost


@dataclass(frozen=True)
class Problem:
    """What is wrong in a line, as a phrase of domain.yml and what fills it; never what a resident wrote."""

    line: int
    phrase: str
    facts: dict[str, object]


class Wrong(Exception):
    """Something in a file is not as it should be."""

    def __init__(self, line: int, phrase: str, **facts: object) -> None:
        super().__init__(phrase)
        self.problem = Problem(line, phrase, facts)


def written(content: Mapping[str, Any]) -> str:
    """Plain data as a file for people, each text on a line of its own."""
    text: str = yaml.dump(dict(content), Dumper=Dumper, allow_unicode=True, sort_keys=False, width=10_000)
    return text


def parse(content: bytes) -> yaml.Node:
    """The file as YAML's own tree, which knows its lines; an empty file is an empty mapping.

    Raises:
        Wrong: it is no YAML in UTF-8.
    """
    try:
        text = content.decode("utf-8-sig")
        root: yaml.Node | None = yaml.compose(text, Loader=Loader)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise Wrong(line, "utter_staff_file_not_yaml", problem="UTF-8") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise Wrong(line, "utter_staff_file_not_yaml", problem=error.problem or error.context) from error
    except yaml.reader.ReaderError as error:
        line = content[: error.position].count(b"\n") + 1
        raise Wrong(line, "utter_staff_file_not_yaml", problem=error.reason) from error
    except RecursionError as error:
        raise Wrong(1, "utter_staff_file_not_yaml", problem=type(error).__name__) from error
    return root if root is not None else yaml.MappingNode("tag:yaml.org,2002:map", [])


def line_of(node: yaml.Node) -> int:
    """The line a node begins in, from 1."""
    return node.start_mark.line + 1 if node.start_mark else 1


def fields_of(node: yaml.Node, *, expected: str) -> dict[str, yaml.Node]:
    """A mapping by its keys.

    Raises:
        Wrong: it is something else; `expected` shows what should stand there.
    """
    if not isinstance(node, yaml.MappingNode):
        raise Wrong(line_of(node), "utter_staff_file_shape", expected=expected)
    return {str(key.value): value for key, value in node.value}


def items_of(node: yaml.Node | None, around: yaml.Node, *, expected: str) -> Sequence[yaml.Node]:
    """A list.

    Raises:
        Wrong: it is something else, or missing in `around`.
    """
    if not isinstance(node, yaml.SequenceNode):
        raise Wrong(line_of(node or around), "utter_staff_file_shape", expected=expected)
    found: Sequence[yaml.Node] = node.value
    return found


def text_of(node: yaml.Node | None, around: yaml.Node, *, expected: str) -> str:
    """A text.

    Raises:
        Wrong: it is something else, or missing in `around`.
    """
    if not isinstance(node, yaml.ScalarNode):
        raise Wrong(line_of(node or around), "utter_staff_file_shape", expected=expected)
    return str(node.value)


def is_storable(text: str) -> bool:
    """PostgreSQL keeps neither NUL nor half a character."""
    return "\x00" not in text and text.encode("utf-8", "ignore").decode() == text
