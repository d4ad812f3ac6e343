"""What ruamel.yaml 0.17.21, which Rasa asks for, does wrong when it looks at a scalar.

Each scalar is held against the list of what one with its first character may be, and at every look that list grows by
what any scalar may be: with Rasa the name of an environment variable. Reading takes as long as the square of the
length; for the domain inside a model that is four times as long as with tuples, which do not grow.
"""

from typing import Any, Iterable, Optional, Tuple

from ruamel.yaml.resolver import VersionedResolver


def install() -> None:
    """Mend it; call this before YAML is read."""
    VersionedResolver.add_version_implicit_resolver = _add


def _add(self: VersionedResolver, version: Tuple[int, int], tag: str, pattern: Any, first: Optional[Iterable]) -> None:
    rules = self._version_implicit_resolver.setdefault(version, {None: ()})
    for character in first or [None]:
        rules[character] = (*rules.get(character, ()), (tag, pattern))
